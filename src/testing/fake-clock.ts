// A clock that stands still until the test moves it: deadlines, delays and expiries then happen in their order, each with
// all that follows from it before the next. Drives what was made with it, nothing else: no global is replaced.
// Leaves out real I/O of handlers, which takes its own time.
import { type Clock, nextTurn, type Timer } from '../clock.js'
import { activity } from './activity.js'

/** Turns of the event loop without a byte moving, after which nothing is on its way any more. */
const QUIET_TURNS = 4
/** Two sides that never stop talking must not keep time from going on. */
const TURNS_MAX = 10_000

interface FakeTimer {
  readonly dueMs: number
  readonly run: () => void
}

/** Time as a test wants it. */
export class FakeClock implements Clock {
  #nowMs = 0
  #wallOffsetMs: number
  /** In the order in which they were set. */
  readonly #timers = new Set<FakeTimer>()
  #moving: Promise<void> = Promise.resolve()

  /** @param start - date at first; default that of the machine, so that capabilities made elsewhere are in force. */
  constructor(start: Date | number = Date.now()) {
    this.#wallOffsetMs = Number(start)
  }

  nowMs(): number {
    return this.#nowMs
  }

  wallMs(): number {
    return this.#wallOffsetMs + this.#nowMs
  }

  /** The date as a `Date`, for `expiresAt` and `notBefore`.
   * @param inMs - so much later. */
  date(inMs = 0): Date {
    return new Date(this.wallMs() + inMs)
  }

  /** Set the date without time going by, as when the clock of a machine is set: no timer fires. */
  setDate(date: Date | number): void {
    this.#wallOffsetMs = Number(date) - this.#nowMs
  }

  setTimeout(run: () => void, delayMs: number): Timer {
    const timer: FakeTimer = { dueMs: this.#nowMs + Math.max(0, delayMs), run }
    this.#timers.add(timer)
    return timer
  }

  clearTimeout(timer: Timer): void {
    // What is not one of ours is in no set.
    this.#timers.delete(timer as FakeTimer)
  }

  timeoutSignal(delayMs: number): AbortSignal {
    const controller = new AbortController()
    this.setTimeout(() => controller.abort(new DOMException('The time is over', 'TimeoutError')), delayMs)
    return controller.signal
  }

  /** Resolves once the clock has been moved by `delayMs`: for handlers of the test. */
  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.setTimeout(resolve, delayMs)
    })
  }

  /** Let `durationMs` go by. Everything on its way arrives first; then each timer that is due fires in its turn, and all
   * that follows from it happens, before the next. Two at once go by one after the other.
   * @returns once nothing is on its way any more.
   * @throws RangeError for a negative or infinite duration; whatever a timer's function throws. */
  advance(durationMs: number): Promise<void> {
    if (!(durationMs >= 0 && durationMs < Number.POSITIVE_INFINITY)) {
      throw new RangeError(`Cannot advance clock: expected a duration of at least 0 ms, got ${durationMs}`)
    }
    const moved = this.#moving.then(() => this.#advance(durationMs))
    this.#moving = moved.catch(() => {})
    return moved
  }

  /** Let everything on its way arrive; no time goes by. */
  settle(): Promise<void> {
    return this.advance(0)
  }

  async #advance(durationMs: number): Promise<void> {
    await quiet()
    const untilMs = this.#nowMs + durationMs
    for (let timer = this.#next(untilMs); timer !== undefined; timer = this.#next(untilMs)) {
      this.#timers.delete(timer)
      this.#nowMs = Math.max(this.#nowMs, timer.dueMs)
      timer.run()
      await quiet()
    }
    this.#nowMs = untilMs
  }

  /** The one due first until then; of several the one that was set first. */
  #next(untilMs: number): FakeTimer | undefined {
    let next: FakeTimer | undefined
    for (const timer of this.#timers) {
      if (timer.dueMs <= untilMs && (next === undefined || timer.dueMs < next.dueMs)) next = timer
    }
    return next
  }
}

async function quiet(): Promise<void> {
  let seen = activity.count
  let turnsWithout = 0
  for (let turn = 0; turn < TURNS_MAX && turnsWithout < QUIET_TURNS; turn++) {
    await new Promise<void>((resolve) => {
      nextTurn(resolve)
    })
    turnsWithout = activity.count === seen ? turnsWithout + 1 : 0
    seen = activity.count
  }
}
