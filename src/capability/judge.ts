// Judging caveats: each is a predicate, all must hold, and none is merged by overwriting; spec/capability.md §7.
// Pure: time, pattern, client key and checker are arguments, so a session, a dispatch and an opened record judge alike.
// Leaves out authenticity (verify.ts) and revocation (revocation.ts).
import { equalConstantTime, hexDecode } from '../bytes.js'
import type { PublicKey } from '../crypto/index.js'
import { CLOCK_LEEWAY_SECONDS } from '../limits.js'
import { type CaveatView, PATTERN_NAMES, type PatternName } from './caveats.js'
import type { Claims, Grant, Use } from './grant.js'
import { sinceObject } from './object-caveat.js'
import { holderCommitment } from './restrictions.js'

/** Anything whose caveats can be judged: a {@link Verified} at the service, a {@link Capability} at its holder. */
export interface Judged {
  readonly caveats: readonly CaveatView[]
}

/** Why a genuine holder is denied. */
export type DenialReason =
  | 'unknown_caveat'
  | 'use'
  | 'expired'
  | 'not_yet_valid'
  | 'pattern'
  | 'holder'
  | 'claims'
  | 'method'

/** The part of a capability that each reason speaks of, so that its holder can be told. */
export const DENIED_BY = {
  unknown_caveat: 'unknown',
  use: 'use',
  expired: 'expires',
  not_yet_valid: 'notBefore',
  pattern: 'patterns',
  holder: 'holder',
  claims: 'claims',
  method: 'methods',
} as const satisfies Record<DenialReason, CaveatView['type'] | 'use'>

/** What is known of a session when its status is due. */
export interface Circumstances {
  /** Unix seconds of a clock that the judge trusts. */
  readonly now: number
  readonly pattern: PatternName
  readonly use: Use
}

/** Whether `verified` may be used in these circumstances; holder, claims and methods are judged apart, later.
 * @returns the first reason against it, or `ok`. */
export function judge(
  verified: Judged & { readonly grant: Grant },
  { now, pattern, use }: Circumstances,
): 'ok' | 'unknown_caveat' | 'use' | 'expired' | 'not_yet_valid' | 'pattern' {
  if (verified.caveats.some(({ type }) => type === 'unknown')) return 'unknown_caveat'
  if (verified.grant.use !== use) return 'use'
  const time = judgeTime(verified, now)
  if (time !== 'ok') return time
  return allowedPatterns(verified).includes(pattern) ? 'ok' : 'pattern'
}

/** Whether `now` lies within every time caveat, give or take 60 s; cheap enough for every dispatch.
 * @param now - Unix seconds. */
export function judgeTime(judged: Judged, now: number): 'ok' | 'expired' | 'not_yet_valid' {
  const expires = expiresAt(judged)
  // Written so that a clock that reads NaN denies.
  if (expires !== undefined && !(now < expires + CLOCK_LEEWAY_SECONDS)) return 'expired'
  const starts = notBefore(judged)
  if (starts !== undefined && !(now >= starts - CLOCK_LEEWAY_SECONDS)) return 'not_yet_valid'
  return 'ok'
}

/** Whether the proven client key satisfies every holder caveat; two different holders are satisfied by nobody.
 * @param clientKey - undefined for an anonymous client.
 * @param salts - one for each holder caveat, in the order of those, as the client sent them. */
export function judgeHolder(
  judged: Judged,
  clientKey: PublicKey | undefined,
  salts: readonly Uint8Array[],
): 'ok' | 'holder' {
  const holders = judged.caveats.filter((caveat) => caveat.type === 'holder')
  if (salts.length !== holders.length) return 'holder'
  if (holders.length > 0 && clientKey === undefined) return 'holder'
  const satisfied = holders.every(({ commitment }, i) =>
    equalConstantTime(holderCommitment(salts[i]!, clientKey!), hexDecode(commitment)),
  )
  return satisfied ? 'ok' : 'holder'
}

/** The service's own judgement of one claims caveat; anything but `true` denies. */
export type ClaimsChecker = (required: Claims, grant: Grant) => boolean

/** Whether the service's checker accepts every claims caveat; one without a checker denies, and so does one that throws.
 * Each is judged for the object that the chain stood for when it was added: that is what whoever added it meant. */
export function judgeClaims(
  verified: Judged & { readonly minted: Grant },
  checker: ClaimsChecker | undefined,
): 'ok' | 'claims' {
  let grant = verified.minted
  for (const caveat of verified.caveats) {
    if (caveat.type === 'object') grant = { ...grant, object: caveat.object }
    if (caveat.type !== 'claims') continue
    if (checker === undefined || !accepts(checker, caveat.claims, grant)) return 'claims'
  }
  return 'ok'
}

function accepts(checker: ClaimsChecker, required: Claims, grant: Grant): boolean {
  try {
    return checker(required, grant) === true
  } catch {
    return false
  }
}

/** Whether every `methods` caveat of its object lists `name`: those of an object above restrict only that. */
export function allowsMethod(judged: Judged, name: string): boolean {
  for (const caveat of sinceObject(judged.caveats)) {
    if (caveat.type === 'methods' && !caveat.methods.includes(name)) return false
  }
  return true
}

/** The methods that all `methods` caveats of its object list; undefined where there is no such caveat. */
export function allowedMethods(judged: Judged): readonly string[] | undefined {
  const first = sinceObject(judged.caveats).find((caveat) => caveat.type === 'methods')
  return first?.methods.filter((name) => allowsMethod(judged, name))
}

/** The patterns that all `patterns` caveats list; a holder caveat excludes NK, where the client stays anonymous. */
export function allowedPatterns(judged: Judged): readonly PatternName[] {
  return PATTERN_NAMES.filter((pattern) =>
    judged.caveats.every((caveat) => {
      if (caveat.type === 'patterns') return caveat.patterns.includes(pattern)
      return caveat.type !== 'holder' || pattern !== 'NK'
    }),
  )
}

/** The earliest expiry in Unix seconds, without leeway; undefined where it never expires. */
export function expiresAt(judged: Judged): number | undefined {
  let earliest: number | undefined
  for (const caveat of judged.caveats) {
    if (caveat.type === 'expires' && (earliest === undefined || caveat.at < earliest)) earliest = caveat.at
  }
  return earliest
}

/** The latest start in Unix seconds, without leeway; undefined where it was valid from the beginning. */
export function notBefore(judged: Judged): number | undefined {
  let latest: number | undefined
  for (const caveat of judged.caveats) {
    if (caveat.type === 'notBefore' && (latest === undefined || caveat.at > latest)) latest = caveat.at
  }
  return latest
}

/** The words that delegators left, outermost first: their claims, proof of nothing. */
export function auditTrail(judged: Judged): readonly string[] {
  return judged.caveats.flatMap((caveat) => (caveat.type === 'via' ? [caveat.label] : []))
}
