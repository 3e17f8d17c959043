// Pipes over unix sockets for Node: `unix:/path` (spec/resolve.md §2). Only processes of this machine get there, of the same
// user unless the mode says otherwise, so peers are exempt from limits by address.
// Leaves out how the path is taken (socket-file.ts) and abstract sockets, which have no owner and no mode.
import type { Socket } from 'node:net'
import { formatLocation, parseLocationOf } from '../location.js'
import type { Listener, ListenOptions, Pipe } from './pipe.js'
import { placeSocket } from './socket-file.js'
import { closeServer, dialSocket, listenSocket, SocketPipe } from './socket-pipe.js'

/** Who may connect, unless told otherwise: processes of the same user. */
const OWNER_ONLY = 0o600

/** Options of {@link listenUnix}. */
export type UnixListenOptions = Pick<ListenOptions, 'mode'>

/** Connect to a unix socket.
 * @param location - `unix:/path`.
 * @throws `transport/bad_location`, `transport/unreachable`; the signal's reason when aborted. */
export function dialUnix(location: string, signal: AbortSignal): Promise<Pipe> {
  const { path } = parseLocationOf('unix', location, 'dial')
  return dialSocket({ path }, location, signal, pipeOf)
}

/** Accept connections at a unix socket. What a dead process left at the path is replaced; a socket that somebody answers
 * on, or a file that is no socket, is left alone. The socket's file goes when the listener closes.
 * @param location - `unix:/path`, its directory exists and has at most 90 characters.
 * @throws `transport/bad_location`, `transport/unreachable` when the path cannot be taken. */
export function listenUnix(
  location: string,
  accept: (pipe: Pipe) => void,
  { mode = OWNER_ONLY }: UnixListenOptions = {},
): Promise<Listener> {
  const parsed = parseLocationOf('unix', location, 'listen')
  const bind = (path: string) =>
    // Exclusive: a worker of node:cluster would otherwise have the primary process bind it, under another directory.
    listenSocket({ path, exclusive: true }, location, (socket) => accept(pipeOf(socket)))
  return placeSocket(parsed.path, mode, bind).then(({ server, remove }) => ({
    location: formatLocation(parsed),
    close: () => {
      remove()
      return closeServer(server)
    },
  }))
}

function pipeOf(socket: Socket): SocketPipe {
  return new SocketPipe(socket, { remoteAddress: '', isLocal: true })
}
