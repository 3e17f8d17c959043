// noisecap on every host: what index.ts (Node) and browser-index.ts (browsers) have in common.
// Leaves out `connect` and `Service`, which each host has with transports of its own.
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
export {
  type Observed,
  type ObservedStatus,
  type ObservedStore,
  type ObserveOptions,
  observe,
} from './observe.js'
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
  type StreamSchema,
  type StreamSource,
  type Stub,
  stream,
  streamOf,
} from './rpc/index.js'
export type { ServiceOptions } from './service.js'
export {
  type Contact,
  type ContactBook,
  type LocalLimits,
  MemoryContactBook,
  type SessionLimits,
} from './session/index.js'
export type { ListenOptions } from './transport/index.js'
