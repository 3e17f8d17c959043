import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { concat, hexDecode, hexEncode, utf8 } from '../../src/bytes.js'
import type { HashFunction } from '../../src/crypto/index.js'
import {
  ALL_LENGTHS,
  ALL_LENGTHS_HASH,
  ALL_LENGTHS_HMAC,
  HASH_VECTORS,
  HKDF_VECTORS,
  HMAC_VECTORS,
} from './hash-vectors.js'
import { everyHash, HASH_NAMES, isPlainAndOwn } from './providers.js'

const NODE_NAMES = {
  SHA256: 'sha256',
  SHA512: 'sha512',
  BLAKE2s: 'blake2s256',
  BLAKE2b: 'blake2b512',
} as const

const LENGTHS = { SHA256: [32, 64], SHA512: [64, 128], BLAKE2s: [32, 64], BLAKE2b: [64, 128] } as const

/** RFC 5869 §2 over the provider's HMAC. */
function hkdf(hash: HashFunction, ikm: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number) {
  const prk = hash.hmac(salt.length === 0 ? new Uint8Array(hash.length) : salt, ikm)
  let block = new Uint8Array(0)
  let okm = new Uint8Array(0)
  for (let i = 1; okm.length < length; i++) {
    block = Uint8Array.from(hash.hmac(prk, block, info, Uint8Array.of(i)))
    okm = Uint8Array.from(concat(okm, block))
  }
  return okm.slice(0, length)
}

function input(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (7 * i + length) & 0xff)
}

for (const name of HASH_NAMES) {
  describe.each(everyHash(name).map((hash) => [hash.provider, hash] as const))(`${name} of %s`, (_, hash) => {
    test('length and blockLength, HASHLEN and BLOCKLEN of Noise', () => {
      expect([hash.length, hash.blockLength]).toEqual(LENGTHS[name])
    })

    test.each(HASH_VECTORS)('hash, "$text", published digest', ({ text, digest }) => {
      expect(hexEncode(hash.hash(utf8(text)))).toBe(digest[name])
    })

    test.each(HMAC_VECTORS)('hmac, RFC 4231 §$section, published code', ({ key, data, mac }) => {
      expect(hexEncode(hash.hmac(hexDecode(key), hexDecode(data)))).toBe(mac[name])
    })

    test.each(HKDF_VECTORS)('HKDF on hmac, RFC 5869 $appendix, published output', (vector) => {
      const okm = hkdf(
        hash,
        hexDecode(vector.ikm),
        hexDecode(vector.salt),
        hexDecode(vector.info),
        vector.length,
      )
      expect(hexEncode(okm)).toBe(vector.okm[name])
    })

    test('hash, every length around the block boundaries, as CPython computes it', () => {
      const digests = ALL_LENGTHS.map((length) => hash.hash(input(length)))
      expect(hexEncode(hash.hash(concat(...digests)))).toBe(ALL_LENGTHS_HASH[name])
    })

    test('hmac, every length of data and key around the block boundaries, as CPython computes it', () => {
      const macs = ALL_LENGTHS.map((length) => hash.hmac(input(length).subarray(0, 200), input(length)))
      expect(hexEncode(hash.hash(concat(...macs)))).toBe(ALL_LENGTHS_HMAC[name])
    })

    test.each([5, 300, 5_000])('hash and hmac, %i bytes in several parts, same as in one', (length) => {
      const whole = input(length)
      const key = input(40)
      for (const cut of [0, 1, 3, length - 1, length]) {
        const parts = [whole.subarray(0, cut), new Uint8Array(0), whole.subarray(cut)]
        expect(hexEncode(hash.hash(...parts))).toBe(hexEncode(hash.hash(whole)))
        expect(hexEncode(hash.hmac(key, ...parts))).toBe(hexEncode(hash.hmac(key, whole)))
      }
    })

    test.each([0, 1, 31, 32, 33, 63, 64, 65, 127, 128, 129, 200, 5_000])(
      'hmac, a key of %i bytes and data from short to long and back, as OpenSSL computes it',
      (keyLength) => {
        const key = input(keyLength)
        for (const dataLength of [0, 1, 32, 65, 127, 128, 129, 300, 4_095, 4_096, 4_097, 9_000, 64, 0]) {
          const [head, tail] = [input(dataLength), Uint8Array.of(keyLength & 0xff, 1)]
          const oracle = createHmac(NODE_NAMES[name], key).update(head).update(tail).digest('hex')
          expect(hexEncode(hash.hmac(key, head, tail))).toBe(oracle)
        }
      },
    )

    test('hash and hmac, no parts, same as one empty part', () => {
      expect(hexEncode(hash.hash())).toBe(HASH_VECTORS[0]!.digest[name])
      expect(hexEncode(hash.hmac(input(3)))).toBe(hexEncode(hash.hmac(input(3), new Uint8Array(0))))
    })

    test('hash and hmac, arguments, left as they were', () => {
      const key = input(hash.blockLength + 1)
      const data = input(70)
      hash.hash(data)
      hash.hmac(key, data)
      expect(hexEncode(key)).toBe(hexEncode(input(hash.blockLength + 1)))
      expect(hexEncode(data)).toBe(hexEncode(input(70)))
    })

    test('hash and hmac, results, plain arrays of their own memory that later calls leave alone', () => {
      const digest = hash.hash(input(1))
      const mac = hash.hmac(input(1), input(2))
      const before = [hexEncode(digest), hexEncode(mac)]
      hash.hash(input(3))
      hash.hmac(input(3), input(4))
      expect([hexEncode(digest), hexEncode(mac)]).toEqual(before)
      for (const bytes of [digest, mac]) {
        expect(bytes).toHaveLength(hash.length)
        expect(isPlainAndOwn(bytes)).toBe(true)
      }
    })

    test('hash and hmac, arguments that are no Uint8Array, TypeError', () => {
      const wrong = 'text' as unknown as Uint8Array // as untyped callers would
      expect(() => hash.hash(wrong)).toThrow(TypeError)
      expect(() => hash.hash(input(1), wrong)).toThrow(TypeError)
      expect(() => hash.hmac(wrong, input(1))).toThrow(TypeError)
      expect(() => hash.hmac(input(1), wrong)).toThrow(TypeError)
    })
  })
}
