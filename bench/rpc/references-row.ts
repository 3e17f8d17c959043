// A million calls that return a reference, each let go of: afterwards no object of them is alive at the service, and both
// processes weigh what they weighed before. Leaves out speed, which is only reported.
import { BUILT, buildPackage } from '../suite/built.js'
import { order, startProcess } from '../suite/orders.js'
import { count, type Row } from '../suite/report.js'
import type { ReferencesOrder, Weight } from './references-process.js'

const CALLS = 1_000_000
/** Before the first figure, so that what is compiled and allocated once is not counted: the heap still grows by 1 to 3 MiB
 * between 50,000 calls and as many as these, and a million more add nothing that lasts. */
const WARMUP_CALLS = 500_000
/** What a heap may differ by without a leak: a byte for each call. */
const GROWTH_MAX_BYTES = CALLS
const KIB = 1_024

export async function referencesRow(): Promise<Row> {
  buildPackage()
  const program = new URL('references-process.ts', import.meta.url)
  const options = { execArgv: [...process.execArgv, '--expose-gc'], env: { ...process.env, ...BUILT } }
  const [service, client] = [startProcess(program, [], options), startProcess(program, [], options)]
  const ask = <Result>(child: typeof client, asked: ReferencesOrder): Promise<Result> => order(child, asked)
  const weigh = async (): Promise<[service: Weight, client: Weight]> => [
    await ask<Weight>(service, { do: 'weigh' }),
    await ask<Weight>(client, { do: 'weigh' }),
  ]
  try {
    const at = await ask<string>(service, { do: 'serve' })
    const { notes } = await ask<{ notes: string }>(service, { do: 'mint', at })
    await ask(client, { do: 'connect', capability: notes })
    await ask(client, { do: 'open', calls: WARMUP_CALLS })
    const before = await weigh()
    const began = performance.now()
    await ask(client, { do: 'open', calls: CALLS })
    const rate = (CALLS / (performance.now() - began)) * 1_000
    const after = await weigh()
    const [ofService, ofClient] = after.map(({ held }, i) => held - before[i as 0 | 1].held) as [
      number,
      number,
    ]
    const alive = after[0].notes
    return {
      what: `${count(CALLS)} calls that return a reference, which is disposed`,
      ours: `${alive} left; service ${kib(ofService)}, client ${kib(ofClient)}`,
      peer: `${count(rate)} calls/s`,
      ratio: undefined,
      bar: '0 left, heap as before',
      met: alive === 0 && Math.max(ofService, ofClient) <= GROWTH_MAX_BYTES,
    }
  } finally {
    for (const child of [service, client]) child.disconnect()
  }
}

function kib(bytes: number): string {
  return `${bytes > 0 ? '+' : ''}${(bytes / KIB).toFixed(0)} KiB`
}
