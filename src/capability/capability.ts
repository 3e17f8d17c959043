// Capability: a service's public key and a secret, as a value that users hold, narrow, print and hand on.
// Immutable; prints as noisecap://<key hash>#[redacted] everywhere, `export()` alone yields the secret (spec/capability.md §6).
// Leaves out minting (mint.ts), judging at the service (verify.ts, judge.ts) and the handshake (src/session).
import { equalConstantTime, hexEncode, wipe } from '../bytes.js'
import { asPublicKey, type PublicKey } from '../crypto/index.js'
import { NoisecapError } from '../errors.js'
import { redact } from '../redact.js'
import {
  checkHints,
  decodeCapabilityText,
  encodeCapabilityText,
  type Hints,
  redactedText,
} from './capability-uri.js'
import type { CaveatView } from './caveats.js'
import { CHAIN_KEY_BYTES, linkId, registeredKey, useKey } from './chain.js'
import { type Claims, NO_CLAIMS, type Use } from './grant.js'
import type { InterfaceDescription, MethodNameOf, NarrowedTo } from './interface-description.js'
import { keyHashText } from './keys.js'
import { addLinks, type Link } from './link.js'
import { decodeLocator, encodeLocator, REGISTERED_KID } from './locator.js'
import { Malformed } from './malformed.js'
import { objectOf } from './object-caveat.js'
import type { Restrictions } from './restrictions.js'
import { decodeToken, encodeToken, type Token, type TokenSecret } from './token.js'
import { UseKeys } from './use-keys.js'

declare const methodsOf: unique symbol

type Create = (token: Token, hints: Hints, describes: InterfaceDescription | undefined) => Capability
let create: Create

/** Label and locations to set; what is left out is empty. */
export interface HintOptions {
  readonly label?: string | undefined
  readonly locations?: readonly string[] | undefined
}

/** The permission to use one object of one service; `T` is the record of its methods, in types only.
 * Using it after disposal throws TypeError. */
export class Capability<out T = unknown> implements Disposable {
  declare readonly [methodsOf]?: T
  readonly #token: Token
  readonly #hints: Hints
  readonly #describes: InterfaceDescription | undefined
  readonly #keyHash: string
  #disposed = false

  static {
    create = (token, hints, describes) => new Capability(token, hints, describes)
  }

  private constructor(token: Token, hints: Hints, describes: InterfaceDescription | undefined) {
    this.#token = token
    this.#hints = checkHints(hints)
    this.#describes = describes
    this.#keyHash = keyHashText(token.publicKey)
  }

  /** The capability of its text; white space around it is ignored.
   * @throws `capability/malformed` for anything that `export` would not have written, `capability/key_mismatch` when
   * the key inside is not the one that the text names. Neither error holds any of the text. */
  static parse(text: string): Capability {
    if (typeof text !== 'string') throw new TypeError('Cannot parse capability: expected text')
    try {
      const { keyHash, token: bytes, ...hints } = decodeCapabilityText(text)
      const token = decodeToken(bytes)
      wipe(bytes)
      if (keyHashText(token.publicKey) !== keyHash) throw keyMismatch()
      return new Capability(token, hints, undefined)
    } catch (error) {
      if (!(error instanceof Malformed)) throw error
      throw new NoisecapError('capability/malformed', `Cannot parse capability: ${error.message}`)
    }
  }

  /** A capability of a pair made elsewhere; the service must have registered the same secret by hand.
   * @param secret - exactly 32 random bytes; copied. */
  static fromPair(publicKey: PublicKey, secret: Uint8Array, options: HintOptions = {}): Capability {
    if (!(secret instanceof Uint8Array) || secret.length !== CHAIN_KEY_BYTES) {
      throw new TypeError('Cannot make capability of a pair: expected a secret of exactly 32 bytes')
    }
    const key = registeredKey(secret)
    const locator = decodeLocator(encodeLocator(REGISTERED_KID, linkId(key), []))
    const token: Token = {
      publicKey: asPublicKey(publicKey.slice()),
      secret: { final: false, key },
      locator,
      holderSalts: [],
    }
    return new Capability(token, hintsOf(options), undefined)
  }

  /** The service's public key, a copy. */
  get publicKey(): PublicKey {
    return asPublicKey(this.#token.publicKey.slice())
  }

  /** The service's key hash, 52 characters. */
  get keyHash(): string {
    return this.#keyHash
  }

  /** A name for people; not authenticated. */
  get label(): string | undefined {
    return this.#hints.label
  }

  /** Where to dial, in order of preference; not authenticated, the handshake decides. */
  get locations(): readonly string[] {
    return this.#hints.locations
  }

  /** Number of the root secret that it was minted under; 0 for a pair registered by hand. */
  get kid(): number {
    return this.#token.locator.kid
  }

  /** What it is good for; undefined where only the service knows (kid 0). */
  get use(): Use | undefined {
    return this.#token.locator.grant?.use
  }

  /** Path of its object; undefined where only the service knows (kid 0). */
  get object(): string | undefined {
    return objectOf(this) ?? this.#token.locator.grant?.object
  }

  /** The service's own statements; empty where only the service knows (kid 0). */
  get claims(): Claims {
    return this.#token.locator.grant?.claims ?? NO_CLAIMS
  }

  /** Its caveats in the order in which they were added. */
  get caveats(): readonly CaveatView[] {
    return this.#token.locator.caveats.map(({ view }) => view)
  }

  /** Whether it can be used but not narrowed. */
  get final(): boolean {
    return this.#token.secret.final
  }

  /** Encoded locator, a copy: not secret by itself, yet sent only encrypted. */
  get locator(): Uint8Array {
    return this.#token.locator.encoded.slice()
  }

  /** The interface of its object, as the rpc layer set it. */
  get describes(): InterfaceDescription<T> | undefined {
    return this.#describes as InterfaceDescription<T> | undefined // `T` exists in types only
  }

  /** The text with the secret in it: whoever reads it may do what this capability may.
   * @throws `capability/too_large` when label and locations make it longer than 8,192 characters. */
  export(): string {
    this.#checkLive()
    const token = encodeToken(this.#token)
    const text = encodeCapabilityText({ keyHash: this.#keyHash, token, ...this.#hints })
    wipe(token)
    return text
  }

  /** A capability that may do less; offline, one HMAC for each restriction. This one stays as it is.
   * @throws `capability/final`, `capability/too_large` past 16 caveats or 2,560 bytes, TypeError or RangeError for a
   * restriction that cannot be expressed. */
  attenuate<const M extends MethodNameOf<T>>(
    restrictions: Restrictions<M> & { readonly methods: readonly M[] },
  ): Capability<NarrowedTo<T, M>>
  attenuate<M extends MethodNameOf<T>>(restrictions: Restrictions<M>): Capability<T>
  attenuate(restrictions: Restrictions): Capability<T> {
    const { locator, holderSalts, publicKey } = this.#token
    const { key, ...longer } = addLinks({ key: this.#chainKey(), locator, holderSalts }, restrictions)
    const token: Token = { publicKey, secret: { final: false, key }, ...longer }
    return new Capability<T>(token, this.#hints, this.#describes)
  }

  /** The same capability, which from now on nobody can narrow. */
  finalize(): Capability<T> {
    const { secret } = this.#token
    this.#checkLive()
    return this.#copy({ secret: secret.final ? copyOf(secret) : { final: true, key: useKey(secret.key) } })
  }

  /** The same capability with other places to dial.
   * @throws RangeError for more than 8, a double, or one that is not `scheme:rest` in printable ASCII. */
  withLocations(locations: readonly string[]): Capability<T> {
    return this.#copy({ hints: { ...this.#hints, locations } })
  }

  /** The same capability under another name, or none.
   * @throws RangeError for a label over 64 characters or with control characters. */
  withLabel(label: string | undefined): Capability<T> {
    return this.#copy({ hints: { ...this.#hints, label } })
  }

  /** The same capability, known to stand for an object of the interface `description`. */
  withInterface<U>(description: InterfaceDescription<U>): Capability<U> {
    return this.#copy<U>({ describes: description })
  }

  /** Ids, as hexadecimal, by which the service can revoke it, as far as a holder can know them, outermost first.
   *
   * A holder knows the last link only: its own id, whose revocation also kills what was narrowed from it. Ids of the
   * links above follow from keys that he does not have. A final capability has no chain key at all, so it shows none,
   * save for the registration id of a pair registered by hand. The service knows all: `linkIds(capability, authority)`. */
  ids(): readonly string[] {
    this.#checkLive()
    const { locator, secret } = this.#token
    const known = locator.kid === REGISTERED_KID ? [hexEncode(locator.grantBytes)] : []
    if (secret.final) return known
    const own = hexEncode(linkId(secret.key))
    return known.includes(own) ? known : [...known, own]
  }

  /** What a session needs of it; the caller disposes. */
  keys(): UseKeys {
    this.#checkLive()
    const { secret } = this.#token
    return secret.final ? UseKeys.fromUseKey(secret.key) : UseKeys.fromChainKey(secret.key)
  }

  /** Salts of its holder caveats in the order of those, copies: what the service needs to check the client key. */
  holderSalts(): readonly Uint8Array[] {
    return this.#token.holderSalts.map((salt) => salt.slice())
  }

  /** Whether `other` is the same permission: same key, secret, grant and caveats, whatever the label and locations. */
  equals(other: Capability<unknown>): boolean {
    this.#checkLive()
    other.#checkLive()
    const [mine, theirs] = [encodeToken(this.#token), encodeToken(other.#token)]
    const same = equalConstantTime(mine, theirs)
    wipe(mine, theirs)
    return same
  }

  [Symbol.dispose](): void {
    this.#disposed = true
    wipe(this.#token.secret.key)
  }

  #checkLive(): void {
    if (this.#disposed) throw new TypeError('Cannot use capability: it has been disposed')
  }

  #chainKey(): Link['key'] {
    this.#checkLive()
    const { secret } = this.#token
    if (!secret.final) return secret.key
    throw new NoisecapError(
      'capability/final',
      'Cannot narrow capability: expected a chain key, got a final one',
      {
        hint: 'Narrow it before finalizing, or ask whoever gave it to you',
      },
    )
  }

  /** A copy with its own secret, so that either can be disposed alone. */
  #copy<U = T>(changes: {
    readonly secret?: TokenSecret
    readonly hints?: Hints
    readonly describes?: InterfaceDescription
  }): Capability<U> {
    this.#checkLive()
    const secret = changes.secret ?? copyOf(this.#token.secret)
    const token: Token = { ...this.#token, secret }
    return new Capability<U>(token, changes.hints ?? this.#hints, changes.describes ?? this.#describes)
  }
}

redact(Capability, (self) => redactedText(self.keyHash))

/** For minting only, not part of the door: a capability of `token`, whose secret it takes over. */
export const createCapability: Create = (token, hints, describes) =>
  create({ ...token, publicKey: asPublicKey(token.publicKey.slice()) }, hints, describes)

function copyOf(secret: TokenSecret): TokenSecret {
  return { ...secret, key: secret.key.slice() } as TokenSecret // slice() loses the brand
}

/** Hints of options whose parts may be left out. */
export function hintsOf({ label, locations = [] }: HintOptions): Hints {
  return { label, locations }
}

function keyMismatch(): NoisecapError {
  return new NoisecapError(
    'capability/key_mismatch',
    'Cannot parse capability: expected the key hash of the key inside, got another',
    { hint: 'The text was altered or put together from two; ask for it again' },
  )
}
