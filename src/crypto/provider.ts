// The small synchronous interface behind which every cryptographic primitive of noisecap stands, and its lengths.
// Three implementations give the same result: sodium.ts, node.ts, noble.ts; select.ts chooses one per primitive.
// Every returned array is a plain Uint8Array over memory of its own, never a Buffer and never a slice of a shared pool:
// `slice` then copies everywhere, and nobody can reach neighbouring secrets through `.buffer`.
// Arguments of a wrong type or length throw a TypeError or RangeError before anything is computed or written.
// Leaves out everything that is built from primitives (HKDF, CipherState, capabilities).
import type { PublicKey, SecretKey } from './keys.js'

/** Names of the Noise DH functions (Noise rev 34 §12). */
export type DhName = '25519' | '448'
/** Names of the Noise cipher functions. */
export type AeadName = 'ChaChaPoly' | 'AESGCM'
/** Names of the Noise hash functions. */
export type HashName = 'SHA256' | 'SHA512' | 'BLAKE2s' | 'BLAKE2b'
/** What a provider is chosen for. */
export type PrimitiveName = DhName | AeadName | HashName | 'random'
/** Names of the three providers. */
export type ProviderName = 'sodium' | 'node' | 'noble'

/** Key of either cipher, bytes. */
export const AEAD_KEY_BYTES = 32
/** Authentication tag of either cipher, bytes. */
export const AEAD_TAG_BYTES = 16
/** Nonce of either cipher as passed to the provider, bytes. */
export const AEAD_NONCE_BYTES = 12

/** X25519 or X448 (RFC 7748). */
export interface DhFunction {
  readonly name: DhName
  /** `webcrypto`: results that were computed ahead of a handshake (dh-ahead.ts). */
  readonly provider: ProviderName | 'webcrypto'
  /** DHLEN: 32 or 56 bytes, for secret keys, public keys and results alike. */
  readonly length: 32 | 56
  /** @returns `length` random bytes that are a secret key. */
  generateSecretKey(): SecretKey
  /** @returns the public key of `secretKey`, a new array. */
  publicKeyOf(secretKey: SecretKey): PublicKey
  /** The shared secret, a new array of `length` bytes. Arguments are borrowed.
   * @throws `crypto/bad_public_key` when the result is all zero (a low-order point), on every provider alike. */
  dh(secretKey: SecretKey, publicKey: PublicKey): Uint8Array
}

/** ChaCha20-Poly1305 (RFC 8439) or AES-256-GCM (NIST SP 800-38D), explicit nonces. */
export interface AeadFunction {
  readonly name: AeadName
  readonly provider: ProviderName
  /** @param key - 32 bytes, copied. */
  withKey(key: Uint8Array): AeadKey
}

/** One cipher under one key. The caller owns nonce uniqueness. */
export interface AeadKey extends Disposable {
  /** Encrypt into `out`, whose length is exactly `plaintext.length + 16`: ciphertext ‖ tag.
   * `out` may start at the very byte where `plaintext` starts (in place); other overlaps are not allowed.
   * @param nonce - 12 bytes, borrowed. */
  seal(nonce: Uint8Array, ad: Uint8Array, plaintext: Uint8Array, out: Uint8Array): void
  /** As `seal`, into new memory: of long plaintexts cheaper than bringing some, since a library may answer in its own.
   * @param headBytes - zero bytes before the ciphertext, for the caller to write.
   * @returns head ‖ ciphertext ‖ tag. */
  sealed(nonce: Uint8Array, ad: Uint8Array, plaintext: Uint8Array, headBytes: number): Uint8Array
  /** Decrypt into `out`, whose length is exactly `ciphertext.length - 16`; in place as in `seal`.
   * @returns false when the tag does not match, `out` is then all zero; false as well, with `out` untouched and of any
   * length, when `ciphertext` is shorter than a tag, since that is a peer's doing and not the caller's mistake. */
  open(nonce: Uint8Array, ad: Uint8Array, ciphertext: Uint8Array, out: Uint8Array): boolean
  /** As `open`, into new memory: for long ciphertexts cheaper than bringing some, since a library may answer in its own.
   * @returns the plaintext; undefined when the tag does not match or the ciphertext is shorter than a tag. */
  opened(nonce: Uint8Array, ad: Uint8Array, ciphertext: Uint8Array): Uint8Array | undefined
  /** Wipe the key; later calls throw a TypeError. */
  [Symbol.dispose](): void
}

/** SHA-256, SHA-512, BLAKE2s or BLAKE2b, and HMAC over it. */
export interface HashFunction {
  readonly name: HashName
  readonly provider: ProviderName
  /** HASHLEN: 32 or 64 bytes. */
  readonly length: 32 | 64
  /** BLOCKLEN: 64 or 128 bytes. */
  readonly blockLength: 64 | 128
  /** Hash of the concatenated `parts`, a new array. */
  hash(...parts: readonly Uint8Array[]): Uint8Array
  /** HMAC (RFC 2104) of the concatenated `parts`, a new array.
   * @param key - any length. */
  hmac(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array
}

/** What one provider offers; undefined where it lacks the primitive. */
export interface CryptoProvider {
  readonly name: ProviderName
  dh(name: DhName): DhFunction | undefined
  aead(name: AeadName): AeadFunction | undefined
  hash(name: HashName): HashFunction | undefined
  /** @returns `length` cryptographically secure random bytes, a new array.
   * @throws RangeError when `length` is not a whole number. */
  randomBytes(length: number): Uint8Array
}
