// A TCP proxy that stands for a long way: what comes in goes on a fixed time later, in order, both ways. It counts round
// trips as they are on the wire: the service was heard after the client had spoken. It sees encrypted bytes only.
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** A listening proxy; `using` closes it. */
export class FarLink implements Disposable {
  readonly location: string
  readonly oneWayMs: number
  readonly #server: Server
  readonly #sockets: Socket[] = []
  #lastFrom: 'client' | 'service' = 'service'
  #roundTrips = 0

  private constructor(server: Server, target: URL, oneWayMs: number) {
    this.#server = server
    this.oneWayMs = oneWayMs
    this.location = `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`
    server.on('connection', (client) => {
      const service = connect({ port: Number(target.port), host: target.hostname, noDelay: true })
      this.#join('client', client, service)
      this.#join('service', service, client)
    })
  }

  /** Listen on a free port, and pass everything on to `target`, such as `tcp://127.0.0.1:7000`. */
  static async to(target: string, oneWayMs: number): Promise<FarLink> {
    const server = createServer({ noDelay: true }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new FarLink(server, new URL(target), oneWayMs)
  }

  /** How often the client spoke and then the service was heard, since the last time this was asked. */
  takeRoundTrips(): number {
    const count = this.#roundTrips
    this.#roundTrips = 0
    this.#lastFrom = 'service'
    return count
  }

  #join(from: 'client' | 'service', source: Socket, destination: Socket): void {
    this.#sockets.push(source)
    source.on('data', (data) => {
      if (from === 'service' && this.#lastFrom === 'client') this.#roundTrips += 1
      this.#lastFrom = from
      setTimeout(() => destination.write(data), this.oneWayMs)
    })
    source.on('end', () => setTimeout(() => destination.end(), this.oneWayMs))
    source.on('error', () => destination.destroy())
  }

  [Symbol.dispose](): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
  }
}
