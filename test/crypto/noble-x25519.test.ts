// noble's ladder with our parameters against noble's own X25519, which multiplies the base point on another curve.
import { x25519 as whole } from '@noble/curves/ed25519.js'
import { bytesToHex, hexToBytes, randomBytes } from '@noble/hashes/utils.js'
import { describe, expect, test } from 'vitest'
import { x25519 } from '../../src/crypto/noble-x25519.js'
import { DH_VECTORS } from './dh-vectors.js'

const { multiplications, iterations, alice, bob, shared, lowOrder } = DH_VECTORS['25519']

describe('x25519 of browsers', () => {
  test('RFC 7748 §5.2, both multiplications', () => {
    for (const { scalar, u, result } of multiplications) {
      expect(bytesToHex(x25519.scalarMult(hexToBytes(scalar), hexToBytes(u)))).toBe(result)
    }
  })

  test('RFC 7748 §5.2, 1 and 1,000 iterations', () => {
    let k = hexToBytes(`09${'00'.repeat(31)}`)
    let u = k
    for (let i = 1; i <= 1_000; i++) {
      const next = x25519.scalarMult(k, u)
      u = k
      k = next
      if (i === 1) expect(bytesToHex(k)).toBe(iterations[1])
    }
    expect(bytesToHex(k)).toBe(iterations[1_000])
  })

  test('RFC 7748 §6.1, both public keys and the shared secret', () => {
    for (const [own, other] of [
      [alice, bob],
      [bob, alice],
    ] as const) {
      expect(bytesToHex(x25519.getPublicKey(hexToBytes(own.secretKey)))).toBe(own.publicKey)
      const both = x25519.getSharedSecret(hexToBytes(own.secretKey), hexToBytes(other.publicKey))
      expect(bytesToHex(both)).toBe(shared)
    }
  })

  test('random keys, same public key and same shared secret', () => {
    for (let i = 0; i < 50; i++) {
      const [secretKey, u] = [randomBytes(32), randomBytes(32)]
      expect(x25519.getPublicKey(secretKey)).toEqual(whole.getPublicKey(secretKey))
      expect(x25519.getSharedSecret(secretKey, u)).toEqual(whole.getSharedSecret(secretKey, u))
    }
  })

  test.each(Object.entries(lowOrder))('a point of low order, %s, refused', (_, u) => {
    expect(() => x25519.getSharedSecret(randomBytes(32), hexToBytes(u))).toThrow()
  })
})
