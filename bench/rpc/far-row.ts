// A stream of bytes over a connection that adds 20 ms to each direction, with windows that grow and with the first one: two
// sessions of one service, in turn. Leaves out what a network does besides that.
import { connect } from 'noisecap'
import { order, startProcess } from '../suite/orders.js'
import { atLeast, type Row } from '../suite/report.js'
import { alternate, median, ROUNDS } from '../suite/rounds.js'
import { DelayProxy } from './delay-proxy.js'
import { Files } from './noisecap-bytes.js'

const ONE_WAY_MS = 20
const WARMUPS = 1
const MIB = 1_048_576
const STREAMED_BYTES = 32 * MIB
const FIRST_WINDOW_BYTES = 262_144
/** A window of 4 MiB instead of 256 KiB, less what growing takes. */
const BAR = 3

export async function farRow(): Promise<Row> {
  const service = startProcess(new URL('bytes-process.ts', import.meta.url), ['noisecap'])
  try {
    const capability = await order<string>(service, { do: 'serve' })
    const port = /127\.0\.0\.1:(\d+)/.exec(capability)?.[1]
    using proxy = await DelayProxy.start(Number(port), ONE_WAY_MS)
    const far = capability.replace(`127.0.0.1:${port}`, `127.0.0.1:${proxy.port}`)
    await using growing = await connect(far, Files, { resolvers: [] })
    await using fixed = await connect(far, Files, {
      resolvers: [],
      partition: 'fixed',
      limits: { maxStreamBytes: FIRST_WINDOW_BYTES },
    })
    const rateOf = (files: typeof growing) => async (): Promise<number> => {
      const began = performance.now()
      let got = 0
      for await (const data of files.download(STREAMED_BYTES)) got += data.length
      if (got !== STREAMED_BYTES) throw new Error(`Cannot time a stream: ${got} bytes arrived`)
      return (got / MIB / (performance.now() - began)) * 1_000
    }
    const [grown = 0, first = 0] = (await alternate([rateOf(growing), rateOf(fixed)], WARMUPS, ROUNDS)).map(
      median,
    )
    return {
      what: 'stream of 32 MiB, 20 ms added each way',
      ours: `${grown.toFixed(1)} MiB/s`,
      peer: `with a window of 256 KiB: ${first.toFixed(1)} MiB/s`,
      ...atLeast(grown / first, BAR),
    }
  } finally {
    service.disconnect()
  }
}
