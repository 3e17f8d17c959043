// Node's transports and directories: TCP, unix sockets, WebSockets, and the file registry of this machine.
import { SYSTEM_CLOCK } from './clock.js'
import type { Environment } from './environment.js'
import { FileRegistry } from './resolve/file.js'
import { dialHttp } from './transport/http.js'
import { dialTcp, listenTcp } from './transport/tcp.js'
import { dialUnix, listenUnix } from './transport/unix.js'
import { dialWebSocket } from './transport/websocket-node.js'
import { listenWebSocket } from './transport/websocket-server.js'

let registry: FileRegistry | undefined

/** The default registry, made on first use so that NOISECAP_REGISTRY may be set by then. */
function defaultRegistry(): FileRegistry {
  registry ??= new FileRegistry()
  return registry
}

/** What `connect` and `Service` use in Node. */
export const nodeEnvironment: Environment = {
  transports: new Map([
    ['tcp', { dial: dialTcp, listen: listenTcp }],
    ['unix', { dial: dialUnix, listen: listenUnix }],
    ['ws', { dial: dialWebSocket, listen: listenWebSocket }],
    ['wss', { dial: dialWebSocket }],
    ['http', { dial: dialHttp }],
    ['https', { dial: dialHttp }],
  ]),
  resolvers: () => [defaultRegistry()],
  announcers: () => [defaultRegistry()],
  clock: SYSTEM_CLOCK,
}
