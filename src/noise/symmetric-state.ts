// SymmetricState of Noise rev 34 §5.2: chaining key ck, handshake hash h and the cipher key k that follows from them.
// k is derived when something is encrypted and not before: most keys of a handshake are replaced unused, each saves one
// HMAC (§9.1 allows it). Leaves out checks of order and length (handshake-state.ts).

import { EMPTY, wipe } from '../bytes.js'
import { AEAD_KEY_BYTES, AEAD_TAG_BYTES, type AeadFunction, type HashFunction } from '../crypto/index.js'
import { filled, lastingViews, SHORT_MAX_BYTES } from '../lasting.js'
import { redact } from '../redact.js'
import { CipherState } from './cipher-state.js'

const BYTE_1 = Uint8Array.of(1)
const BYTE_2 = Uint8Array.of(2)
const BYTE_3 = Uint8Array.of(3)

/** Lasting memory for one call of the cipher: h, input and output. Wiped where it held plaintext. */
const hashView = lastingViews(SHORT_MAX_BYTES)
const inputView = lastingViews(SHORT_MAX_BYTES)
const outputView = lastingViews(SHORT_MAX_BYTES)

/** The last output of an HKDF, not computed yet: HMAC(tempKey, previous ‖ counter). */
interface PendingKey {
  readonly tempKey: Uint8Array
  readonly previous: Uint8Array
  readonly counter: Uint8Array
}

/** The symmetric half of a handshake. */
export class SymmetricState implements Disposable {
  readonly #aead: AeadFunction
  readonly #hash: HashFunction
  #ck: Uint8Array
  #h: Uint8Array
  /** The last field, still to be mixed into h: after a message that nothing follows, as in one-way patterns, nobody asks for h. */
  #unmixed: Uint8Array | undefined
  #cipher: CipherState | undefined
  #pending: PendingKey | undefined

  /** InitializeSymmetric: a name that fits into HASHLEN is zero-padded, a longer one hashed.
   * @param name - protocol name, ASCII bytes, borrowed. */
  constructor(name: Uint8Array, aead: AeadFunction, hash: HashFunction) {
    this.#aead = aead
    this.#hash = hash
    if (name.length <= hash.length) {
      this.#h = new Uint8Array(hash.length)
      this.#h.set(name)
    } else this.#h = hash.hash(name)
    this.#ck = this.#h.slice()
  }

  /** Whether what follows is encrypted. */
  get hasKey(): boolean {
    return this.#pending !== undefined || this.#cipher !== undefined
  }

  /** h, borrowed from this state and replaced, not altered, by the next step. */
  get handshakeHash(): Uint8Array {
    if (this.#unmixed !== undefined) {
      const field = this.#unmixed
      this.#unmixed = undefined
      this.mixHash(field)
    }
    return this.#h
  }

  /** Mix public `data` into h. */
  mixHash(data: Uint8Array): void {
    this.#h = this.#hash.hash(this.handshakeHash, data)
  }

  /** Mix key material into ck and k: ck, k = HKDF(ck, material, 2). */
  mixKey(material: Uint8Array): void {
    const tempKey = this.#extract(material)
    const ck = this.#hash.hmac(tempKey, BYTE_1)
    this.#replaceKey(ck, { tempKey, previous: ck, counter: BYTE_2 })
  }

  /** Mix a PSK into ck, h and k: ck, temp_h, k = HKDF(ck, psk, 3).
   * Source: Noise rev 34 §9.1. */
  mixKeyAndHash(psk: Uint8Array): void {
    const tempKey = this.#extract(psk)
    const ck = this.#hash.hmac(tempKey, BYTE_1)
    const tempHash = this.#hash.hmac(tempKey, ck, BYTE_2)
    this.mixHash(tempHash)
    this.#replaceKey(ck, { tempKey, previous: tempHash, counter: BYTE_3 })
  }

  /** Encrypt, or copy while there is no key, and mix the result into h.
   * @returns a new array of `plaintext.length` bytes, 16 more with a key; kept, not to be altered. */
  encryptAndHash(plaintext: Uint8Array): Uint8Array {
    const field = this.hasKey ? this.#seal(plaintext) : new Uint8Array(plaintext)
    this.#mixLater(field)
    return field
  }

  /** Undo {@link encryptAndHash}.
   * @param ciphertext - kept, not to be altered.
   * @param out - `ciphertext.length` bytes, 16 fewer with a key.
   * @throws `noise/decrypt`. */
  decryptAndHash(ciphertext: Uint8Array, out: Uint8Array): void {
    if (this.hasKey) this.#open(ciphertext, out)
    else out.set(ciphertext)
    this.#mixLater(ciphertext)
  }

  /** The keys of the transport: first from initiator to responder, then back, none back after a one-way pattern. */
  split(oneWay: boolean): { fromInitiator: CipherState; fromResponder: CipherState } {
    const tempKey = this.#extract(EMPTY)
    const first = this.#hash.hmac(tempKey, BYTE_1)
    const second = oneWay ? EMPTY : this.#hash.hmac(tempKey, first, BYTE_2)
    const fromInitiator = this.#cipherUnder(first)
    const fromResponder = oneWay ? new CipherState(this.#aead, undefined) : this.#cipherUnder(second)
    wipe(tempKey)
    return { fromInitiator, fromResponder }
  }

  /** Wipe every secret; h is public and stays. */
  [Symbol.dispose](): void {
    wipe(this.#ck)
    this.#dropKey()
  }

  /** Short fields and h go through lasting memory (lasting.ts says why). */
  #seal(plaintext: Uint8Array): Uint8Array {
    const cipher = this.#keyedCipher()
    const h = filled(hashView(this.#hash.length), this.handshakeHash)
    const length = plaintext.length + AEAD_TAG_BYTES
    if (length > SHORT_MAX_BYTES) {
      const field = new Uint8Array(length)
      cipher.encryptInto(h, plaintext, field)
      return field
    }
    const input = filled(inputView(plaintext.length), plaintext)
    const output = outputView(length)
    try {
      cipher.encryptInto(h, input, output)
      return new Uint8Array(output)
    } finally {
      wipe(input)
    }
  }

  #open(ciphertext: Uint8Array, out: Uint8Array): void {
    const cipher = this.#keyedCipher()
    const h = filled(hashView(this.#hash.length), this.handshakeHash)
    if (ciphertext.length > SHORT_MAX_BYTES) {
      cipher.decryptInto(h, ciphertext, out)
      return
    }
    const output = outputView(out.length)
    cipher.decryptInto(h, filled(inputView(ciphertext.length), ciphertext), output)
    out.set(output)
    wipe(output)
  }

  /** Mix `field` into h when somebody needs it. */
  #mixLater(field: Uint8Array): void {
    this.#h = this.handshakeHash
    this.#unmixed = field
  }

  /** The first step of HKDF (Noise rev 34 §4.3). */
  #extract(material: Uint8Array): Uint8Array {
    return this.#hash.hmac(this.#ck, material)
  }

  #replaceKey(ck: Uint8Array, pending: PendingKey): void {
    wipe(this.#ck)
    this.#dropKey()
    this.#ck = ck
    this.#pending = pending
  }

  #dropKey(): void {
    this.#cipher?.[Symbol.dispose]()
    this.#cipher = undefined
    this.#dropPending()
  }

  #dropPending(): void {
    if (this.#pending === undefined) return
    wipe(this.#pending.tempKey)
    if (this.#pending.previous !== this.#ck) wipe(this.#pending.previous)
    this.#pending = undefined
  }

  /** A cipher under an output of HKDF, which is cut to 32 bytes (§5.2) and wiped. */
  #cipherUnder(output: Uint8Array): CipherState {
    const key = output.slice(0, AEAD_KEY_BYTES) // `subarray` would move the array out of V8's heap, which costs more
    const cipher = new CipherState(this.#aead, key)
    wipe(output, key)
    return cipher
  }

  /** The cipher under the current k, derived now if it was not needed before. */
  #keyedCipher(): CipherState {
    if (this.#pending !== undefined) {
      const { tempKey, previous, counter } = this.#pending
      this.#cipher = this.#cipherUnder(this.#hash.hmac(tempKey, previous, counter))
      this.#dropPending()
    }
    return this.#cipher! // hasKey holds in both callers
  }
}

redact(SymmetricState, () => 'SymmetricState [redacted]')
