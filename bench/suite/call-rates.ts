// Calls of many candidates in turn, each in two processes of its own: calls a second with 1,024 outstanding, and the time of
// one call after the other. Leaves out who the candidates are and what bar they meet.
import { Pair } from './pair.js'
import type { SubjectName } from './process.js'
import { count, type Row } from './report.js'
import { alternate, median, ROUNDS } from './rounds.js'

const OUTSTANDING = 1_024
/** Length of one round; how many calls fit is learnt while warming up. */
const ROUND_MS = 60
const WARMUP_CALLS = 20_000
const SEQUENTIAL_CALLS = 500
const WARMUPS = 3
/** Pairs of processes behind a figure for one call after the other: two pairs of the same program differ by some percent,
 * because each has a layout of memory and compiled code of its own. */
const SEQUENTIAL_PAIRS = 5

/** One RPC system in one setting. */
export interface Candidate {
  readonly name: string
  readonly subject: SubjectName
  readonly environment?: Readonly<Record<string, string>>
}

/** Pairs of processes for all candidates, in their order; closed after `use`. */
export async function withPairs<Result>(
  candidates: readonly Candidate[],
  use: (pairs: readonly Pair[]) => Promise<Result>,
): Promise<Result> {
  const pairs: Pair[] = []
  try {
    for (const { subject, environment } of candidates) pairs.push(await Pair.start(subject, environment))
    return await use(pairs)
  } finally {
    for (const pair of pairs) pair[Symbol.dispose]()
  }
}

/** Calls a second with 1,024 outstanding, the median of each pair. */
export async function callsPerSecond(pairs: readonly Pair[]): Promise<readonly number[]> {
  const calls = pairs.map(() => WARMUP_CALLS)
  const rates = await alternate(
    pairs.map((pair, i) => async () => {
      const { callsPerSecond: rate } = await pair.run(calls[i] ?? WARMUP_CALLS, OUTSTANDING)
      calls[i] = Math.max(OUTSTANDING, Math.round((rate * ROUND_MS) / 1_000))
      return rate
    }),
    WARMUPS,
    4 * ROUNDS,
  )
  return rates.map(median)
}

/** Time of one call while no other is open, µs, by {@link figureOf}: of several pairs for each candidate, warmed up by many calls.
 * One pair of each is alive at a time: many idle processes would slow every wake-up down.
 * @returns the candidates, each as often as it ran, and the median of each pair. */
export async function sequentialMicrosOf(
  candidates: readonly Candidate[],
): Promise<{ readonly ran: readonly Candidate[]; readonly micros: readonly number[] }> {
  const micros: number[] = []
  for (let i = 0; i < SEQUENTIAL_PAIRS; i++) {
    const medians = await withPairs(candidates, async (pairs) => {
      for (const pair of pairs) await warmUp(pair)
      return sequentialMicros(pairs)
    })
    micros.push(...medians)
  }
  return { ran: Array.from({ length: SEQUENTIAL_PAIRS }, () => candidates).flat(), micros }
}

/** Until everything on the way of a call is compiled as it stays, with many outstanding and with one. */
async function warmUp(pair: Pair): Promise<void> {
  for (let i = 0; i < WARMUPS; i++) await pair.run(WARMUP_CALLS, OUTSTANDING)
  await pair.run(6 * SEQUENTIAL_CALLS, 1)
}

/** Time of one call while no other is open, µs: the median of medians of each pair. */
async function sequentialMicros(pairs: readonly Pair[]): Promise<readonly number[]> {
  const p50s = await alternate(
    pairs.map((pair) => async () => (await pair.run(SEQUENTIAL_CALLS, 1)).p50Micros ?? Number.NaN),
    WARMUPS,
    2 * ROUNDS,
  )
  return p50s.map(median)
}

/** The figure of the candidate `name`: the median where several pairs of processes ran it. */
export function figureOf(candidates: readonly Candidate[], figures: readonly number[], name: string): number {
  const own = figures.filter((_, index) => candidates[index]?.name === name)
  if (own.length === 0) throw new Error(`Nothing was measured for ${name}`)
  return median(own)
}

/** The cells of two rates. */
export function rateCells(ours: number, peer: string, theirs: number): Pick<Row, 'ours' | 'peer'> {
  return { ours: count(ours), peer: `${peer}: ${count(theirs)}` }
}
