// Root secrets of a service, numbered: capabilities are minted under the newest, older ones keep verifying until retired.
// Whoever has one mints anything under it, and retiring one ends everything minted under it; spec/capability.md §1.
// Leaves out their storage (key-file.ts).
import { wipe } from '../bytes.js'
import { primitives } from '../crypto/index.js'
import { KID_MAX, ROOTS_MAX } from '../limits.js'
import { redact } from '../redact.js'

/** Root secret, bytes. */
export const ROOT_BYTES = 32

/** The root secrets of one service by number; prints as `[redacted]`, `using` wipes them. */
export class RootSecrets implements Disposable {
  readonly #secrets = new Map<number, Uint8Array>()
  #current = 0

  private constructor(secrets: Iterable<readonly [kid: number, secret: Uint8Array]>) {
    for (const [kid, secret] of secrets) this.#add(kid, secret.slice())
    if (this.#secrets.size === 0) throw new RangeError('Cannot hold root secrets: expected at least one')
  }

  /** One random root secret, number 1. */
  static generate(): RootSecrets {
    return new RootSecrets([[1, primitives().randomBytes(ROOT_BYTES)]])
  }

  /** Given root secrets, copied.
   * @throws RangeError unless there are 1 to 64 of 32 bytes with different numbers from 1 to 2^32 − 1. */
  static from(secrets: Iterable<readonly [kid: number, secret: Uint8Array]>): RootSecrets {
    return new RootSecrets(secrets)
  }

  /** Number of the root secret that mints: the highest. */
  get current(): number {
    return this.#current
  }

  /** All numbers, ascending. */
  get kids(): readonly number[] {
    return [...this.#secrets.keys()].sort((a, b) => a - b)
  }

  /** The root secret of that number, borrowed; undefined when there is none, or none any more. */
  get(kid: number): Uint8Array | undefined {
    return this.#secrets.get(kid)
  }

  /** Add a random root secret, which mints from now on; a number never comes back.
   * @returns its number.
   * @throws RangeError past 64 root secrets. */
  rotate(): number {
    if (this.#secrets.size === 0) throw new TypeError('Cannot use root secrets: they have been disposed')
    this.#add(this.#current + 1, primitives().randomBytes(ROOT_BYTES))
    return this.#current
  }

  /** Forget a root secret: everything minted under it ends.
   * @returns whether it was there.
   * @throws RangeError for the one that mints, lest its number come back; rotate first. */
  retire(kid: number): boolean {
    if (kid === this.#current) {
      throw new RangeError('Cannot retire root secret: expected an older one, got the one that mints')
    }
    const secret = this.#secrets.get(kid)
    if (secret === undefined) return false
    wipe(secret)
    return this.#secrets.delete(kid)
  }

  #add(kid: number, secret: Uint8Array): void {
    if (!Number.isInteger(kid) || kid < 1 || kid > KID_MAX || this.#secrets.has(kid)) {
      throw new RangeError('Cannot add root secret: expected a new number from 1 to 4294967295')
    }
    if (secret.length !== ROOT_BYTES) {
      throw new RangeError(`Cannot add root secret: expected 32 bytes, got ${secret.length}`)
    }
    if (this.#secrets.size >= ROOTS_MAX) {
      throw new RangeError(`Cannot add root secret: expected at most ${ROOTS_MAX}; retire old ones`)
    }
    this.#secrets.set(kid, secret)
    this.#current = Math.max(this.#current, kid)
  }

  [Symbol.dispose](): void {
    wipe(...this.#secrets.values())
    this.#secrets.clear()
  }
}

redact(RootSecrets, ({ kids }) => `RootSecrets ${kids.join(', ')} [redacted]`)
