// TCP pipes for Node: `tcp://host:port`, IPv6 in brackets (spec/resolve.md §2). Small writes leave at once, and the
// system's keepalive finds peers that vanished. Leaves out TLS: the session encrypts.
import { isIP, type Socket } from 'node:net'
import { formatLocation, parseLocationOf } from '../location.js'
import { lookupAllowed, notAllowed, withoutBrackets } from './allowed-lookup.js'
import { type AddressFilter, isLoopback, type Listener, type Pipe } from './pipe.js'
import { boundPort, closeServer, dialSocket, listenSocket, SocketPipe, unreachable } from './socket-pipe.js'

const KEEPALIVE_DELAY_MS = 30_000

/** Open a TCP connection.
 * @param location - `tcp://host:port`.
 * @param allows - which addresses may be dialled; all if left out.
 * @throws `transport/bad_location`, `transport/unreachable`; the signal's reason when aborted. */
export function dialTcp(location: string, signal: AbortSignal, allows?: AddressFilter): Promise<Pipe> {
  const { host: written, port } = parseLocationOf('tcp', location, 'dial')
  const host = withoutBrackets(written)
  if (allows !== undefined && isIP(host) !== 0 && !allows(host)) {
    return Promise.reject(unreachable(location, notAllowed()))
  }
  const filter = allows === undefined ? {} : { lookup: lookupAllowed(allows) }
  return dialSocket({ host, port, noDelay: true, ...filter }, location, signal, pipeOf)
}

/** Accept TCP connections.
 * @param location - `tcp://host:port`; port 0 takes a free one, which `Listener.location` tells.
 * @throws `transport/bad_location`, `transport/unreachable` when the address cannot be bound. */
export function listenTcp(location: string, accept: (pipe: Pipe) => void): Promise<Listener> {
  const { host, port } = parseLocationOf('tcp', location, 'listen')
  return listenSocket({ host: withoutBrackets(host), port }, location, (socket) =>
    accept(pipeOf(socket)),
  ).then((server) => ({
    location: formatLocation({ scheme: 'tcp', host, port: boundPort(server) }),
    close: () => closeServer(server),
  }))
}

function pipeOf(socket: Socket): SocketPipe {
  socket.setKeepAlive(true, KEEPALIVE_DELAY_MS)
  const remoteAddress = socket.remoteAddress ?? ''
  return new SocketPipe(socket, { remoteAddress, isLocal: isLoopback(remoteAddress) })
}
