// Collects messages of one tick and sends them as few records: one batch up to 16 KiB, or fragments of a large message
// (spec/rpc.md §2). Stops while the socket holds 64 KiB. Leaves out what messages say (peer.ts).
import {
  FRAGMENT_MAX_BYTES,
  NOISE_MESSAGE_MAX_BYTES,
  OUTBOX_HIGH_WATER_BYTES,
  SOCKET_HIGH_WATER_BYTES,
} from '../limits.js'
import type { Connection } from '../session/index.js'
import { BulkQueue, type BulkSource } from './bulk-queue.js'
import { ByteSink } from './byte-sink.js'
import { FRAME, writeByte, writeBytes, writeLengthBefore, writeVarint } from './wire.js'

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

/** Microtasks that {@link Outbox.uncork} gives those who waited for an answer: through as many `async` functions as that. */
const REACTIONS = 4
const SETTLED = Promise.resolve()

const SINK_BYTES = 4_096
/** First size of the sink of a message that interrupts another. */
const INTERJECTION_BYTES = 64
/** The sink of whoever writes next: an outbox keeps one only while something lies in it, so that an idle session has none. */
let spareSink: ByteSink | undefined

/** Told once there is room again. */
export interface Waker {
  wake(): void
}

/** Messages that wait for the end of the tick, in order. */
export class Outbox {
  readonly #connection: Connection
  readonly #queue: Uint8Array[] = []
  #sink: ByteSink | undefined
  #batch = 0
  readonly #bulk: BulkQueue
  /** The sink of a message whose value is being written, while one of its getters has led to another message. */
  #interrupted: ByteSink | undefined
  /** Messages of getters, for behind the one whose value is being written. */
  readonly #interjected: Uint8Array[] = []
  /** Those that {@link hasRoom} has turned away. */
  readonly #turnedAway = new Set<Waker>()
  #scheduled = false
  #isCorked = false
  #reactionsLeft = 0
  #nextFragmentId = 0
  readonly #backlog: ((tooLong: boolean) => void) | undefined
  #isTooLong = false

  /** @param backlog - told when more than 1 MiB waits, and when it no longer does. */
  constructor(connection: Connection, backlog?: (tooLong: boolean) => void) {
    this.#connection = connection
    this.#bulk = new BulkQueue(connection, () => this.flush())
    this.#backlog = backlog
  }

  /** Bytes not handed to the connection yet. */
  get waitingBytes(): number {
    let bytes = this.#sink === undefined ? 0 : this.#sink.length - 1
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
    if (this.#sink !== undefined) this.#sink.bytes[at]! |= flags
    return true
  }

  /** Whether a value is being written, so that the caller is one of its getters. */
  get isWriting(): boolean {
    return this.#sink?.locked === true
  }

  /** Where the message in hand is being written. */
  get sink(): ByteSink {
    return this.#sink ?? this.#takeSink()
  }

  /** Begin a message: write its fields to the returned sink, then call {@link endMessage} with the returned mark. One that a
   * getter begins while a value is being written leaves behind that value's, and must bring none itself. */
  beginMessage(op: number): { sink: ByteSink; mark: number } {
    let sink = this.#sink ?? this.#takeSink()
    if (sink.locked) sink = this.#interject(sink)
    const mark = sink.length
    // One byte for the length, which is enough for most; endMessage makes room for more.
    writeByte(sink, 0)
    writeByte(sink, op)
    return { sink, mark }
  }

  #interject(interrupted: ByteSink): ByteSink {
    this.#interrupted = interrupted
    this.#sink = new ByteSink(INTERJECTION_BYTES)
    return this.#sink
  }

  /** The message of a getter is whole: back to the one that it interrupted. */
  #resume(interrupted: ByteSink, message: Uint8Array): void {
    this.#interjected.push(message)
    this.#interrupted = undefined
    this.#sink = interrupted
  }

  /** What getters had to say goes behind the message that they interrupted. */
  #sendInterjected(): void {
    for (const message of this.#interjected.splice(0)) {
      const { sink, mark } = this.beginMessage(message[0]!)
      writeBytes(sink, message.subarray(1))
      this.endMessage(mark)
    }
  }

  /** Drop a message whose fields could not be written. */
  dropMessage(mark: number): void {
    this.sink.length = mark
    if (this.#interjected.length > 0) this.#sendInterjected()
  }

  /** Length of the message since `mark`, bytes. */
  messageLength(mark: number): number {
    return this.sink.length - mark - 1
  }

  /** End a message: it leaves at the end of the tick, or now with a batch that is long enough.
   * @returns by how many bytes its fields were moved; -1 when it can no longer be patched. */
  endMessage(mark: number): number {
    const sink = this.sink
    const length = sink.length - mark - 1
    if (this.#interrupted !== undefined) {
      this.#resume(this.#interrupted, sink.bytes.slice(mark + 1, sink.length))
      return -1
    }
    let moved: number
    if (length > FRAGMENT_MAX_BYTES) {
      const message = sink.bytes.slice(mark + 1, sink.length)
      sink.length = mark
      this.#fragment(message)
      moved = -1
    } else {
      moved = writeLengthBefore(sink, mark, length)
      if (sink.length > EARLY_FLUSH_BYTES) this.flush()
      if (sink.length > BATCH_MAX_BYTES) this.#closeBatch()
    }
    this.#schedule()
    if (this.#interjected.length > 0) this.#sendInterjected()
    return moved
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
    const sink = this.#sink
    if (sink === undefined || sink.length <= 1) return
    this.#queue.push(sink.bytes.slice(0, sink.length))
    sink.length = 1
    this.#batch += 1
  }

  /** Take a sink and begin a batch in it. */
  #takeSink(): ByteSink {
    const sink = spareSink ?? new ByteSink(SINK_BYTES)
    spareSink = undefined
    sink.bytes[0] = FRAME.batch
    sink.length = 1
    this.#sink = sink
    return sink
  }

  /** What lay in the sink is sent: whoever writes next may have it. */
  #returnSink(sink: ByteSink): void {
    sink.length = 1
    this.#batch += 1
    this.#sink = undefined
    if (sink.bytes.length <= KEPT_SINK_MAX_BYTES) spareSink = sink
  }

  /** Whether a stream may add to what waits.
   * @param waker - told once it may, if not now. */
  hasRoom(waker: Waker): boolean {
    if (this.waitingBytes < SOCKET_HIGH_WATER_BYTES) return true
    this.#turnedAway.add(waker)
    return false
  }

  #wakeTurnedAway(): void {
    if (this.#turnedAway.size === 0 || this.waitingBytes >= SOCKET_HIGH_WATER_BYTES) return
    const turnedAway = [...this.#turnedAway]
    this.#turnedAway.clear()
    for (const waker of turnedAway) waker.wake()
  }

  /** `source` has bytes to send, a frame in turn with the other sources. */
  addBulk(source: BulkSource): void {
    this.#bulk.add(source)
    this.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled || this.#isCorked) return
    this.#scheduled = true
    defer(this.#flushScheduled)
  }

  readonly #flushScheduled = (): void => {
    this.#scheduled = false
    this.flush()
  }

  /** What the answers of this turn have led to leaves a few microtasks from now, which is sooner than the end of the tick and costs
   * less: whoever waited for them goes on in those. */
  #awaitReactions(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    this.#reactionsLeft = REACTIONS
    void SETTLED.then(this.#afterReaction)
  }

  readonly #afterReaction = (): void => {
    if (this.#hasNothing && --this.#reactionsLeft > 0) {
      void SETTLED.then(this.#afterReaction)
      return
    }
    this.#scheduled = false
    if (!this.#hasNothing) this.flush()
  }

  /** Messages from here on wait for {@link uncork}, which must follow in this turn. */
  cork(): void {
    this.#isCorked = true
  }

  /** Send what was written meanwhile, at once: sooner than the end of the tick, and for less. */
  uncork(): void {
    this.#isCorked = false
    if (this.#hasNothing) this.#awaitReactions()
    else this.flush()
  }

  get #hasNothing(): boolean {
    return (
      this.#sink === undefined &&
      this.#queue.length === 0 &&
      this.#bulk.isEmpty &&
      this.#turnedAway.size === 0
    )
  }

  /** Send what the socket takes now; the rest goes when it drains. */
  flush(): void {
    // A getter has led here: half a message is no frame.
    if (this.isWriting) {
      this.#schedule()
      return
    }
    const connection = this.#connection
    while (connection.isOpen && connection.waitingBytes < SOCKET_HIGH_WATER_BYTES) {
      const frame = this.#queue.shift()
      if (frame !== undefined) connection.send(frame)
      else if (this.#sink !== undefined && this.#sink.length > 1) {
        const sink = this.#sink
        connection.send(sink.bytes.subarray(0, sink.length))
        this.#returnSink(sink)
      } else break
    }
    this.#bulk.flush()
    this.#wakeTurnedAway()
    if (this.#backlog === undefined) return
    const isTooLong = this.waitingBytes > OUTBOX_HIGH_WATER_BYTES
    if (isTooLong === this.#isTooLong) return
    this.#isTooLong = isTooLong
    this.#backlog(isTooLong)
  }
}
