// WebSocket pipes for Node: `ws://host:port/path`, `wss://…` (spec/resolve.md §2). The package `ws` where it is installed,
// since it tells addresses, bounds messages and gives reasons; else the client that Node brings from version 22 on.
// Leaves out the server (websocket-server.ts).

import { isIP, type Socket } from 'node:net'
import type { WebSocket } from 'ws'
import { addAbortListener, removeAbortListener } from '../abort-listeners.js'
import { NoisecapError } from '../errors.js'
import { lookupAllowed, notAllowed, withoutBrackets } from './allowed-lookup.js'
import type { AddressFilter, Pipe } from './pipe.js'
import { unreachable } from './socket-pipe.js'
import { dialWebSocket as dialNative, nativeWebSocket, webSocketUrl } from './websocket.js'
import { loadWs, WS_OPTIONS, wsPipe } from './ws-link.js'

/** Open a WebSocket.
 * @param location - `ws://host:port/path` or `wss://host:port/path`.
 * @param allows - which addresses may be dialled; all if left out.
 * @throws `transport/bad_location`, `transport/unreachable`; the signal's reason when aborted. */
export async function dialWebSocket(
  location: string,
  signal: AbortSignal,
  allows?: AddressFilter,
): Promise<Pipe> {
  const { host, url } = webSocketUrl(location)
  signal.throwIfAborted()
  const ws = await loadWs(location).catch((missing: unknown) => {
    if (nativeWebSocket() === undefined) throw missing
  })
  if (ws === undefined) return dialNative(location, signal, allows)
  const address = withoutBrackets(host)
  if (allows !== undefined && isIP(address) !== 0 && !allows(address)) {
    throw unreachable(location, notAllowed())
  }
  const filter = allows === undefined ? {} : { lookup: lookupAllowed(allows) }
  signal.throwIfAborted()
  return opened(new ws.WebSocket(url, { ...WS_OPTIONS, ...filter }), location, signal)
}

function opened(webSocket: WebSocket, location: string, signal: AbortSignal): Promise<Pipe> {
  return new Promise((resolve, reject) => {
    let socket: Socket | undefined
    const onAbort = (): void => {
      reject(signal.reason)
      webSocket.terminate()
    }
    const onError = (cause: Error): void => {
      removeAbortListener(signal, onAbort)
      reject(unreachable(location, cause))
    }
    addAbortListener(signal, onAbort)
    webSocket.on('error', onError)
    webSocket.once('unexpected-response', (request, response) => {
      request.destroy()
      onError(new Error(`the server answered ${response.statusCode} instead of a WebSocket`))
    })
    webSocket.once('upgrade', (response) => {
      socket = response.socket
    })
    webSocket.once('open', () => {
      removeAbortListener(signal, onAbort)
      // Told before `open`, always.
      if (socket === undefined) reject(new NoisecapError('transport/unreachable', `Cannot reach ${location}`))
      else resolve(wsPipe(webSocket, socket).pipe)
    })
  })
}
