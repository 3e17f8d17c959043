// A process of the benchmark: `process.ts <subject> serve` or `process.ts <subject> call`, driven by messages of its parent.
// Subjects run in processes of their own, so that none shares a compiler's assumptions or a heap with another.
import { obey } from './orders.js'
import { quantile } from './rounds.js'
import { type Client, checkEcho, type Loop, runLoop, type Subject, TEXT } from './subject.js'

/** What a parent may ask. */
export type Order =
  | { readonly do: 'serve' }
  | { readonly do: 'connect'; readonly address: string }
  | { readonly do: 'run'; readonly calls: number; readonly outstanding: number }
  | { readonly do: 'open'; readonly address: string; readonly times: number }
  | { readonly do: 'cpu' }

/** What one run gave. */
export interface Run {
  readonly callsPerSecond: number
  /** Sequential runs only. */
  readonly p50Micros: number | undefined
}

/** Where a subject is, by name: module, then export. */
const SUBJECTS = {
  named: ['./noisecap-calls.js', 'named'],
  tls: ['../peers/tls.mjs', 'tls'],
  plain: ['./noisecap-calls.js', 'plain'],
  checked: ['./noisecap-calls.js', 'checked'],
  bare: ['../peers/bare.js', 'bare'],
  capnweb: ['../peers/capnweb.mjs', 'capnweb'],
  protomux: ['../peers/protomux.mjs', 'protomux'],
  protomuxCorked: ['../peers/protomux.mjs', 'protomuxCorked'],
  grpc: ['../peers/grpc.mjs', 'grpcSubject'],
} as const

export type SubjectName = keyof typeof SUBJECTS

async function load(name: SubjectName): Promise<Subject> {
  const [file, exported] = SUBJECTS[name]
  const loaded = (await import(file)) as Record<string, Subject> // the table says so
  const subject = loaded[exported]
  if (subject === undefined) throw new Error(`Cannot load ${file}: it has no ${exported}`)
  return subject
}

async function run(
  loop: Loop,
  { calls, outstanding }: { readonly calls: number; readonly outstanding: number },
): Promise<Run> {
  const latencies = outstanding === 1 ? new Float64Array(calls) : undefined
  const began = performance.now()
  await loop(calls, outstanding, latencies)
  const elapsedMs = performance.now() - began
  return {
    callsPerSecond: (calls / elapsedMs) * 1_000,
    p50Micros: latencies === undefined ? undefined : quantile([...latencies], 0.5),
  }
}

/** Open a connection, take a first answer and close, `times` times.
 * @returns the median from nothing to the first answer, µs. */
async function open(subject: Subject, address: string, times: number): Promise<number> {
  const micros: number[] = []
  for (let id = 0; id < times; id++) {
    const payload = { id, text: TEXT }
    const began = performance.now()
    const client = await subject.connect(address)
    const answer = await client.echo(payload)
    micros.push((performance.now() - began) * 1_000)
    checkEcho(payload, answer)
    await client.close?.()
  }
  return quantile(micros, 0.5)
}

function main(subject: Subject): void {
  let client: Client | undefined
  obey(async (order: Order): Promise<unknown> => {
    switch (order.do) {
      case 'serve':
        return subject.serve()
      case 'connect': {
        client = await subject.connect(order.address)
        const payload = { id: 7, text: TEXT }
        checkEcho(payload, await client.echo(payload))
        return true
      }
      case 'run':
        if (client === undefined) throw new Error('Cannot run: not connected')
        return run(client.loop ?? runLoop(client), order)
      case 'open':
        return open(subject, order.address, order.times)
      case 'cpu': {
        const { user, system } = process.cpuUsage()
        return user + system
      }
    }
  })
}

main(await load(process.argv[2] as SubjectName)) // an unknown name fails to load
