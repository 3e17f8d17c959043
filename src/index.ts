// noisecap: call objects behind capabilities. This entry point is Node's: TCP, WebSockets and the file registry are built in.
import { type Connect, connectIn } from './connect.js'
import { nodeEnvironment } from './node-environment.js'

export { Service } from './node-service.js'
export * from './portable.js'

/** Connect to the object behind a capability.
 * @param capability - a Capability or its text; text needs the interface as the next argument.
 * @returns an object with the interface's methods; `using` or `await using` ends the connection.
 * @throws `capability/malformed`, `resolve/not_found`, `transport/unreachable`, `session/no_answer`, `session/denied`,
 * `session/expired`, `session/revoked`; TypeError when no interface is known. */
export const connect: Connect = connectIn(nodeEnvironment)
