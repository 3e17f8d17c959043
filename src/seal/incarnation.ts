// When a writer must stop using an epoch (spec/seal.md §4): at its bounds, at a clock jump and in a copy of the process, since
// whoever resumes a copied memory would use the same key with the same positions again.
// Clocks are arguments. Leaves out what an epoch is (writer-epoch.ts).
import {
  SEAL_CLOCK_JUMP_MS,
  SEAL_EPOCH_MAX_BYTES,
  SEAL_EPOCH_MAX_MINUTES,
  SEAL_EPOCH_MAX_VALUES,
} from '../limits.js'

/** Where a writer runs: what differs, or jumps, when its memory is resumed elsewhere or later. */
export interface Surroundings {
  /** Wall clock, Unix ms. */
  readonly wallMs: () => number
  /** Clock that no one sets, ms. */
  readonly monotonicMs: () => number
  /** Id of the process; undefined where there is none. */
  readonly processId: () => number | undefined
}

/** Those of this host, without importing Node. */
export const HOST_SURROUNDINGS: Surroundings = {
  wallMs: Date.now,
  monotonicMs: () => performance.now(),
  processId: typeof process === 'undefined' ? () => undefined : () => process.pid,
}

/** Bounds of one epoch, each at most its limit in spec/seal.md §8, which is the default. */
export interface EpochBounds {
  readonly maxValues?: number | undefined
  /** Bytes of sealed values; the value that reaches it is the last. */
  readonly maxBytes?: number | undefined
  readonly maxMinutes?: number | undefined
}

const LIMITS = {
  maxValues: SEAL_EPOCH_MAX_VALUES,
  maxBytes: SEAL_EPOCH_MAX_BYTES,
  maxMinutes: SEAL_EPOCH_MAX_MINUTES,
} as const
const MS_PER_MINUTE = 60_000

/** `bounds` with defaults.
 * @throws RangeError for one that is not above 0 and at most its limit. */
export function checkBounds(bounds: EpochBounds): Required<{ [Name in keyof EpochBounds]: number }> {
  const checked = { ...LIMITS, ...bounds }
  const of = (name: keyof EpochBounds): number => {
    const value = checked[name] ?? LIMITS[name]
    if (!(value > 0 && value <= LIMITS[name])) {
      throw new RangeError(`Cannot bound epoch: expected ${name} above 0 and at most ${LIMITS[name]}`)
    }
    return value
  }
  return { maxValues: of('maxValues'), maxBytes: of('maxBytes'), maxMinutes: of('maxMinutes') }
}

/** One stretch of time in one process. */
export class Incarnation {
  readonly #surroundings: Surroundings
  readonly #processId: number | undefined
  readonly #bornMs: number
  readonly #offsetMs: number
  readonly #maxMs: number

  constructor(surroundings: Surroundings, maxMinutes: number) {
    this.#surroundings = surroundings
    this.#processId = surroundings.processId()
    this.#bornMs = surroundings.monotonicMs()
    this.#offsetMs = surroundings.wallMs() - this.#bornMs
    this.#maxMs = maxMinutes * MS_PER_MINUTE
  }

  /** Whether this is the same process, not yet too old, and no clock has jumped. Written so that a clock that reads NaN ends it. */
  get lasts(): boolean {
    const { wallMs, monotonicMs, processId } = this.#surroundings
    const monotonic = monotonicMs()
    const age = monotonic - this.#bornMs
    const jump = wallMs() - monotonic - this.#offsetMs
    return (
      age >= 0 &&
      age < this.#maxMs &&
      jump < SEAL_CLOCK_JUMP_MS &&
      jump > -SEAL_CLOCK_JUMP_MS &&
      processId() === this.#processId
    )
  }
}

/** One run of a process, looked at again and again: for what goes on for longer than two clocks keep together. */
export class Continuity {
  readonly #surroundings: Surroundings
  readonly #processId: number | undefined
  #monotonicMs: number
  #offsetMs: number

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings
    this.#processId = surroundings.processId()
    this.#monotonicMs = surroundings.monotonicMs()
    this.#offsetMs = surroundings.wallMs() - this.#monotonicMs
  }

  /** Whether this is the same process and no clock has jumped since this was last asked; NaN is a jump. */
  get lasts(): boolean {
    const { wallMs, monotonicMs, processId } = this.#surroundings
    const monotonic = monotonicMs()
    const offset = wallMs() - monotonic
    const jump = offset - this.#offsetMs
    const goesOn = monotonic >= this.#monotonicMs && jump < SEAL_CLOCK_JUMP_MS && jump > -SEAL_CLOCK_JUMP_MS
    this.#monotonicMs = monotonic
    this.#offsetMs = offset
    return goesOn && processId() === this.#processId
  }
}
