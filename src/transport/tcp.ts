// TCP pipes for Node: `tcp://host:port`, IPv6 in brackets. Half-open sockets are kept (the session's close record,
// not FIN, says that a conversation is over). Leaves out TLS: the session encrypts.
import { createServer, isIPv6, connect as netConnect, type Server, type Socket } from 'node:net'
import { NoisecapError } from '../errors.js'
import { LOCATION_MAX_CHARS } from '../limits.js'
import type { Listener, Pipe, PipeEvents } from './pipe.js'

const KEEPALIVE_DELAY_MS = 30_000
const LISTEN_BACKLOG = 1_024

/** Open a TCP connection.
 * @param location - `tcp://host:port`.
 * @throws `transport/bad_location`, `transport/unreachable`; the signal's reason when aborted. */
export function dialTcp(location: string, signal: AbortSignal): Promise<Pipe> {
  const { host, port } = parseTcpLocation(location)
  return new Promise<Pipe>((resolve, reject) => {
    signal.throwIfAborted()
    const socket = netConnect({ host, port, allowHalfOpen: true, noDelay: true })
    const onAbort = (): void => {
      socket.destroy()
      reject(signal.reason)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    socket.once('error', (cause: NodeJS.ErrnoException) => {
      signal.removeEventListener('abort', onAbort)
      reject(unreachable(location, cause))
    })
    socket.once('connect', () => {
      signal.removeEventListener('abort', onAbort)
      socket.removeAllListeners('error')
      resolve(new TcpPipe(socket))
    })
  })
}

/** Accept TCP connections.
 * @param location - `tcp://host:port`; port 0 takes a free one, which `Listener.location` tells.
 * @throws `transport/bad_location`, `transport/unreachable` when the address cannot be bound. */
export function listenTcp(location: string, accept: (pipe: Pipe) => void): Promise<Listener> {
  const { host, port } = parseTcpLocation(location)
  return new Promise<Listener>((resolve, reject) => {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
      accept(new TcpPipe(socket)),
    )
    server.once('error', (cause: NodeJS.ErrnoException) => reject(unreachable(location, cause)))
    server.listen({ host, port, backlog: LISTEN_BACKLOG }, () => {
      server.removeAllListeners('error')
      // Accept errors (out of descriptors) must not end the process; the next accept may succeed.
      server.on('error', () => {})
      resolve({ location: tcpLocation(host, boundPort(server)), close: () => closeServer(server) })
    })
  })
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()))
}

function boundPort(server: Server): number {
  const address = server.address()
  return address !== null && typeof address === 'object' ? address.port : 0
}

function tcpLocation(host: string, port: number): string {
  return isIPv6(host) ? `tcp://[${host}]:${port}` : `tcp://${host}:${port}`
}

function parseTcpLocation(location: string): { host: string; port: number } {
  const match =
    location.length <= LOCATION_MAX_CHARS
      ? /^tcp:\/\/(?:\[([^\]]+)\]|([^:/?#[\]]+)):(\d{1,5})$/.exec(location)
      : null
  const host = match?.[1] ?? match?.[2]
  const port = Number(match?.[3])
  if (host === undefined || port > 65_535 || (match?.[1] !== undefined && !isIPv6(host))) {
    throw new NoisecapError(
      'transport/bad_location',
      `Cannot use location: expected tcp://host:port, got ${JSON.stringify(location.slice(0, 80))}`,
    )
  }
  return { host, port }
}

function unreachable(location: string, cause: NodeJS.ErrnoException): NoisecapError {
  return new NoisecapError(
    'transport/unreachable',
    `Cannot reach ${location}: ${cause.code ?? cause.message}`,
    { cause },
  )
}

class TcpPipe implements Pipe {
  readonly framing = 'length'
  readonly remoteAddress: string
  readonly isLocal: boolean
  readonly #socket: Socket
  #error: Error | undefined
  #paused = false

  constructor(socket: Socket) {
    this.#socket = socket
    this.remoteAddress = socket.remoteAddress ?? ''
    this.isLocal = /^(127\.|::1$|::ffff:127\.)/.test(this.remoteAddress)
    socket.setKeepAlive(true, KEEPALIVE_DELAY_MS)
    socket.pause()
    // Kept from the first moment: an error before `start` must not be an uncaught exception.
    socket.on('error', (error) => {
      this.#error ??= error
    })
  }

  get waitingBytes(): number {
    return this.#socket.writableLength
  }

  start(events: PipeEvents): void {
    const socket = this.#socket
    if (socket.destroyed) {
      queueMicrotask(() => events.closed(this.#error))
      return
    }
    socket.on('data', (bytes: Buffer) => events.data(bytes))
    socket.on('drain', () => events.drain())
    socket.on('end', () => events.end())
    socket.on('close', () => events.closed(this.#error))
    if (!this.#paused) socket.resume()
  }

  write(bytes: Uint8Array): boolean {
    const socket = this.#socket
    if (socket.destroyed || socket.writableEnded) return true
    return socket.write(bytes)
  }

  pause(): void {
    this.#paused = true
    this.#socket.pause()
  }

  resume(): void {
    this.#paused = false
    this.#socket.resume()
  }

  end(): void {
    this.#socket.end()
  }

  destroy(): void {
    this.#socket.destroy()
  }
}
