// WebSocket pipes where the platform brings a client: browsers, workers, Deno, Bun and Node from 22 on. One record a
// message (spec/session.md §12); locations `ws://host:port/path` and `wss://…` (spec/resolve.md §2).
// A browser tells neither the peer's address nor why a connection failed. Leaves out Node's own client (websocket-node.ts)
// and the server (websocket-server.ts).
import { addAbortListener, removeAbortListener } from '../abort-listeners.js'
import { NoisecapError } from '../errors.js'
import { NOISE_MESSAGE_MAX_BYTES, SOCKET_HIGH_WATER_BYTES } from '../limits.js'
import { formatLocation, parseLocation } from '../location.js'
import { type MessageLink, MessagePipe } from './message-pipe.js'
import { type AddressFilter, isLoopback, type Pipe } from './pipe.js'

/** Browsers have no event for a buffer that shrank, so it is looked at, ms. */
const BUFFER_POLL_MS = 5
/** Either says that it is over: browsers tell `close` behind every `error`, Node 20 and 22 not always. */
const FAILURES = ['error', 'close'] as const

/** What is used of the WebSocket of the platform. */
interface NativeWebSocket {
  binaryType: string
  readonly bufferedAmount: number
  send(data: Uint8Array): void
  close(code?: number): void
  addEventListener(type: string, listener: (event: { readonly data?: unknown }) => void): void
  removeEventListener(type: string, listener: (event: { readonly data?: unknown }) => void): void
}
type NativeConstructor = new (url: string) => NativeWebSocket

/** Open a WebSocket with the client that the platform brings.
 * @param location - `ws://host:port/path` or `wss://host:port/path`.
 * @param allows - which addresses may be dialled; with it only an address is, since nobody tells what a name stands for.
 * @throws `transport/bad_location`, `transport/unreachable`; the signal's reason when aborted. */
export function dialWebSocket(location: string, signal: AbortSignal, allows?: AddressFilter): Promise<Pipe> {
  const { host, url } = webSocketUrl(location)
  const Native = nativeWebSocket()
  if (Native === undefined) return Promise.reject(unreachable(location, 'this platform has no WebSocket'))
  const address = addressOf(host)
  if (allows !== undefined && (address === '' || !allows(address))) {
    return Promise.reject(unreachable(location, 'the address is not one of the public internet'))
  }
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const socket = open(Native, url, location)
    const stop = (error: unknown): void => {
      removeAbortListener(signal, onAbort)
      socket.removeEventListener('open', onOpen)
      for (const type of FAILURES) socket.removeEventListener(type, onFailure)
      reject(error)
    }
    const onAbort = (): void => {
      stop(signal.reason)
      socket.close()
    }
    const onFailure = (): void => stop(unreachable(location, 'the connection failed'))
    const onOpen = (): void => {
      removeAbortListener(signal, onAbort)
      for (const type of FAILURES) socket.removeEventListener(type, onFailure)
      const isLocal = isLoopback(address) || host === 'localhost'
      resolve(new NativeLink(socket).pipe({ remoteAddress: address, isLocal }))
    }
    addAbortListener(signal, onAbort)
    socket.addEventListener('open', onOpen)
    for (const type of FAILURES) socket.addEventListener(type, onFailure)
  })
}

/** The WebSocket of this platform, if it has one. */
export function nativeWebSocket(): NativeConstructor | undefined {
  return (globalThis as { readonly WebSocket?: NativeConstructor }).WebSocket
}

/** The URL of a location of WebSockets.
 * @throws `transport/bad_location`. */
export function webSocketUrl(location: string): { readonly host: string; readonly url: string } {
  const parsed = parseLocation(location)
  if (parsed.scheme !== 'ws' && parsed.scheme !== 'wss') {
    throw new NoisecapError(
      'transport/bad_location',
      `Cannot use location: expected ws: or wss:, got ${parsed.scheme}:`,
    )
  }
  return { host: parsed.host, url: formatLocation(parsed) }
}

/** A page of https may not open ws://, a Content-Security-Policy may forbid it: such a constructor throws. */
function open(Native: NativeConstructor, url: string, location: string): NativeWebSocket {
  try {
    const socket = new Native(url)
    socket.binaryType = 'arraybuffer'
    return socket
  } catch (cause) {
    throw unreachable(location, 'the platform refuses to open it', cause)
  }
}

function unreachable(location: string, reason: string, cause?: unknown): NoisecapError {
  return new NoisecapError('transport/unreachable', `Cannot reach ${location}: ${reason}`, {
    ...(cause === undefined ? {} : { cause }),
    hint: 'Check that the server runs, allows the Origin of this page, and that an https page dials wss:',
  })
}

/** The host where it is an address, as sockets write it; empty for a name. */
export function addressOf(host: string): string {
  if (host.startsWith('[')) return host.slice(1, -1)
  return /^[0-9.]+$/.test(host) ? host : ''
}

class NativeLink implements MessageLink {
  readonly #socket: NativeWebSocket
  #pipe: MessagePipe | undefined
  #poll: ReturnType<typeof setTimeout> | undefined
  #isOpen = true

  constructor(socket: NativeWebSocket) {
    this.#socket = socket
  }

  pipe(peer: Pick<Pipe, 'remoteAddress' | 'isLocal'>): Pipe {
    const pipe = new MessagePipe(this, peer)
    this.#pipe = pipe
    this.#socket.addEventListener('message', ({ data }) => {
      if (!(data instanceof ArrayBuffer)) pipe.violated('a text')
      else if (data.byteLength > NOISE_MESSAGE_MAX_BYTES) pipe.violated('a message longer than a record')
      else pipe.received(new Uint8Array(data))
    })
    for (const type of FAILURES) {
      this.#socket.addEventListener(type, () => {
        this.#stop()
        pipe.lost()
      })
    }
    return pipe
  }

  get bufferedBytes(): number {
    return this.#isOpen ? this.#socket.bufferedAmount : 0
  }

  send(message: Uint8Array): void {
    if (!this.#isOpen) return
    this.#socket.send(message)
    if (this.#poll === undefined && this.bufferedBytes >= SOCKET_HIGH_WATER_BYTES / 2) this.#watch()
  }

  close(): void {
    this.#stop()
    this.#socket.close(1000)
  }

  destroy(): void {
    this.close()
  }

  #stop(): void {
    this.#isOpen = false
    clearTimeout(this.#poll)
  }

  #watch(): void {
    this.#poll = setTimeout(() => {
      this.#poll = undefined
      if (!this.#isOpen) return
      this.#pipe?.sent()
      if (this.#poll === undefined && this.bufferedBytes > 0) this.#watch()
    }, BUFFER_POLL_MS)
  }
}
