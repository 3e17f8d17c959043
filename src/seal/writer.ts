// SealWriter: seals values to readers without being able to read them (spec/seal.md §2, §4). One AEAD call a value; the
// public-key work is done once an epoch. Epoch keys live in one object in one thread and nowhere else: they are never stored,
// handed out or shared. Leaves out reading (reader.ts) and adding readers later (rewrap.ts).
import { EMPTY } from '../bytes.js'
import type { Capability } from '../capability/index.js'
import { letGo, SYSTEM_CLOCK, type Timer } from '../clock.js'
import { AEAD_TAG_BYTES, type AeadKey, type PublicKey } from '../crypto/index.js'
import { redact } from '../redact.js'
import type { Place } from './column.js'
import { plaintextOf } from './content.js'
import {
  checkBounds,
  type EpochBounds,
  HOST_SURROUNDINGS,
  Incarnation,
  type Surroundings,
} from './incarnation.js'
import { COMPACT_OFFSET, FORM, POSITION_BYTES, VERSION, writePosition } from './layout.js'
import { Recipients, type WriterIdentity } from './recipients.js'
import { WriterEpoch } from './writer-epoch.js'

/** The header of an epoch, to be stored once, before the values that name it. */
export interface SealedHeader {
  /** 16 bytes. */
  readonly id: Uint8Array
  readonly bytes: Uint8Array
}

/** What a writer is made of. */
export interface SealWriterOptions {
  /** Public keys of 1 to 64 readers, or a capability whose use is `seal`. X, K and capabilities have one reader. */
  readonly to: PublicKey | readonly PublicKey[] | Capability<unknown>
  /** Default N: the reader learns nothing about who wrote. A key pair is referred to, not copied. */
  readonly as?: WriterIdentity | undefined
  readonly epoch?: EpochBounds | undefined
  /** Given, values are compact: each names its epoch, whose header this is called with, once, before the first of them is
   * returned. If it throws, so does `seal`, and the epoch is forgotten. Left out, every value carries its header. */
  readonly onEpoch?: ((header: SealedHeader) => void) | undefined
  /** For tests, and for hosts that know of copies of themselves. */
  readonly surroundings?: Surroundings | undefined
}

const MS_PER_MINUTE = 60_000

// Sealed values are public, so short ones are cut from a common block: an array of its own costs as much as the cipher.
const BLOCK_BYTES = 16_384
const CUT_MAX_BYTES = 2_048
let block = EMPTY
let blockUsed = 0

/** What a stream takes of the epoch of its writer. */
export interface StreamPlace {
  /** Of the epoch, borrowed. */
  readonly header: Uint8Array
  readonly position: number
  /** The key of one stream, the caller's to dispose. */
  readonly cipher: AeadKey
  readonly surroundings: Surroundings
}

/** For stream-sealer.ts alone, which a page that seals values does not load: the place of one more stream.
 * @throws what `onEpoch` throws. */
export let takeStream: (writer: SealWriter) => StreamPlace

/** Seals values; prints as `[redacted]`, `using` forgets the key of its epoch. */
export class SealWriter implements Disposable {
  readonly #recipients: Recipients
  readonly #bounds: ReturnType<typeof checkBounds>
  readonly #onEpoch: SealWriterOptions['onEpoch']
  readonly #surroundings: Surroundings
  #epoch: WriterEpoch | undefined
  #incarnation: Incarnation | undefined
  /** Forgets the key of an epoch whose minutes are over while nothing is sealed. */
  #forget: Timer | undefined
  /** What stands before the position in each value of the epoch. */
  #start = EMPTY
  #beginning = false
  #disposed = false

  /** @throws `seal/denied` for a capability of another use, TypeError, RangeError. */
  constructor({ to, as = { pattern: 'N' }, epoch = {}, onEpoch, surroundings }: SealWriterOptions) {
    this.#bounds = checkBounds(epoch)
    this.#recipients = new Recipients(to, as)
    this.#onEpoch = onEpoch
    this.#surroundings = surroundings ?? HOST_SURROUNDINGS
  }

  /** Seal one value for one place.
   * @returns the sealed value; a view of memory that holds nothing but sealed values.
   * @throws TypeError for a value that the column's codec does not take or a row key without an encoding; RangeError past 16
   * MiB or a context past 1,024 bytes; what `onEpoch` throws. */
  seal<In>(value: NoInfer<In>, place: Place<In, unknown>): Uint8Array {
    const { column, row } = place
    const content = column.codec.encode(value)
    const epoch = this.#currentEpoch()
    // From here on no foreign code runs: the plaintext lies in memory that is shared by all writers of this thread.
    const ad = column.associatedData(row)
    const plaintext = plaintextOf(content, column.padding)
    const start = this.#start
    const positionStart = start.length
    const ciphertextStart = positionStart + POSITION_BYTES
    const out = memoryFor(ciphertextStart + plaintext.length + AEAD_TAG_BYTES)
    const position = epoch.take(out.length)
    out.set(start)
    writePosition(out, positionStart, position)
    try {
      epoch.encrypt(position, ad, plaintext, out.subarray(ciphertextStart))
    } finally {
      plaintext.fill(0)
      if (!epoch.open) this.endEpoch()
    }
    return out
  }

  /** End the epoch now: the next value begins another. */
  endEpoch(): void {
    if (this.#forget !== undefined) SYSTEM_CLOCK.clearTimeout(this.#forget)
    this.#forget = undefined
    this.#epoch?.[Symbol.dispose]()
    this.#epoch = undefined
  }

  [Symbol.dispose](): void {
    this.endEpoch()
    this.#recipients[Symbol.dispose]()
    this.#disposed = true
  }

  #takeStream(): StreamPlace {
    const epoch = this.#currentEpoch()
    const position = epoch.take(0)
    const place = {
      header: epoch.header,
      position,
      cipher: epoch.streamCipher(position),
      surroundings: this.#surroundings,
    }
    if (!epoch.open) this.endEpoch()
    return place
  }

  static {
    takeStream = (writer) => writer.#takeStream()
  }

  #currentEpoch(): WriterEpoch {
    if (this.#epoch?.open && this.#incarnation?.lasts) return this.#epoch
    return this.#beginEpoch()
  }

  #beginEpoch(): WriterEpoch {
    if (this.#disposed) throw new TypeError('Cannot seal: the writer has been disposed')
    if (this.#beginning) throw new TypeError('Cannot seal: onEpoch must not seal with its own writer')
    this.endEpoch()
    const { maxValues, maxBytes, maxMinutes } = this.#bounds
    const incarnation = new Incarnation(this.#surroundings, maxMinutes)
    const epoch = new WriterEpoch(this.#recipients, maxValues, maxBytes)
    this.#beginning = true
    try {
      this.#onEpoch?.({ id: epoch.id.slice(), bytes: epoch.header })
    } catch (error) {
      epoch[Symbol.dispose]()
      throw error
    } finally {
      this.#beginning = false
    }
    this.#start = this.#onEpoch === undefined ? wholeStart(epoch) : compactStart(epoch)
    this.#incarnation = incarnation
    this.#epoch = epoch
    this.#forget = forgetAfter(epoch, maxMinutes)
    return epoch
  }
}

redact(SealWriter, () => 'SealWriter [redacted]')

/** Wipe `epoch` when its minutes are over, if it is there by then; keeps no process alive. */
function forgetAfter(epoch: WriterEpoch, minutes: number): Timer {
  const timer = SYSTEM_CLOCK.setTimeout(() => epoch[Symbol.dispose](), minutes * MS_PER_MINUTE)
  letGo(timer)
  return timer
}

/** The header itself, which nobody else has when values carry it. */
function wholeStart({ header }: WriterEpoch): Uint8Array {
  header[0] = FORM.value
  return header
}

function compactStart({ id }: WriterEpoch): Uint8Array {
  const start = new Uint8Array(COMPACT_OFFSET.position)
  start[0] = FORM.compact
  start[COMPACT_OFFSET.version] = VERSION
  start.set(id, COMPACT_OFFSET.epochId)
  return start
}

/** `length` bytes that no one has been given before. */
function memoryFor(length: number): Uint8Array {
  if (length > CUT_MAX_BYTES) return new Uint8Array(length)
  if (blockUsed + length > block.length) {
    block = new Uint8Array(BLOCK_BYTES)
    blockUsed = 0
  }
  const start = blockUsed
  blockUsed += length
  return block.subarray(start, blockUsed)
}
