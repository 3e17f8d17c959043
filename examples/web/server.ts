// The service behind the page: a notebook that lasts as long as its folder, a web server for the page, and WebSockets behind
// one of its paths. The server sees addresses without their fragments, so its log holds no capability.

import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Capability, type Restrictions, Service } from 'noisecap'
import { linkTo } from 'noisecap/browser'
import { attachWebSocket } from 'noisecap/transport/websocket-server'
import { bundleForBrowser } from '../../scripts/bundle.mjs'
import { type Note, Notebook, type ReaderCalls } from './notebook.js'

const DAY_MS = 86_400_000
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

/** A running notebook. */
export interface WebDemo extends AsyncDisposable {
  /** The owner's link. */
  readonly link: string
  readonly port: number
  /** A link to read with that ended yesterday, to see what a page says then. */
  expiredLink(): string
}

/** Start it.
 * @param folder - for key, revocations and notes; made if it is not there.
 * @param log - gets one line a request. */
export async function startWebDemo(
  folder: string,
  port: number,
  log: (line: string) => void,
): Promise<WebDemo> {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const script = await bundleForBrowser(pathOf('page/page.ts'))
  const files: Record<string, readonly [type: string, body: string]> = {
    '/': ['text/html; charset=utf-8', readFileSync(pathOf('page/index.html'), 'utf8')],
    '/page.css': ['text/css', readFileSync(pathOf('page/page.css'), 'utf8')],
    '/page.js': ['text/javascript', script],
  }
  const server = createServer((request, response) => {
    log(`${request.method} ${request.url}`)
    const file = files[request.url ?? '']
    response.setHeader('content-security-policy', POLICY).setHeader('referrer-policy', 'no-referrer')
    if (file === undefined) response.writeHead(404).end()
    else response.writeHead(200, { 'content-type': file[0] }).end(file[1])
  })
  server.on('upgrade', (request) => log(`UPGRADE ${request.url}`))
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const bound = (server.address() as AddressInfo).port // TCP, so not a pipe's name
  const page = `http://127.0.0.1:${bound}/`
  const at = [`ws://127.0.0.1:${bound}/live`]

  const service = await Service.open(join(folder, 'notebook.key'))
  const book = new Book(join(folder, 'notes.json'))
  const offer = service.offer('notebook', Notebook, () => ({
    watch: (_, { signal }) => book.watch(signal),
    add: (text) => book.change((notes) => [...notes, { id: crypto.randomUUID(), text }]),
    remove: (id) => book.change((notes) => notes.filter((note) => note.id !== id)),
    share: () => mintReader({ expiresIn: '1h' }),
    revoke: async (capability) => {
      await service.revoke(capability)
    },
  }))
  const mintReader = (until: Pick<Restrictions, 'expiresIn' | 'expiresAt'>): Capability<ReaderCalls> =>
    offer.mint({}, { ...until, methods: ['watch'], label: 'reader', at })
  const attached = await attachWebSocket(server, '/live', (pipe) => service.accept(pipe))
  return {
    link: linkTo(offer.mint({}, { label: 'owner', at }), page),
    port: bound,
    expiredLink: () => linkTo(mintReader({ expiresAt: new Date(Date.now() - DAY_MS) }), page),
    [Symbol.asyncDispose]: async () => {
      attached.close()
      await service.close(0)
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Notes in a file, and who wants to know of changes. */
class Book {
  readonly #path: string
  #notes: readonly Note[]
  readonly #watchers = new Set<() => void>()

  constructor(path: string) {
    this.#path = path
    this.#notes = existsSync(path)
      ? (JSON.parse(readFileSync(path, 'utf8')) as Note[]) // written below
      : [{ id: 'first', text: 'Everybody who holds the link sees this' }]
  }

  change(by: (notes: readonly Note[]) => readonly Note[]): void {
    this.#notes = by(this.#notes).slice(-100)
    writeFileSync(this.#path, JSON.stringify(this.#notes), { mode: 0o600 })
    for (const tell of this.#watchers) tell()
  }

  async *watch(signal: AbortSignal): AsyncGenerator<Note[]> {
    let seen: readonly Note[] | undefined
    while (!signal.aborted) {
      if (seen !== this.#notes) {
        seen = this.#notes
        yield [...seen]
        continue
      }
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#watchers.delete(wake)
          resolve()
        }
        this.#watchers.add(wake)
        signal.addEventListener('abort', wake, { once: true })
      })
    }
  }
}

function pathOf(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url))
}
