// The DH keys of one handshake: which the caller must bring (no more and no fewer than the pattern uses), copies of them,
// and each DH token computed from them. A surplus key is refused because its owner believes that it counts: an `rs` given
// to XX would look like a pinned peer and pin nobody. Leaves out PSKs (psk-slots.ts) and the symmetric state.

import { wipe } from '../bytes.js'
import {
  asPublicKey,
  asSecretKey,
  type DhFunction,
  KeyPair,
  type PublicKey,
  type SecretKey,
} from '../crypto/index.js'
import { NoisecapError } from '../errors.js'
import type { KeyNeeds } from './handshake-plan.js'
import type { DhToken, Role } from './pattern-notation.js'

/** A DH key pair as bytes; {@link KeyPair} is one. */
export interface KeyPairBytes {
  readonly publicKey: PublicKey
  readonly secretKey: SecretKey
}

/** The keys that a caller may bring. */
export interface GivenKeys {
  /** Own static key pair. A {@link KeyPair} is referred to until the handshake ends (its owner disposes it later), plain
   * bytes are copied. */
  readonly s?: KeyPairBytes
  /** The peer's static key, only where it is known before (a pre-message); copied. */
  readonly rs?: PublicKey
  /** Own ephemeral key pair that the peer already knows (fallback only); copied. */
  readonly e?: KeyPairBytes
  /** The peer's ephemeral key that is already known (fallback only); copied. */
  readonly re?: PublicKey
  /** Own ephemeral key pair instead of a fresh one; copied. For test vectors: a second use breaks every guarantee. */
  readonly unsafeEphemeral?: KeyPairBytes
}

/** The four keys of a handshake, filled in as it runs. */
export class HandshakeKeys implements Disposable {
  readonly #dh: DhFunction
  readonly #unsafeEphemeral: KeyPairBytes | undefined
  s: KeyPairBytes | undefined
  e: KeyPairBytes | undefined
  rs: PublicKey | undefined
  re: PublicKey | undefined

  /** @throws `noise/bad_key` when a key is missing, surplus or of the wrong length. */
  constructor(dh: DhFunction, needs: KeyNeeds, given: GivenKeys) {
    checkPresence('s', needs.s, given.s)
    checkPresence('rs', needs.rs, given.rs)
    checkPresence('e', needs.e, given.e)
    checkPresence('re', needs.re, given.re)
    if (given.unsafeEphemeral !== undefined)
      checkPresence('unsafeEphemeral', needs.sendsEphemeral, given.unsafeEphemeral)
    this.#dh = dh
    this.s = ownPair(dh, 's', given.s)
    this.e = ownPair(dh, 'e', given.e)
    this.rs = ownPublicKey(dh, 'rs', given.rs)
    this.re = ownPublicKey(dh, 're', given.re)
    this.#unsafeEphemeral = ownPair(dh, 'unsafeEphemeral', given.unsafeEphemeral)
  }

  /** DHLEN, bytes. */
  get dhLength(): 32 | 56 {
    return this.#dh.length
  }

  /** Make the ephemeral key of this handshake, once: fresh, unless the caller fixed one.
   * @returns its public half. */
  startEphemeral(): PublicKey {
    this.e ??= this.#unsafeEphemeral ?? this.#freshEphemeral()
    return this.e.publicKey
  }

  /** The result of one DH token, to be wiped by the caller.
   * @throws `crypto/bad_public_key` for a low-order point.
   * Source: Noise rev 34 §5.3. */
  dh(token: DhToken, role: Role): Uint8Array {
    const own = role === 'initiator' ? token[0] : token[1]
    const other = role === 'initiator' ? token[1] : token[0]
    const pair = own === 'e' ? this.e! : this.s! // §7.3 rule 1, checked for every pattern
    return this.#dh.dh(pair.secretKey, other === 'e' ? this.re! : this.rs!)
  }

  /** Wipe our copies; a KeyPair is its owner's. */
  [Symbol.dispose](): void {
    for (const pair of [this.s, this.e, this.#unsafeEphemeral]) {
      if (pair !== undefined && !(pair instanceof KeyPair)) wipe(pair.secretKey)
    }
    this.s = undefined
    this.e = undefined
  }

  #freshEphemeral(): KeyPairBytes {
    const secretKey = this.#dh.generateSecretKey()
    return { publicKey: this.#dh.publicKeyOf(secretKey), secretKey }
  }
}

function checkPresence(name: string, needed: boolean, key: unknown): void {
  if (needed && key === undefined) throw badKey(name, 'this pattern and role need it, it is missing')
  if (!needed && key !== undefined) throw badKey(name, 'this pattern and role do not use it')
}

/** A KeyPair is immutable and keeps a provider's imported key alive across handshakes; other bytes may change any time. */
function ownPair(dh: DhFunction, name: string, pair: KeyPairBytes | undefined): KeyPairBytes | undefined {
  if (pair === undefined) return undefined
  checkKey(dh, name, pair.publicKey)
  checkKey(dh, name, pair.secretKey)
  if (pair instanceof KeyPair) return pair
  return {
    publicKey: asPublicKey(new Uint8Array(pair.publicKey), dh.length),
    secretKey: asSecretKey(new Uint8Array(pair.secretKey), dh.length),
  }
}

function ownPublicKey(dh: DhFunction, name: string, key: PublicKey | undefined): PublicKey | undefined {
  if (key === undefined) return undefined
  checkKey(dh, name, key)
  return asPublicKey(new Uint8Array(key), dh.length)
}

function checkKey(dh: DhFunction, name: string, key: Uint8Array): void {
  if (!(key instanceof Uint8Array)) throw badKey(name, 'expected a Uint8Array')
  if (key.length !== dh.length) throw badKey(name, `expected ${dh.length} bytes, got ${key.length}`)
}

function badKey(name: string, what: string): NoisecapError<'noise/bad_key'> {
  return new NoisecapError('noise/bad_key', `Cannot use key ${name}: ${what}`)
}
