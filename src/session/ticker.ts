// One coarse timer for all connections of a clock, so that ten thousand idle sessions cost one timer.
// It never keeps the process alive. Leaves out what is checked at a tick (connection.ts).
import { type Clock, letGo, type Timer } from '../clock.js'

const INTERVAL_MS = 1_000

/** Something with deadlines. */
interface Ticking {
  tick(nowMs: number): void
}

class Ticker {
  readonly #clock: Clock
  readonly #ticking = new Set<Ticking>()
  #timer: Timer | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  add(subject: Ticking): void {
    this.#ticking.add(subject)
    if (this.#timer === undefined) this.#wait()
  }

  remove(subject: Ticking): void {
    this.#ticking.delete(subject)
    if (this.#ticking.size > 0 || this.#timer === undefined) return
    this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #wait(): void {
    this.#timer = this.#clock.setTimeout(() => this.#tick(), INTERVAL_MS)
    letGo(this.#timer)
  }

  #tick(): void {
    this.#wait()
    const nowMs = this.#clock.nowMs()
    for (const subject of this.#ticking) subject.tick(nowMs)
  }
}

const tickers = new WeakMap<Clock, Ticker>()

/** Call `subject.tick` about once a second.
 * @returns call it to stop. */
export function startTicking(subject: Ticking, clock: Clock): () => void {
  let ticker = tickers.get(clock)
  if (ticker === undefined) {
    ticker = new Ticker(clock)
    tickers.set(clock, ticker)
  }
  const joined = ticker
  joined.add(subject)
  return () => joined.remove(subject)
}
