// What a session needs of a capability: the Noise PSK, the proof key and the contact key, all derived from u.
// Each key has one use only; the PSK goes into Noise and into nothing else (Noise rev 34 §14; spec/capability.md §1).
// Leaves out the handshake that uses them (src/session).
import { equalConstantTime, label, utf8, wipe } from '../bytes.js'
import type { PublicKey } from '../crypto/index.js'
import { redact } from '../redact.js'
import { type ChainKey, type UseKey, useKey } from './chain.js'
import { hmacSha256 } from './sha256.js'

/** What a proof of possession is made for; each has its own label. */
export type ProofPurpose = 'hello' | 'present'

/** KK contact tag, bytes. */
export const CONTACT_TAG_BYTES = 16

const DAY_SECONDS = 86_400

declare const contactKeyBrand: unique symbol
/** Makes the contact tags of one capability, 32 bytes: whoever has it recognises who calls with it, and no more. */
export type ContactKey = Uint8Array & { readonly [contactKeyBrand]: true }

const PSK_LABEL = label('noisecap/v1 psk')
const PRESENT_LABEL = label('noisecap/v1 present')
const CONTACT_LABEL = label('noisecap/v1 contact')
const PURPOSE_LABEL = { hello: label('noisecap/v1 hello'), present: PRESENT_LABEL } as const

/** The day that contact tags of this moment are made for. */
export function contactDay(unixSeconds: number): number {
  return Math.floor(unixSeconds / DAY_SECONDS)
}

/** Hint by which a service finds the contact that says KK; it names nobody to others, but is the same for a day.
 * @param day - days since the Unix epoch, 0 … 2^32 − 1.
 * @returns 16 bytes.
 * @throws RangeError for any other day. */
export function contactTag(key: ContactKey, clientPublicKey: PublicKey, day: number): Uint8Array {
  if (!Number.isInteger(day) || day < 0 || day > 0xffff_ffff) {
    throw new RangeError('Cannot derive contact tag: expected a day from 0 to 4294967295')
  }
  const dayBytes = new Uint8Array(4)
  new DataView(dayBytes.buffer).setUint32(0, day)
  return hmacSha256(key, clientPublicKey, dayBytes).slice(0, CONTACT_TAG_BYTES)
}

/** Keys derived from one capability for its use; prints as `[redacted]`, `using` wipes them. */
export class UseKeys implements Disposable {
  readonly #use: UseKey
  // Derived when first used: an unproven hello needs the proof key only, and few sessions need the contact key.
  #prove: Uint8Array | undefined
  #contact: Uint8Array | undefined
  #disposed = false

  private constructor(use: UseKey) {
    this.#use = use
  }

  /** Keys of the capability whose last link is `last`; borrowed. */
  static fromChainKey(last: ChainKey): UseKeys {
    return new UseKeys(useKey(last))
  }

  /** Keys of a final capability; `use` is copied. */
  static fromUseKey(use: UseKey): UseKeys {
    return new UseKeys(use.slice() as UseKey)
  }

  /** The Noise PSK for exactly one protocol; like every method here it throws TypeError after disposal.
   * @param protocolName - full Noise protocol name, for example `Noise_NKpsk2_25519_ChaChaPoly_BLAKE2b`.
   * @returns 32 bytes, a new array that the caller wipes. */
  psk(protocolName: string): Uint8Array {
    this.#checkLive()
    return hmacSha256(this.#use, PSK_LABEL, utf8(protocolName))
  }

  /** Proof of possession over `parts`, 32 bytes. Source: spec/capability.md §1. */
  prove(purpose: ProofPurpose, ...parts: readonly Uint8Array[]): Uint8Array {
    this.#checkLive()
    this.#prove ??= hmacSha256(this.#use, PRESENT_LABEL)
    return hmacSha256(this.#prove, PURPOSE_LABEL[purpose], ...parts)
  }

  /** Whether `proof` is the proof over `parts`, compared in constant time. */
  checkProof(proof: Uint8Array, purpose: ProofPurpose, ...parts: readonly Uint8Array[]): boolean {
    return equalConstantTime(proof, this.prove(purpose, ...parts))
  }

  /** Whether `other` are the keys of the same capability, compared in constant time. */
  equals(other: UseKeys): boolean {
    this.#checkLive()
    other.#checkLive()
    return equalConstantTime(this.#use, other.#use)
  }

  /** What makes contact tags and nothing else: a book of contacts keeps it in the capability's place.
   * @returns 32 bytes, a new array. */
  contactKey(): ContactKey {
    this.#checkLive()
    this.#contact ??= hmacSha256(this.#use, CONTACT_LABEL)
    return this.#contact.slice() as ContactKey
  }

  /** A wiped key would still compute, with a secret that everybody knows. */
  #checkLive(): void {
    if (this.#disposed) throw new TypeError('Cannot use keys of a capability: they have been disposed')
  }

  [Symbol.dispose](): void {
    this.#disposed = true
    for (const key of [this.#use, this.#prove, this.#contact]) if (key !== undefined) wipe(key)
  }
}

redact(UseKeys, () => 'UseKeys [redacted]')
