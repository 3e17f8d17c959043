// The service behind the page: a poll in memory, and WebSockets behind a path of the web server that gives out the page.
import { fileURLToPath } from 'node:url'
import { Failure, Service } from 'noisecap'
import { linkTo } from 'noisecap/browser'
import { attachWebSocket } from 'noisecap/transport/websocket-server'
import { startPageServer } from '../page-server.js'
import { Poll } from './poll.js'

/** A running poll. */
export interface ReactDemo extends AsyncDisposable {
  /** Who has it may vote. */
  readonly link: string
  /** What pages hold at the moment: connections, polls that they refer to, and streams of results. */
  readonly held: { readonly connections: number; readonly polls: number; readonly streams: number }
}

/** Start it.
 * @param development - whether React comes with its checks for developers; StrictMode mounts twice only then. */
export async function startReactDemo(port: number, development = false): Promise<ReactDemo> {
  const folder = fileURLToPath(new URL('page', import.meta.url))
  const pages = await startPageServer({ folder, script: 'page.tsx', port, log: () => {}, development })
  const service = Service.create()
  const held = { connections: 0, polls: 0, streams: 0 }
  pages.server.on('upgrade', (_, socket) => {
    held.connections += 1
    socket.once('close', () => {
      held.connections -= 1
    })
  })
  const votes = new Map(['Noodles', 'Pizza', 'Soup'].map((name) => [name, 0]))
  const watchers = new Set<() => void>()
  const offer = service.offer('poll', Poll, () => {
    held.polls += 1
    return {
      vote: (name) => {
        const before = votes.get(name)
        if (before === undefined) throw new Failure('not_found', 'no such choice')
        votes.set(name, before + 1)
        for (const tell of watchers) tell()
      },
      async *watch(_, { signal }) {
        held.streams += 1
        try {
          while (!signal.aborted) {
            yield [...votes].map(([name, count]) => ({ name, votes: count }))
            await next(watchers, signal)
          }
        } finally {
          held.streams -= 1
        }
      },
      [Symbol.dispose]: () => {
        held.polls -= 1
      },
    }
  })
  const attached = await attachWebSocket(pages.server, '/live', (pipe) => service.accept(pipe))
  const capability = offer.mint({}, { at: [`ws://127.0.0.1:${pages.port}/live`] })
  return {
    link: linkTo(capability, `http://127.0.0.1:${pages.port}/`),
    held,
    [Symbol.asyncDispose]: async () => {
      attached.close()
      await service.close(0)
      await pages[Symbol.asyncDispose]()
    },
  }
}

/** Until somebody votes, or nobody listens any more. */
async function next(watchers: Set<() => void>, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const wake = (): void => {
      watchers.delete(wake)
      resolve()
    }
    watchers.add(wake)
    signal.addEventListener('abort', wake, { once: true })
  })
}
