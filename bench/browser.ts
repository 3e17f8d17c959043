// What a page pays, in Chromium without a window: `npm run bench:browser [primitives connect calls]`. Primitives of noble
// beside WebCrypto and libsodium's WebAssembly, the CPU time of `connect`, and calls beside those of Node with the same
// cryptography. Needs a browser (scripts/chromium.mjs). Leaves out what a page loads (npm run size).
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { Service } from 'noisecap'
import { attachWebSocket } from 'noisecap/transport/websocket-server'
import type { Page } from 'playwright-core'
import { WebSocketServer } from 'ws'
import { bundleForBrowser } from '../scripts/bundle.mjs'
import { startChromium } from '../scripts/chromium.mjs'
import { Echo } from './browser/echo.js'
import { runParts } from './suite/parts.js'
import { atLeast, count, type Row, reported } from './suite/report.js'
import { alternate, median, ROUNDS } from './suite/rounds.js'

const CONNECT_CPU_MAX_MS = 30
const CALLS_MIN_RATIO = 0.3
const CALLS_MS = 500
const OUTSTANDING = [1, 64]
const CONNECTS = 20

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

/** A page at an origin of this machine, which counts as secure, and a service behind the same port. */
async function stage(): Promise<{
  page: Page
  capability: string
  /** Of a server that sends back what it is sent. */
  bare: string
  close(): Promise<void>
}> {
  const code = await bundleForBrowser(path('browser/page.ts'))
  const server = createServer((request, response) => {
    const [type, body] =
      request.url === '/page.js'
        ? ['text/javascript', code]
        : ['text/html', '<!doctype html><title>bench</title><script type="module" src="/page.js"></script>']
    response.writeHead(200, { 'content-type': type }).end(body)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // TCP, so not a pipe's name
  const service = Service.create(undefined, { announcers: [] })
  const offer = service.offer('echo', Echo, () => ({ echo: (value) => value }))
  await attachWebSocket(server, '/live', (pipe) => service.accept(pipe))
  const bare = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false })
  bare.on('connection', (socket) => socket.on('message', (message) => socket.send(message)))
  await once(bare, 'listening')
  const browser = await startChromium()
  const page = await browser.newPage()
  await page.goto(`http://127.0.0.1:${port}/`)
  await page.waitForFunction('globalThis.bench !== undefined')
  return {
    page,
    capability: offer.mint({}, { at: [`ws://127.0.0.1:${port}/live`] }).export(),
    bare: `ws://127.0.0.1:${(bare.address() as AddressInfo).port}/`,
    close: async () => {
      await browser.close()
      bare.close()
      await service.close(0)
      server.closeAllConnections()
      server.close()
    },
  }
}

const us = (value: number): string => `${value.toFixed(value < 100 ? 1 : 0)} µs`

/** A row for each who computes the same as noble; noble is ours, and what is more than 1 × is faster than it. */
async function primitives(): Promise<readonly Row[]> {
  const { page, close } = await stage()
  const rows: Row[] = []
  for (const name of await page.evaluate<string[]>('bench.names()')) {
    const rounds: Record<string, number>[] = []
    for (let round = -1; round < ROUNDS; round++) {
      const times = await page.evaluate<Record<string, number>>(`bench.round(${JSON.stringify(name)})`)
      if (round >= 0) rounds.push(times)
    }
    const of = (who: string): number => median(rounds.map((times) => times[who] ?? Number.NaN))
    for (const who of Object.keys(rounds[0] ?? {}).filter((known) => known !== 'noble')) {
      const ratio = median(rounds.map((times) => (times['noble'] ?? Number.NaN) / (times[who] ?? Number.NaN)))
      rows.push({
        what: `${name}, ${who}`,
        ours: us(of('noble')),
        peer: us(of(who)),
        ...reported(ratio),
      })
    }
  }
  await close()
  return rows
}

/** CPU time of the page's main thread from `connect` to a first answer and the close. */
async function connecting(): Promise<readonly Row[]> {
  const { page, capability, close } = await stage()
  const session = await page.context().newCDPSession(page)
  await session.send('Performance.enable', { timeDomain: 'threadTicks' })
  const cpuMs = async (): Promise<number> => {
    const { metrics } = await session.send('Performance.getMetrics')
    return (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? Number.NaN) * 1_000
  }
  const times: number[] = []
  for (let i = 0; i < CONNECTS; i++) {
    const before = await cpuMs()
    const told = await page.evaluate(`bench.connectOnce(${JSON.stringify(capability)}, "${i}")`)
    if (told !== 7) throw new Error('The answer is wrong')
    times.push((await cpuMs()) - before)
  }
  await close()
  const [first = Number.NaN, ...later] = times
  const row = (what: string, ms: number): Row => ({
    what,
    ours: `${ms.toFixed(1)} ms`,
    peer: '',
    ratio: undefined,
    bar: `≤ ${CONNECT_CPU_MAX_MS} ms`,
    met: ms <= CONNECT_CPU_MAX_MS,
  })
  return [
    row('CPU of the first connect of a page, with a call', first),
    row('CPU of a later connect, median', median(later)),
  ]
}

async function calls(): Promise<readonly Row[]> {
  const { page, capability, bare, close } = await stage()
  const node = fork(path('browser/node-client.ts'), [capability], {
    execArgv: ['--import', 'tsx'],
    env: { ...process.env, NOISECAP_CRYPTO: 'noble' },
  })
  await once(node, 'message')
  const rows: Row[] = []
  for (const outstanding of OUTSTANDING) {
    const asked = { outstanding, ms: CALLS_MS }
    const [inPage = [], inNode = []] = await alternate<number>(
      [
        () => page.evaluate<number>(`bench.rate(${JSON.stringify(capability)}, ${outstanding}, ${CALLS_MS})`),
        async () => {
          node.send(asked)
          const [rate] = (await once(node, 'message')) as [number]
          return rate
        },
      ],
      1,
    )
    const ratio = median(inPage.map((rate, round) => rate / (inNode[round] ?? Number.NaN)))
    rows.push({
      what: `calls/s over WebSocket, ${outstanding} outstanding, beside Node with noble`,
      ours: count(median(inPage)),
      peer: count(median(inNode)),
      ...atLeast(ratio, CALLS_MIN_RATIO),
    })
  }
  node.kill()
  const [calling = [], echoing = []] = await alternate<number>(
    [
      () => page.evaluate<number>(`bench.rate(${JSON.stringify(capability)}, 1, ${CALLS_MS})`),
      () => page.evaluate<number>(`bench.bareRate(${JSON.stringify(bare)}, ${CALLS_MS})`),
    ],
    1,
  )
  rows.push({
    what: 'calls/s over WebSocket, 1 outstanding, beside a bare WebSocket of the page that is echoed',
    ours: count(median(calling)),
    peer: count(median(echoing)),
    ...reported(median(calling) / median(echoing)),
  })
  await close()
  return rows
}

await runParts({ primitives, connect: connecting, calls })
