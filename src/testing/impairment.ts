// What may be wrong with one direction of a connection, in numbers that a test sets, checked when they are given.
// Leaves out how bytes are held back accordingly (flow.ts).

/** Which way bytes go. */
export type Direction = 'toService' | 'toClient'

/** What is wrong with the way from one side to the other; all at once if need be. Bytes never change their order. */
export interface Impairment {
  /** Each byte takes so much longer, ms; 0 at first. Bytes follow each other as closely as before. */
  readonly delayMs?: number
  /** The receiver is given at most so many bytes at a time; any number at first. */
  readonly pieceBytes?: number
  /** The receiver takes so many bytes a second; any number at first. */
  readonly bytesPerSecond?: number
  /** Nothing arrives until this is false again, and nobody is told: the receiver has stopped reading, or the cable is out. */
  readonly stalled?: boolean
}

/** Nothing wrong. */
export const SOUND: Required<Impairment> = {
  delayMs: 0,
  pieceBytes: Number.POSITIVE_INFINITY,
  bytesPerSecond: Number.POSITIVE_INFINITY,
  stalled: false,
}

/** Both directions of something. */
const DIRECTIONS: readonly Direction[] = ['toService', 'toClient']

/** The directions that `direction` stands for.
 * @throws TypeError for another word. */
export function directionsOf(direction: Direction | 'both'): readonly Direction[] {
  if (direction === 'both') return DIRECTIONS
  if (!DIRECTIONS.includes(direction)) {
    throw new TypeError(
      `Cannot impair connection: expected toService, toClient or both, got ${JSON.stringify(direction)}`,
    )
  }
  return [direction]
}

/** @throws RangeError for numbers that mean nothing. */
export function checkImpairment({ delayMs = 0, pieceBytes = 1, bytesPerSecond = 1 }: Impairment): void {
  if (!(delayMs >= 0 && delayMs < Number.POSITIVE_INFINITY)) {
    throw new RangeError(`Cannot impair connection: expected delayMs of at least 0, got ${delayMs}`)
  }
  if (!(pieceBytes >= 1)) {
    throw new RangeError(`Cannot impair connection: expected pieceBytes of at least 1, got ${pieceBytes}`)
  }
  if (!(bytesPerSecond > 0)) {
    throw new RangeError(
      `Cannot impair connection: expected bytesPerSecond above 0, got ${bytesPerSecond} (use stalled)`,
    )
  }
}
