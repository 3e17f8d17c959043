// Millions of calls that return a reference, each let go of: afterwards no object of them is alive at the service, and both
// processes weigh what they weighed before. Leaves out speed, which is only reported.
import { BUILT, buildPackage } from '../suite/built.js'
import { order, startProcess } from '../suite/orders.js'
import { count, type Row } from '../suite/report.js'
import { median } from '../suite/rounds.js'
import type { ReferencesOrder, Weight } from './references-process.js'

const CALLS = 1_000_000
/** Before the first figure, so that what is compiled and allocated once is not counted: it is 1 to 3 MiB, until about as many. */
const WARMUP_CALLS = CALLS
/** How often {@link CALLS} follow. The lightest weighing counts: what leaks is in every one. */
const SERIES = 3
/** What a heap may differ by without a leak: a byte for each call. */
const GROWTH_MAX_BYTES = CALLS
/** What V8's tables may, of WeakMaps and of what finalizers watch: they take 2 to 8 MiB more or less, by how many references lay
 * between two collections, and are halved by some later one. An entry for each call would be this. */
const TABLES_MAX_BYTES = 16 * CALLS
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
    const growths: [service: Growth, client: Growth][] = []
    const rates: number[] = []
    let alive = 0
    for (let i = 0; i < SERIES; i++) {
      const began = performance.now()
      await ask(client, { do: 'open', calls: CALLS })
      rates.push((CALLS / (performance.now() - began)) * 1_000)
      const [ofService, ofClient] = await weigh()
      growths.push([growth(before[0], ofService), growth(before[1], ofClient)])
      alive = Math.max(alive, ofService.notes)
    }
    const ofService = lightest(growths.map(([service]) => service))
    const ofClient = lightest(growths.map(([, client]) => client))
    return {
      what: `${SERIES} × ${count(CALLS)} calls that return a reference, which is disposed`,
      ours: `${alive} left; service ${kib(ofService.rest)}, client ${kib(ofClient.rest)}`,
      peer: `${count(median(rates))} calls/s; V8's tables ${kib(ofService.tables)} and ${kib(ofClient.tables)}`,
      ratio: undefined,
      bar: '0 left, heap as before',
      met:
        alive === 0 &&
        Math.max(ofService.rest, ofClient.rest) <= GROWTH_MAX_BYTES &&
        Math.max(ofService.tables, ofClient.tables) <= TABLES_MAX_BYTES,
    }
  } finally {
    for (const child of [service, client]) child.disconnect()
  }
}

/** By how much one process grew, bytes. */
interface Growth {
  readonly tables: number
  readonly rest: number
}

function growth(before: Weight, after: Weight): Growth {
  const tables = after.large - before.large
  return { tables, rest: after.held - before.held - tables }
}

function lightest(growths: readonly Growth[]): Growth {
  const least = (of: keyof Growth): number => Math.min(...growths.map((each) => each[of]))
  return { tables: least('tables'), rest: least('rest') }
}

function kib(bytes: number): string {
  return `${bytes > 0 ? '+' : ''}${(bytes / KIB).toFixed(0)} KiB`
}
