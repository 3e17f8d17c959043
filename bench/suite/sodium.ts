// sodium-native as the floor that benchmarks stand on: that of the library, not another version that a peer may bring along.
import { createRequire } from 'node:module'

/** The part of sodium-native that is used here; it ships no types. */
interface Sodium {
  randombytes_buf(out: Uint8Array): void
  crypto_scalarmult(q: Uint8Array, n: Uint8Array, p: Uint8Array): void
  crypto_scalarmult_base(q: Uint8Array, n: Uint8Array): void
  crypto_generichash(out: Uint8Array, input: Uint8Array): void
  crypto_hash_sha256(out: Uint8Array, input: Uint8Array): void
  crypto_box_keypair(publicKey: Uint8Array, secretKey: Uint8Array): void
  crypto_box_seal(c: Uint8Array, m: Uint8Array, publicKey: Uint8Array): void
  crypto_box_seal_open(m: Uint8Array, c: Uint8Array, publicKey: Uint8Array, secretKey: Uint8Array): boolean
  crypto_aead_chacha20poly1305_ietf_encrypt(
    c: Uint8Array,
    m: Uint8Array,
    ad: null,
    nsec: null,
    npub: Uint8Array,
    k: Uint8Array,
  ): number
  crypto_aead_chacha20poly1305_ietf_decrypt(
    m: Uint8Array,
    nsec: null,
    c: Uint8Array,
    ad: null,
    npub: Uint8Array,
    k: Uint8Array,
  ): number
}

export const sodium = createRequire(new URL('../../package.json', import.meta.url))('sodium-native') as Sodium
