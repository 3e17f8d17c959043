// Message pipes over the WebSockets of the package `ws`, which both Node's client and the server use: one record a message,
// nothing compressed (spec/session.md §12). The package is an optional peer dependency, loaded at first use.
// Leaves out how a WebSocket comes about (websocket-node.ts, websocket-server.ts).
import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'
import { NoisecapError } from '../errors.js'
import { leftToCollector } from '../kept-memory.js'
import { NOISE_MESSAGE_MAX_BYTES } from '../limits.js'
import { type MessageLink, MessagePipe } from './message-pipe.js'
import { isLoopback, type Pipe } from './pipe.js'

/** What a chunk that belongs to no whole message yet costs besides its bytes. */
const CHUNK_OVERHEAD_BYTES = 64
/** What a hello may cost besides its bytes: headers of frames, a ping, and the chunks that it comes in. */
const UNANSWERED_SLACK_BYTES = 4_096
const KEEPALIVE_DELAY_MS = 30_000

/** Options of `ws` for both sides: no compression, messages of one record, put together of few pieces. */
export const WS_OPTIONS = {
  perMessageDeflate: false,
  maxPayload: NOISE_MESSAGE_MAX_BYTES,
  maxFragments: 64,
  maxBufferedChunks: 2_048,
} as const

/** The package, which this process may not have.
 * @throws `transport/unreachable` saying what to install. */
export async function loadWs(location: string): Promise<typeof import('ws')> {
  try {
    return await import('ws')
  } catch (cause) {
    throw new NoisecapError(
      'transport/unreachable',
      `Cannot use ${location}: expected the package "ws", found none`,
      { cause, hint: 'Install it: npm install ws' },
    )
  }
}

/** An open WebSocket as a pipe, at once: from then on it hears of errors.
 * @param socket - what carries it.
 * @param remoteAddress - where the peer is; default where the socket leads. */
export function wsPipe(
  webSocket: WebSocket,
  socket: Socket,
  remoteAddress = socket.remoteAddress ?? '',
): WsPipe {
  socket.setNoDelay(true)
  socket.setKeepAlive(true, KEEPALIVE_DELAY_MS)
  return new WsLink(webSocket, socket).pipe(remoteAddress)
}

/** A pipe, and whether its peer was heard of. */
export interface WsPipe {
  readonly pipe: Pipe
  /** Ask the peer for a sign of life; drops it when it gave none since the last time. */
  ping(): void
}

class WsLink implements MessageLink {
  readonly #webSocket: WebSocket
  readonly #socket: Socket
  #isAlive = true

  constructor(webSocket: WebSocket, socket: Socket) {
    this.#webSocket = webSocket
    this.#socket = socket
  }

  pipe(remoteAddress: string): WsPipe {
    const webSocket = this.#webSocket
    const pipe = new WsMessagePipe(this, { remoteAddress, isLocal: isLoopback(remoteAddress) })
    let error: Error | undefined
    this.#socket.prependListener('data', (chunk: Buffer) => {
      this.#isAlive = true
      leftToCollector(chunk.length)
      pipe.took(chunk.length + CHUNK_OVERHEAD_BYTES)
    })
    this.#socket.on('drain', () => pipe.sent())
    webSocket.on('message', (data, isBinary) => {
      // Never in pieces: that is another `binaryType`.
      if (isBinary && data instanceof Uint8Array) pipe.received(data)
      else pipe.violated('a text')
    })
    webSocket.on('error', (cause) => {
      error ??= cause
    })
    webSocket.on('close', () => pipe.lost(error))
    return { pipe, ping: () => this.#ping(pipe) }
  }

  get bufferedBytes(): number {
    return this.#webSocket.bufferedAmount
  }

  send(message: Uint8Array): void {
    if (this.#webSocket.readyState === this.#webSocket.OPEN) this.#webSocket.send(message)
  }

  cork(): void {
    this.#socket.cork()
  }

  uncork(): void {
    this.#socket.uncork()
  }

  close(): void {
    this.#webSocket.close(1000)
  }

  destroy(): void {
    this.#webSocket.terminate()
  }

  #ping(pipe: Pipe): void {
    if (!this.#isAlive) {
      this.#webSocket.terminate()
      return
    }
    this.#isAlive = false
    if (this.#webSocket.readyState === this.#webSocket.OPEN) this.#webSocket.ping()
    else pipe.destroy()
  }
}

/** A hello comes in frames and chunks, whose cost is counted, too. */
class WsMessagePipe extends MessagePipe {
  override limitUnanswered(maxBytes: number): void {
    super.limitUnanswered(maxBytes + UNANSWERED_SLACK_BYTES)
  }
}
