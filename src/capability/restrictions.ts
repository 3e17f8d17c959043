// How a caller states restrictions, and the caveats that they become; spec/capability.md §4.
// Each restriction is one caveat, in a fixed order; times are rounded so that a capability never gets longer.
// Leaves out their encoding (caveats.ts) and the chain (chain.ts).
import { hexEncode, label } from '../bytes.js'
import { asPublicKey, type PublicKey } from '../crypto/index.js'
import type { KnownCaveat, PatternName } from './caveats.js'
import type { Claims } from './grant.js'
import { sha256 } from './sha256.js'

/** What may be restricted; every part that is given must hold, on top of all restrictions that are already there. */
export interface Restrictions<M extends string = string> {
  /** Methods of the offered root object that remain callable (not of what they return). */
  readonly methods?: readonly M[] | undefined
  /** Life from now: seconds, or a whole number with a unit, `'90s'`, `'15m'`, `'1h'`, `'7d'`, `'2w'`. */
  readonly expiresIn?: string | number | undefined
  /** The moment from which it is denied, instead of `expiresIn`. */
  readonly expiresAt?: Date | undefined
  /** The moment before which it is denied. */
  readonly notBefore?: Date | undefined
  /** The one client key that may use it; it must then log in with XK, IK or KK. */
  readonly holder?: PublicKey | undefined
  /** Handshake patterns that remain allowed. */
  readonly patterns?: readonly PatternName[] | undefined
  /** A word for the audit trail: the delegator's claim, proof of nothing. */
  readonly via?: string | undefined
  /** Conditions that the service's own checker judges; a service without one denies. */
  readonly claims?: Claims | undefined
}

/** A caveat to add; `holderSalt` travels in the token. */
export interface NewCaveat {
  readonly caveat: KnownCaveat
  readonly holderSalt: Uint8Array | undefined
}

const HOLDER_LABEL = label('noisecap/v1 holder')
const SECONDS = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 } as const
const DURATION = /^(\d{1,10})([smhdw])$/

/** Commitment to the client key that a capability is bound to, 32 bytes. Source: spec/capability.md §4. */
export function holderCommitment(salt: Uint8Array, clientPublicKey: PublicKey): Uint8Array {
  return sha256(HOLDER_LABEL, salt, clientPublicKey)
}

/** Seconds of a duration.
 * @throws RangeError for anything but a non-negative finite number or text such as `'15m'`. */
export function durationSeconds(duration: string | number): number {
  if (typeof duration === 'number') {
    if (Number.isFinite(duration) && duration >= 0) return duration
  } else {
    const match = DURATION.exec(duration)
    if (match !== null) return Number(match[1]) * SECONDS[match[2] as keyof typeof SECONDS]
  }
  throw new RangeError(
    "Cannot read duration: expected seconds or text such as '90s', '15m', '1h', '7d', '2w'",
  )
}

/** The caveats that `restrictions` become, in a fixed order.
 * @param nowSeconds - Unix seconds, for `expiresIn`.
 * @param newHolderSalt - gives 32 random bytes; called once if `holder` is given.
 * @throws TypeError or RangeError when a restriction cannot be expressed. */
export function toCaveats(
  restrictions: Restrictions,
  nowSeconds: number,
  newHolderSalt: () => Uint8Array,
): readonly NewCaveat[] {
  const { methods, notBefore, holder, patterns, via, claims } = restrictions
  const added: NewCaveat[] = []
  const add = (caveat: KnownCaveat, holderSalt?: Uint8Array) => added.push({ caveat, holderSalt })
  const expires = expirySeconds(restrictions, nowSeconds)
  if (expires !== undefined) add({ type: 'expires', at: expires })
  if (notBefore !== undefined) add({ type: 'notBefore', at: Math.ceil(dateSeconds(notBefore)) })
  if (methods !== undefined) add({ type: 'methods', methods })
  if (patterns !== undefined) add({ type: 'patterns', patterns })
  if (holder !== undefined) {
    const salt = newHolderSalt()
    add({ type: 'holder', commitment: hexEncode(holderCommitment(salt, asPublicKey(holder))) }, salt)
  }
  if (claims !== undefined) add({ type: 'claims', claims })
  if (via !== undefined) add({ type: 'via', label: via })
  return added
}

function expirySeconds({ expiresIn, expiresAt }: Restrictions, nowSeconds: number): number | undefined {
  if (expiresIn !== undefined && expiresAt !== undefined) {
    throw new TypeError('Cannot restrict capability: expected expiresIn or expiresAt, got both')
  }
  if (expiresAt !== undefined) return Math.floor(dateSeconds(expiresAt))
  return expiresIn === undefined ? undefined : Math.floor(nowSeconds + durationSeconds(expiresIn))
}

function dateSeconds(date: Date): number {
  const seconds = date.getTime() / 1000
  if (!(seconds >= 0)) throw new RangeError('Cannot restrict capability: expected a valid Date after 1970')
  return seconds
}
