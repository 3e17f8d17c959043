// noisecap: call objects behind capabilities. This entry point is that of browsers: WebSockets are built in, and a
// capability has to say where its service is, since a page can ask no directory.
import { browserEnvironment } from './browser-environment.js'
import { type Connect, connectIn } from './connect.js'

export { Service } from './browser-service.js'
export * from './portable.js'

/** Connect to the object behind a capability.
 * @param capability - a Capability or its text; text needs the interface as the next argument.
 * @returns an object with the interface's methods; `using` or `await using` ends the connection.
 * @throws `capability/malformed`, `resolve/not_found`, `transport/unreachable`, `session/no_answer`, `session/denied`,
 * `session/expired`, `session/revoked`; TypeError when no interface is known. */
export const connect: Connect = connectIn(browserEnvironment)
