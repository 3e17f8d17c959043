// What each token of a pattern does when it is written or read (Noise rev 34 §5.3, §9.2): the one place where keys, PSKs
// and the symmetric state meet. Lengths are known from the plan, so output is written where it belongs at once.
// Leaves out turns, limits and what happens after a failure (handshake-state.ts).
import { wipe } from '../bytes.js'
import {
  AEAD_TAG_BYTES,
  type AeadFunction,
  asPublicKey,
  type HashFunction,
  type PublicKey,
} from '../crypto/index.js'
import type { HandshakeKeys } from './handshake-keys.js'
import type { HandshakePlan, MessagePlan } from './handshake-plan.js'
import type { KeyToken, Role, Token } from './pattern-notation.js'
import type { PskSlots } from './psk-slots.js'
import { SymmetricState } from './symmetric-state.js'

/** What a token interpreter works with; keys and PSKs become its own. */
export interface InterpreterParts {
  /** Protocol name, ASCII bytes. */
  readonly name: Uint8Array
  readonly plan: HandshakePlan
  readonly role: Role
  readonly keys: HandshakeKeys
  readonly psks: PskSlots
  readonly aead: AeadFunction
  readonly hash: HashFunction
}

/** Tokens in, bytes and a symmetric state out. After an error its state is undefined and must be disposed. */
export class TokenInterpreter implements Disposable {
  readonly symmetric: SymmetricState
  readonly keys: HandshakeKeys
  readonly psks: PskSlots
  readonly #role: Role
  /** Whether this is a PSK handshake, in which every `e` is also mixed into the key (§9.2). */
  readonly #pskMode: boolean

  /** Initialize: the protocol name, the prologue and the pre-messages are hashed; no DH. */
  constructor({ name, plan, role, keys, psks, aead, hash }: InterpreterParts, prologue: Uint8Array) {
    this.symmetric = new SymmetricState(name, aead, hash)
    this.keys = keys
    this.psks = psks
    this.#role = role
    this.#pskMode = plan.psks.length > 0
    this.symmetric.mixHash(prologue)
    for (const { owner, key } of plan.preMessages) {
      const own = owner === role
      const publicKey =
        key === 'e' ? (own ? keys.e!.publicKey : keys.re!) : own ? keys.s!.publicKey : keys.rs! // present by HandshakeKeys
      if (key === 'e') this.#mixEphemeral(publicKey)
      else this.symmetric.mixHash(publicKey)
    }
  }

  /** WriteMessage.
   * @param out - exactly `message.overhead + payload.length` bytes.
   * @throws `crypto/bad_public_key`. */
  write(message: MessagePlan, payload: Uint8Array, out: Uint8Array): void {
    let offset = 0
    for (const token of message.tokens) offset += this.#writeToken(token, out, offset)
    out.set(this.symmetric.encryptAndHash(payload), offset)
  }

  /** ReadMessage.
   * @param bytes - at least `message.overhead` bytes.
   * @param payload - exactly `message.overhead` bytes shorter.
   * @throws `noise/decrypt`, `crypto/bad_public_key`. */
  read(message: MessagePlan, bytes: Uint8Array, payload: Uint8Array): void {
    // Fields are cut out by `slice`: `subarray` would move a short array out of V8's heap, which costs more than a copy.
    let offset = 0
    for (const token of message.tokens) offset += this.#readToken(token, bytes, offset)
    this.symmetric.decryptAndHash(bytes.slice(offset), payload)
  }

  /** Wipe all secrets; the handshake hash and the peer's public keys stay. */
  [Symbol.dispose](): void {
    this.symmetric[Symbol.dispose]()
    this.dropKeys()
  }

  /** Wipe what only handshake messages need. */
  dropKeys(): void {
    this.keys[Symbol.dispose]()
    this.psks[Symbol.dispose]()
  }

  /** @returns how many bytes of `out` the token fills. */
  #writeToken(token: Token, out: Uint8Array, offset: number): number {
    if (token === 'e') {
      const publicKey = this.keys.startEphemeral()
      out.set(publicKey, offset)
      this.#mixEphemeral(publicKey)
      return publicKey.length
    }
    if (token === 's') {
      const field = this.symmetric.encryptAndHash(this.keys.s!.publicKey) // present by HandshakeKeys
      out.set(field, offset)
      return field.length
    }
    return this.#mixToken(token)
  }

  /** @returns how many of `bytes` the token takes. */
  #readToken(token: Token, bytes: Uint8Array, offset: number): number {
    if (token !== 'e' && token !== 's') return this.#mixToken(token)
    const publicKey = asPublicKey(new Uint8Array(this.keys.dhLength), this.keys.dhLength)
    if (token === 'e') {
      publicKey.set(bytes.slice(offset, offset + publicKey.length))
      this.keys.re = publicKey
      this.#mixEphemeral(publicKey)
      return publicKey.length
    }
    const length = this.#staticFieldLength()
    this.symmetric.decryptAndHash(bytes.slice(offset, offset + length), publicKey)
    this.keys.rs = publicKey
    return length
  }

  /** A token that sends nothing and mixes a secret. */
  #mixToken(token: Exclude<Token, KeyToken>): 0 {
    switch (token) {
      case 'ee':
      case 'es':
      case 'se':
      case 'ss': {
        const shared = this.keys.dh(token, this.#role)
        this.symmetric.mixKey(shared)
        wipe(shared)
        return 0
      }
      default:
        this.psks.spend(Number(token.slice('psk'.length)), (psk) => this.symmetric.mixKeyAndHash(psk))
        return 0
    }
  }

  /** Source: Noise rev 34 §9.2. */
  #mixEphemeral(publicKey: PublicKey): void {
    this.symmetric.mixHash(publicKey)
    if (this.#pskMode) this.symmetric.mixKey(publicKey)
  }

  #staticFieldLength(): number {
    return this.keys.dhLength + (this.symmetric.hasKey ? AEAD_TAG_BYTES : 0)
  }
}
