// When the windows of a session's streams grow, and by how much together (spec/rpc.md §4, §8): a window that was read within
// two round trips is too short for its path. Leaves out one window (stream-window.ts) and the measuring (round-trips.ts).
import type { Clock } from '../clock.js'
import { STREAMS_GROWN_MAX } from '../limits.js'
import type { Connection, LocalLimits } from '../session/index.js'
import type { RoundTrips } from './round-trips.js'

/** Two windows of this can still be counted at the sender (spec/rpc.md §8), bytes. */
const GRANT_MAX_BYTES = 0x7fff_ffff

/** What the streams of one session share. */
export class WindowGrowth {
  /** Of every stream at first. */
  readonly initialBytes: number
  /** Of one stream. */
  readonly maxBytes: number
  readonly #roundTrips: RoundTrips
  readonly #clock: Clock
  #leftBytes: number

  /** @param limits - nothing grows without `maxStreamBytes`, nor on a pipe that carries one batch each way. */
  constructor(
    {
      initialStreamBytes,
      maxStreamBytes = 0,
    }: Pick<LocalLimits, 'initialStreamBytes'> & Partial<LocalLimits>,
    roundTrips: RoundTrips,
    connection: Pick<Connection, 'clock' | 'batchDeadlineMs'>,
  ) {
    this.initialBytes = initialStreamBytes
    this.maxBytes = connection.batchDeadlineMs === undefined ? Math.min(maxStreamBytes, GRANT_MAX_BYTES) : 0
    this.#roundTrips = roundTrips
    this.#clock = connection.clock
    this.#leftBytes = STREAMS_GROWN_MAX * this.maxBytes
  }

  nowMs(): number {
    return this.#clock.nowMs()
  }

  /** Some of a stream has arrived. */
  arrived(): void {
    this.#roundTrips.disturb()
  }

  /** Half a window was read.
   * @param bytes - size of the window.
   * @param sinceMs - when the last whole one began to be read; undefined when that is not known yet.
   * @returns by how much it grows now, bytes; taken until {@link giveBack}. */
  grow(bytes: number, nowMs: number, sinceMs: number | undefined): number {
    this.#roundTrips.measure(nowMs)
    const { quietMs } = this.#roundTrips
    if (sinceMs === undefined || quietMs === undefined || nowMs - sinceMs >= 2 * quietMs) return 0
    const grown = Math.min(bytes, this.maxBytes - bytes, this.#leftBytes)
    this.#leftBytes -= grown
    return grown
  }

  giveBack(bytes: number): void {
    this.#leftBytes += bytes
  }
}
