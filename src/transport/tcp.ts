// TCP pipes for Node: `tcp://host:port`, IPv6 in brackets (spec/resolve.md §2). Small writes leave at once, and the
// system's keepalive finds peers that vanished. Leaves out TLS: the session encrypts.
import { lookup } from 'node:dns'
import { isIP, type LookupFunction, type Server, type Socket } from 'node:net'
import { formatLocation, parseLocationOf } from '../location.js'
import type { AddressFilter, Listener, Pipe } from './pipe.js'
import { closeServer, dialSocket, listenSocket, SocketPipe, unreachable } from './socket-pipe.js'

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

/** The system's look-up without the addresses that may not be dialled. */
function lookupAllowed(allows: AddressFilter): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      const allowed = error === null ? addresses.filter(({ address }) => allows(address)) : []
      const [first] = allowed
      if (first === undefined) callback(error ?? notAllowed(), [])
      else if (options.all) callback(null, allowed)
      else callback(null, first.address, first.family)
    })
  }
}

function notAllowed(): NodeJS.ErrnoException {
  return Object.assign(new Error('the address is not one of the public internet'), { code: 'EACCES' })
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

/** What brackets in a URI set off is written without them everywhere else. */
function withoutBrackets(host: string): string {
  return host.startsWith('[') ? host.slice(1, -1) : host
}

function boundPort(server: Server): number {
  const address = server.address()
  return address !== null && typeof address === 'object' ? address.port : 0
}

function pipeOf(socket: Socket): Pipe {
  socket.setKeepAlive(true, KEEPALIVE_DELAY_MS)
  const remoteAddress = socket.remoteAddress ?? ''
  return new SocketPipe(socket, { remoteAddress, isLocal: /^(127\.|::1$|::ffff:127\.)/.test(remoteAddress) })
}
