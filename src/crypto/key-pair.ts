// The one kind of key pair there is: services, clients and readers of records all have one.
// Holds the secret half so that it is never shown. Leaves out key files (src/capability).
import { equalConstantTime, wipe } from '../bytes.js'
import { redact } from '../redact.js'
import type { PublicKey, SecretKey } from './keys.js'
import type { DhFunction } from './provider.js'

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
