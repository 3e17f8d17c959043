// noisecap: call objects behind capabilities. This entry point is Node's: TCP and the file registry are built in.
import { type Connect, connectIn } from './connect.js'
import { nodeEnvironment } from './node-environment.js'

export {
  Capability,
  type Claims,
  type ClaimsChecker,
  keyHashText,
  MemoryRevocationSet,
  Registrations,
  type Restrictions,
  type RevocationSet,
  ServiceKey,
} from './capability/index.js'
export { befriend, type Connect, type ConnectOptions } from './connect.js'
export { generateKeyPair, KeyPair, type PublicKey, type SecretKey } from './crypto/index.js'
export type { Via } from './dial.js'
export { type ErrorCode, NoisecapError } from './errors.js'
export { Service } from './node-service.js'
export type { Factory, Offer, OfferContext, OfferMintOptions, OfferOptions } from './offer.js'
export type { PathParams } from './path-template.js'
export {
  byteStream,
  bytes,
  type CallContext,
  CallError,
  type CallInterceptor,
  type CallOptions,
  type Calls,
  type CapabilityOptions,
  capabilityOf,
  Failure,
  type FailureReason,
  type Handlers,
  Interface,
  type InternalError,
  iface,
  isProxied,
  keep,
  type Mapped,
  type MaybeDisposable,
  type Metadata,
  type Method,
  map,
  method,
  type NoErrors,
  type OrAnswer,
  type OutgoingCall,
  onBroken,
  type Pipelined,
  type PipelinedList,
  type PipelinedReference,
  pipelined,
  type ReceivedStream,
  type Reference,
  type ReferencePromise,
  reference,
  type SentReference,
  type ServedCall,
  type ServiceInterceptor,
  type Shaped,
  type StandardSchema,
  type StreamMethod,
  type StreamSource,
  type Stub,
  stream,
} from './rpc/index.js'
export type { ServiceOptions } from './service.js'
export { type Contact, type ContactBook, MemoryContactBook, type SessionLimits } from './session/index.js'

/** Connect to the object behind a capability.
 * @param capability - a Capability or its text; text needs the interface as the next argument.
 * @returns an object with the interface's methods; `using` or `await using` ends the connection.
 * @throws `capability/malformed`, `resolve/not_found`, `transport/unreachable`, `session/no_answer`, `session/denied`,
 * `session/expired`, `session/revoked`; TypeError when no interface is known. */
export const connect: Connect = connectIn(nodeEnvironment)
