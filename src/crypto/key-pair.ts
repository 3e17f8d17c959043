// The one kind of key pair there is: services, clients and readers of records all have one.
// Holds the secret half so that it is never shown. Leaves out key files (src/capability).
import { equalConstantTime, wipe } from '../bytes.js'
import { redact } from '../redact.js'
import type { PublicKey, SecretKey } from './keys.js'
import type { DhFunction } from './provider.js'

/** A DH key pair; prints as `[redacted]`, `using` wipes it. */
export class KeyPair implements Disposable {
  readonly publicKey: PublicKey
  #secretKey: SecretKey | undefined

  private constructor(publicKey: PublicKey, secretKey: SecretKey) {
    this.publicKey = publicKey
    this.#secretKey = secretKey
  }

  /** A new random key pair. */
  static generate(dh: DhFunction): KeyPair {
    return KeyPair.fromSecretKey(dh, dh.generateSecretKey())
  }

  /** The key pair of a secret key, which is kept, not copied, and wiped on disposal. */
  static fromSecretKey(dh: DhFunction, secretKey: SecretKey): KeyPair {
    return new KeyPair(dh.publicKeyOf(secretKey), secretKey)
  }

  /** The secret half: borrowed, do not alter, do not log.
   * @throws TypeError after disposal: a wiped key would still compute, with a secret that everybody knows. */
  get secretKey(): SecretKey {
    if (this.#secretKey === undefined) throw new TypeError('Cannot use key pair: it has been disposed')
    return this.#secretKey
  }

  /** Whether `other` has the same public key. */
  equals(other: { readonly publicKey: PublicKey }): boolean {
    return equalConstantTime(this.publicKey, other.publicKey)
  }

  [Symbol.dispose](): void {
    if (this.#secretKey !== undefined) wipe(this.#secretKey)
    this.#secretKey = undefined
  }
}

redact(KeyPair, () => 'KeyPair [redacted]')
