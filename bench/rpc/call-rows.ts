// Small calls over loopback TCP between two processes, 1,024 outstanding, with a payload that makes a call of about 69 bytes:
// checked by zod at each receiver beside other RPC systems, and unchecked beside the bare loop.
// Leaves out how rates are taken (bench/suite/call-rates.ts).
import { type Candidate, callsPerSecond, figureOf, rateCells, withPairs } from '../suite/call-rates.js'
import { atLeast, type Row, reported } from '../suite/report.js'

/** Together with the names of method and members, the head of a call and its numbers 69 bytes. */
const environment = { BENCH_TEXT: 'a text of forty-one characters, say these' }

const CANDIDATES: readonly Candidate[] = [
  { name: 'checked with zod', subject: 'checked', environment },
  { name: 'plain', subject: 'plain', environment },
  { name: 'bare loop', subject: 'bare', environment },
  { name: 'capnweb over ws', subject: 'capnweb', environment },
  { name: 'protomux-rpc', subject: 'protomux', environment },
  { name: 'protomux-rpc, corked', subject: 'protomuxCorked', environment },
  { name: 'grpc-js without TLS', subject: 'grpc', environment },
]

/** Bars of `what`, by peer; undefined for what is only reported. */
const BARS: readonly (readonly [ours: string, peer: string, bar: number | undefined])[] = [
  ['checked with zod', 'capnweb over ws', 15],
  ['checked with zod', 'protomux-rpc', 4],
  ['checked with zod', 'protomux-rpc, corked', undefined],
  ['checked with zod', 'grpc-js without TLS', 50],
  ['checked with zod', 'bare loop', undefined],
  ['plain', 'bare loop', 0.5],
]

export async function callRows(): Promise<readonly Row[]> {
  const rates = await withPairs(CANDIDATES, callsPerSecond)
  return BARS.map(([ours, peer, bar]): Row => {
    const [mine, theirs] = [figureOf(CANDIDATES, rates, ours), figureOf(CANDIDATES, rates, peer)]
    return {
      what: `small calls/s, 1,024 outstanding, ${ours}`,
      ...rateCells(mine, peer, theirs),
      ...(bar === undefined ? reported(mine / theirs) : atLeast(mine / theirs, bar)),
    }
  })
}
