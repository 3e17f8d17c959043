// Text form: noisecap://<key hash>[/<label>][?at=<location>…]#<base64url>; spec/capability.md §6.
// One capability with its hints has exactly one text: whatever would not be written again to the letter is refused.
// The secret stands in the fragment, which user agents do not send. Leaves out the token bytes in it (token.ts).
import { base64urlDecode, base64urlEncode } from '../bytes.js'
import { NoisecapError } from '../errors.js'
import {
  CAPABILITY_TEXT_MAX_CHARS,
  LABEL_MAX_CHARS,
  LOCATION_MAX_CHARS,
  LOCATIONS_MAX,
  TOKEN_MAX_BYTES,
} from '../limits.js'
import { isLocation } from '../location.js'
import { KEY_HASH_TEXT_CHARS } from './keys.js'
import { Malformed } from './malformed.js'

/** What stands outside the token: a name for people and where to dial; neither is authenticated. */
export interface Hints {
  readonly label: string | undefined
  readonly locations: readonly string[]
}

/** The text in parts. */
export interface CapabilityText extends Hints {
  readonly keyHash: string
  readonly token: Uint8Array
}

const SCHEME = 'noisecap://'
const FRAGMENT_MAX_CHARS = Math.ceil((TOKEN_MAX_BYTES * 4) / 3)
const SHAPE = /^noisecap:\/\/([a-z2-7]{52})(?:\/([^/?#]+))?(?:\?([^?#]+))?#([A-Za-z0-9_-]+)$/
const CONTROL_OR_FORMAT = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u

/** The one text of `parts`.
 * @throws `capability/too_large` when it would be longer than 8,192 characters. */
export function encodeCapabilityText(parts: CapabilityText): string {
  const text = `${SCHEME}${parts.keyHash}${encodeHints(parts)}#${base64urlEncode(parts.token)}`
  if (text.length > CAPABILITY_TEXT_MAX_CHARS) {
    throw new NoisecapError(
      'capability/too_large',
      `Cannot export capability: expected at most ${CAPABILITY_TEXT_MAX_CHARS} characters, got ${text.length}`,
      { hint: 'Leave out some of its locations or shorten its label' },
    )
  }
  return text
}

/** What may be shown of a capability. */
export function redactedText(keyHash: string): string {
  return `${SCHEME}${keyHash}#[redacted]`
}

function encodeHints({ label, locations }: Hints): string {
  const path = label === undefined ? '' : `/${encodeURIComponent(label)}`
  if (locations.length === 0) return path
  return `${path}?${locations.map((location) => `at=${encodeLocation(location)}`).join('&')}`
}

/** Percent-encoded, save for what RFC 3986 lets stand in a query and people want to read. */
function encodeLocation(location: string): string {
  return encodeURIComponent(location).replaceAll('%3A', ':').replaceAll('%2F', '/').replaceAll('%40', '@')
}

/** The parts of `text`; white space around it is ignored.
 * @throws {@link Malformed} for anything that {@link encodeCapabilityText} would not have written. */
export function decodeCapabilityText(text: string): CapabilityText {
  if (text.length > CAPABILITY_TEXT_MAX_CHARS) {
    throw new Malformed(`at most ${CAPABILITY_TEXT_MAX_CHARS} characters`)
  }
  const trimmed = text.trim()
  const match = SHAPE.exec(trimmed)
  if (match === null) throw new Malformed('noisecap://<key hash>[/<label>][?at=<location>]#<base64url>')
  const [, keyHash, label, query, fragment] = match as unknown as [string, string, string?, string?, string?]
  const hints = decodeHints(label, query)
  const token = decodeFragment(fragment ?? '')
  // One comparison covers order, case, superfluous percent-encoding and every other second spelling.
  const written = `${SCHEME}${keyHash}${encodeHints(hints)}#${base64urlEncode(token)}`
  if (written !== trimmed) throw new Malformed('the canonical spelling')
  return { keyHash, token, ...hints }
}

function decodeFragment(fragment: string): Uint8Array {
  if (fragment.length > FRAGMENT_MAX_CHARS) throw new Malformed('a secret part within its limit')
  try {
    return base64urlDecode(fragment)
  } catch {
    throw new Malformed('canonical base64url after the #')
  }
}

function decodeHints(label: string | undefined, query: string | undefined): Hints {
  const items = query === undefined ? [] : query.split('&')
  const locations = items.map((item) => {
    if (!item.startsWith('at=')) throw new Malformed('only at=<location> after the ?')
    return percentDecode(item.slice('at='.length))
  })
  const hints = { label: label === undefined ? undefined : percentDecode(label), locations }
  const problem = problemOf(hints)
  if (problem !== undefined) throw new Malformed(problem)
  return hints
}

function percentDecode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new Malformed('percent-encoded UTF-8')
  }
}

/** `hints` with its locations copied and frozen.
 * @throws RangeError when a hint breaks a rule of spec/capability.md §6. */
export function checkHints(hints: Hints): Hints {
  const problem = problemOf(hints)
  if (problem !== undefined) throw new RangeError(`Cannot use hints of a capability: expected ${problem}`)
  return { label: hints.label, locations: Object.freeze([...hints.locations]) }
}

/** What should have stood in `hints`, undefined when all is well. */
function problemOf({ label, locations }: Hints): string | undefined {
  if (label !== undefined && !isLabel(label)) {
    return `a label of 1 to ${LABEL_MAX_CHARS} characters without control characters, not only dots`
  }
  if (locations.length > LOCATIONS_MAX) return `at most ${LOCATIONS_MAX} locations`
  if (!locations.every(isLocation)) {
    return `locations of the form scheme:rest in printable ASCII without #, at most ${LOCATION_MAX_CHARS} characters`
  }
  if (new Set(locations).size !== locations.length) return 'every location once'
  return undefined
}

/** Not only dots: URL parsers treat `.` and `..` as directions, and would change the text. */
function isLabel(label: string): boolean {
  return (
    label.length <= LABEL_MAX_CHARS &&
    label.isWellFormed() &&
    !/^\.*$/.test(label) &&
    !CONTROL_OR_FORMAT.test(label)
  )
}

/** Finds exported capabilities in logs, repositories and chats: what a secret scanner should be given. */
export const CAPABILITY_SCAN_PATTERN: RegExp = new RegExp(
  `noisecap://[a-z2-7]{${KEY_HASH_TEXT_CHARS}}[^\\s#]*#[A-Za-z0-9_-]{100,}`,
)
