// What time it is for a relay (spec/mailbox.md §6.4). A wall clock that jumps must not end the life of messages: within one run
// the monotonic clock decides, and the wall clock is followed as long as the two agree within a minute.
// Leaves out jumps while no relay runs: nobody can tell them from time that passed.
import type { Clock } from '../clock.js'
import { CLOCK_LEEWAY_SECONDS } from '../limits.js'

const AGREE_MS = CLOCK_LEEWAY_SECONDS * 1_000

/** Unix ms that neither leap nor go back by more than a minute in all. */
export class SteadyClock {
  readonly #clock: Clock
  readonly #aheadMs: number

  constructor(clock: Clock) {
    this.#clock = clock
    this.#aheadMs = clock.wallMs() - clock.nowMs()
  }

  nowMs(): number {
    const expected = Math.floor(this.#clock.nowMs() + this.#aheadMs)
    const wall = Math.floor(this.#clock.wallMs())
    // Written so that a clock that reads NaN is not followed.
    return Math.abs(wall - expected) <= AGREE_MS ? wall : expected
  }
}
