import { describe, expect, test } from 'vitest'
import { hexEncode } from '../../src/bytes.js'
import { primitivesOf, reportOf } from '../../src/crypto/index.js'
import { isPlainAndOwn, PROVIDERS } from './providers.js'

const withRandom = PROVIDERS.map(primitivesOf).filter((of) =>
  reportOf(of).some(({ primitive, provider }) => primitive === 'random' && provider !== undefined),
)

describe.each(withRandom.map((of) => [of.dh('25519').provider, of] as const))('random of %s', (_, of) => {
  // 65,536 is what Web Cryptography gives in one call.
  test.each([0, 1, 32, 65_536, 65_537, 200_000])(
    'randomBytes, %i bytes, a plain array of its own',
    (length) => {
      const bytes = of.randomBytes(length)
      expect(bytes).toHaveLength(length)
      expect(isPlainAndOwn(bytes)).toBe(true)
    },
  )

  test('randomBytes, long output, filled to its end', () => {
    const bytes = of.randomBytes(200_000)
    for (let offset = 0; offset < bytes.length; offset += 100) {
      expect(bytes.subarray(offset, offset + 100).some((byte) => byte !== 0)).toBe(true)
    }
  })

  test('randomBytes, called twice, different', () => {
    expect(hexEncode(of.randomBytes(32))).not.toBe(hexEncode(of.randomBytes(32)))
  })

  test.each([-1, Number.NaN, 1.5, 2 ** 60])('randomBytes, a length of %s, RangeError', (length) => {
    expect(() => of.randomBytes(length)).toThrow(RangeError)
  })
})
