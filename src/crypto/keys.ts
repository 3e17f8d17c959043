// Typed public and secret keys, so that swapped arguments do not compile, and the one kind of key pair there is.
// Lengths are checked here once; the curve's own rules (low-order points) are checked at each DH by the provider.
// Leaves out key files (src/capability) and key hashes (src/capability/keys.ts).
import { equalConstantTime, wipe } from '../bytes.js'
import { redact } from '../redact.js'
import type { DhFunction } from './provider.js'

declare const publicKeyBrand: unique symbol
declare const secretKeyBrand: unique symbol

/** Public key of X25519 (32 bytes) or X448 (56 bytes). */
export type PublicKey = Uint8Array & { readonly [publicKeyBrand]: true }
/** Secret key of X25519 (32 bytes) or X448 (56 bytes). */
export type SecretKey = Uint8Array & { readonly [secretKeyBrand]: true }

/** `bytes` as a public key, not copied.
 * @throws TypeError when it is not a Uint8Array of `length` bytes. */
export function asPublicKey(bytes: Uint8Array, length: 32 | 56 = 32): PublicKey {
  checkLength(bytes, length, 'public key')
  return bytes as PublicKey // the brand exists in types only
}

/** `bytes` as a secret key, not copied.
 * @throws TypeError when it is not a Uint8Array of `length` bytes. */
export function asSecretKey(bytes: Uint8Array, length: 32 | 56 = 32): SecretKey {
  checkLength(bytes, length, 'secret key')
  return bytes as SecretKey // the brand exists in types only
}

function checkLength(bytes: Uint8Array, length: number, what: string): void {
  if (!(bytes instanceof Uint8Array)) throw new TypeError(`Cannot use ${what}: expected a Uint8Array`)
  if (bytes.length !== length) {
    throw new TypeError(`Cannot use ${what}: expected ${length} bytes, got ${bytes.length}`)
  }
}

/** A DH key pair; prints as `[redacted]`, `using` wipes it. */
export class KeyPair implements Disposable {
  readonly publicKey: PublicKey
  readonly #secretKey: SecretKey

  private constructor(publicKey: PublicKey, secretKey: SecretKey) {
    this.publicKey = publicKey
    this.#secretKey = secretKey
  }

  /** A new random key pair. */
  static generate(dh: DhFunction): KeyPair {
    return KeyPair.fromSecretKey(dh, dh.generateSecretKey())
  }

  /** The key pair of a secret key, which is kept, not copied. */
  static fromSecretKey(dh: DhFunction, secretKey: SecretKey): KeyPair {
    return new KeyPair(dh.publicKeyOf(secretKey), secretKey)
  }

  /** The secret half: borrowed, do not alter, do not log. */
  get secretKey(): SecretKey {
    return this.#secretKey
  }

  /** Whether `other` has the same public key. */
  equals(other: { readonly publicKey: PublicKey }): boolean {
    return equalConstantTime(this.publicKey, other.publicKey)
  }

  [Symbol.dispose](): void {
    wipe(this.#secretKey)
  }
}

redact(KeyPair, () => 'KeyPair [redacted]')
