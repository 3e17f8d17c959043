// What a client is told of a refusal: one set of words wherever it is said, and never a peer's own.
import { expect, test } from 'vitest'
import { namedRefusalError, refusalError } from '../../src/session/refusal-error.js'

test.each([
  ['expired', 'session/expired', 'expires'],
  ['revoked', 'session/revoked', 'revoked'],
  ['holder', 'session/denied', 'holder'],
  ['claims', 'session/denied', 'claims'],
  ['object', 'session/denied', 'object'],
] as const)('%s is %s, by status, close code or name alike', (reason, code, word) => {
  expect(refusalError(reason)).toMatchObject({ code })
  expect(refusalError(reason).message).toContain(word)
  expect(namedRefusalError(reason)).toEqual(refusalError(reason))
})

test.each(['ok', 'going_away', '__proto__', 'constructor', '\u001b[31mpay here', '', undefined])(
  'the name %j of a peer is denied without being repeated',
  (name) => {
    const error = namedRefusalError(name)
    expect([error.code, error.message]).toEqual([
      'session/denied',
      'Cannot use capability: the service refuses it',
    ])
  },
)

test('the reason of a close record that refuses nothing is session/closed', () => {
  expect(refusalError('going_away')).toMatchObject({ code: 'session/closed' })
})
