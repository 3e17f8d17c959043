// Node's transports and directories: TCP, unix sockets, WebSockets, HTTP, and the file registry of this machine. All but TCP is
// loaded when it is first used: what is parsed and never run is a good part of a short process.
import { SYSTEM_CLOCK } from './clock.js'
import type { Environment } from './environment.js'
import type { FileRegistry } from './resolve/file.js'
import type { Announcer, Resolver } from './resolve/index.js'
import type { Dial, Listen } from './transport/index.js'
import { dialTcp, listenTcp } from './transport/tcp.js'

const unix = () => import('./transport/unix.js')

const dialUnix: Dial = async (location, signal) => (await unix()).dialUnix(location, signal)
const listenUnix: Listen = async (...args) => (await unix()).listenUnix(...args)
const dialWebSocket: Dial = async (...args) =>
  (await import('./transport/websocket-node.js')).dialWebSocket(...args)
const listenWebSocket: Listen = async (...args) =>
  (await import('./transport/websocket-server.js')).listenWebSocket(...args)
const dialHttp: Dial = async (...args) => (await import('./transport/http.js')).dialHttp(...args)

let registry: FileRegistry | undefined

/** The default registry, made on first use so that NOISECAP_REGISTRY may be set by then. */
async function defaultRegistry(): Promise<FileRegistry> {
  const file = await import('./resolve/file.js')
  registry ??= new file.FileRegistry()
  return registry
}

const lateRegistry: Resolver & Announcer = {
  /** Tells the directory once it was asked. */
  get name() {
    return registry?.name ?? 'file registry'
  },
  resolve: async (...args) => (await defaultRegistry()).resolve(...args),
  announce: async (...args) => (await defaultRegistry()).announce(...args),
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
  resolvers: () => [lateRegistry],
  announcers: () => [lateRegistry],
  clock: SYSTEM_CLOCK,
}
