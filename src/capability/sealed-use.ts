// A capability under which something was sealed: what its writer shows of it, and its judgement by a reader of seals
// (spec/seal.md §5, §6). `ServiceKey.authority()` brings this along, so that a page that reads bare seals loads none of it.
// Leaves out the encryption of what is shown, and the errors (src/seal).
import { hexEncode } from '../bytes.js'
import { asPublicKey, type PublicKey } from '../crypto/index.js'
import type { Dcbor } from '../dcbor.js'
import { SEAL_LOCATOR_PADDING_BYTES } from '../limits.js'
import { decodePaddedItem } from '../padded-item.js'
import type { PatternName } from './caveats.js'
import type { Grant } from './grant.js'
import { readHolderSalts } from './holder-salts.js'
import {
  allowedPatterns,
  auditTrail,
  type ClaimsChecker,
  DENIED_BY,
  type Judged,
  judgeClaims,
  judgeHolder,
} from './judge.js'

/** A capability that was shown to be genuine; a `Verified` is one. */
export interface GenuineCapability extends Judged {
  readonly minted: Grant
  readonly grant: Grant
  readonly ids: readonly Uint8Array[]
}

/** What a reader of seals needs of this layer. */
export interface SealJudgement {
  decodeShown(padded: Uint8Array): ShownCapability | undefined
  denialOf(verified: GenuineCapability, use: SealedUse): string | undefined
  describe(verified: GenuineCapability): SealedUnder
  judgeTime(judged: Judged, now: number): 'ok' | 'expired' | 'not_yet_valid'
}

/** What a writer shows: enough to recompute the PSK of its capability. */
export interface ShownCapability {
  readonly locator: Uint8Array
  readonly holderSalts: readonly Uint8Array[]
  /** K: the writer's public key. */
  readonly writer: PublicKey | undefined
}

/** Circumstances of a seal that do not change with time. */
export interface SealedUse {
  /** Object paths that may be written to. */
  readonly objects: 'any' | readonly string[]
  /** Sessions' words for what its writer does; one of them has to be allowed. */
  readonly patterns: readonly PatternName[]
  /** The proven key, undefined for an anonymous writer. */
  readonly writer: PublicKey | undefined
  readonly holderSalts: readonly Uint8Array[]
  readonly checkClaims: ClaimsChecker | undefined
}

/** The capability under which a value was sealed. */
export interface SealedUnder {
  readonly grant: Grant
  /** Ids of all its links, hexadecimal, outermost first. */
  readonly ids: readonly string[]
  /** What delegators said of themselves; proof of nothing. */
  readonly auditTrail: readonly string[]
}

const KEY_BYTES = 32

/** What stands in the plaintext of a sealed locator; undefined where it has another shape. */
export function decodeShown(padded: Uint8Array): ShownCapability | undefined {
  const item = decodePaddedItem(padded, SEAL_LOCATOR_PADDING_BYTES)
  if (!Array.isArray(item) || item.length !== 3) return undefined
  const [locator, salts, writer] = item as readonly Dcbor[]
  const holderSalts = readHolderSalts(salts)
  if (!(locator instanceof Uint8Array) || holderSalts === undefined) return undefined
  if (writer === null) return { locator, holderSalts, writer: undefined }
  if (!(writer instanceof Uint8Array) || writer.length !== KEY_BYTES) return undefined
  return { locator, holderSalts, writer: asPublicKey(writer) }
}

/** The part of a genuine capability that does not allow `use`, undefined where all of it does. */
export function denialOfSeal(verified: GenuineCapability, use: SealedUse): string | undefined {
  const { caveats, grant } = verified
  if (caveats.some(({ type }) => type === 'unknown')) return caveat('unknown_caveat')
  if (grant.use !== 'seal') return 'use'
  if (use.objects !== 'any' && !use.objects.includes(grant.object)) return 'object path'
  // A list of methods allows calls, and sealing is none.
  if (caveats.some(({ type }) => type === 'methods')) return caveat('method')
  const allowed = allowedPatterns(verified)
  if (!use.patterns.some((name) => allowed.includes(name))) return caveat('pattern')
  if (judgeHolder(verified, use.writer, use.holderSalts) !== 'ok') return caveat('holder')
  return judgeClaims(verified, use.checkClaims) === 'ok' ? undefined : caveat('claims')
}

/** What a reader learns of a capability. */
export function describeUse(verified: GenuineCapability): SealedUnder {
  return { grant: verified.grant, ids: verified.ids.map(hexEncode), auditTrail: auditTrail(verified) }
}

function caveat(reason: keyof typeof DENIED_BY): string {
  return `${DENIED_BY[reason]} caveat`
}
