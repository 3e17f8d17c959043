// Round trips inside a session: pings and their answers, and how long the latest took while nothing else was in their way, for
// the windows of streams (window-sizing.ts). Leaves out the wire (peer.ts).
import type { Clock } from '../clock.js'
import { ROUND_TRIP_INTERVAL_MS } from '../limits.js'
import { WireError } from './wire.js'

/** Measurements that count: one alone may have met a process that was slow to wake. */
const KEPT = 4

interface Ping {
  readonly sentMs: number
  resolve(ms: number): void
  reject(error: unknown): void
}

/** Pings of one session. */
export class RoundTrips {
  readonly #clock: Clock
  readonly #send: () => void
  readonly #open: Ping[] = []
  readonly #measuredMs: number[] = []
  /** When the measurement that is under way began, or what came later of a stream arrived; undefined without one. */
  #quietSinceMs: number | undefined
  #shortestMs: number | undefined
  #lastMeasuredMs = Number.NEGATIVE_INFINITY

  /** @param send - writes one PING. */
  constructor(clock: Clock, send: () => void) {
    this.#clock = clock
    this.#send = send
  }

  /** One round trip.
   * @returns its time, ms. */
  ping(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#open.push({ sentMs: this.#clock.nowMs(), resolve, reject })
      this.#send()
    })
  }

  /** Smallest of the latest measurements, ms; undefined before the first. What lay before an answer is not in it: of a path that
   * is full it says next to nothing, so that it makes nobody fill it more. */
  get quietMs(): number | undefined {
    return this.#measuredMs.length === 0 ? undefined : Math.min(...this.#measuredMs)
  }

  /** Shortest round trip of all measurements, ms, with whatever lay before its answer: the path is no longer than that. Undefined
   * before the first. */
  get shortestMs(): number | undefined {
    return this.#shortestMs
  }

  /** Measure, unless that is under way or was done a moment ago.
   * @param nowMs - of the clock. */
  measure(nowMs: number): void {
    if (this.#quietSinceMs !== undefined || nowMs - this.#lastMeasuredMs < ROUND_TRIP_INTERVAL_MS) return
    this.#quietSinceMs = nowMs
    this.#lastMeasuredMs = nowMs
    this.#open.push({
      sentMs: nowMs,
      // In the turn in which the answer arrived: what stands behind it in the same record must not count.
      resolve: (ms) => this.#measured(ms, nowMs + ms),
      reject: () => {},
    })
    this.#send()
  }

  #measured(ms: number, nowMs: number): void {
    this.#shortestMs = Math.min(ms, this.#shortestMs ?? ms)
    this.#measuredMs.push(nowMs - (this.#quietSinceMs ?? nowMs))
    if (this.#measuredMs.length > KEPT) this.#measuredMs.shift()
    this.#quietSinceMs = undefined
  }

  /** Some of a stream has arrived, which lay before the answer. */
  disturb(): void {
    if (this.#quietSinceMs !== undefined) this.#quietSinceMs = this.#clock.nowMs()
  }

  /** Read PONG. */
  onPong(): void {
    const ping = this.#open.shift()
    if (ping === undefined) throw new WireError('pong without ping')
    ping.resolve(this.#clock.nowMs() - ping.sentMs)
  }

  /** The session is over. */
  close(error: Error): void {
    for (const ping of this.#open.splice(0)) ping.reject(error)
  }
}
