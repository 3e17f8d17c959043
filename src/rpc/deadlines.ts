// Deadlines of many calls at the price of few timers: those that fall into the same 8 ms share one.
// Leaves out what happens at a deadline.
import { type Clock, SYSTEM_CLOCK, type Timer } from '../clock.js'

const GRANULARITY_MS = 8
/** Longest delay that setTimeout still takes after rounding up, ms; a longer one would fire at once. */
const DELAY_MAX_MS = 0x7fff_ffff - GRANULARITY_MS

/** Something that can be too late. */
export interface Expirable {
  expire(): void
}

interface Bucket {
  readonly members: Set<Expirable>
  readonly timer: Timer
}

/** The deadlines of one session. */
export class Deadlines {
  readonly clock: Clock
  readonly #buckets = new Map<number, Bucket>()

  constructor(clock: Clock = SYSTEM_CLOCK) {
    this.clock = clock
  }

  /** Call `subject.expire` in `delayMs`, up to 8 ms late.
   * @returns the slot to pass to {@link remove}. */
  add(subject: Expirable, delayMs: number): number {
    const nowMs = this.clock.nowMs()
    const slot = Math.ceil((nowMs + Math.min(delayMs, DELAY_MAX_MS)) / GRANULARITY_MS)
    let bucket = this.#buckets.get(slot)
    if (bucket === undefined) {
      const waitMs = Math.max(1, slot * GRANULARITY_MS - nowMs)
      const timer = this.clock.setTimeout(() => this.#fire(slot), waitMs)
      bucket = { members: new Set(), timer }
      this.#buckets.set(slot, bucket)
    }
    bucket.members.add(subject)
    return slot
  }

  /** Forget `subject`, which was in time. */
  remove(subject: Expirable, slot: number): void {
    const bucket = this.#buckets.get(slot)
    if (bucket === undefined) return
    bucket.members.delete(subject)
    if (bucket.members.size > 0) return
    this.clock.clearTimeout(bucket.timer)
    this.#buckets.delete(slot)
  }

  #fire(slot: number): void {
    const bucket = this.#buckets.get(slot)
    this.#buckets.delete(slot)
    for (const subject of bucket?.members ?? []) subject.expire()
  }
}
