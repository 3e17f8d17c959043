// The service of the live tests: a real one of Node, over WebSockets behind a path of the server that gives out the pages.
import type { Server } from 'node:http'
import { Server as TlsServer } from 'node:https'
import { type Capability, Failure, Service, type ServiceKey } from '../../src/index.js'
import { attachWebSocket } from '../../src/transport/websocket-server.js'
import { Board } from './pages/board.js'

/** A running service, and what it holds: titles outlive it. */
export interface LiveService extends AsyncDisposable {
  readonly service: Service
  mint(options?: {
    readonly methods?: readonly ('count' | 'watch' | 'whoami')[]
    readonly expiresIn?: string
  }): Capability
}

/** @param port - of `server`, for the location in capabilities. */
export async function startService(
  server: Server | TlsServer,
  port: number,
  key: ServiceKey,
  titles: string[],
): Promise<LiveService> {
  const service = Service.create(key)
  const watchers = new Set<() => void>()
  const offer = service.offer('board', Board, ({ client }) => ({
    add: (title) => {
      titles.push(title)
      for (const tell of watchers) tell()
      return titles.length
    },
    count: () => titles.length,
    card: (index) => {
      const title = titles[index]
      if (title === undefined) throw new Failure('not_found', 'no such card')
      return { title: () => title }
    },
    watch: async function* (_, { signal }) {
      let seen = -1
      while (!signal.aborted) {
        if (seen !== titles.length) {
          seen = titles.length
          yield [...titles]
          continue
        }
        await new Promise<void>((resolve) => {
          watchers.add(resolve)
          signal.addEventListener('abort', () => resolve(), { once: true })
        })
        watchers.clear()
      }
    },
    download: async function* (length) {
      for (let sent = 0; sent < length; sent += 50_000) {
        yield Uint8Array.from({ length: Math.min(50_000, length - sent) }, (_, index) => (sent + index) % 251)
      }
    },
    keep: async (pieces) => {
      let received = 0
      let sum = 0
      for await (const piece of pieces) {
        received += piece.length
        for (const byte of piece) sum = (sum * 31 + byte) >>> 0
      }
      return { received, sum }
    },
    sum: async (numbers) => {
      let sum = 0
      for await (const number of numbers) sum += number
      return sum
    },
    whoami: () => (client === undefined ? 'nobody' : Buffer.from(client).toString('hex')),
  }))
  const attached = await attachWebSocket(server, '/live', (pipe) => service.accept(pipe))
  const location = `${server instanceof TlsServer ? 'wss' : 'ws'}://127.0.0.1:${port}/live`
  return {
    service,
    mint: (options = {}) => offer.mint({}, { at: [location], ...options }) as Capability,
    [Symbol.asyncDispose]: async () => {
      attached.close()
      await service.close(0)
    },
  }
}
