// The service behind the page: a notebook that lasts as long as its folder, and WebSockets behind a path of the web server
// that gives out the page (page-server.ts).
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Capability, type Restrictions, Service } from 'noisecap'
import { linkTo } from 'noisecap/browser'
import { attachWebSocket } from 'noisecap/transport/websocket-server'
import { startPageServer } from '../page-server.js'
import { type Note, Notebook, type ReaderCalls } from './notebook.js'

const DAY_MS = 86_400_000

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
  const pages = await startPageServer({ folder: pathOf('page'), script: 'page.ts', port, log })
  const page = `http://127.0.0.1:${pages.port}/`
  const at = [`ws://127.0.0.1:${pages.port}/live`]

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
  const attached = await attachWebSocket(pages.server, '/live', (pipe) => service.accept(pipe))
  return {
    link: linkTo(offer.mint({}, { label: 'owner', at }), page),
    port: pages.port,
    expiredLink: () => linkTo(mintReader({ expiresAt: new Date(Date.now() - DAY_MS) }), page),
    [Symbol.asyncDispose]: async () => {
      attached.close()
      await service.close(0)
      await pages[Symbol.asyncDispose]()
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
