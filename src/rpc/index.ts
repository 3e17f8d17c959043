// Door of the rpc layer: interfaces as values, failures, stubs and the peer that joins them to a session.
export type { CallContext, CallOptions } from './call-options.js'
export type { InternalError } from './dispatch.js'
export { type Exported, Exports, type Permission, type Target } from './exports.js'
export { CallError, Failure, type FailureDetails, type FailureReason } from './failure.js'
export {
  type Calls,
  type Handlers,
  Interface,
  iface,
  type Method,
  type MethodDefinition,
  type MethodOptions,
  type Methods,
  method,
} from './interface.js'
export { Peer, type PeerOptions } from './peer.js'
export type { Presentation } from './presentation.js'
export type { RemoteReference } from './remote-reference.js'
export type { StandardSchema } from './standard-schema.js'
export { type Caller, callerOf, createStub, type Stub } from './stub.js'
