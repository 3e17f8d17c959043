// Small calls one after the other, alone and while a stream of bytes runs at full rate in the same session: their p99.
// Leaves out the processes (bytes-process.ts).
import { order, startProcess } from '../suite/orders.js'
import { atMost, type Row } from '../suite/report.js'
import { alternate, median, ROUNDS } from '../suite/rounds.js'
import type { BytesOrder, Latencies } from './bytes-process.js'

const WINDOW_MS = 500
const WARMUPS = 3
const BAR = 5
const MIB = 1_048_576

export async function interleaveRow(): Promise<Row> {
  const program = new URL('bytes-process.ts', import.meta.url)
  const [service, client] = [startProcess(program, ['noisecap']), startProcess(program, ['noisecap'])]
  const ask = <Result>(child: typeof client, asked: BytesOrder): Promise<Result> => order(child, asked)
  try {
    const address = await ask<string>(service, { do: 'serve' })
    await ask(client, { do: 'connect', address })
    const window = (beside: boolean) => () =>
      ask<Latencies>(client, { do: 'latencies', windowMs: WINDOW_MS, beside })
    const [alone = [], beside = []] = await alternate([window(false), window(true)], WARMUPS, ROUNDS)
    const p99 = (windows: readonly Latencies[]): number => median(windows.map((each) => each.p99Micros))
    const rate = median(beside.map(({ bytesPerSecond }) => bytesPerSecond))
    return {
      what: 'small calls while a stream of bytes runs, p99',
      ours: `${p99(beside).toFixed(0)} µs at ${(rate / MIB).toFixed(0)} MiB/s`,
      peer: `without the stream: ${p99(alone).toFixed(0)} µs`,
      ...atMost(p99(beside) / p99(alone), BAR),
    }
  } finally {
    for (const child of [service, client]) child.disconnect()
  }
}
