// Unary calls over loopback TCP between two processes: with 1,024 outstanding, and one after the other.
import {
  type Candidate,
  callsPerSecond,
  figureOf,
  rateCells,
  sequentialMicrosOf,
  withPairs,
} from '../suite/call-rates.js'
import { atLeast, atMost, type Row, reported } from '../suite/report.js'

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

export async function callRows(): Promise<readonly Row[]> {
  const rates = await withPairs(CANDIDATES, callsPerSecond)
  const { ran, micros } = await sequentialMicrosOf(CANDIDATES)
  const against = (ours: string, peer: string, bar?: number): Row => {
    const [mine, theirs] = [figureOf(CANDIDATES, rates, ours), figureOf(CANDIDATES, rates, peer)]
    return {
      what: `calls/s, 1,024 outstanding, ${ours}`,
      ...rateCells(mine, peer, theirs),
      ...(bar === undefined ? reported(mine / theirs) : atLeast(mine / theirs, bar)),
    }
  }
  const sequential = (ours: string, peer: string, bar?: number): Row => {
    const [mine, theirs] = [figureOf(ran, micros, ours), figureOf(ran, micros, peer)]
    return {
      what: `sequential call, p50, ${ours}`,
      ours: `${mine.toFixed(1)} µs`,
      peer: `${peer}: ${theirs.toFixed(1)} µs`,
      ...(bar === undefined ? reported(mine / theirs) : atMost(mine / theirs, bar)),
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
