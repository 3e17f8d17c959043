// What a reader accepts, stated by its owner and never taken from a header (spec/seal.md §6): patterns, writers, capabilities;
// and what becomes of the judgement of a genuine capability, which its authority brings along (src/capability/sealed-use.ts).
// Leaves out authenticity, which comes before any of this (header-opener.ts).
import { equalConstantTime } from '../bytes.js'
import type {
  CaveatView,
  ClaimsChecker,
  PatternName,
  SealedUnder,
  ServiceAuthority,
  ShownCapability,
  Verified,
} from '../capability/index.js'
import type { PublicKey } from '../crypto/index.js'
import { openError } from './failure.js'
import type { SealPattern, SealPatternName } from './pattern.js'

/** Which capabilities count. */
export interface CapabilityRules {
  /** `serviceKey.authority()`: the root secrets under which they were minted. */
  readonly authority: ServiceAuthority
  /** Object paths that may be written to; with `any` the caller looks at the grant itself. */
  readonly objects: 'any' | readonly string[]
  /** Judges `claims` caveats; one without a checker denies. */
  readonly checkClaims?: ClaimsChecker | undefined
  /** Whether a link of these ids is revoked, for what was sealed at `at` (Unix seconds); asked at each opening. None is
   * revoked when left out. */
  readonly isRevoked?: ((ids: readonly Uint8Array[], at: number) => boolean) | undefined
}

/** One pattern that a reader accepts, with the writers and capabilities that it accepts there. */
export type Acceptance =
  | { readonly pattern: 'N' }
  | { readonly pattern: 'X'; readonly writers: 'anyone' | readonly PublicKey[] }
  | { readonly pattern: 'K'; readonly writers: readonly PublicKey[] }
  | { readonly pattern: 'Npsk0'; readonly capabilities: CapabilityRules }
  | {
      readonly pattern: 'Xpsk1'
      readonly writers: 'anyone' | readonly PublicKey[]
      readonly capabilities: CapabilityRules
    }
  | {
      readonly pattern: 'Kpsk0'
      readonly writers: readonly PublicKey[]
      readonly capabilities: CapabilityRules
    }

/** What is known about who sealed a value: nothing for N, the proven key for X and K, with a PSK the capability. What X and K
 * prove, they prove to the reader alone: whoever has the reader's secret key can make the same. */
export type Provenance<Pattern extends SealPatternName = SealPatternName> = Pattern extends SealPatternName
  ? { readonly pattern: Pattern } & (Pattern extends 'X' | 'K' | 'Xpsk1' | 'Kpsk0'
      ? { readonly writer: PublicKey }
      : unknown) &
      (Pattern extends 'Npsk0' | 'Xpsk1' | 'Kpsk0' ? { readonly capability: SealedUnder } : unknown)
  : never

/** A capability that was shown to be genuine and is judged again at each opening. */
export interface Admitted {
  readonly sealedUnder: SealedUnder
  readonly caveats: readonly CaveatView[]
  readonly ids: readonly Uint8Array[]
  readonly rules: CapabilityRules
}

/** Sessions' words for what the writer of a seal does: N is as anonymous as NK; X and K prove a key. */
const SESSION_PATTERNS: Readonly<Record<SealPattern['writer'], readonly PatternName[]>> = {
  unknown: ['NK'],
  carried: ['XK', 'IK'],
  known: ['KK'],
}

/** Judge all of a genuine capability that does not change with time.
 * @throws `seal/denied`, whose hint names what denies. */
export function admit(
  verified: Verified,
  rules: CapabilityRules,
  pattern: SealPattern,
  writer: PublicKey | undefined,
  { holderSalts }: Pick<ShownCapability, 'holderSalts'>,
): Admitted {
  const { authority, objects, checkClaims } = rules
  const patterns = SESSION_PATTERNS[pattern.writer]
  const denial = authority.seals.denialOf(verified, { objects, patterns, writer, holderSalts, checkClaims })
  if (denial !== undefined) {
    throw openError('seal/denied', 'expected a capability that allows this seal', {
      hint: `Its ${denial} does not allow it`,
    })
  }
  const { caveats, ids } = verified
  return { sealedUnder: authority.seals.describe(verified), caveats, ids, rules }
}

/** Judge what changes with time.
 * @param at - Unix seconds that the caller trusts.
 * @throws `seal/expired`, `seal/not_yet_valid`, `seal/revoked`. */
export function judgeAt(admitted: Admitted, at: number): void {
  const { authority, isRevoked } = admitted.rules
  const time = authority.seals.judgeTime(admitted, at)
  if (time !== 'ok') {
    throw openError(`seal/${time}`, `expected a capability that is valid at the given time`, {
      hint: 'Give the time at which the value was stored, if that is known and trusted',
    })
  }
  if (isRevoked?.(admitted.ids, at)) throw openError('seal/revoked', 'its capability has been revoked')
}

/** Whether `writer` is among those accepted; looks at all of them. */
export function acceptsWriter(writers: 'anyone' | readonly PublicKey[], writer: PublicKey): boolean {
  if (writers === 'anyone') return true
  let found = false
  for (const accepted of writers) found = equalConstantTime(accepted, writer) || found
  return found
}
