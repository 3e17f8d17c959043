// Door of the session layer: open and accept sessions over a pipe, and what they tell.
export { type AcceptedSession, type AcceptOptions, acceptSession } from './accept.js'
export { Admission, type AdmissionLimits } from './admission.js'
export {
  type CloseOutcome,
  Connection,
  type ConnectionEvents,
  type ConnectionTimes,
  DEFAULT_TIMES,
} from './connection.js'
export {
  type Contact,
  type ContactBook,
  type ContactLookup,
  MemoryContactBook,
} from './contacts.js'
export { mac1Key } from './hello.js'
export { type InitiatedSession, initiateSession } from './initiate.js'
export { DEFAULT_LIMITS, type LocalLimits, localLimitsOf, type SessionLimits } from './parameters.js'
export { presentCapability, presentedParts } from './present.js'
export { namedRefusalError, type Refusal, refusalError } from './refusal-error.js'
export type { HelloQuestion, ServiceIdentity } from './server-handshake.js'
export type { Session } from './session.js'
export {
  type PresentationQuestion,
  type Verdict,
  type Verifier,
  type VerifierKnowledge,
  verifyHello,
  verifyPresentation,
} from './verifier.js'
export { CLOSE_CODES, type CloseReason, nameOfCode, type Status } from './wire.js'
