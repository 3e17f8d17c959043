// How a location record stands in DNS: at which name, and as which text of a TXT record (spec/resolve.md §7.1, §7.2).
// Pure. Leaves out DNS messages (dns-query.ts, dns-update.ts) and the record itself (record.ts).
import { base64urlDecode, base64urlEncode, concat, utf8, utf8Decode } from '../bytes.js'
import type { PublicKey } from '../crypto/index.js'
import { NoisecapError } from '../errors.js'
import { LOCATION_RECORD_MAX_BYTES } from '../limits.js'
import { judgeRecord, type LocationRecord, openRecord } from './record.js'

const UNDERSCORED_LABEL = '_noisecap'
const PREFIX = 'noisecap='
const DNS_LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/
const DNS_NAME_MAX_CHARS = 253
/** A key hash, the underscored label and the dots behind both. */
const BEFORE_ZONE_CHARS = 52 + 1 + UNDERSCORED_LABEL.length + 1
/** Longest character-string of a TXT record (RFC 1035 §3.3). */
const STRING_MAX_BYTES = 255
const TEXT_MAX_BYTES = PREFIX.length + Math.ceil((LOCATION_RECORD_MAX_BYTES * 4) / 3)

/** `text` as a zone in its one spelling: lower case, without the final dot.
 * @throws RangeError when it is no domain name, or too long for a key hash before it. */
export function parseZone(text: string): string {
  return parseName(text, 'DNS zone', DNS_NAME_MAX_CHARS - BEFORE_ZONE_CHARS)
}

/** `text` as a domain name in its one spelling: lower case, without the final dot.
 * @throws RangeError naming `what` when it is none. */
export function parseName(text: string, what: string, maxChars: number = DNS_NAME_MAX_CHARS): string {
  const name = text.toLowerCase().replace(/\.$/, '')
  if (name.length <= maxChars && name.split('.').every((label) => DNS_LABEL.test(label))) return name
  const shown = JSON.stringify(text.slice(0, 80))
  throw new RangeError(
    `Cannot use ${what}: expected a domain name in ASCII of at most ${maxChars} characters, got ${shown}`,
  )
}

/** The name at which the record of a service stands. */
export function recordName(keyHash: string, zone: string): string {
  return `${keyHash}.${UNDERSCORED_LABEL}.${zone}`
}

/** A sealed record as the RDATA of a TXT record: character-strings, each behind its length. */
export function encodeTxt(sealed: Uint8Array): Uint8Array {
  const text = utf8(PREFIX + base64urlEncode(sealed))
  const parts: Uint8Array[] = []
  for (let start = 0; start < text.length; start += STRING_MAX_BYTES) {
    const part = text.subarray(start, start + STRING_MAX_BYTES)
    parts.push(Uint8Array.of(part.length), part)
  }
  return concat(...parts)
}

/** What the TXT records at the name of a service say. */
export interface TxtVerdict {
  /** The current record of the highest sequence. */
  readonly best: LocationRecord | undefined
  /** What the others were, as far as they are meant for noisecap. */
  readonly malformed: number
  readonly ahead: number
  readonly expired: number
}

/** Judge TXT records, each with its character-strings joined. Texts of others at the same name are passed over. */
export function judgeTexts(texts: readonly Uint8Array[], publicKey: PublicKey, nowMs: number): TxtVerdict {
  let best: LocationRecord | undefined
  const count = { malformed: 0, ahead: 0, expired: 0 }
  for (const text of texts) {
    if (!startsWithPrefix(text)) continue
    const record = openText(text, publicKey)
    const state = record === undefined ? 'malformed' : judgeRecord(record, nowMs)
    if (state !== 'current') count[state] += 1
    else if (record !== undefined && record.sequence > (best?.sequence ?? -1)) best = record
  }
  return { best, ...count }
}

function startsWithPrefix(text: Uint8Array): boolean {
  return [...PREFIX].every((character, index) => text[index] === character.charCodeAt(0))
}

/** The record in `text`; undefined when it does not open, whatever the reason. */
function openText(text: Uint8Array, publicKey: PublicKey): LocationRecord | undefined {
  if (text.length > TEXT_MAX_BYTES) return undefined
  try {
    return openRecord(publicKey, base64urlDecode(utf8Decode(text.subarray(PREFIX.length))))
  } catch (error) {
    if (error instanceof NoisecapError || error instanceof TypeError) return undefined
    throw error
  }
}
