// What a collector that waits costs a relay: 10,000 sessions, each with a call that waits for a message; the memory of the relay's
// process after a garbage collection, against the same process before them. Wants `ulimit -n` of 12,000.
import { BUILT, buildPackage } from '../suite/built.js'
import { order, startProcess } from '../suite/orders.js'
import type { Row } from '../suite/report.js'
import type { CollectorsMemory, CollectorsOrder } from './collectors-process.js'

const COLLECTORS = 10_000
const CLIENTS = 2
const WARMUP = 200
const BAR_KIB = 64
const KIB = 1_024

export async function collectorsRow(): Promise<Row> {
  buildPackage()
  const program = new URL('collectors-process.ts', import.meta.url)
  const options = { execArgv: [...process.execArgv, '--expose-gc'], env: { ...process.env, ...BUILT } }
  const children = Array.from({ length: 1 + CLIENTS }, () => startProcess(program, [], options))
  const [relay, ...clients] = children
  if (relay === undefined) throw new Error('Cannot weigh collectors: no relay')
  const ask = <Result>(child: typeof relay, asked: CollectorsOrder): Promise<Result> => order(child, asked)
  try {
    const opener = await ask<string>(relay, { do: 'serve' })
    const waitEach = (collectors: number): Promise<unknown> =>
      Promise.all(clients.map((client) => ask(client, { do: 'wait', opener, collectors })))
    await waitEach(WARMUP / CLIENTS)
    const before = await ask<CollectorsMemory>(relay, { do: 'memory' })
    await waitEach(COLLECTORS / CLIENTS)
    const after = await ask<CollectorsMemory>(relay, { do: 'memory' })
    const waiting = after.watched - before.watched
    if (waiting !== COLLECTORS) throw new Error(`Cannot weigh collectors: ${waiting} wait`)
    const kib = (bytes: number): number => bytes / COLLECTORS / KIB
    const resident = kib(after.resident - before.resident)
    return {
      what: `${COLLECTORS.toLocaleString('en')} waiting collectors, resident memory of the relay each`,
      ours: `${resident.toFixed(1)} KiB`,
      peer: `heap and buffers: ${kib(after.held - before.held).toFixed(1)} KiB`,
      ratio: undefined,
      bar: `≤ ${BAR_KIB} KiB`,
      met: resident <= BAR_KIB,
    }
  } finally {
    for (const child of children) child.disconnect()
  }
}
