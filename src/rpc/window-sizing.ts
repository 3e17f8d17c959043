// How large the windows of a session's streams are (spec/rpc.md §4, §8): a window that was read within two round trips is too
// short for its path; over a short path one that took many is longer than the path needs, and what lies in it delays calls.
// Leaves out one window (stream-window.ts) and the measuring (round-trips.ts).
import type { Clock } from '../clock.js'
import { BESIDE_CALLS_MS, SHORT_PATH_MS, STREAMS_GROWN_MAX, WINDOW_MIN_BYTES } from '../limits.js'
import type { Connection, LocalLimits } from '../session/index.js'
import type { RoundTrips } from './round-trips.js'

/** Two windows of this can still be counted at the sender (spec/rpc.md §8), bytes. */
const GRANT_MAX_BYTES = 0x7fff_ffff

/** Round trips in which a window was read: it grows below the first, and halves above the second. Halved it is read in half the
 * time, so that it does not grow again at once. */
const TRIPS_TO_GROW = 2
const TRIPS_TO_HALVE = 5

/** What the streams of one session share. */
export class WindowSizing {
  /** Of every stream at first. */
  readonly initialBytes: number
  /** Of one stream. */
  readonly #maxBytes: number
  readonly #roundTrips: RoundTrips
  readonly #clock: Clock
  #leftBytes: number
  #calls = 0
  #callsSeen = 0
  /** When calls were noticed last, and the time before: the answer that brings a stream is none beside it. */
  #calledMs = Number.NEGATIVE_INFINITY
  #calledBeforeMs = Number.NEGATIVE_INFINITY

  /** @param limits - windows stay as they are unless `maxStreamBytes` is larger, and on a pipe that carries one batch each way. */
  constructor(
    {
      initialStreamBytes,
      maxStreamBytes = 0,
    }: Pick<LocalLimits, 'initialStreamBytes'> & Partial<LocalLimits>,
    roundTrips: RoundTrips,
    connection: Pick<Connection, 'clock' | 'batchDeadlineMs'>,
  ) {
    this.initialBytes = initialStreamBytes
    this.#maxBytes = connection.batchDeadlineMs === undefined ? Math.min(maxStreamBytes, GRANT_MAX_BYTES) : 0
    this.#roundTrips = roundTrips
    this.#clock = connection.clock
    this.#leftBytes = STREAMS_GROWN_MAX * this.#maxBytes
  }

  get isFixed(): boolean {
    return this.#maxBytes <= this.initialBytes
  }

  nowMs(): number {
    return this.#clock.nowMs()
  }

  /** Some of a stream has arrived. */
  arrived(): void {
    this.#roundTrips.disturb()
  }

  /** A call or an answer has arrived: what a stream has on the path was in its way. */
  called(): void {
    this.#calls += 1
  }

  /** Half a window was read.
   * @param bytes - size of the window.
   * @param sinceMs - when the last whole one began to be read; undefined when that is not known yet.
   * @returns its size from now on, bytes; what is above the initial size is taken until {@link giveBack}. */
  resize(bytes: number, nowMs: number, sinceMs: number | undefined): number {
    this.#roundTrips.measure(nowMs)
    const isBesideCalls = this.#isBesideCalls(nowMs)
    // A short window costs a stream that is alone a wait for each grant, however short the path.
    if (!isBesideCalls && bytes < this.initialBytes) return Math.min(2 * bytes, this.initialBytes)
    const { quietMs, shortestMs } = this.#roundTrips
    if (sinceMs === undefined || quietMs === undefined || shortestMs === undefined) return bytes
    const takenMs = nowMs - sinceMs
    if (takenMs < TRIPS_TO_GROW * quietMs) return this.#grown(bytes)
    const isInTheWay = isBesideCalls && shortestMs <= SHORT_PATH_MS && takenMs > TRIPS_TO_HALVE * quietMs
    return isInTheWay ? this.#halved(bytes) : bytes
  }

  /** Whether calls come again and again. */
  #isBesideCalls(nowMs: number): boolean {
    if (this.#calls !== this.#callsSeen) {
      this.#callsSeen = this.#calls
      this.#calledBeforeMs = this.#calledMs
      this.#calledMs = nowMs
    }
    return nowMs - this.#calledBeforeMs < BESIDE_CALLS_MS
  }

  #grown(bytes: number): number {
    const most = Math.max(bytes, this.initialBytes) + this.#leftBytes
    return this.#changed(bytes, Math.min(2 * bytes, this.#maxBytes, most))
  }

  #halved(bytes: number): number {
    return this.#changed(bytes, Math.max(Math.ceil(bytes / 2), Math.min(bytes, WINDOW_MIN_BYTES)))
  }

  /** Account for a window of `from` bytes that has `to` from now on. */
  #changed(from: number, to: number): number {
    this.#leftBytes -= this.#above(to) - this.#above(from)
    return to
  }

  #above(bytes: number): number {
    return Math.max(0, bytes - this.initialBytes)
  }

  /** A window of `bytes` is needed no longer. */
  giveBack(bytes: number): void {
    this.#leftBytes += this.#above(bytes)
  }
}
