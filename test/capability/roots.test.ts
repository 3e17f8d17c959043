import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { RootSecrets, ServiceKey } from '../../src/capability/index.js'

const secret = (fill: number) => new Uint8Array(32).fill(fill)

describe('RootSecrets', () => {
  test('generate makes number 1; rotate counts up and never comes back to a number', () => {
    const roots = RootSecrets.generate()
    expect([roots.rotate(), roots.rotate()]).toEqual([2, 3])
    expect(roots.retire(2)).toBe(true)
    expect(roots.retire(2)).toBe(false)
    expect(roots.get(2)).toBeUndefined()
    expect(roots.rotate()).toBe(4)
    expect(roots.kids).toEqual([1, 3, 4])
    expect(roots.current).toBe(4)
  })

  test('the one that mints cannot be retired', () => {
    expect(() => RootSecrets.generate().retire(1)).toThrow(RangeError)
  })

  test.each<[string, [number, Uint8Array][]]>([
    ['none', []],
    ['number 0', [[0, secret(1)]]],
    ['number 2^32', [[2 ** 32, secret(1)]]],
    ['a fraction', [[1.5, secret(1)]]],
    [
      'the same number twice',
      [
        [1, secret(1)],
        [1, secret(2)],
      ],
    ],
    ['31 bytes', [[1, new Uint8Array(31)]]],
    ['65 of them', Array.from({ length: 65 }, (_, i): [number, Uint8Array] => [i + 1, secret(i)])],
  ])('refuses %s', (_name, entries) => {
    expect(() => RootSecrets.from(entries)).toThrow(RangeError)
  })

  test('copies what it is given', () => {
    const given = secret(3)
    const roots = RootSecrets.from([[1, given]])
    given.fill(0)
    expect(roots.get(1)).toEqual(secret(3))
  })

  test('shows numbers only, and nothing is left after disposal', () => {
    const roots = RootSecrets.from([
      [1, secret(0xab)],
      [7, secret(0xcd)],
    ])
    expect(inspect(roots)).toBe('RootSecrets 1, 7 [redacted]')
    const borrowed = roots.get(1)!
    roots[Symbol.dispose]()
    expect(borrowed).toEqual(secret(0))
    expect(() => roots.rotate()).toThrow(TypeError)
  })
})

test('ServiceKey shows its name only', () => {
  const key = ServiceKey.generate()
  expect(inspect(key)).toBe(`ServiceKey ${key.keyHash} [redacted]`)
  expect(key.keyHash).toMatch(/^[a-z2-7]{52}$/)
})
