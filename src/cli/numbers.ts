// Whole numbers in options. Leaves out durations (input.ts).
import { UsageError } from './usage-error.js'

/** A whole number from 1, such as a count or a number of bytes. */
export function readCount(text: string, option: string): number {
  const number = /^\d{1,15}$/.test(text) ? Number(text) : 0
  if (number >= 1) return number
  throw new UsageError(`Cannot read ${option}: expected a whole number from 1, got ${JSON.stringify(text)}`)
}
