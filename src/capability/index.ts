// Door of the capability layer, free of Node: capabilities, minting, verifying, judging, revocation.
// Key files and the revocation file are behind `noisecap/capability/files`.
export { type Authenticated, authenticate, linkIds } from './authenticate.js'
export { Capability, type HintOptions } from './capability.js'
export { CAPABILITY_SCAN_PATTERN } from './capability-uri.js'
export { type CaveatView, PATTERN_NAMES, type PatternName } from './caveats.js'
export { type Claims, type Grant, isObjectPath, USES, type Use } from './grant.js'
export { readHolderSalts } from './holder-salts.js'
export type { InterfaceDescription, MethodNameOf, NarrowedTo } from './interface-description.js'
export {
  allowedMethods,
  allowedPatterns,
  allowsMethod,
  auditTrail,
  type Circumstances,
  type ClaimsChecker,
  DENIED_BY,
  type DenialReason,
  expiresAt,
  type Judged,
  judge,
  judgeClaims,
  judgeHolder,
  judgeTime,
  notBefore,
} from './judge.js'
export { KEY_HASH_TEXT_CHARS, type KeyHash, keyHash, keyHashText } from './keys.js'
export { type MintOptions, mint } from './mint.js'
export { Registration, type RegistrationOptions, Registrations } from './registration.js'
export { durationSeconds, type Restrictions } from './restrictions.js'
export {
  MemoryRevocationSet,
  type RevocationChange,
  type RevocationId,
  type RevocationListener,
  type RevocationSet,
} from './revocation.js'
export { RootSecrets } from './roots.js'
export type { SealedUnder, SealJudgement, ShownCapability } from './sealed-use.js'
export { ServiceKey } from './service-key.js'
export {
  CONTACT_TAG_BYTES,
  type ContactKey,
  contactDay,
  contactTag,
  type ProofPurpose,
  UseKeys,
} from './use-keys.js'
export { type Authority, type Denied, type ServiceAuthority, Verified, verify } from './verify.js'
