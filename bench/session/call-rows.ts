// Unary calls over loopback TCP between two processes: with 1,024 outstanding, and one after the other.
import { Pair } from './pair.js'
import type { SubjectName } from './process.js'
import { atLeast, atMost, count, type Row, reported } from './report.js'
import { alternate, median, ROUNDS } from './rounds.js'

const OUTSTANDING = 1_024
/** Length of one round; how many calls fit is learnt while warming up. */
const ROUND_MS = 60
const WARMUP_CALLS = 20_000
const SEQUENTIAL_CALLS = 500
const WARMUPS = 3

interface Candidate {
  readonly name: string
  readonly subject: SubjectName
  readonly environment?: Readonly<Record<string, string>>
}

const CANDIDATES: readonly Candidate[] = [
  { name: 'plain', subject: 'plain' },
  { name: 'checked with zod', subject: 'checked' },
  { name: 'plain, node', subject: 'plain', environment: { NOISECAP_CRYPTO: 'node' } },
  { name: 'plain, noble', subject: 'plain', environment: { NOISECAP_CRYPTO: 'noble' } },
  { name: 'bare loop', subject: 'bare' },
  { name: 'capnweb over ws', subject: 'capnweb' },
  { name: 'protomux-rpc', subject: 'protomux' },
  { name: 'protomux-rpc, corked', subject: 'protomuxCorked' },
]

interface Figures {
  readonly callsPerSecond: number
  readonly p50Micros: number
}

/** Both figures of every candidate, by name. */
async function measure(): Promise<ReadonlyMap<string, Figures>> {
  const pairs: Pair[] = []
  try {
    for (const { subject, environment } of CANDIDATES) pairs.push(await Pair.start(subject, environment))
    const calls = pairs.map(() => WARMUP_CALLS)
    const rates = await alternate(
      pairs.map((pair, i) => async () => {
        const { callsPerSecond } = await pair.run(calls[i] ?? WARMUP_CALLS, OUTSTANDING)
        calls[i] = Math.max(OUTSTANDING, Math.round((callsPerSecond * ROUND_MS) / 1_000))
        return callsPerSecond
      }),
      WARMUPS,
      4 * ROUNDS,
    )
    const p50s = await alternate(
      pairs.map((pair) => async () => (await pair.run(SEQUENTIAL_CALLS, 1)).p50Micros ?? Number.NaN),
      WARMUPS,
      3 * ROUNDS,
    )
    return new Map(
      CANDIDATES.map(({ name }, i) => [
        name,
        { callsPerSecond: median(rates[i] ?? []), p50Micros: median(p50s[i] ?? []) },
      ]),
    )
  } finally {
    for (const pair of pairs) pair[Symbol.dispose]()
  }
}

export async function callRows(): Promise<readonly Row[]> {
  const figures = await measure()
  const of = (name: string): Figures => {
    const found = figures.get(name)
    if (found === undefined) throw new Error(`Nothing was measured for ${name}`)
    return found
  }
  const against = (ours: string, peer: string, bar?: number): Row => {
    const [mine, theirs] = [of(ours).callsPerSecond, of(peer).callsPerSecond]
    const ratio = mine / theirs
    return {
      what: `calls/s, 1,024 outstanding, ${ours}`,
      ours: count(mine),
      peer: `${peer}: ${count(theirs)}`,
      ...(bar === undefined ? reported(ratio) : atLeast(ratio, bar)),
    }
  }
  const sequential = (ours: string, peer: string, bar?: number): Row => {
    const [mine, theirs] = [of(ours).p50Micros, of(peer).p50Micros]
    const ratio = mine / theirs
    return {
      what: `sequential call, p50, ${ours}`,
      ours: `${mine.toFixed(1)} µs`,
      peer: `${peer}: ${theirs.toFixed(1)} µs`,
      ...(bar === undefined ? reported(ratio) : atMost(ratio, bar)),
    }
  }
  return [
    against('plain', 'capnweb over ws', 8),
    against('plain', 'protomux-rpc', 3),
    against('plain', 'protomux-rpc, corked'),
    against('plain', 'bare loop'),
    against('checked with zod', 'bare loop'),
    against('plain, node', 'bare loop'),
    against('plain, noble', 'bare loop'),
    sequential('plain', 'bare loop', 1.15),
    sequential('plain', 'capnweb over ws'),
    sequential('plain', 'protomux-rpc'),
    sequential('checked with zod', 'bare loop'),
    sequential('plain, node', 'bare loop'),
    sequential('plain, noble', 'bare loop'),
  ]
}
