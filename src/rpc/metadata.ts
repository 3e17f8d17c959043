// What a caller says besides the input of a call, as text by name (spec/rpc.md §3): trace ids, a language, a tenant. It is the
// caller's word, never a proof: who may do what stands in the capability. Leaves out where it stands in a CALL (call-header.ts,
// dispatch.ts).
import { METADATA_MAX_BYTES, METADATA_MAX_KEYS } from '../limits.js'
import { DEFAULT_VALUE_LIMITS, type ValueLimits } from './value-problem.js'
import { decodeValue, encodeValue } from './values.js'
import type { FieldReader } from './wire.js'

/** Text by name; at most 32 names, and 4,096 bytes as a value. */
export type Metadata = Readonly<Record<string, string>>

/** Metadata as it leaves. */
export interface SentMetadata {
  readonly text: Metadata
  readonly bytes: Uint8Array
}

/** Without a prototype, so that no name of JavaScript's own objects is found in it. */
const freeze = (entries: Iterable<readonly [string, string]>): Metadata => {
  const text = Object.create(null) as Record<string, string>
  for (const [name, value] of entries) text[name] = value
  return Object.freeze(text)
}

/** That of a call without any. */
export const NO_METADATA: Metadata = freeze([])
/** Stands for metadata that cannot be read: its call fails. */
export const MALFORMED_METADATA: Metadata = freeze([])

/** Judged before anything is built. */
const LIMITS: ValueLimits = {
  ...DEFAULT_VALUE_LIMITS,
  maxDepth: 1,
  maxItems: 1 + 2 * METADATA_MAX_KEYS,
  maxObjectMembers: METADATA_MAX_KEYS,
}

/** A copy of what a caller gave, and its bytes.
 * @returns undefined when there is nothing to send.
 * @throws TypeError for anything but text by name, RangeError beyond the limits; no text of it stands in the error. */
export function sentMetadata(given: unknown): SentMetadata | undefined {
  if (typeof given !== 'object' || given === null || Array.isArray(given) || Symbol.iterator in given)
    throw new TypeError('Cannot send metadata: expected an object with text as members')
  const entries: readonly (readonly [string, unknown])[] = Object.entries(given)
  if (entries.length === 0) return undefined
  if (entries.length > METADATA_MAX_KEYS)
    throw new RangeError(
      `Cannot send metadata: expected at most ${METADATA_MAX_KEYS} names, got ${entries.length}`,
    )
  if (!entries.every(isText)) throw new TypeError('Cannot send metadata: expected text as members')
  const bytes = encodeValue(Object.fromEntries(entries), 'metadata')
  if (bytes.length > METADATA_MAX_BYTES)
    throw new RangeError(
      `Cannot send metadata: expected at most ${METADATA_MAX_BYTES} bytes, got ${bytes.length}`,
    )
  return { text: freeze(entries), bytes }
}

function isText(entry: readonly [string, unknown]): entry is readonly [string, string] {
  return typeof entry[1] === 'string'
}

/** Read the field of a CALL.
 * @returns {@link MALFORMED_METADATA} for anything but text by name within the limits.
 * @throws WireError when the message ends in it. */
export function readMetadata(reader: FieldReader): Metadata {
  const bytes = reader.take(reader.varint())
  if (bytes.length > METADATA_MAX_BYTES) return MALFORMED_METADATA
  let value: unknown
  try {
    value = decodeValue(bytes, 0, bytes.length, LIMITS)
  } catch {
    return MALFORMED_METADATA
  }
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype)
    return MALFORMED_METADATA
  const entries: readonly (readonly [string, unknown])[] = Object.entries(value)
  return entries.every(isText) ? freeze(entries) : MALFORMED_METADATA
}
