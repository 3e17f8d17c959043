// How attacks end, in words that the table of attackers repeats. Leaves out the attacks.
import { utf8 } from '../../../src/bytes.js'
import { NoisecapError } from '../../../src/errors.js'

/** How an attack ended; a failure says what stood in the way. */
export type Outcome = { readonly ok: true } | { readonly ok: false; readonly because: string }

export const SUCCESS: Outcome = { ok: true }
export const failure = (because: string): Outcome => ({ ok: false, because })

/** What an attacker says once somebody listens. */
export const WORDS = utf8('words of the attacker')

/** Where the farthest of several attempts ended: everybody can meet silence on the side. */
export function farthest(ends: ReadonlySet<string>): string {
  const others = [...ends].filter((end) => end !== 'silence').sort()
  return others.length === 0 ? 'silence' : others.join(', ')
}

/** The code of an error of ours; any other is a fault of the attack. */
export function codeOf(error: unknown): string {
  if (error instanceof NoisecapError) return error.code
  throw error
}
