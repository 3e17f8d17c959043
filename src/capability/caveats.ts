// Caveats: restrictions that any holder adds offline and nobody removes; spec/capability.md §4.
// Encoded as dCBOR([salt(8), type, value]); sets are sorted and without doubles, so one restriction has one encoding.
// Leaves out judging them (judge.ts) and how a caller states them (restrictions.ts).
import { hexDecode, hexEncode, utf8 } from '../bytes.js'
import { type Dcbor, decodeDcbor, encodeDcbor } from '../dcbor.js'
import { KID_MAX, METHOD_NAME_MAX_BYTES, VIA_MAX_BYTES } from '../limits.js'
import { type Claims, decodeClaims, encodableClaims, isObjectPath } from './grant.js'
import { Malformed } from './malformed.js'

/** Every handshake pattern that a session can have. */
export const PATTERN_NAMES = ['NK', 'XK', 'IK', 'KK'] as const
/** Noise pattern without its psk modifier. */
export type PatternName = (typeof PATTERN_NAMES)[number]

/** One caveat, readable. Times are Unix seconds; a `holder` shows only the commitment to the client key. */
export type CaveatView =
  | { readonly type: 'expires'; readonly at: number }
  | { readonly type: 'notBefore'; readonly at: number }
  | { readonly type: 'methods'; readonly methods: readonly string[] }
  | { readonly type: 'holder'; readonly commitment: string }
  | { readonly type: 'patterns'; readonly patterns: readonly PatternName[] }
  | { readonly type: 'via'; readonly label: string }
  | { readonly type: 'claims'; readonly claims: Claims }
  /** The service's own word, proven by `tag`: from here on the chain stands for another object. Whether it really is the
   * service's, only the service can tell. */
  | { readonly type: 'object'; readonly object: string; readonly kid: number; readonly tag: string }
  /** From a newer version: carried along, and denied by every service that does not know it. */
  | { readonly type: 'unknown'; readonly code: number }

/** A caveat that this version can write. */
export type KnownCaveat = Exclude<CaveatView, { type: 'unknown' }>

/** Salt of a caveat, which gives every copy its own id, bytes. */
export const CAVEAT_SALT_BYTES = 8
/** Tag of an `object` caveat, bytes. */
export const OBJECT_TAG_BYTES = 16
/** Commitment of a `holder` caveat, bytes. */
const HOLDER_COMMITMENT_BYTES = 32

/** Numbers of the types. */
export const CAVEAT_CODE = {
  expires: 1,
  notBefore: 2,
  methods: 3,
  holder: 4,
  patterns: 5,
  via: 6,
  claims: 7,
  object: 8,
} as const
const CONTROL_OR_FORMAT = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u

/** The encoded caveat.
 * @param salt - 8 random bytes.
 * @throws TypeError or RangeError when the value breaks a rule of spec/capability.md §4. */
export function encodeCaveat(salt: Uint8Array, caveat: KnownCaveat): Uint8Array {
  const encoded = encodeDcbor([salt, CAVEAT_CODE[caveat.type], encodableValue(caveat)])
  try {
    decodeCaveat(encoded)
  } catch (error) {
    if (!(error instanceof Malformed)) throw error
    throw new RangeError(`Cannot add ${caveat.type} caveat: ${error.message}`)
  }
  return encoded
}

function encodableValue(caveat: KnownCaveat): Dcbor {
  switch (caveat.type) {
    case 'expires':
    case 'notBefore':
      return caveat.at
    case 'methods':
      return sortedSet(caveat.methods)
    case 'patterns':
      return sortedSet(caveat.patterns)
    case 'holder':
      return hexDecode(caveat.commitment)
    case 'via':
      return caveat.label
    case 'claims':
      return encodableClaims(caveat.claims)
    case 'object':
      return [caveat.kid, caveat.object, hexDecode(caveat.tag)]
  }
}

/** The caveat of its encoding, deeply frozen; a type that this version does not know becomes `unknown`.
 * @throws {@link Malformed} or DcborError for anything else that {@link encodeCaveat} would not have written. */
export function decodeCaveat(bytes: Uint8Array): CaveatView {
  const parts = decodeDcbor(bytes)
  if (!Array.isArray(parts) || parts.length !== 3) throw new Malformed('a caveat of three parts')
  const [salt, code, value] = parts as [Dcbor, Dcbor, Dcbor]
  if (!(salt instanceof Uint8Array) || salt.length !== CAVEAT_SALT_BYTES) {
    throw new Malformed('a caveat salt of 8 bytes')
  }
  if (typeof code !== 'number' || code < 1) throw new Malformed('a caveat type')
  return Object.freeze(decodeValue(code, value))
}

function decodeValue(code: number, value: Dcbor): CaveatView {
  switch (code) {
    case CAVEAT_CODE.expires:
      return { type: 'expires', at: decodeTime(value) }
    case CAVEAT_CODE.notBefore:
      return { type: 'notBefore', at: decodeTime(value) }
    case CAVEAT_CODE.methods:
      return { type: 'methods', methods: decodeSet(value, isMethodName, 'method names') }
    case CAVEAT_CODE.holder:
      return { type: 'holder', commitment: decodeCommitment(value) }
    case CAVEAT_CODE.patterns:
      return { type: 'patterns', patterns: decodeSet(value, isPatternName, 'patterns') }
    case CAVEAT_CODE.via:
      return { type: 'via', label: decodeVia(value) }
    case CAVEAT_CODE.claims:
      return { type: 'claims', claims: decodeClaims(value) }
    case CAVEAT_CODE.object:
      return decodeObject(value)
    default:
      return { type: 'unknown', code }
  }
}

function decodeTime(value: Dcbor): number {
  if (typeof value !== 'number' || value < 0) throw new Malformed('Unix seconds from 0 to 2^53 − 1')
  return value
}

function decodeCommitment(value: Dcbor): string {
  if (!(value instanceof Uint8Array) || value.length !== HOLDER_COMMITMENT_BYTES) {
    throw new Malformed('a holder commitment of 32 bytes')
  }
  return hexEncode(value)
}

function decodeVia(value: Dcbor): string {
  if (typeof value !== 'string' || !isText(value, VIA_MAX_BYTES)) {
    throw new Malformed('a label of 1 to 128 bytes without control characters')
  }
  return value
}

function decodeObject(value: Dcbor): CaveatView {
  if (!Array.isArray(value) || value.length !== 3) throw new Malformed('an object of three parts')
  const [kid, object, tag] = value as [Dcbor, Dcbor, Dcbor]
  if (typeof kid !== 'number' || kid < 1 || kid > KID_MAX) throw new Malformed('a root number')
  if (typeof object !== 'string' || !isObjectPath(object)) throw new Malformed('an object path')
  if (!(tag instanceof Uint8Array) || tag.length !== OBJECT_TAG_BYTES)
    throw new Malformed('a tag of 16 bytes')
  return { type: 'object', object, kid, tag: hexEncode(tag) }
}

/** A non-empty set in its one order. */
function decodeSet<T extends string>(
  value: Dcbor,
  isMember: (item: Dcbor) => item is T,
  what: string,
): readonly T[] {
  if (!Array.isArray(value) || value.length === 0) throw new Malformed(`at least one of ${what}`)
  const items: T[] = []
  for (const item of value as readonly Dcbor[]) {
    if (!isMember(item)) throw new Malformed(`a list of ${what}`)
    const previous = items.at(-1)
    if (previous !== undefined && compareUtf8(previous, item) >= 0) throw new Malformed(`${what} in order`)
    items.push(item)
  }
  return Object.freeze(items)
}

function isMethodName(item: Dcbor): item is string {
  return typeof item === 'string' && isText(item, METHOD_NAME_MAX_BYTES)
}

function isPatternName(item: Dcbor): item is PatternName {
  return PATTERN_NAMES.some((name) => name === item)
}

/** Text that can stand in a log line: not empty, bounded, nothing that moves the cursor or reorders characters. */
function isText(text: string, maxBytes: number): boolean {
  return text.length > 0 && utf8(text).length <= maxBytes && !CONTROL_OR_FORMAT.test(text)
}

function sortedSet(items: readonly string[]): readonly string[] {
  return [...new Set(items)].sort(compareUtf8)
}

/** Order of the UTF-8 encodings, which is that of code points (`<` on strings compares UTF-16 units). */
function compareUtf8(a: string, b: string): number {
  const x = utf8(a)
  const y = utf8(b)
  const shared = Math.min(x.length, y.length)
  for (let i = 0; i < shared; i++) if (x[i] !== y[i]) return x[i]! - y[i]!
  return x.length - y.length
}
