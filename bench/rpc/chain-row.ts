// A chain of five dependent calls over a connection that adds 20 ms to each direction: pipelined it takes one round trip,
// as one call does. Leaves out what travels (src/rpc).
import { connect } from 'noisecap'
import { order, startProcess } from '../suite/orders.js'
import type { Row } from '../suite/report.js'
import { alternate, median, ROUNDS } from '../suite/rounds.js'
import { DelayProxy } from './delay-proxy.js'
import { Step } from './references.js'
import type { ReferencesOrder } from './references-process.js'

const ONE_WAY_MS = 20
const WARMUPS = 2
/** Of one call's time; a second round trip would make it 2. */
const ONE_ROUND_TRIP_MAX = 1.25

export async function chainRow(): Promise<Row> {
  const service = startProcess(new URL('references-process.ts', import.meta.url))
  const ask = <Result>(asked: ReferencesOrder): Promise<Result> => order(service, asked)
  try {
    const location = new URL(await ask<string>({ do: 'serve' }))
    using proxy = await DelayProxy.start(Number(location.port), ONE_WAY_MS)
    const { steps } = await ask<{ steps: string }>({ do: 'mint', at: `tcp://127.0.0.1:${proxy.port}` })
    await using first = await connect(steps, Step, { resolvers: [] })
    const timed = (run: () => Promise<number>, expected: number) => async (): Promise<number> => {
      const began = performance.now()
      const value = await run()
      const elapsedMs = performance.now() - began
      if (value !== expected) throw new Error('Cannot time a chain: the answer is wrong')
      return elapsedMs
    }
    const [chain = 0, awaited = 0, single = 0] = (
      await alternate(
        [
          timed(() => first.next().next().next().next().value(), 4),
          timed(async () => {
            using second = await first.next()
            using third = await second.next()
            using fourth = await third.next()
            using fifth = await fourth.next()
            return await fifth.value()
          }, 4),
          timed(() => first.value(), 0),
        ],
        WARMUPS,
        ROUNDS,
      )
    ).map(median)
    return {
      what: 'chain of 5 dependent calls, 20 ms added each way',
      ours: `${chain.toFixed(1)} ms`,
      peer: `one call: ${single.toFixed(1)} ms; each awaited: ${awaited.toFixed(1)} ms`,
      ratio: chain / single,
      bar: '1 round trip',
      met: chain / single <= ONE_ROUND_TRIP_MAX,
    }
  } finally {
    service.disconnect()
  }
}
