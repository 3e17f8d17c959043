import { describe, expect, test } from 'vitest'
import { type Claims, decodeGrant, encodeGrant, isObjectPath } from '../../src/capability/grant.js'

const grant = { id: new Uint8Array(16), use: 'call', object: 'notes/ada', claims: {} } as const

describe('isObjectPath', () => {
  test.each(['a', 'notes/ada', 'a.b/~c_d', 'ada+tag@example.org', 'k=v,w', 'x'.repeat(512), '...', 'a/.b'])(
    'accepts %s',
    (path) => expect(isObjectPath(path)).toBe(true),
  )

  test.each([
    '',
    '/',
    '/a',
    'a/',
    'a//b',
    '.',
    '..',
    'a/..',
    './a',
    'a b',
    'a%20b',
    ':a',
    'ä',
    'a\n',
    'x'.repeat(513),
  ])('refuses %j', (path) => expect(isObjectPath(path)).toBe(false))
})

describe('encodeGrant', () => {
  test('decodeGrant gives back what was encoded, claims frozen and without a prototype', () => {
    const claims: Claims = { tier: 'gold', seats: 3, trial: false, constructor: 'x', hasOwnProperty: 1 }
    const decoded = decodeGrant(encodeGrant({ ...grant, claims }))
    expect({ ...decoded.claims }).toEqual(claims)
    expect(decoded).toMatchObject({ use: 'call', object: 'notes/ada' })
    expect(Object.isFrozen(decoded.claims)).toBe(true)
    expect(Object.getPrototypeOf(decoded.claims)).toBeNull()
  })

  test('the order in which claims were written does not matter', () => {
    const one = encodeGrant({ ...grant, claims: { a: 1, bb: 2 } })
    expect(encodeGrant({ ...grant, claims: { bb: 2, a: 1 } })).toEqual(one)
  })

  test.each<[string, Record<string, unknown>, typeof TypeError | typeof RangeError]>([
    ['id of 15 bytes', { id: new Uint8Array(15) }, RangeError],
    ['unknown use', { use: 'admin' }, TypeError],
    ['object with empty segment', { object: 'a//b' }, TypeError],
    ['claim with a fraction', { claims: { a: 0.5 } }, TypeError],
    ['claim beyond 2^53', { claims: { a: 2 ** 53 } }, TypeError],
    ['claim that is null', { claims: { a: null } }, TypeError],
    ['claim that is an object', { claims: { a: {} } }, TypeError],
    ['claim with a lone surrogate', { claims: { a: '\ud800' } }, TypeError],
    ['claim name with a space', { claims: { 'a b': 1 } }, TypeError],
    ['claim name of 65 characters', { claims: { ['a'.repeat(65)]: 1 } }, TypeError],
    ['claim named __proto__', { claims: JSON.parse('{"__proto__":1}') }, TypeError],
    ['claims over 1,024 bytes', { claims: { a: 'x'.repeat(1024) } }, RangeError],
  ])('refuses %s', (_name, part, kind) => {
    expect(() => encodeGrant({ ...grant, ...part })).toThrow(kind)
  })
})
