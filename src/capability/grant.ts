// The grant: what a minted capability stands for (use, object path, claims) under a 16-byte id; spec/capability.md §3.
// Encoded as dCBOR([grantId, use, object, claims]); part of the first HMAC, so a holder can only narrow it.
// Leaves out the chain (chain.ts) and what an object path leads to (src/rpc).
import { type Dcbor, type DcborMap, decodeDcbor, encodeDcbor } from '../dcbor.js'
import { CLAIM_NAME_MAX_CHARS, CLAIMS_MAX_BYTES, OBJECT_PATH_MAX_BYTES } from '../limits.js'
import { Malformed } from './malformed.js'

/** Every use that a capability can be minted for. */
export const USES = ['call', 'seal', 'deposit', 'collect', 'notify'] as const
/** What a capability is good for. */
export type Use = (typeof USES)[number]

/** A service's own statements: a small flat map; numbers are safe integers. */
export type Claims = Readonly<Record<string, string | number | boolean>>

/** What a capability stands for, as handlers see it. */
export interface Grant {
  /** 16 random bytes; for a hand-registered pair its registration id. */
  readonly id: Uint8Array
  readonly use: Use
  /** Object path, for example `notes/ada`. */
  readonly object: string
  readonly claims: Claims
}

/** Id of a grant, bytes. */
export const GRANT_ID_BYTES = 16

/** The claims of a capability that has none. */
export const NO_CLAIMS: Claims = Object.freeze(Object.create(null))

// Segments keep to characters that mean nothing to shells, URLs and route templates (`:owner`) and have one encoding.
const SEGMENT = /^[A-Za-z0-9._~@+=,-]+$/
const CLAIM_NAME = /^[A-Za-z][A-Za-z0-9_.-]*$/

/** Whether `path` is an object path: segments of `A-Z a-z 0-9 . _ ~ @ + = , -` between single slashes, none of them
 * `.` or `..`, at most 512 characters in all. */
export function isObjectPath(path: string): boolean {
  if (path.length > OBJECT_PATH_MAX_BYTES) return false
  return path.split('/').every((segment) => SEGMENT.test(segment) && segment !== '.' && segment !== '..')
}

/** The encoded grant.
 * @throws TypeError or RangeError when a part breaks a rule of spec/capability.md §3. */
export function encodeGrant(grant: Grant): Uint8Array {
  if (grant.id.length !== GRANT_ID_BYTES) {
    throw new RangeError(`Cannot encode grant: expected an id of 16 bytes, got ${grant.id.length}`)
  }
  if (!isUse(grant.use)) throw new TypeError(`Cannot encode grant: expected a use of ${USES.join(', ')}`)
  if (!isObjectPath(grant.object)) {
    throw new TypeError(
      'Cannot encode grant: expected an object path of segments of A-Z a-z 0-9 . _ ~ @ + = , - between slashes, at most 512 characters',
    )
  }
  return encodeDcbor([grant.id, grant.use, grant.object, encodableClaims(grant.claims)])
}

/** The grant of its encoding.
 * @throws {@link Malformed} for anything that {@link encodeGrant} would not have written. */
export function decodeGrant(bytes: Uint8Array): Grant {
  const parts = decodeDcbor(bytes)
  if (!Array.isArray(parts) || parts.length !== 4) throw new Malformed('a grant of four parts')
  const [id, use, object, claims] = parts as Dcbor[]
  if (!(id instanceof Uint8Array) || id.length !== GRANT_ID_BYTES)
    throw new Malformed('a grant id of 16 bytes')
  if (!isUse(use)) throw new Malformed('a known use')
  if (typeof object !== 'string' || !isObjectPath(object)) throw new Malformed('an object path')
  return { id, use, object, claims: decodeClaims(claims) }
}

function isUse(value: unknown): value is Use {
  return USES.some((use) => use === value)
}

/** `claims` as a map that has an encoding.
 * @throws TypeError or RangeError when a name or value breaks a rule of spec/capability.md §3. */
export function encodableClaims(claims: Claims): DcborMap {
  const map = new Map<string, Dcbor>()
  for (const [name, value] of Object.entries(claims)) {
    if (!isClaimName(name)) {
      throw new TypeError(
        `Cannot encode claims: expected names of a letter and at most 63 further letters, digits, '_', '.' or '-'`,
      )
    }
    if (!isClaimValue(value)) {
      throw new TypeError(
        `Cannot encode claim ${name}: expected well-formed text, a safe integer or a boolean`,
      )
    }
    map.set(name, value)
  }
  if (encodeDcbor(map).length > CLAIMS_MAX_BYTES) {
    throw new RangeError(`Cannot encode claims: expected at most ${CLAIMS_MAX_BYTES} encoded bytes`)
  }
  return map
}

/** The claims of a decoded map, frozen and without a prototype.
 * @throws {@link Malformed} for anything that {@link encodableClaims} would not have written. */
export function decodeClaims(value: Dcbor | undefined): Claims {
  if (!(value instanceof Map)) throw new Malformed('a map of claims')
  const claims: Record<string, string | number | boolean> = Object.create(null)
  for (const [name, claim] of value) {
    if (typeof name !== 'string' || !isClaimName(name)) throw new Malformed('a name of a claim')
    if (!isClaimValue(claim)) throw new Malformed('a text, safe integer or boolean as a claim')
    claims[name] = claim
  }
  if (encodeDcbor(value).length > CLAIMS_MAX_BYTES) throw new Malformed('claims within their limit')
  return Object.freeze(claims)
}

function isClaimName(name: string): boolean {
  return name.length <= CLAIM_NAME_MAX_CHARS && CLAIM_NAME.test(name)
}

function isClaimValue(value: unknown): value is string | number | boolean {
  if (typeof value === 'string') return value.isWellFormed()
  return typeof value === 'boolean' || Number.isSafeInteger(value)
}
