// The server of WebSocket pipes for Node, by the package `ws` (an optional peer dependency): behind a path of an HTTP
// server that is there, Express and Fastify included, or on a port of its own (spec/session.md §12).
// A page of another origin is refused unless it is listed: not since it could do anything without a capability, but since it
// need not get as far. Leaves out TLS, which is the HTTP server's, and everything behind the pipe.
import { createServer, type Server as HttpServer, type IncomingMessage } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import { NoisecapError } from '../errors.js'
import { WEBSOCKET_PING_INTERVAL_MS } from '../limits.js'
import { formatLocation, parseLocation } from '../location.js'
import { withoutBrackets } from './allowed-lookup.js'
import { allowsOrigin } from './origins.js'
import type { Listener, ListenOptions, Pipe } from './pipe.js'
import { boundPort, closeServer, unreachable } from './socket-pipe.js'
import { loadWs, WS_OPTIONS, type WsPipe, wsPipe } from './ws-link.js'

const HEADERS_DEADLINE_MS = 5_000
const HEADERS_MAX_BYTES = 8_192
const LISTEN_BACKLOG = 1_024

/** Options of {@link attachWebSocket} and {@link listenWebSocket}. */
export interface WebSocketOptions extends Pick<ListenOptions, 'origins'> {
  /** Where a client is, for admission control: needed behind a reverse proxy, whose own address all of them have. Default
   * where the socket leads. Take only a header that the proxy sets itself. */
  readonly remoteAddress?: ((request: IncomingMessage) => string | undefined) | undefined
  /** How often to ask a client for a sign of life, ms, default 30,000: who gave none until the next time is dropped. */
  readonly pingIntervalMs?: number | undefined
}

/** A path of an HTTP server that takes WebSockets. */
export interface AttachedWebSocket {
  /** Take no more; open pipes stay. */
  close(): void
}

/** Take WebSockets at a path of an HTTP server: that of `app.listen()` with Express, `fastify.server` with Fastify.
 * Other paths are left to others; without others they are answered 404.
 * @param path - begins with a slash; a query is ignored.
 * @param accept - gets each pipe: `(pipe) => service.accept(pipe)`.
 * @throws `transport/unreachable` when the package `ws` is missing; RangeError for a path that is none. */
export async function attachWebSocket(
  server: HttpServer | HttpsServer,
  path: string,
  accept: (pipe: Pipe) => void,
  options: WebSocketOptions = {},
): Promise<AttachedWebSocket> {
  if (!path.startsWith('/')) throw new RangeError(`Cannot attach: expected a path that begins with /`)
  const { WebSocketServer } = await loadWs(`WebSockets at ${path}`)
  // A client's list of subprotocols stands for nothing here: none is chosen.
  const webSockets = new WebSocketServer({
    ...WS_OPTIONS,
    noServer: true,
    clientTracking: false,
    handleProtocols: () => false,
  })
  const pinging = new Pinging(options.pingIntervalMs ?? WEBSOCKET_PING_INTERVAL_MS)
  const onUpgrade = (request: IncomingMessage, stream: Duplex, head: Buffer): void => {
    // The socket of an HTTP server; also of one with TLS.
    const socket = stream as Socket
    if (request.url?.split('?', 1)[0] !== path) {
      if (server.listenerCount('upgrade') === 1) refuse(socket, '404 Not Found')
      return
    }
    const { origin, host } = request.headers
    if (!allowsOrigin(origin, host, options.origins)) {
      refuse(socket, '403 Forbidden')
      return
    }
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      const opened = wsPipe(webSocket, socket, options.remoteAddress?.(request))
      pinging.add(opened, webSocket)
      accept(opened.pipe)
    })
  }
  server.on('upgrade', onUpgrade)
  return { close: () => void server.off('upgrade', onUpgrade) }
}

/** Listen for WebSockets on a port of their own; any other request is answered 426.
 * @param location - `ws://host:port/path`; port 0 takes a free one, which `Listener.location` tells. For `wss://` put an
 * HTTPS server or a proxy with TLS before it.
 * @throws `transport/bad_location`, `transport/unreachable` when the address cannot be bound or `ws` is missing. */
export async function listenWebSocket(
  location: string,
  accept: (pipe: Pipe) => void,
  options: WebSocketOptions = {},
): Promise<Listener> {
  const parsed = parseLocation(location, 'listen')
  if (parsed.scheme !== 'ws') {
    throw new NoisecapError('transport/bad_location', `Cannot listen: expected ws:, got ${parsed.scheme}:`, {
      hint: 'For wss: attach to an HTTPS server with attachWebSocket, or listen at ws: behind a proxy with TLS',
    })
  }
  const server = createServer(
    {
      maxHeaderSize: HEADERS_MAX_BYTES,
      headersTimeout: HEADERS_DEADLINE_MS,
      requestTimeout: HEADERS_DEADLINE_MS,
      connectionsCheckingInterval: 1_000,
    },
    (_request, response) => response.writeHead(426, { connection: 'close', upgrade: 'websocket' }).end(),
  )
  await attachWebSocket(server, parsed.path, accept, options)
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(unreachable(location, cause)))
    server.listen({ host: withoutBrackets(parsed.host), port: parsed.port, backlog: LISTEN_BACKLOG }, resolve)
  })
  server.removeAllListeners('error')
  // Accept errors (out of descriptors) must not end the process; the next accept may succeed.
  server.on('error', () => {})
  return {
    location: formatLocation({ ...parsed, port: boundPort(server) }),
    close: () => closeServer(server),
  }
}

function refuse(socket: Socket, status: string): void {
  socket.on('error', () => {})
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
  // Whoever does not close his side is not waited for.
  socket.destroySoon()
}

/** Asks all open WebSockets of a path for signs of life; one timer for all, and none without any. */
class Pinging {
  readonly #intervalMs: number
  readonly #pipes = new Set<WsPipe>()
  #timer: NodeJS.Timeout | undefined

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs
  }

  add(pipe: WsPipe, webSocket: WebSocket): void {
    this.#pipes.add(pipe)
    webSocket.on('close', () => this.#remove(pipe))
    this.#timer ??= setInterval(() => this.#ping(), this.#intervalMs).unref()
  }

  #remove(pipe: WsPipe): void {
    this.#pipes.delete(pipe)
    if (this.#pipes.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #ping(): void {
    for (const pipe of this.#pipes) pipe.ping()
  }
}
