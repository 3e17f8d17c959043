// Door of the rpc layer: interfaces as values, failures, references, streams, and the peer that joins them to a session.

export type { StandardSchema } from '../standard-schema.js'
export { pipelined } from './answer-path.js'
export type { CallContext, CallOptions } from './call-options.js'
export { shapeCall } from './call-shape.js'
export type { InternalError } from './execution.js'
export {
  type Authority,
  type Exported,
  Exports,
  type NamedUse,
  type Permission,
  type Target,
} from './exports.js'
export { CallError, Failure, type FailureDetails, type FailureReason } from './failure.js'
export {
  type CallInterceptor,
  InterceptedCaller,
  type OutgoingCall,
} from './intercepted-caller.js'
export {
  bytes,
  Interface,
  iface,
  type MethodOptions,
  type Methods,
  method,
  type Reference,
  stream,
} from './interface.js'
export { type CapabilityOptions, capabilityOf, noCapability } from './introductions.js'
export { callObject, LocalCaller, LocalTarget, reference } from './local-target.js'
export { type Mapped, map } from './map.js'
export type { Metadata } from './metadata.js'
export type { MethodDefinition } from './method-definition.js'
export { NamedTarget, namedReference } from './named-target.js'
export { Peer, type PeerOptions } from './peer.js'
export type { Presentation } from './presentation.js'
export { isProxied, keep, onBroken } from './references.js'
export type { RemoteReference } from './remote-reference.js'
export { isSpent, repeatable } from './repeated-call.js'
export type { Around, Origin, ServedCall, ServiceInterceptor } from './served-call.js'
export type {
  Calls,
  Handlers,
  MaybeDisposable,
  Method,
  NoErrors,
  OrAnswer,
  Pipelined,
  PipelinedList,
  PipelinedReference,
  ReceivedStream,
  ReferencePromise,
  SentReference,
  Shaped,
  StreamMethod,
  StreamSource,
  Stub,
} from './shapes.js'
export { type StreamSchema, streamOf } from './stream-schema.js'
export { byteStream } from './stream-source.js'
export { type Caller, type CallResult, callerOf, createStub } from './stub.js'
