// A TCP proxy that hands everything on a fixed time later, in order, in each direction. Leaves out loss and jitter.
import { createServer, connect as netConnect, type Server, type Socket } from 'node:net'

/** Listens until disposed. */
export class DelayProxy implements Disposable {
  readonly port: number
  readonly #server: Server
  readonly #sockets: ReadonlySet<Socket>

  private constructor(server: Server, port: number, sockets: ReadonlySet<Socket>) {
    this.#server = server
    this.port = port
    this.#sockets = sockets
  }

  /** @param port - of the service on this machine.
   * @param oneWayMs - added to each direction. */
  static start(port: number, oneWayMs: number): Promise<DelayProxy> {
    const sockets = new Set<Socket>()
    const server = createServer({ noDelay: true, allowHalfOpen: true }, (near) => {
      const far = netConnect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
      handOn(near, far, oneWayMs)
      handOn(far, near, oneWayMs)
      for (const socket of [near, far]) {
        sockets.add(socket)
        socket.on('error', () => {}) // the other side sees it as the end
      }
    })
    return new Promise((resolve) => {
      server.listen(0, '127.0.0.1', () => {
        const address = server.address()
        if (address === null || typeof address === 'string') throw new Error('Cannot listen on TCP')
        resolve(new DelayProxy(server, address.port, sockets))
      })
    })
  }

  [Symbol.dispose](): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }
}

/** Timers of one length fire in the order in which they were set, so the bytes stay in order. */
function handOn(from: Socket, to: Socket, oneWayMs: number): void {
  from.on('data', (bytes) => setTimeout(() => to.writable && to.write(bytes), oneWayMs))
  from.on('end', () => setTimeout(() => to.end(), oneWayMs))
}
