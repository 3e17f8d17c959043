import { describe, expect, test } from 'vitest'
import { drawHashKey, hashOf, unsafeSetHashKey } from '../../src/rpc/guard-hash.js'

// HalfSipHash-2-4 with 32 bits of output under the key 00 … 07, of the first n of the bytes 00, 01, …; as little-endian hex.
// Source: vectors.h of the reference code, https://github.com/veorq/SipHash.
const VECTORS = [
  'a9359f5b',
  '27475ab8',
  'fa62a603',
  '8afee704',
  '2a6e4689',
  'c5fab669',
  '5863fc23',
  '8bcf63c5',
] as const

function hexOfHash(hash: number): string {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32LE(hash)
  return bytes.toString('hex')
}

describe('hashOf', () => {
  test.each(VECTORS.map((expected, length) => [length, expected] as const))(
    'of %i bytes is that of the reference code',
    (length, expected) => {
      unsafeSetHashKey(0x0302_0100, 0x0706_0504)
      const bytes = Uint8Array.from({ length: length + 2 }, (_, i) => i - 1)
      expect(hexOfHash(hashOf(bytes, 1, length + 1))).toBe(expected)
    },
  )

  test('under another key is another hash', () => {
    const bytes = new Uint8Array(64)
    const hashes = new Set<number>()
    for (let i = 0; i < 16; i++) {
      drawHashKey()
      hashes.add(hashOf(bytes, 0, bytes.length))
    }
    expect(hashes.size).toBe(16)
  })
})
