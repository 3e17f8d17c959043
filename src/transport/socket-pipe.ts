// Pipes over Node's stream sockets, TCP and unix alike. Half-open sockets are kept: the session's close record, not the
// end of the stream, says that a conversation is over. Leaves out locations and addresses (tcp.ts, unix.ts).

import {
  connect,
  createServer,
  type ListenOptions,
  type NetConnectOpts,
  type Server,
  type Socket,
} from 'node:net'
import { addAbortListener, removeAbortListener } from '../abort-listeners.js'
import { NoisecapError } from '../errors.js'
import { leftToCollector } from '../kept-memory.js'
import type { Pipe, PipeEvents } from './pipe.js'

const LISTEN_BACKLOG = 1_024
/** What one read may bring, bytes: four frames of a stream. */
const READ_BYTES = 131_072

/** Open a socket.
 * @param pipeOf - makes the pipe, at once: from then on it hears of errors.
 * @throws `transport/unreachable`; the signal's reason when aborted. */
export function dialSocket(
  options: NetConnectOpts,
  location: string,
  signal: AbortSignal,
  pipeOf: (socket: Socket) => SocketPipe,
): Promise<Pipe> {
  return new Promise<Pipe>((resolve, reject) => {
    signal.throwIfAborted()
    let pipe: SocketPipe | undefined // which holds the socket back until it is started
    const shared = sharingMemory((bytes) => pipe?.lent(bytes))
    const socket = connect({ ...options, ...shared, allowHalfOpen: true })
    const onAbort = (): void => {
      socket.destroy()
      reject(signal.reason)
    }
    const onError = (cause: NodeJS.ErrnoException): void => {
      removeAbortListener(signal, onAbort)
      reject(unreachable(location, cause))
    }
    addAbortListener(signal, onAbort)
    socket.once('error', onError)
    socket.once('connect', () => {
      removeAbortListener(signal, onAbort)
      socket.removeListener('error', onError)
      pipe = pipeOf(socket)
      resolve(pipe)
    })
  })
}

/** Where all sockets that were dialled are read into, one after the other: 64 KiB of new memory for each read would have the
 * collector run all the time beside a stream. */
let readMemory: Uint8Array<ArrayBuffer> | undefined

/** Have a socket read into the memory that all share. Windows fills memory while others use it; and a server of Node takes no such
 * wish for the sockets that it accepts.
 * @param lend - is given what has arrived, borrowed. */
function sharingMemory(lend: (bytes: Uint8Array) => void): Pick<NetConnectOpts, 'onread'> {
  if (process.platform === 'win32') return {}
  readMemory ??= new Uint8Array(READ_BYTES)
  const buffer = readMemory
  const callback = (length: number): boolean => {
    lend(buffer.subarray(0, length))
    return true
  }
  return { onread: { buffer, callback } }
}

/** Accept sockets.
 * @throws `transport/unreachable` when the address cannot be bound. */
export function listenSocket(
  options: ListenOptions,
  location: string,
  accept: (socket: Socket) => void,
): Promise<Server> {
  return new Promise<Server>((resolve, reject) => {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, accept)
    server.once('error', (cause: NodeJS.ErrnoException) => reject(unreachable(location, cause)))
    server.listen({ ...options, backlog: LISTEN_BACKLOG }, () => {
      server.removeAllListeners('error')
      // Accept errors (out of descriptors) must not end the process; the next accept may succeed.
      server.on('error', () => {})
      resolve(server)
    })
  })
}

/** Accept nothing more.
 * @returns when the last accepted socket is gone, too. */
export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()))
}

/** The port that `server` is bound to. */
export function boundPort(server: Server): number {
  const address = server.address()
  return address !== null && typeof address === 'object' ? address.port : 0
}

/** The error for a location that the system cannot reach or bind. */
export function unreachable(location: string, cause: NodeJS.ErrnoException): NoisecapError {
  return new NoisecapError(
    'transport/unreachable',
    `Cannot reach ${location}: ${cause.code ?? cause.message}`,
    { cause },
  )
}

/** One open socket as a pipe. */
export class SocketPipe implements Pipe {
  readonly framing = 'length'
  readonly remoteAddress: string
  readonly isLocal: boolean
  readonly #socket: Socket
  #events: PipeEvents | undefined
  #error: Error | undefined
  #started = false
  #paused = false
  #ended = false

  /** @param peer - where it is, as {@link Pipe} tells it. */
  constructor(socket: Socket, peer: Pick<Pipe, 'remoteAddress' | 'isLocal'>) {
    this.#socket = socket
    this.remoteAddress = peer.remoteAddress
    this.isLocal = peer.isLocal
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
    this.#started = true
    this.#events = events
    if (socket.destroyed) {
      queueMicrotask(() => events.closed(this.#error))
      return
    }
    socket.on('data', (bytes: Buffer) => {
      leftToCollector(bytes.length)
      events.data(bytes)
    })
    socket.on('drain', () => events.drain())
    socket.on('end', () => events.end())
    socket.on('close', () => events.closed(this.#error))
    if (!this.#paused) socket.resume()
  }

  /** Hand on what has arrived in memory that is read into again. */
  lent(bytes: Uint8Array): void {
    const events = this.#events
    if (events?.lent === undefined) events?.data(bytes.slice())
    else events.lent(bytes)
  }

  write(bytes: Uint8Array): boolean {
    const socket = this.#socket
    if (this.#ended || socket.destroyed) return true
    return socket.write(bytes)
  }

  lend(bytes: Uint8Array, done: (error?: Error | null) => void): boolean {
    const socket = this.#socket
    if (this.#ended || socket.destroyed) return true
    return socket.write(bytes, done)
  }

  cork(): void {
    this.#socket.cork()
  }

  uncork(): void {
    this.#socket.uncork()
  }

  pause(): void {
    this.#paused = true
    this.#socket.pause()
  }

  resume(): void {
    this.#paused = false
    // A socket that flows before anybody listens loses what arrives.
    if (this.#started) this.#socket.resume()
  }

  end(): void {
    this.#ended = true
    this.#socket.end()
  }

  destroy(): void {
    this.#socket.destroy()
  }
}
