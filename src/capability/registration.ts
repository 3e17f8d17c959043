// Pairs registered by hand: 32 random bytes made elsewhere become t_0, and the service says what they stand for.
// A locator finds its pair by the registration id, which is id_0 and tells nothing about the secret; spec/capability.md §4.
// Leaves out their storage (the caller's configuration) and verification (verify.ts).
import { hexEncode, wipe } from '../bytes.js'
import { redact } from '../redact.js'
import { CHAIN_KEY_BYTES, type ChainKey, linkId, registeredKey } from './chain.js'
import { type Claims, decodeGrant, encodeGrant, type Grant, NO_CLAIMS, type Use } from './grant.js'

/** What a pair stands for. */
export interface RegistrationOptions {
  /** Default `call`. */
  readonly use?: Use | undefined
  /** Object path, for example `notes/ada`. */
  readonly object: string
  readonly claims?: Claims | undefined
}

/** One registered pair; prints as `[redacted]`. */
export class Registration {
  readonly grant: Grant
  readonly #key: ChainKey

  /** @param secret - exactly 32 random bytes; copied. */
  constructor(secret: Uint8Array, { use = 'call', object, claims = NO_CLAIMS }: RegistrationOptions) {
    if (!(secret instanceof Uint8Array) || secret.length !== CHAIN_KEY_BYTES) {
      throw new TypeError('Cannot register pair: expected a secret of exactly 32 bytes')
    }
    this.#key = registeredKey(secret)
    // Through its encoding, so that a registered grant obeys the rules of a minted one.
    this.grant = decodeGrant(encodeGrant({ id: linkId(this.#key), use, object, claims }))
  }

  /** t_0: borrowed, do not alter, do not log. */
  get key(): ChainKey {
    return this.#key
  }
}

redact(Registration, ({ grant }) => `Registration ${hexEncode(grant.id)} [redacted]`)

/** The pairs that one service knows; prints as `[redacted]`. */
export class Registrations implements Disposable {
  readonly #byId = new Map<string, Registration>()

  /** Let `Capability.fromPair(publicKey, secret)` and all that is narrowed from it reach an object.
   * @param secret - exactly 32 random bytes; copied.
   * @returns the registration id as hexadecimal, which is also the id to revoke.
   * @throws TypeError or RangeError when the object path or claims break a rule of spec/capability.md §3. */
  register(secret: Uint8Array, options: RegistrationOptions): string {
    const registration = new Registration(secret, options)
    const id = hexEncode(registration.grant.id)
    this.#byId.set(id, registration)
    return id
  }

  /** Forget a pair; what was made of it is unknown from now on.
   * @returns whether it was there. */
  unregister(id: string): boolean {
    return this.#byId.delete(id)
  }

  /** The pair of a registration id of 16 bytes. */
  find(id: Uint8Array): Registration | undefined {
    return this.#byId.get(hexEncode(id))
  }

  [Symbol.dispose](): void {
    for (const { key } of this.#byId.values()) wipe(key)
    this.#byId.clear()
  }
}

redact(Registrations, () => 'Registrations [redacted]')
