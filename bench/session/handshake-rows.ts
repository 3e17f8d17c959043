// Handshakes of both sides in one thread, in CPU time: against the bare public-key work, noise-handshake, libp2p-noise and Node's TLS 1.3.
import { primitivesOf } from '../../src/crypto/index.js'
import { libp2pHandshake } from '../peers/libp2p-noise.js'
import { atLeast, atMost, type Row, reported } from '../suite/report.js'
import { alternate, median, SHORT_ROUND_MS, SHORT_ROUNDS, timeAsyncFor, timeFor } from '../suite/rounds.js'
import { bareCandidate, type Candidate, ourCandidate, peerCandidate } from './handshake-candidates.js'
import { identifiedXx } from './identified-xx.js'
import { tlsHandshake } from './tls-handshake.js'

/** Until the compiler has settled. */
const WARMUPS = 100

const handshakes = (micros: number): string => `${micros.toFixed(0)} µs`

/** Median µs of each, taken in turn. */
async function compare(...runs: readonly (() => number | Promise<number>)[]): Promise<readonly number[]> {
  return (await alternate(runs, WARMUPS, SHORT_ROUNDS)).map(median)
}

const timed =
  ({ run }: Candidate) =>
  (): number =>
    timeFor(SHORT_ROUND_MS, run)

async function engineRows(): Promise<readonly Row[]> {
  const sodium = primitivesOf('sodium')
  const rows: Row[] = []
  for (const pattern of ['NKpsk2', 'XK', 'IK'] as const) {
    const bare = bareCandidate(pattern, sodium)
    const [ours = 0, work = 0] = await compare(timed(ourCandidate(pattern, sodium)), timed(bare))
    rows.push({
      what: `${pattern} handshake, both sides`,
      ours: handshakes(ours),
      peer: `${bare.name}: ${handshakes(work)}`,
      ...(pattern === 'NKpsk2' ? atMost(ours / work, 1.7) : reported(ours / work)),
    })
  }
  for (const pattern of ['XK', 'IK'] as const) {
    const [ours = 0, theirs = 0] = await compare(
      timed(ourCandidate(pattern, sodium)),
      timed(peerCandidate(pattern)),
    )
    rows.push({
      what: `${pattern} handshake, rate`,
      ours: handshakes(ours),
      peer: `noise-handshake 4.2: ${handshakes(theirs)}`,
      ...atLeast(theirs / ours, 1),
    })
  }
  for (const provider of ['node', 'noble'] as const) {
    const from = primitivesOf(provider)
    const bare = bareCandidate('NKpsk2', from)
    const [ours = 0, work = 0] = await compare(timed(ourCandidate('NKpsk2', from)), timed(bare))
    rows.push({
      what: `NKpsk2 handshake, both sides, ${provider}`,
      ours: handshakes(ours),
      peer: `${bare.name}: ${handshakes(work)}`,
      ...reported(ours / work),
    })
  }
  return rows
}

async function otherStacks(): Promise<readonly Row[]> {
  const libp2p = await libp2pHandshake()
  const [xx, identified] = [ourCandidate('XX', primitivesOf('sodium')), identifiedXx()]
  const [alone = 0, ours = 0, theirs = 0] = await compare(
    timed(xx),
    () => timeFor(SHORT_ROUND_MS, identified),
    () => timeAsyncFor(SHORT_ROUND_MS, libp2p),
  )
  const nk = ourCandidate('NKpsk2', primitivesOf('sodium'))
  const tls = await tlsHandshake()
  const [anonymous = 0, tlsMicros = 0] = await compare(timed(nk), tls)
  return [
    {
      what: 'XX handshake, rate',
      ours: handshakes(alone),
      peer: `libp2p-noise 17, with its signed identities: ${handshakes(theirs)}`,
      ...atLeast(theirs / alone, 10),
    },
    {
      what: 'XX handshake with signed identities, rate',
      ours: handshakes(ours),
      peer: `libp2p-noise 17: ${handshakes(theirs)}`,
      ...reported(theirs / ours),
    },
    {
      what: 'NKpsk2 handshake, rate',
      ours: handshakes(anonymous),
      peer: `TLS 1.3 of Node: ${handshakes(tlsMicros)}`,
      ...atLeast(tlsMicros / anonymous, 3),
    },
  ]
}

export async function handshakeRows(): Promise<readonly Row[]> {
  return [...(await engineRows()), ...(await otherStacks())]
}
