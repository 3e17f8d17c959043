// Node's transports and directories: TCP, and the file registry of this machine.
import type { Environment } from './environment.js'
import { FileRegistry } from './resolve/file.js'
import { dialTcp, listenTcp } from './transport/tcp.js'

let registry: FileRegistry | undefined

/** The default registry, made on first use so that NOISECAP_REGISTRY may be set by then. */
function defaultRegistry(): FileRegistry {
  registry ??= new FileRegistry()
  return registry
}

/** What `connect` and `Service` use in Node. */
export const nodeEnvironment: Environment = {
  transports: new Map([['tcp', { dial: dialTcp, listen: listenTcp }]]),
  resolvers: () => [defaultRegistry()],
  announcers: () => [defaultRegistry()],
}
