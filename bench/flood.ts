// What strangers cost: 10,000 stalled connections, then floods of bogus hellos, from another process over loopback, while an honest
// client calls (`npm run bench:flood`, about three minutes; wants `ulimit -n` of 12,000). Loopback is exempt from the limits by address,
// so this is the worst that one machine can do to itself. Three processes: service, strangers, honest client.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { cpus, loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'
import { connect, iface, method, Service } from 'noisecap'
import { concat } from '../src/bytes.js'
import type { StrangerOrder, StrangerReport } from '../test/hostile/strangers.js'
import { bogusHellos, costOfBogusHellos, REPLAYED } from './bogus-hello.js'

const Echo = iface('Echo', { echo: method<number, number>() })
const STALLED = 10_000
const OUTSTANDING = 64
/** A flood runs alone for a while, then beside sequential calls, then beside many at once; the other processes of the machine
 * disturb, so each line has what the client got just before. */
const ALONE_MS = 2_000
const WINDOW_MS = 2_000

/** Of the service's process. */
interface Usage {
  readonly residentBytes: number
  readonly heldBytes: number
  readonly cpuMs: number
}

async function serve(): Promise<void> {
  const service = Service.create(undefined, { announcers: [] })
  const offer = service.offer('echo', Echo, () => ({ echo: (value) => value }))
  const location = await service.listen('tcp://127.0.0.1:0')
  process.on('disconnect', () => process.exit(0))
  process.on('message', () => {
    globalThis.gc?.()
    const { user, system } = process.cpuUsage()
    const { rss, heapUsed, external } = process.memoryUsage()
    const usage: Usage = {
      residentBytes: rss,
      heldBytes: heapUsed + external,
      cpuMs: (user + system) / 1_000,
    }
    process.send?.(usage)
  })
  process.send?.({ text: offer.mint({}, { at: [location] }).export(), location })
}

async function ask<T>(child: ChildProcess, message: object): Promise<T> {
  const answer = once(child, 'message')
  child.send(message)
  return ((await answer) as [T])[0]
}

type Client = Awaited<ReturnType<typeof dial>>
const dial = (text: string) => connect(text, Echo, { resolvers: [], timeoutMs: 30_000 })

/** Sequential calls for a while: their times, ms, in order of length. */
async function latencies(client: Client, ms: number): Promise<number[]> {
  const times: number[] = []
  const end = performance.now() + ms
  for (let i = 0; performance.now() < end; i++) {
    const began = performance.now()
    if ((await client.echo(i)) !== i) throw new Error('wrong answer')
    times.push(performance.now() - began)
  }
  return times.sort((a, b) => a - b)
}

/** Calls a second with many outstanding. */
async function rate(client: Client, ms: number): Promise<number> {
  const began = performance.now()
  let calls = 0
  const worker = async (): Promise<void> => {
    while (performance.now() - began < ms) {
      await client.echo(calls)
      calls += 1
    }
  }
  await Promise.all(Array.from({ length: OUTSTANDING }, worker))
  return (calls / (performance.now() - began)) * 1_000
}

const at = (sorted: readonly number[], share: number): string =>
  (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN).toFixed(2)

/** What an honest client gets. */
interface HonestCalls {
  readonly p50: string
  readonly p99: string
  readonly perSecond: string
  readonly connectMs: string
}

async function honestCalls(client: Client, text: string): Promise<HonestCalls> {
  const sorted = await latencies(client, WINDOW_MS)
  const perSecond = await rate(client, WINDOW_MS)
  const began = performance.now()
  await using fresh = await dial(text)
  await fresh.echo(0)
  return {
    p50: at(sorted, 0.5),
    p99: at(sorted, 0.99),
    perSecond: Math.round(perSecond).toLocaleString('en'),
    connectMs: (performance.now() - began).toFixed(0),
  }
}

/** A service in a process of its own, warmed by one client. */
class Served {
  readonly client: Client
  readonly text: string
  readonly port: number
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, client: Client, text: string, port: number) {
    this.#child = child
    this.client = client
    this.text = text
    this.port = port
  }

  static async start(): Promise<Served> {
    const self = fileURLToPath(import.meta.url)
    const child = fork(self, ['serve'], { execArgv: [...process.execArgv, '--expose-gc'] })
    const [{ text, location }] = (await once(child, 'message')) as [{ text: string; location: string }]
    const client = await dial(text)
    await rate(client, ALONE_MS)
    return new Served(child, client, text, Number(new URL(location).port))
  }

  usage(): Promise<Usage> {
    return ask<Usage>(this.#child, {})
  }

  /** What honest clients get before `attack` begins, and while it goes on. */
  async row(what: string, attack: () => Promise<() => Promise<unknown>>): Promise<void> {
    const before = await honestCalls(this.client, this.text)
    const stop = await attack()
    const during = await honestCalls(this.client, this.text)
    await stop()
    const pair = (name: keyof HonestCalls): string => `${before[name]} → ${during[name]}`
    console.log(`| ${what} | ${pair('p50')} | ${pair('p99')} | ${pair('perSecond')} | ${pair('connectMs')} |`)
  }

  async stop(): Promise<void> {
    await this.client[Symbol.asyncDispose]()
    const exited = once(this.#child, 'exit')
    this.#child.disconnect()
    await exited
  }
}

const encoded = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
type Order = (what: StrangerOrder) => Promise<StrangerReport>

async function stalled(order: Order, what: string, bytes: Uint8Array): Promise<string> {
  const served = await Served.start()
  const { port } = served
  const before = await served.usage()
  let line = ''
  await served.row(`${STALLED.toLocaleString('en')} stalled: ${what}`, async () => {
    await order({ do: 'stall', port, count: STALLED, bytes: encoded(bytes), refill: true })
    const during = await served.usage()
    const { open } = await order({ do: 'report' })
    const each = (now: number, then: number): string => ((now - then) / open / 1_024).toFixed(1)
    line = `| ${what} | ${open.toLocaleString('en')} | ${each(during.residentBytes, before.residentBytes)} | ${each(during.heldBytes, before.heldBytes)} |`
    return () => order({ do: 'drop' })
  })
  await served.stop()
  return line
}

async function flooded(order: Order, served: Served, what: string, bytes: Uint8Array): Promise<string> {
  const flood = (ms: number) =>
    order({ do: 'flood', port: served.port, count: Number.MAX_SAFE_INTEGER, ms, bytes: encoded(bytes) })
  await order({ do: 'drop' }) // its counters
  const before = await served.usage()
  const { sent } = await flood(ALONE_MS)
  const after = await served.usage()
  await served.row(`flood: ${what}`, async () => {
    const flooding = flood(2 * WINDOW_MS + 500)
    return () => flooding
  })
  const perSecond = Math.round((sent / ALONE_MS) * 1_000).toLocaleString('en')
  return `| ${what} | ${perSecond} | ${(((after.cpuMs - before.cpuMs) / sent) * 1_000).toFixed(0)} |`
}

function table(columns: string, lines: readonly string[]): void {
  console.log(`\n${columns}\n${columns.replaceAll(/[^|]+/g, ' --- ')}`)
  for (const line of lines) console.log(line)
}

async function main(): Promise<void> {
  const script = fileURLToPath(new URL('../test/hostile/strangers.ts', import.meta.url))
  const strangers = fork(script, { execArgv: process.execArgv })
  await once(strangers, 'message')
  const order: Order = (what) => ask<StrangerReport>(strangers, what)
  const [load] = loadavg()
  console.log(
    `${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}, load ${load?.toFixed(1)} at the start`,
  )
  table('| before → while | p50, ms | p99, ms | calls/s, 64 outstanding | connect and first call, ms |', [])
  const memory = [
    await stalled(order, 'silent', new Uint8Array(0)),
    await stalled(order, 'one byte', Uint8Array.of(1)),
    await stalled(
      order,
      '4 KiB announced, 300 B sent',
      concat(Uint8Array.of(0x10, 0), new Uint8Array(300).fill(1)),
    ),
  ]
  const served = await Served.start()
  const costs: string[] = []
  for (const [what, bytes] of bogusHellos(served.text)) {
    // The first time it is genuine.
    if (what === REPLAYED)
      await order({ do: 'flood', port: served.port, count: 1, ms: 5_000, bytes: encoded(bytes) })
    costs.push(await flooded(order, served, what, bytes))
  }
  await served.stop()
  table('| stalled connections | open | resident memory, KiB each | heap and buffers, KiB each |', memory)
  table('| flood alone | connections/s | CPU of the service, µs each, connection included |', costs)
  const pure = [...costOfBogusHellos()].map(([what, micros]) => `| ${what} | ${micros.toFixed(1)} |`)
  table('| bogus hello, without a socket | CPU, µs, median |', pure)
  strangers.disconnect()
}

await (process.argv[2] === 'serve' ? serve() : main())
