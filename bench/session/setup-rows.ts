// Whole session set-up over loopback between two processes, from nothing to the first answer, beside a TLS 1.3 connection
// that does the same: TCP, handshake, one call. Both take three round trips in all.
import { Pair } from '../suite/pair.js'
import { atMost, type Row, reported } from '../suite/report.js'
import { alternate, median, ROUNDS } from '../suite/rounds.js'

const TIMES = 8
/** A set-up touches far more code than a call, so the compilers settle late. */
const WARMUP_TIMES = 800
const NOBLE_TIMES = 2
const BAR = 0.5

export async function setupRows(): Promise<readonly Row[]> {
  using tls = await Pair.start('tls')
  using anonymous = await Pair.start('plain')
  using named = await Pair.start('named')
  using node = await Pair.start('plain', { NOISECAP_CRYPTO: 'node' })
  using noble = await Pair.start('plain', { NOISECAP_CRYPTO: 'noble' })
  const pairs = [tls, anonymous, named, node, noble]
  for (const pair of pairs) await pair.open(pair === noble ? WARMUP_TIMES / 20 : WARMUP_TIMES)
  const results = await alternate(
    pairs.map((pair) => () => pair.open(pair === noble ? NOBLE_TIMES : TIMES)),
    1,
    5 * ROUNDS,
  )
  const [tlsMicros = 0, ...ours] = results.map(median)
  const names = ['anonymous (NK)', 'with a client key (IK)', 'anonymous, node', 'anonymous, noble']
  return names.map((name, i): Row => {
    const micros = ours[i] ?? Number.NaN
    const ratio = micros / tlsMicros
    return {
      what: `session set-up to first answer, ${name}`,
      ours: `${(micros / 1_000).toFixed(2)} ms`,
      peer: `TLS 1.3: ${(tlsMicros / 1_000).toFixed(2)} ms`,
      ...(i < 2 ? atMost(ratio, BAR) : reported(ratio)),
    }
  })
}
