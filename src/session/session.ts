// The transport phase: plaintexts to records and back, automatic rekey, the close record (spec/session.md §6 to §8).
// A synchronous state machine without I/O; a record that fails to open ends it for good.
// Leaves out the handshake, timers and sockets (connection.ts), and what plaintexts mean (src/rpc).
import { EMPTY } from '../bytes.js'
import type { PatternName } from '../capability/index.js'
import type { PublicKey } from '../crypto/index.js'
import { NoisecapError } from '../errors.js'
import { NOISE_MESSAGE_MAX_BYTES, REKEY_INTERVAL_RECORDS } from '../limits.js'
import type { CipherState } from '../noise/index.js'
import type { Framing } from '../transport/index.js'
import { CLOSE_CODES, CLOSE_RECORD_KIND, type CloseReason, nameOfCode, TAG_BYTES } from './wire.js'

/** Longest plaintext of one record, bytes. */
export const RECORD_PLAINTEXT_MAX_BYTES = NOISE_MESSAGE_MAX_BYTES - TAG_BYTES

const LENGTH_BYTES = 2

/** Length of the record of a plaintext, bytes. */
export function recordBytes(plaintextBytes: number, framing: Framing): number {
  return (framing === 'length' ? LENGTH_BYTES : 0) + plaintextBytes + TAG_BYTES
}

/** What a finished handshake hands over. */
export interface SessionKeys {
  readonly send: CipherState
  readonly receive: CipherState
  readonly handshakeHash: Uint8Array
  readonly pattern: PatternName
  readonly role: 'client' | 'service'
  /** The peer's proven static key; undefined for an anonymous client. */
  readonly remoteStatic: PublicKey | undefined
}

/** One open session. */
export class Session {
  readonly pattern: PatternName
  readonly role: 'client' | 'service'
  readonly remoteStatic: PublicKey | undefined
  /** Channel binding, 64 bytes (Noise rev 34 §11.2). */
  readonly handshakeHash: Uint8Array
  readonly #send: CipherState
  readonly #receive: CipherState
  #state: 'open' | 'closing' | 'closed' = 'open'
  #sent = 0
  #received = 0
  #peerClosed: CloseReason | undefined

  constructor(keys: SessionKeys) {
    this.pattern = keys.pattern
    this.role = keys.role
    this.remoteStatic = keys.remoteStatic
    this.handshakeHash = keys.handshakeHash
    this.#send = keys.send
    this.#receive = keys.receive
  }

  /** Why the peer closed, once its close record was opened. */
  get peerClosed(): CloseReason | undefined {
    return this.#peerClosed
  }

  /** Whether {@link seal} still works. */
  get isOpen(): boolean {
    return this.#state === 'open'
  }

  /** One plaintext as one record, with its length before it where the framing asks for that.
   * @param plaintext - at most 65,519 bytes, borrowed; empty makes a keepalive.
   * @param memory - where to put it, at least {@link recordBytes} long; a new array if left out.
   * @throws `session/closed`; RangeError when it is too long.
   * Source: spec/session.md §6. */
  seal(plaintext: Uint8Array, framing: Framing, memory?: Uint8Array): Uint8Array {
    if (this.#state !== 'open') throw closedError('send')
    if (plaintext.length > RECORD_PLAINTEXT_MAX_BYTES) {
      throw new RangeError(
        `Cannot seal record: expected at most ${RECORD_PLAINTEXT_MAX_BYTES} bytes, got ${plaintext.length}`,
      )
    }
    if (this.#sent > 0 && this.#sent % REKEY_INTERVAL_RECORDS === 0) this.#send.rekey()
    this.#sent += 1
    const bytes = recordBytes(plaintext.length, framing)
    const record = memory === undefined ? allocate(bytes) : memory.subarray(0, bytes)
    const length = plaintext.length + TAG_BYTES
    if (bytes > length) {
      record[0] = length >> 8
      record[1] = length & 0xff
    }
    this.#send.encryptInto(EMPTY, plaintext, record.subarray(bytes - length))
    return record
  }

  /** The plaintext of one record; empty for a keepalive. A close record sets {@link peerClosed} and gives an empty plaintext.
   * @param record - without length.
   * @param isLent - the record is left as it is, and its plaintext is new memory; else it is decrypted in place, a view.
   * @throws `session/protocol` when it is not a genuine next record: the session is over then; `session/closed`. */
  open(record: Uint8Array, isLent = false): Uint8Array {
    if (this.#state === 'closed' || this.#peerClosed !== undefined) throw closedError('receive')
    if (record.length < TAG_BYTES) throw this.#fail()
    if (this.#received > 0 && this.#received % REKEY_INTERVAL_RECORDS === 0) this.#receive.rekey()
    this.#received += 1
    const plaintext = this.#decrypt(record, isLent)
    if (plaintext[0] !== CLOSE_RECORD_KIND) return plaintext
    this.#peerClosed = nameOfCode(CLOSE_CODES, plaintext[1]) ?? 'protocol'
    return EMPTY
  }

  #decrypt(record: Uint8Array, isLent: boolean): Uint8Array {
    try {
      if (isLent) return this.#receive.decryptWithAd(EMPTY, record)
      const plaintext = record.subarray(0, record.length - TAG_BYTES)
      this.#receive.decryptInto(EMPTY, record, plaintext)
      return plaintext
    } catch {
      throw this.#fail()
    }
  }

  /** The close record; nothing can be sealed after it. */
  close(reason: CloseReason, framing: Framing): Uint8Array {
    const record = this.seal(Uint8Array.of(CLOSE_RECORD_KIND, CLOSE_CODES[reason]), framing)
    this.#state = 'closing'
    return record
  }

  /** Wipe both keys; every later call throws `session/closed`. */
  destroy(): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#send[Symbol.dispose]()
    this.#receive[Symbol.dispose]()
  }

  #fail(): NoisecapError {
    this.destroy()
    return new NoisecapError('session/protocol', 'Cannot open record: it is not the next one of this session')
  }
}

function closedError(action: string): NoisecapError {
  return new NoisecapError('session/closed', `Cannot ${action}: the session is closed`)
}

/** Memory that is about to be overwritten: unzeroed where Node offers that. */
function allocate(length: number): Uint8Array {
  return typeof Buffer === 'undefined' ? new Uint8Array(length) : Buffer.allocUnsafe(length)
}
