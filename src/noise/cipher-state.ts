// CipherState of Noise rev 34 §5.1: one cipher key and its 64-bit counter, with rekey (§11.3) and settable nonces for
// out-of-order transport (§11.4). The counter is two 32-bit halves, so that the hot path makes no bigint and no garbage.
// Leaves out the empty key: a state without one is a SymmetricState that has not mixed a key, or the missing direction of a
// one-way pattern, which refuses every use.

import { EMPTY, wipe } from '../bytes.js'
import {
  AEAD_KEY_BYTES,
  AEAD_NONCE_BYTES,
  AEAD_TAG_BYTES,
  type AeadFunction,
  type AeadKey,
} from '../crypto/index.js'
import { NoisecapError } from '../errors.js'
import { NOISE_MESSAGE_MAX_BYTES } from '../limits.js'
import { redact } from '../redact.js'

const U32_MAX = 0xffff_ffff
/** 2^64 − 1, reserved for rekey; no message ever gets it. */
const RESERVED_NONCE = 0xffff_ffff_ffff_ffffn

/** The bytes of the nonce in use, for all states: they are public, written right before each synchronous call, and an array
 * of its own for each state would cost as much as the call. */
const nonceBytes = new Uint8Array(new ArrayBuffer(AEAD_NONCE_BYTES))
const nonceView = new DataView(nonceBytes.buffer)

/** One direction of an encrypted channel; wiped by `using`. */
export class CipherState implements Disposable {
  readonly #aead: AeadFunction
  #key: AeadKey | undefined
  readonly #oneWay: boolean
  /** AESGCM writes the counter big-endian, ChaChaPoly little-endian (Noise rev 34 §12.3, §12.4). */
  readonly #littleEndian: boolean
  #low = 0
  #high = 0

  /** @param key - 32 bytes, copied; undefined makes the direction that a one-way pattern lacks. */
  constructor(aead: AeadFunction, key: Uint8Array | undefined) {
    this.#aead = aead
    this.#key = key === undefined ? undefined : aead.withKey(key)
    this.#oneWay = key === undefined
    this.#littleEndian = aead.name === 'ChaChaPoly'
  }

  /** The nonce of the next message, 0 to 2^64 − 1; the last one is reserved and cannot be used.
   * Setting it is for transports that lose or reorder messages: never let one nonce encrypt twice, and refuse replays. */
  get nonce(): bigint {
    return (BigInt(this.#high) << 32n) | BigInt(this.#low)
  }

  set nonce(value: bigint) {
    if (typeof value !== 'bigint') throw new TypeError('Cannot set nonce: expected a bigint')
    if (value < 0n || value > RESERVED_NONCE) throw new RangeError('Cannot set nonce: expected 0 to 2^64 - 1')
    this.#low = Number(value & BigInt(U32_MAX))
    this.#high = Number(value >> 32n)
  }

  /** Encrypt one message.
   * @param ad - associated data, borrowed.
   * @param plaintext - at most 65,519 bytes, borrowed.
   * @returns ciphertext and tag, a new array.
   * @throws `noise/message_length`, `noise/nonce_exhausted`, `noise/one_way`, `noise/finished` after disposal.
   * Source: Noise rev 34 §5.1. */
  encryptWithAd(ad: Uint8Array, plaintext: Uint8Array): Uint8Array {
    checkPlaintext(plaintext)
    const out = new Uint8Array(plaintext.length + AEAD_TAG_BYTES)
    this.encryptInto(ad, plaintext, out)
    return out
  }

  /** Encrypt one message without allocating.
   * @param out - exactly `plaintext.length + 16` bytes; may begin where `plaintext` begins (in place).
   * @throws as {@link encryptWithAd}; the nonce advances only on success. */
  encryptInto(ad: Uint8Array, plaintext: Uint8Array, out: Uint8Array): void {
    checkPlaintext(plaintext)
    const key = this.#usableKey()
    key.seal(nonceBytes, ad, plaintext, out)
    this.#advance()
  }

  /** Decrypt one message.
   * @param ciphertext - 16 to 65,535 bytes, borrowed.
   * @returns the plaintext, a new array.
   * @throws `noise/decrypt` when it is not authentic, the nonce is then as before; otherwise as {@link encryptWithAd}.
   * Source: Noise rev 34 §5.1. */
  decryptWithAd(ad: Uint8Array, ciphertext: Uint8Array): Uint8Array {
    checkCiphertext(ciphertext)
    const plaintext = this.#usableKey().opened(nonceBytes, ad, ciphertext)
    if (plaintext === undefined) throw decryptError()
    this.#advance()
    return plaintext
  }

  /** Decrypt one message without allocating.
   * @param out - exactly `ciphertext.length - 16` bytes; may begin where `ciphertext` begins (in place). Holds zeros after
   * `noise/decrypt`.
   * @throws as {@link decryptWithAd}; returning at all means that the message is authentic. */
  decryptInto(ad: Uint8Array, ciphertext: Uint8Array, out: Uint8Array): void {
    checkCiphertext(ciphertext)
    const key = this.#usableKey()
    if (!key.open(nonceBytes, ad, ciphertext, out)) throw decryptError()
    this.#advance()
  }

  /** Replace the key by one that it encrypts itself under the reserved nonce; the nonce stays.
   * @throws `noise/one_way`, `noise/finished` after disposal.
   * Source: Noise rev 34 §4.2, §11.3. */
  rekey(): void {
    const old = this.#liveKey()
    const sealed = new Uint8Array(AEAD_KEY_BYTES + AEAD_TAG_BYTES)
    nonceView.setUint32(4, U32_MAX)
    nonceView.setUint32(8, U32_MAX)
    old.seal(nonceBytes, EMPTY, sealed.subarray(0, AEAD_KEY_BYTES), sealed)
    this.#key = this.#aead.withKey(sealed.subarray(0, AEAD_KEY_BYTES)) // §4.2: the tag is dropped
    wipe(sealed)
    old[Symbol.dispose]()
  }

  /** Wipe the key; every later use throws `noise/finished`. */
  [Symbol.dispose](): void {
    this.#key?.[Symbol.dispose]()
    this.#key = undefined
  }

  /** The key, with `nonceBytes` holding the bytes of the next nonce. */
  #usableKey(): AeadKey {
    const key = this.#liveKey()
    if (this.#low === U32_MAX && this.#high === U32_MAX) {
      throw new NoisecapError('noise/nonce_exhausted', 'Cannot use cipher: all 2^64 - 1 nonces are used')
    }
    nonceView.setUint32(this.#littleEndian ? 4 : 8, this.#low, this.#littleEndian)
    nonceView.setUint32(this.#littleEndian ? 8 : 4, this.#high, this.#littleEndian)
    return key
  }

  #liveKey(): AeadKey {
    if (this.#key !== undefined) return this.#key
    if (this.#oneWay) {
      throw new NoisecapError('noise/one_way', 'Cannot use cipher: a one-way pattern has no such direction')
    }
    throw new NoisecapError('noise/finished', 'Cannot use cipher: it has been disposed')
  }

  /** Cannot wrap: the reserved nonce never gets here. */
  #advance(): void {
    if (this.#low !== U32_MAX) {
      this.#low += 1
      return
    }
    this.#low = 0
    this.#high += 1
  }
}

redact(CipherState, () => 'CipherState [redacted]')

/** The one answer to every failed authentication: nothing tells an attacker what was wrong. */
export function decryptError(): NoisecapError<'noise/decrypt'> {
  return new NoisecapError('noise/decrypt', 'Cannot decrypt message: it is not authentic')
}

function checkPlaintext(plaintext: Uint8Array): void {
  if (plaintext.length > NOISE_MESSAGE_MAX_BYTES - AEAD_TAG_BYTES) {
    throw new NoisecapError(
      'noise/message_length',
      `Cannot encrypt message: expected at most ${NOISE_MESSAGE_MAX_BYTES - AEAD_TAG_BYTES} bytes, got ${plaintext.length}`,
    )
  }
}

function checkCiphertext(ciphertext: Uint8Array): void {
  if (ciphertext.length < AEAD_TAG_BYTES || ciphertext.length > NOISE_MESSAGE_MAX_BYTES) {
    throw new NoisecapError(
      'noise/message_length',
      `Cannot decrypt message: expected ${AEAD_TAG_BYTES} to ${NOISE_MESSAGE_MAX_BYTES} bytes, got ${ciphertext.length}`,
    )
  }
}
