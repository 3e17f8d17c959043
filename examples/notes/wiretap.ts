// Somebody on the wire: a TCP proxy before the service that counts and keeps every byte that passes, both ways.
// It sees what anybody on the network would see, and the demo looks for secrets in it.
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

const LENGTH_BYTES = 2

/** One frame as it passed: u16 length and that many bytes (both counted). */
export interface Frame {
  readonly from: 'client' | 'service'
  readonly bytes: number
}

/** A listening proxy; `using` closes it. */
export class Wiretap implements Disposable {
  readonly frames: Frame[] = []
  readonly location: string
  readonly #server: Server
  readonly #sockets: Socket[] = []
  readonly #seen = { client: Buffer.alloc(0), service: Buffer.alloc(0) }
  readonly #framed = { client: 0, service: 0 }

  private constructor(server: Server, target: URL) {
    this.#server = server
    this.location = `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`
    server.on('connection', (client) => {
      const service = connect(Number(target.port), target.hostname)
      this.#join('client', client, service)
      this.#join('service', service, client)
    })
  }

  /** Listen on a free port, and pass everything on to `target`, such as `tcp://127.0.0.1:7000`. */
  static async before(target: string): Promise<Wiretap> {
    const server = createServer({ noDelay: true }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new Wiretap(server, new URL(target))
  }

  /** Bytes that came from one side. */
  bytes(from: Frame['from']): number {
    return this.#seen[from].length
  }

  /** How often the client spoke and then heard an answer. */
  get roundTrips(): number {
    return this.frames.filter(({ from }, i) => from === 'service' && this.frames[i - 1]?.from === 'client')
      .length
  }

  /** Whether `text` passed in clear, in either direction. */
  saw(text: string): boolean {
    return this.#seen.client.includes(text) || this.#seen.service.includes(text)
  }

  [Symbol.dispose](): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
  }

  #join(from: Frame['from'], source: Socket, destination: Socket): void {
    this.#sockets.push(source)
    source.on('data', (data) => {
      this.#seen[from] = Buffer.concat([this.#seen[from], data])
      this.#cutFrames(from)
      destination.write(data)
    })
    source.on('end', () => destination.end())
    source.on('error', () => destination.destroy())
  }

  #cutFrames(from: Frame['from']): void {
    for (;;) {
      const rest = this.#seen[from].subarray(this.#framed[from])
      if (rest.length < LENGTH_BYTES) return
      const bytes = LENGTH_BYTES + rest.readUInt16BE(0)
      if (rest.length < bytes) return
      this.#framed[from] += bytes
      this.frames.push({ from, bytes })
    }
  }
}
