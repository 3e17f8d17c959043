// What a stranger's hello costs the service, in CPU time: accepted, framed, refused by its mac1, dropped. Everything but the socket.
import { Admission, acceptSession } from '../../src/session/index.js'
import type { Row } from '../suite/report.js'
import { alternate, median, SHORT_ROUND_MS, SHORT_ROUNDS, timeFor } from '../suite/rounds.js'
import { framed, HelloTarget, type SilentCase } from './hellos.js'
import { QuietPipe } from './quiet-pipe.js'

const WARMUPS = 100
const BAR_MICROS = 15

/** A connection that brings one hello and goes away; throws when it is answered. */
export function refuse(target: HelloTarget, admission: Admission, frame: Uint8Array): void {
  const pipe = new QuietPipe()
  const drop = acceptSession(pipe, {
    services: [target.identity],
    verifier: target.verifier,
    admission,
    accepted: () => {
      throw new Error('Cannot time silence: the hello was accepted')
    },
  })
  pipe.deliver(frame)
  drop()
  if (pipe.answeredBytes > 0) throw new Error('Cannot time silence: the hello was answered')
}

export async function helloRow(): Promise<Row> {
  const target = new HelloTarget()
  const admission = new Admission()
  const candidateFor = (which: SilentCase) => {
    const frame = framed(target.silent(which))
    // A copy each time, because the service may alter what it is given.
    return () => timeFor(SHORT_ROUND_MS, () => refuse(target, admission, Uint8Array.from(frame)))
  }
  // The second has a right mac1: what it costs more is the DH that the first is spared.
  const [wrong = [], right = []] = await alternate(
    [candidateFor('wrong mac1'), candidateFor('failed AEAD')],
    WARMUPS,
    SHORT_ROUNDS,
  )
  const micros = median(wrong)
  return {
    what: 'a hello with a wrong mac1, all but the socket',
    ours: `${micros.toFixed(1)} µs`,
    peer: `${median(right).toFixed(1)} µs with a right one (one DH)`,
    ratio: undefined,
    bar: `≤ ${BAR_MICROS} µs`,
    met: micros <= BAR_MICROS,
  }
}
