// Verifying at the service: recompute the chain from the root and the locator as received; spec/capability.md §7.
// Synchronous, no I/O, nothing is remembered. A denial is a value, so that a session can stay silent about it.
// Whoever lacks the capability gets keys of no use: only a proof made with them shows possession (src/session).
import { equalConstantTime, wipe } from '../bytes.js'
import type { PublicKey } from '../crypto/index.js'
import { LOCATOR_MAX_BYTES } from '../limits.js'
import { redact } from '../redact.js'
import { type Capability, createCapability, type HintOptions, hintsOf } from './capability.js'
import type { CaveatView, KnownCaveat } from './caveats.js'
import { type ChainKey, firstKey, linkId, nextKey } from './chain.js'
import { type Grant, isObjectPath } from './grant.js'
import { type KeyHash, keyHash } from './keys.js'
import { addLinks } from './link.js'
import { decodeLocator, type Locator, REGISTERED_KID } from './locator.js'
import { Malformed } from './malformed.js'
import { checkObjectCaveats, objectOf, writeObjectCaveat } from './object-caveat.js'
import type { Registration } from './registration.js'
import type { Restrictions } from './restrictions.js'
import type { RootSecrets } from './roots.js'
import type { SealJudgement } from './sealed-use.js'
import { UseKeys } from './use-keys.js'

/** What a verifier knows of one service. */
export interface Authority {
  readonly keyHash: KeyHash
  /** The root secret of that number, borrowed; undefined when there is none. */
  root(kid: number): Uint8Array | undefined
  /** The pair registered by hand under that id of 16 bytes; undefined when there is none. */
  registered(id: Uint8Array): Registration | undefined
}

/** An authority that brings its verifier along: who only takes one, such as a reader of seals, then needs no code of its own
 * for capabilities, and a page that reads bare seals loads none. */
export interface ServiceAuthority extends Authority {
  /** As `verify(locator, this)`. */
  verify(locator: Uint8Array): Verified | Denied
  /** For readers of seals: how to read and to judge what a writer shows. */
  readonly seals: SealJudgement
}

/** A locator that cannot belong to any capability of this service; for logs, a peer meets silence. */
export interface Denied {
  readonly ok: false
  readonly reason: 'too_large' | 'malformed' | 'unknown_kid' | 'unknown_registration'
}

/** A recomputed capability: authentic once a proof made with `keys` was checked; prints as `[redacted]`. */
export class Verified implements Disposable {
  readonly ok = true
  /** The grant as it was minted; see `grant`. */
  readonly minted: Grant
  readonly keys: UseKeys
  readonly #key: ChainKey
  #chain: readonly ChainKey[]
  #ids: readonly Uint8Array[] | undefined
  #caveats: readonly CaveatView[] | undefined
  #grant: Grant | undefined
  #disposed = false
  readonly #locator: Locator
  readonly #authority: Authority

  /** @param chain - t_0 … t_n, taken over. */
  constructor(authority: Authority, grant: Grant, locator: Locator, chain: readonly ChainKey[]) {
    this.minted = grant
    this.#chain = chain
    this.#key = chain.at(-1)!
    this.keys = UseKeys.fromChainKey(this.#key)
    this.#locator = locator
    this.#authority = authority
  }

  /** Caveats in the order in which they were added; for judging, not for handlers. An `object` that this service did not
   * write itself is `unknown`. Computed when first asked for, as are the ids. */
  get caveats(): readonly CaveatView[] {
    if (this.#caveats === undefined) {
      const views = this.#locator.caveats.map(({ view }) => view)
      const hasObject = views.some(({ type }) => type === 'object')
      this.#caveats = Object.freeze(hasObject ? checkObjectCaveats(views, this.ids, this.#authority) : views)
    }
    return this.#caveats
  }

  /** What it stands for: the grant as it was minted, with the object of the last `object` caveat, if there is one. */
  get grant(): Grant {
    if (this.#grant === undefined) {
      const object = objectOf(this)
      this.#grant = object === undefined ? this.minted : { ...this.minted, object }
    }
    return this.#grant
  }

  /** Ids 0 … n of 16 bytes, outermost first: every one is looked up in the revocation set.
   * Computed when first asked for, which is after the proof: whoever has none costs fewer HMACs.
   * @throws TypeError after disposal, as does `extend`. */
  get ids(): readonly Uint8Array[] {
    this.#checkLive()
    if (this.#ids === undefined) {
      this.#ids = Object.freeze(this.#chain.map(linkId))
      wipe(...this.#chain.slice(0, -1))
      this.#chain = []
    }
    return this.#ids
  }

  /** A capability that extends the caller's own chain: it never outlives or exceeds the caller's.
   * @param publicKey - the service's.
   * @param holderSalts - as the caller sent them, already judged.
   * @throws as `Capability.attenuate`; TypeError for the key of another service. */
  extend(
    publicKey: PublicKey,
    holderSalts: readonly Uint8Array[],
    restrictions: Restrictions = {},
    hints: HintOptions = {},
  ): Capability {
    return this.#extend(publicKey, holderSalts, restrictions, hints, undefined, undefined)
  }

  /** A capability for another object of the service that extends the caller's own chain: all links and caveats of the caller
   * stay, except that its `methods` restrict the object that they were meant for.
   * @param serviceKey - that of the service that verified it.
   * @throws as `extend`; TypeError for what is no object path. */
  extendTo(
    object: string,
    serviceKey: { readonly publicKey: PublicKey; readonly roots: RootSecrets },
    holderSalts: readonly Uint8Array[],
    restrictions: Restrictions = {},
    nowSeconds?: number,
  ): Capability {
    if (!isObjectPath(object)) throw new TypeError('Cannot extend capability: expected an object path')
    const kid = serviceKey.roots.current
    const numbered = { kid, root: serviceKey.roots.get(kid)! } // the current one is there
    const first = writeObjectCaveat(numbered, this.#authority.keyHash, this.ids.at(-1)!, object)
    return this.#extend(serviceKey.publicKey, holderSalts, restrictions, {}, nowSeconds, first)
  }

  #extend(
    publicKey: PublicKey,
    holderSalts: readonly Uint8Array[],
    restrictions: Restrictions,
    hints: HintOptions,
    nowSeconds: number | undefined,
    first: KnownCaveat | undefined,
  ): Capability {
    this.#checkLive()
    if (!equalConstantTime(keyHash(publicKey), this.#authority.keyHash)) {
      throw new TypeError('Cannot extend capability: expected the public key of the service that verified it')
    }
    if (holderSalts.length !== this.caveats.filter(({ type }) => type === 'holder').length) {
      throw new TypeError('Cannot extend capability: expected one salt for each holder caveat')
    }
    const link = { key: this.#key, locator: this.#locator, holderSalts }
    const { key, ...longer } = addLinks(link, restrictions, nowSeconds, first)
    return createCapability(
      { publicKey, secret: { final: false, key }, ...longer },
      hintsOf(hints),
      undefined,
    )
  }

  #checkLive(): void {
    if (this.#disposed) throw new TypeError('Cannot use verified capability: it has been disposed')
  }

  [Symbol.dispose](): void {
    this.#disposed = true
    wipe(this.#key, ...this.#chain)
    this.keys[Symbol.dispose]()
  }
}

redact(Verified, ({ minted }) => `Verified ${minted.use} ${minted.object} [redacted]`)

/** Recompute the capability that `locator` speaks of.
 * @param locator - as received; borrowed.
 * @returns a value that the caller disposes, or why there is none. */
export function verify(locator: Uint8Array, authority: Authority): Verified | Denied {
  if (locator.length > LOCATOR_MAX_BYTES) return { ok: false, reason: 'too_large' }
  const decoded = decodeOrUndefined(locator)
  if (decoded === undefined) return { ok: false, reason: 'malformed' }
  const start = firstLink(decoded, authority)
  if ('reason' in start) return start
  const chain = [start.key]
  for (const { encoded } of decoded.caveats) chain.push(nextKey(chain.at(-1)!, encoded))
  return new Verified(authority, start.grant, decoded, chain)
}

function decodeOrUndefined(bytes: Uint8Array): Locator | undefined {
  try {
    return decodeLocator(bytes)
  } catch (error) {
    if (error instanceof Malformed) return undefined
    throw error
  }
}

function firstLink(locator: Locator, authority: Authority): { key: ChainKey; grant: Grant } | Denied {
  const { kid, grant, grantBytes } = locator
  if (kid === REGISTERED_KID || grant === undefined) {
    const registration = authority.registered(grantBytes)
    if (registration === undefined) return { ok: false, reason: 'unknown_registration' }
    return { key: registration.key.slice() as ChainKey, grant: registration.grant }
  }
  const root = authority.root(kid)
  if (root === undefined) return { ok: false, reason: 'unknown_kid' }
  return { key: firstKey(root, authority.keyHash, grantBytes), grant }
}
