// A TCP proxy between this process and a server of this machine that keeps a copy of all that passes, and that can be told how to
// treat who connects next. Leaves out delay (bench/rpc/delay-proxy.ts).
import { once } from 'node:events'
import { type AddressInfo, createServer, connect as netConnect, type Socket } from 'node:net'

/** Listens until it is disposed. */
export class TappedWire implements Disposable {
  readonly port: number
  /** Connections that are taken, and ended before a byte has passed. */
  hangUps = 0
  readonly #chunks: Buffer[] = []
  readonly #sockets = new Set<Socket>()
  readonly #server

  private constructor(server: ReturnType<typeof createServer>, to: number) {
    this.#server = server
    this.port = (server.address() as AddressInfo).port // it listens on TCP
    server.on('connection', (near) => {
      if (this.hangUps > 0) {
        this.hangUps -= 1
        near.destroy()
        return
      }
      const far = netConnect({ port: to, host: '127.0.0.1' })
      for (const [from, into] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(from)
        from.on('data', (chunk: Buffer) => {
          this.#chunks.push(chunk)
          into.write(chunk)
        })
        from.on('close', () => {
          this.#sockets.delete(from)
          into.destroy()
        })
        from.on('error', () => {}) // both sides see it as the end
      }
    })
  }

  /** @param to - port of the server. */
  static async start(to: number): Promise<TappedWire> {
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new TappedWire(server, to)
  }

  /** All bytes of both directions so far. */
  get bytes(): Buffer {
    return Buffer.concat(this.#chunks)
  }

  /** End all connections. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  [Symbol.dispose](): void {
    this.#server.close()
    this.cut()
  }
}
