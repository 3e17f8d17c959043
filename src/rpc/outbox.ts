// Collects messages of one tick and sends them as few records: one batch up to 16 KiB, or fragments of a large message
// (spec/rpc.md §2). Stops while the socket holds 64 KiB. Leaves out what messages say (peer.ts).
import {
  FRAGMENT_MAX_BYTES,
  NOISE_MESSAGE_MAX_BYTES,
  OUTBOX_HIGH_WATER_BYTES,
  SOCKET_HIGH_WATER_BYTES,
} from '../limits.js'
import type { Connection } from '../session/index.js'
import { ByteSink } from './byte-sink.js'
import { FRAME, writeByte, writeBytes, writeVarint } from './wire.js'

const TAG_BYTES = 16
const LENGTH_MAX_BYTES = 3
/** Beyond this a batch takes no further message, so that the largest one still fits the record, bytes. */
const BATCH_MAX_BYTES = NOISE_MESSAGE_MAX_BYTES - TAG_BYTES - LENGTH_MAX_BYTES - FRAGMENT_MAX_BYTES
/** A batch that has grown past this leaves before the turn ends: the other side begins while this one goes on, so that with
 * many calls both work side by side and not in turn (docs/performance.md), bytes. */
const EARLY_FLUSH_BYTES = 16_384
/** A sink that has grown past this is not kept, bytes. */
const KEPT_SINK_MAX_BYTES = 262_144

/** After all microtasks of this turn where the host can do that, so that one turn makes one record. */
const defer: (run: () => void) => void =
  typeof process === 'object' && typeof process.nextTick === 'function' ? process.nextTick : queueMicrotask

/** Bytes that travel in frames of their own, whenever no message waits. */
export interface BulkSource {
  readonly id: number
  /** The next 1 to 16,384 bytes, borrowed until the next call; undefined when there are none now. */
  takeBytes(): Uint8Array | undefined
}

/** Messages that wait for the end of the tick, in order. */
export class Outbox {
  readonly #connection: Connection
  readonly #queue: Uint8Array[] = []
  #sink = new ByteSink(4_096)
  readonly #bulk: BulkSource[] = []
  readonly #bulkFrame = new ByteSink(0)
  #batch = 0
  #scheduled = false
  #isCorked = false
  #nextFragmentId = 0
  readonly #backlog: ((tooLong: boolean) => void) | undefined
  #isTooLong = false

  /** @param backlog - told when more than 1 MiB waits, and when it no longer does. */
  constructor(connection: Connection, backlog?: (tooLong: boolean) => void) {
    this.#connection = connection
    this.#backlog = backlog
    this.#beginBatch()
  }

  /** Bytes not handed to the connection yet. */
  get waitingBytes(): number {
    let bytes = this.#sink.length - 1
    for (const frame of this.#queue) bytes += frame.length
    return bytes
  }

  /** Number of the batch that is being written. */
  get batch(): number {
    return this.#batch
  }

  /** Set flags of a message that has been written and has not left.
   * @param batch - in which it was written.
   * @returns false when it has left. */
  patch(batch: number, at: number, flags: number): boolean {
    if (batch !== this.#batch) return false
    this.#sink.bytes[at]! |= flags
    return true
  }

  /** Where the message in hand is being written. */
  get sink(): ByteSink {
    return this.#sink
  }

  /** Begin a message: write its fields to the returned sink, then call {@link endMessage} with the returned mark. */
  beginMessage(op: number): { sink: ByteSink; mark: number } {
    const sink = this.#sink
    const mark = sink.length
    // One byte for the length, which is enough for most; endMessage makes room for more.
    writeByte(sink, 0)
    writeByte(sink, op)
    return { sink, mark }
  }

  /** Drop a message whose fields could not be written. */
  dropMessage(mark: number): void {
    this.#sink.length = mark
  }

  /** Length of the message since `mark`, bytes. */
  messageLength(mark: number): number {
    return this.#sink.length - mark - 1
  }

  /** End a message: it leaves at the end of the tick, or now with a batch that is long enough.
   * @returns by how many bytes its fields were moved; -1 when it can no longer be patched. */
  endMessage(mark: number): number {
    const sink = this.#sink
    const length = sink.length - mark - 1
    let moved: number
    if (length > FRAGMENT_MAX_BYTES) {
      const message = sink.bytes.slice(mark + 1, sink.length)
      sink.length = mark
      this.#fragment(message)
      moved = -1
    } else {
      moved = this.#writeLength(mark, length)
      if (sink.length > EARLY_FLUSH_BYTES) this.flush()
      if (sink.length > BATCH_MAX_BYTES) this.#closeBatch()
    }
    this.#schedule()
    return moved
  }

  #writeLength(mark: number, length: number): number {
    const sink = this.#sink
    let extra = 0
    if (length > 0x7f) {
      extra = length > 0x3fff ? 2 : 1
      sink.reserve(extra)
      sink.bytes.copyWithin(mark + 1 + extra, mark + 1, sink.length)
      const end = sink.length + extra
      sink.length = mark
      writeVarint(sink, length)
      sink.length = end
    } else sink.bytes[mark] = length
    return extra
  }

  /** A large message as frames of their own, behind what was written before it: order is kept. */
  #fragment(message: Uint8Array): void {
    this.#closeBatch()
    const id = this.#nextFragmentId
    this.#nextFragmentId = (id + 1) & 0xffff
    for (let start = 0; start < message.length; start += FRAGMENT_MAX_BYTES) {
      const end = Math.min(message.length, start + FRAGMENT_MAX_BYTES)
      const frame = new ByteSink(end - start + 8)
      writeByte(frame, FRAME.fragment)
      writeVarint(frame, id)
      writeByte(frame, end === message.length ? 1 : 0)
      writeBytes(frame, message.subarray(start, end))
      this.#queue.push(frame.bytes.subarray(0, frame.length))
    }
  }

  #closeBatch(): void {
    if (this.#sink.length <= 1) return
    this.#queue.push(this.#sink.bytes.slice(0, this.#sink.length))
    this.#beginBatch()
  }

  #beginBatch(): void {
    this.#batch = (this.#batch + 1) % Number.MAX_SAFE_INTEGER
    if (this.#sink.bytes.length > KEPT_SINK_MAX_BYTES) this.#sink = new ByteSink(4_096)
    this.#sink.bytes[0] = FRAME.batch
    this.#sink.length = 1
  }

  /** `source` has bytes to send, a frame in turn with the other sources. */
  addBulk(source: BulkSource): void {
    if (!this.#bulk.includes(source)) this.#bulk.push(source)
    this.#schedule()
  }

  /** Send one frame of the source whose turn it is.
   * @returns false when none has any. */
  #sendBulk(): boolean {
    for (let source = this.#bulk.shift(); source !== undefined; source = this.#bulk.shift()) {
      const bytes = source.takeBytes()
      if (bytes === undefined) continue
      const frame = this.#bulkFrame
      frame.length = 0
      writeByte(frame, FRAME.stream)
      writeVarint(frame, source.id)
      writeBytes(frame, bytes)
      this.#connection.send(frame.bytes.subarray(0, frame.length))
      this.#bulk.push(source)
      return true
    }
    return false
  }

  #schedule(): void {
    if (this.#scheduled || this.#isCorked) return
    this.#scheduled = true
    defer(() => {
      this.#scheduled = false
      this.flush()
    })
  }

  /** Messages from here on wait for {@link uncork}, which must follow in this turn. */
  cork(): void {
    this.#isCorked = true
  }

  /** Send what was written meanwhile, at once: sooner than the end of the tick, and for less. */
  uncork(): void {
    this.#isCorked = false
    this.flush()
  }

  /** Send what the socket takes now; the rest goes when it drains. */
  flush(): void {
    const connection = this.#connection
    while (connection.isOpen && connection.waitingBytes < SOCKET_HIGH_WATER_BYTES) {
      const frame = this.#queue.shift()
      if (frame !== undefined) connection.send(frame)
      else if (this.#sink.length > 1) {
        connection.send(this.#sink.bytes.subarray(0, this.#sink.length))
        this.#beginBatch()
      } else if (!this.#sendBulk()) break
    }
    if (this.#backlog === undefined) return
    const isTooLong = this.waitingBytes > OUTBOX_HIGH_WATER_BYTES
    if (isTooLong === this.#isTooLong) return
    this.#isTooLong = isTooLong
    this.#backlog(isTooLong)
  }
}
