import { describe, expect, test } from 'vitest'
import { hexDecode, hexEncode } from '../../src/bytes.js'
import { asPublicKey, asSecretKey, type DhFunction } from '../../src/crypto/index.js'
import { NoisecapError } from '../../src/errors.js'
import { DH_VECTORS } from './dh-vectors.js'
import { DH_NAMES, everyDh, isPlainAndOwn } from './providers.js'

function secretOf(dh: DhFunction, hex: string) {
  return asSecretKey(hexDecode(hex), dh.length)
}

function publicOf(dh: DhFunction, hex: string) {
  return asPublicKey(hexDecode(hex), dh.length)
}

/** RFC 7748 §5.2: k and u start as the base point; each result becomes k, the old k becomes u. */
function iterate(dh: DhFunction, times: number): string {
  let k = new Uint8Array(dh.length)
  k[0] = dh.name === '25519' ? 9 : 5
  let u = k
  for (let i = 0; i < times; i++) {
    const result = dh.dh(asSecretKey(k, dh.length), asPublicKey(u, dh.length))
    u = k
    k = Uint8Array.from(result)
  }
  return hexEncode(k)
}

function thrownBy(act: () => unknown): unknown {
  try {
    act()
  } catch (error) {
    return error
  }
  return undefined
}

/** u + `added`, little-endian. */
function plus(u: Uint8Array, added: number): Uint8Array {
  const sum = Uint8Array.from(u)
  let carry = added
  for (let i = 0; i < sum.length; i++) {
    carry += sum[i]!
    sum[i] = carry & 0xff
    carry >>= 8
  }
  return sum
}

for (const name of DH_NAMES) {
  const vectors = DH_VECTORS[name]
  describe.each(everyDh(name).map((dh) => [dh.provider, dh] as const))(`X${name} of %s`, (_, dh) => {
    test.each(vectors.multiplications)('dh, RFC 7748 §5.2 scalar $scalar, published result', (vector) => {
      expect(hexEncode(dh.dh(secretOf(dh, vector.scalar), publicOf(dh, vector.u)))).toBe(vector.result)
    })

    test('dh, RFC 7748 §5.2 after 1 iteration, published result', () => {
      expect(iterate(dh, 1)).toBe(vectors.iterations[1])
    })

    test('dh, RFC 7748 §5.2 after 1,000 iterations, published result', () => {
      expect(iterate(dh, 1_000)).toBe(vectors.iterations[1_000])
    })

    test('publicKeyOf and dh, RFC 7748 §6, published keys and shared secret on both sides', () => {
      const { alice, bob, shared } = vectors
      const secrets = { alice: secretOf(dh, alice.secretKey), bob: secretOf(dh, bob.secretKey) }
      const publics = { alice: dh.publicKeyOf(secrets.alice), bob: dh.publicKeyOf(secrets.bob) }
      expect(hexEncode(publics.alice)).toBe(alice.publicKey)
      expect(hexEncode(publics.bob)).toBe(bob.publicKey)
      expect(hexEncode(dh.dh(secrets.alice, publics.bob))).toBe(shared)
      expect(hexEncode(dh.dh(secrets.bob, publics.alice))).toBe(shared)
    })

    test.each(Object.entries(vectors.lowOrder))('dh, low-order point %s, crypto/bad_public_key', (_, u) => {
      for (const scalar of [vectors.alice.secretKey, vectors.bob.secretKey, '00'.repeat(dh.length)]) {
        const error = thrownBy(() => dh.dh(secretOf(dh, scalar), publicOf(dh, u)))
        expect(error).toBeInstanceOf(NoisecapError)
        expect(error).toMatchObject({ code: 'crypto/bad_public_key' })
        expect(error).not.toHaveProperty('cause')
      }
    })

    test('dh, after a refused point, still right', () => {
      const secretKey = secretOf(dh, vectors.alice.secretKey)
      expect(() => dh.dh(secretKey, publicOf(dh, vectors.lowOrder['0']!))).toThrow(NoisecapError)
      expect(hexEncode(dh.dh(secretKey, publicOf(dh, vectors.bob.publicKey)))).toBe(vectors.shared)
    })

    test('dh, non-canonical twins of ordinary points, same result as the reduced point', () => {
      const secretKey = secretOf(dh, vectors.alice.secretKey)
      const p = hexDecode(vectors.lowOrder['p']!)
      for (const small of [2, 5, 9, 18]) {
        const reduced = asPublicKey(plus(new Uint8Array(dh.length), small), dh.length)
        const twin = asPublicKey(plus(p, small), dh.length)
        expect(hexEncode(dh.dh(secretKey, twin))).toBe(hexEncode(dh.dh(secretKey, reduced)))
      }
    })

    test('dh and publicKeyOf, unclamped secret key, same result as the clamped one', () => {
      const clamped = hexDecode(vectors.alice.secretKey)
      const last = dh.length - 1
      if (dh.name === '25519') {
        clamped[0]! &= 248
        clamped[last] = (clamped[last]! & 127) | 64
      } else {
        clamped[0]! &= 252
        clamped[last]! |= 128
      }
      const unclamped = secretOf(dh, vectors.alice.secretKey)
      expect(hexEncode(dh.publicKeyOf(asSecretKey(clamped, dh.length)))).toBe(
        hexEncode(dh.publicKeyOf(unclamped)),
      )
    })

    test('publicKeyOf and dh, an array altered or wiped since its first use, computed from the new bytes', () => {
      const secretKey = secretOf(dh, vectors.alice.secretKey)
      const publicKey = publicOf(dh, vectors.bob.publicKey)
      expect(hexEncode(dh.dh(secretKey, publicKey))).toBe(vectors.shared)
      secretKey.set(hexDecode(vectors.bob.secretKey))
      expect(hexEncode(dh.publicKeyOf(secretKey))).toBe(vectors.bob.publicKey)
      publicKey.set(hexDecode(vectors.alice.publicKey))
      expect(hexEncode(dh.dh(secretKey, publicKey))).toBe(vectors.shared)
      secretKey.fill(0)
      const zero = asSecretKey(new Uint8Array(dh.length), dh.length)
      expect(hexEncode(dh.publicKeyOf(secretKey))).toBe(hexEncode(dh.publicKeyOf(zero)))
    })

    test('publicKeyOf and dh, keys inside a larger buffer, read at their offset and left alone', () => {
      const around = new Uint8Array(3 * dh.length).fill(0xee)
      around.set(hexDecode(vectors.alice.secretKey), 1)
      around.set(hexDecode(vectors.bob.publicKey), dh.length + 1)
      const before = hexEncode(around)
      const secretKey = asSecretKey(around.subarray(1, dh.length + 1), dh.length)
      const publicKey = asPublicKey(around.subarray(dh.length + 1, 2 * dh.length + 1), dh.length)
      expect(hexEncode(dh.publicKeyOf(secretKey))).toBe(vectors.alice.publicKey)
      expect(hexEncode(dh.dh(secretKey, publicKey))).toBe(vectors.shared)
      expect(hexEncode(around)).toBe(before)
    })

    test('generateSecretKey, publicKeyOf and dh, results, plain arrays of their own memory', () => {
      const secretKey = dh.generateSecretKey()
      const publicKey = dh.publicKeyOf(secretKey)
      const shared = dh.dh(secretKey, publicKey)
      for (const bytes of [secretKey, publicKey, shared]) {
        expect(bytes).toHaveLength(dh.length)
        expect(isPlainAndOwn(bytes)).toBe(true)
      }
      expect(hexEncode(dh.generateSecretKey())).not.toBe(hexEncode(secretKey))
      expect(hexEncode(dh.dh(secretKey, publicKey))).toBe(hexEncode(shared))
    })

    test.each([0, 31, 33, 55, 57])('publicKeyOf and dh, a key of %i bytes, TypeError', (length) => {
      const good = dh.generateSecretKey()
      const wrong = new Uint8Array(length)
      // Casts past the typed keys, as untyped callers would.
      expect(() => dh.publicKeyOf(wrong as typeof good)).toThrow(TypeError)
      expect(() => dh.dh(wrong as typeof good, dh.publicKeyOf(good))).toThrow(TypeError)
      expect(() => dh.dh(good, wrong as Uint8Array as ReturnType<typeof dh.publicKeyOf>)).toThrow(TypeError)
    })
  })
}
