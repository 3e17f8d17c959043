import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { EMPTY, hexDecode, hexEncode } from '../../src/bytes.js'
import { AEAD_VECTORS } from './aead-vectors.js'
import { AEAD_NAMES, everyAead } from './providers.js'

const NONCE = Uint8Array.from({ length: 12 }, (_, i) => i)
const KEY = Uint8Array.from({ length: 32 }, (_, i) => 0x40 + i)
const AD = Uint8Array.of(1, 2, 3)

function patterned(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 13 + 7) & 0xff)
}

for (const name of AEAD_NAMES) {
  describe.each(everyAead(name).map((aead) => [aead.provider, aead] as const))(`${name} of %s`, (_, aead) => {
    function sealed(plaintext: Uint8Array): Uint8Array {
      const out = new Uint8Array(plaintext.length + 16)
      aead.withKey(KEY).seal(NONCE, AD, plaintext, out)
      return out
    }

    test.each(AEAD_VECTORS[name])('seal and open, $source, published bytes', (vector) => {
      const key = aead.withKey(hexDecode(vector.key))
      const nonce = hexDecode(vector.nonce)
      const ad = hexDecode(vector.ad)
      const plaintext = hexDecode(vector.plaintext)
      const out = new Uint8Array(plaintext.length + 16)
      key.seal(nonce, ad, plaintext, out)
      expect(hexEncode(out)).toBe(vector.sealed)
      const opened = new Uint8Array(plaintext.length)
      expect(key.open(nonce, ad, out, opened)).toBe(true)
      expect(hexEncode(opened)).toBe(vector.plaintext)
    })

    test.each([0, 1, 15, 16, 17, 63, 64, 65, 1_000, 65_519])(
      'seal and open, %i bytes in place, same as apart',
      (length) => {
        const apart = sealed(patterned(length))
        const buffer = new Uint8Array(length + 16)
        buffer.set(patterned(length))
        const key = aead.withKey(KEY)
        key.seal(NONCE, AD, buffer.subarray(0, length), buffer)
        expect(Buffer.compare(buffer, apart)).toBe(0)
        expect(key.open(NONCE, AD, buffer, buffer.subarray(0, length))).toBe(true)
        expect(Buffer.compare(buffer.subarray(0, length), patterned(length))).toBe(0)
      },
    )

    test('seal and open, unaligned views into larger buffers, nothing outside is touched', () => {
      const around = new Uint8Array(200).fill(0xee)
      around.set(patterned(50), 3)
      const target = new Uint8Array(200).fill(0xdd)
      const key = aead.withKey(KEY)
      key.seal(NONCE, AD, around.subarray(3, 53), target.subarray(5, 71))
      expect(hexEncode(target.subarray(5, 71))).toBe(hexEncode(sealed(patterned(50))))
      expect([...target.subarray(0, 5), ...target.subarray(71)].every((byte) => byte === 0xdd)).toBe(true)
      const opened = new Uint8Array(60).fill(0xcc)
      expect(key.open(NONCE, AD, target.subarray(5, 71), opened.subarray(7, 57))).toBe(true)
      expect(hexEncode(opened.subarray(7, 57))).toBe(hexEncode(patterned(50)))
      expect([...opened.subarray(0, 7), ...opened.subarray(57)].every((byte) => byte === 0xcc)).toBe(true)
    })

    test('open, any single flipped bit of the ciphertext, false and an all-zero output', () => {
      const ciphertext = sealed(patterned(20))
      const key = aead.withKey(KEY)
      for (let bit = 0; bit < ciphertext.length * 8; bit++) {
        const flipped = Uint8Array.from(ciphertext)
        flipped[bit >> 3]! ^= 1 << (bit & 7)
        const out = new Uint8Array(20).fill(0xaa)
        expect(key.open(NONCE, AD, flipped, out)).toBe(false)
        expect(hexEncode(out)).toBe('00'.repeat(20))
      }
    })

    test('open, another nonce, associated data or key, false and an all-zero output', () => {
      const ciphertext = sealed(patterned(20))
      const out = new Uint8Array(20).fill(0xaa)
      const key = aead.withKey(KEY)
      const otherNonce = Uint8Array.from(NONCE, (byte) => byte ^ 1)
      expect(key.open(otherNonce, AD, ciphertext, out)).toBe(false)
      expect(key.open(NONCE, EMPTY, ciphertext, out.fill(0xaa))).toBe(false)
      expect(key.open(NONCE, Uint8Array.of(1, 2, 3, 0), ciphertext, out.fill(0xaa))).toBe(false)
      expect(aead.withKey(new Uint8Array(32)).open(NONCE, AD, ciphertext, out.fill(0xaa))).toBe(false)
      expect(hexEncode(out)).toBe('00'.repeat(20))
    })

    test('open, in place with a wrong tag, neither plaintext nor ciphertext is left in the output', () => {
      const buffer = sealed(patterned(40))
      buffer[55]! ^= 1
      expect(aead.withKey(KEY).open(NONCE, AD, buffer, buffer.subarray(0, 40))).toBe(false)
      expect(hexEncode(buffer.subarray(0, 40))).toBe('00'.repeat(40))
    })

    test('open, an empty plaintext with a wrong tag, false', () => {
      const ciphertext = sealed(EMPTY)
      ciphertext[0]! ^= 1
      expect(aead.withKey(KEY).open(NONCE, AD, ciphertext, new Uint8Array(0))).toBe(false)
    })

    test.each([0, 1, 15])('open, a ciphertext of %i bytes, false and the output untouched', (length) => {
      const out = Uint8Array.of(9, 9)
      expect(aead.withKey(KEY).open(NONCE, AD, new Uint8Array(length), out)).toBe(false)
      expect([...out]).toEqual([9, 9])
    })

    test('open, after a failure, still opens the right one', () => {
      const key = aead.withKey(KEY)
      const ciphertext = sealed(patterned(20))
      const out = new Uint8Array(20)
      expect(key.open(NONCE, EMPTY, ciphertext, out)).toBe(false)
      expect(key.open(NONCE, AD, ciphertext, out)).toBe(true)
      expect(hexEncode(out)).toBe(hexEncode(patterned(20)))
    })

    test.each([
      ['nonce of 11 bytes', 11, 20, 36],
      ['nonce of 13 bytes', 13, 20, 36],
      ['output one byte short', 12, 20, 35],
      ['output one byte long', 12, 20, 37],
    ])('seal, %s, RangeError and nothing written', (_, nonceLength, plaintextLength, outLength) => {
      const out = new Uint8Array(outLength).fill(0xaa)
      const act = () =>
        aead.withKey(KEY).seal(new Uint8Array(nonceLength), AD, patterned(plaintextLength), out)
      expect(act).toThrow(RangeError)
      expect(out.every((byte) => byte === 0xaa)).toBe(true)
    })

    test.each([
      ['nonce of 11 bytes', 11, 20],
      ['output one byte short', 12, 19],
      ['output one byte long', 12, 21],
    ])('open, %s, RangeError and nothing written', (_, nonceLength, outLength) => {
      const out = new Uint8Array(outLength).fill(0xaa)
      const ciphertext = sealed(patterned(20))
      expect(() => aead.withKey(KEY).open(new Uint8Array(nonceLength), AD, ciphertext, out)).toThrow(
        RangeError,
      )
      expect(out.every((byte) => byte === 0xaa)).toBe(true)
    })

    test.each([0, 16, 31, 33])('withKey, a key of %i bytes, RangeError', (length) => {
      expect(() => aead.withKey(new Uint8Array(length))).toThrow(RangeError)
    })

    test('seal and open, arguments that are no Uint8Array, TypeError', () => {
      const key = aead.withKey(KEY)
      const wrong = 'text' as unknown as Uint8Array // as untyped callers would
      const out = new Uint8Array(36)
      expect(() => aead.withKey(wrong)).toThrow(TypeError)
      expect(() => key.seal(wrong, AD, patterned(20), out)).toThrow(TypeError)
      expect(() => key.seal(NONCE, wrong, patterned(20), out)).toThrow(TypeError)
      expect(() => key.seal(NONCE, AD, wrong, out)).toThrow(TypeError)
      expect(() => key.seal(NONCE, AD, patterned(20), wrong)).toThrow(TypeError)
      expect(() => key.open(NONCE, wrong, out, new Uint8Array(20))).toThrow(TypeError)
      expect(() => key.open(NONCE, AD, wrong, new Uint8Array(20))).toThrow(TypeError)
      expect(() => key.open(NONCE, AD, out, wrong)).toThrow(TypeError)
    })

    test('withKey, key array altered afterwards, the cipher keeps its copy', () => {
      const bytes = Uint8Array.from(KEY)
      const key = aead.withKey(bytes)
      bytes.fill(0)
      const out = new Uint8Array(36)
      key.seal(NONCE, AD, patterned(20), out)
      expect(hexEncode(out)).toBe(hexEncode(sealed(patterned(20))))
    })

    test('Symbol.dispose, later seal and open throw TypeError, the caller keeps its key', () => {
      const bytes = Uint8Array.from(KEY)
      const key = aead.withKey(bytes)
      key[Symbol.dispose]()
      key[Symbol.dispose]()
      const out = new Uint8Array(36).fill(0xaa)
      expect(() => key.seal(NONCE, AD, patterned(20), out)).toThrow(TypeError)
      expect(() => key.open(NONCE, AD, sealed(patterned(20)), out.subarray(0, 20))).toThrow(TypeError)
      expect(out.every((byte) => byte === 0xaa)).toBe(true)
      expect(hexEncode(bytes)).toBe(hexEncode(KEY))
    })

    test('AeadKey, shown as string, JSON and inspection, [redacted] alone', () => {
      const key = aead.withKey(KEY)
      expect(String(key)).toBe('AeadKey [redacted]')
      expect(JSON.stringify({ key })).toBe('{"key":"AeadKey [redacted]"}')
      expect(inspect(key, { showHidden: true, depth: 9 })).toBe('AeadKey [redacted]')
    })
  })
}
