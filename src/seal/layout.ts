// Where each field of a seal lies (spec/seal.md §2): the header with its wraps, the value that carries its header, and the
// compact value that names the epoch of a header stored elsewhere, and the header that a stream begins with. Pure; every length is checked before anything is cut out.
// Leaves out what the fields mean (epoch-keys.ts, wrap.ts), the sealed content (content.ts) and chunks (stream-layout.ts).
import { concat } from '../bytes.js'
import { AEAD_TAG_BYTES } from '../crypto/index.js'
import { SEAL_HEADER_MAX_BYTES, SEAL_VALUE_MAX_BYTES, SEAL_WRAPS_MAX } from '../limits.js'
import { malformed, openError } from './failure.js'
import { patternOfCode, type SealPattern } from './pattern.js'

/** First byte of everything sealed. None of them occurs in UTF-8, so text is never taken for a seal. */
export const FORM = { value: 0xf9, compact: 0xfa, header: 0xfb, stream: 0xfc } as const
/** The form of sealed bytes. */
export type Form = keyof typeof FORM

export const VERSION = 1
export const SUITE_25519_CHACHAPOLY_BLAKE2B = 1
export const SALT_BYTES = 16
export const COMMITMENT_BYTES = 32
export const EPOCH_ID_BYTES = 16
export const EPOCH_KEY_BYTES = 32
export const POSITION_BYTES = 4
export const HINT_BYTES = 4
const LOCATOR_LENGTH_BYTES = 2

/** Offsets in a header; `core` is version ‖ suite ‖ pattern ‖ salt. */
export const OFFSET = {
  form: 0,
  core: 1,
  version: 1,
  suite: 2,
  pattern: 3,
  salt: 4,
  commitment: 20,
  wrapCount: 52,
  wraps: 53,
} as const

/** Offsets in a compact value. */
export const COMPACT_OFFSET = { version: 1, epochId: 2, position: 18, ciphertext: 22 } as const
/** Shortest ciphertext: a state byte and the tag. */
const CIPHERTEXT_MIN_BYTES = 1 + AEAD_TAG_BYTES

/** One wrap, taken apart; views of the header. */
export interface Wrap {
  readonly bytes: Uint8Array
  readonly hint: Uint8Array
  /** Empty where the pattern has no PSK. */
  readonly sealedLocator: Uint8Array
  readonly message: Uint8Array
}

/** A header, taken apart; views of the bytes it was read from. */
export interface Header {
  readonly pattern: SealPattern
  readonly core: Uint8Array
  readonly commitment: Uint8Array
  readonly wraps: readonly Wrap[]
  /** All of it save the form byte: what two headers of one epoch are compared by. */
  readonly body: Uint8Array
  /** Offset of the first byte after it. */
  readonly end: number
}

/** Names of the forms from `FORM.value` on. */
const FORM_NAMES: readonly Form[] = ['value', 'compact', 'header', 'stream']

/** Which of the four forms `bytes` have; checks the form and the version and nothing else.
 * @throws `seal/version`, `seal/malformed`. */
export function formOf(bytes: Uint8Array): Form {
  if (!(bytes instanceof Uint8Array)) throw new TypeError('Cannot open seal: expected a Uint8Array')
  if (bytes.length < 2) throw malformed('a sealed value, got fewer than 2 bytes')
  const form = FORM_NAMES[bytes[OFFSET.form]! - FORM.value]
  if (form === undefined) throw malformed('a sealed value, got other bytes')
  if (bytes[OFFSET.version] !== VERSION) {
    throw openError('seal/version', `expected version ${VERSION} of the format`, {
      hint: 'It was sealed by a newer noisecap; update this one',
    })
  }
  return form
}

/** The bytes of a header.
 * @param wraps - 1 to 64. */
export function encodeHeader(
  core: Uint8Array,
  commitment: Uint8Array,
  wraps: readonly Uint8Array[],
): Uint8Array {
  if (wraps.length === 0 || wraps.length > SEAL_WRAPS_MAX) {
    throw new RangeError(`Cannot make header: expected 1 to ${SEAL_WRAPS_MAX} readers, got ${wraps.length}`)
  }
  return concat(Uint8Array.of(FORM.header), core, commitment, Uint8Array.of(wraps.length), ...wraps)
}

/** The bytes of one wrap. */
export function encodeWrap(
  hint: Uint8Array,
  sealedLocator: Uint8Array | undefined,
  message: Uint8Array,
): Uint8Array {
  if (sealedLocator === undefined) return concat(hint, message)
  const { length } = sealedLocator
  return concat(hint, Uint8Array.of(length >> 8, length & 0xff), sealedLocator, message)
}

/** The header at the start of `bytes`, whose form and version have been checked.
 * @throws `seal/version`, `seal/malformed`, `seal/too_large`. */
export function readHeader(bytes: Uint8Array): Header {
  if (bytes.length < OFFSET.wraps)
    throw malformed(`a header of at least ${OFFSET.wraps} bytes, got ${bytes.length}`)
  const pattern = readPattern(bytes)
  const { wraps, end } = readWraps(bytes, pattern)
  return {
    pattern,
    core: bytes.subarray(OFFSET.core, OFFSET.commitment),
    commitment: bytes.subarray(OFFSET.commitment, OFFSET.wrapCount),
    wraps,
    body: bytes.subarray(OFFSET.core, end),
    end,
  }
}

/** How long the header is that begins with `bytes`, as far as they tell; more once there are that many.
 * @throws as {@link readHeader}, save for a header that ends early. */
export function headerBytesKnown(bytes: Uint8Array): number {
  if (bytes.length < OFFSET.wraps) return OFFSET.wraps
  const pattern = readPattern(bytes)
  const count = readWrapCount(bytes, pattern)
  if (!pattern.psk) return checkedEnd(OFFSET.wraps + count * (HINT_BYTES + pattern.messageBytes))
  const locatorStart = OFFSET.wraps + HINT_BYTES + LOCATOR_LENGTH_BYTES
  if (bytes.length < locatorStart) return locatorStart
  const locatorLength = (bytes[locatorStart - 2]! << 8) | bytes[locatorStart - 1]!
  return checkedEnd(locatorStart + locatorLength + pattern.messageBytes)
}

function readPattern(bytes: Uint8Array): SealPattern {
  if (bytes[OFFSET.suite] !== SUITE_25519_CHACHAPOLY_BLAKE2B) {
    throw openError('seal/version', 'expected suite 1 (25519_ChaChaPoly_BLAKE2b)')
  }
  const pattern = patternOfCode(bytes[OFFSET.pattern]!)
  if (pattern === undefined) throw openError('seal/version', 'expected a pattern of version 1')
  return pattern
}

function readWrapCount(bytes: Uint8Array, pattern: SealPattern): number {
  const count = bytes[OFFSET.wrapCount]!
  if (count > SEAL_WRAPS_MAX)
    throw openError('seal/too_large', `expected at most ${SEAL_WRAPS_MAX} wraps, got ${count}`)
  const single = pattern.psk || pattern.writer !== 'unknown'
  if (count === 0 || (single && count !== 1))
    throw malformed(single ? 'exactly one wrap' : 'at least one wrap')
  return count
}

function checkedEnd(end: number): number {
  if (end > SEAL_HEADER_MAX_BYTES) {
    throw openError('seal/too_large', `expected a header of at most ${SEAL_HEADER_MAX_BYTES} bytes`)
  }
  return end
}

function readWraps(bytes: Uint8Array, pattern: SealPattern): { wraps: readonly Wrap[]; end: number } {
  const count = readWrapCount(bytes, pattern)
  const wraps: Wrap[] = []
  let end: number = OFFSET.wraps
  for (let i = 0; i < count; i++) {
    const wrap = readWrap(bytes, end, pattern)
    wraps.push(wrap)
    end += wrap.bytes.length
  }
  return { wraps, end }
}

function readWrap(bytes: Uint8Array, start: number, pattern: SealPattern): Wrap {
  const locatorLengthStart = start + HINT_BYTES
  const locatorStart = locatorLengthStart + (pattern.psk ? LOCATOR_LENGTH_BYTES : 0)
  if (locatorStart > bytes.length) throw endsEarly()
  const locatorLength = pattern.psk ? (bytes[locatorLengthStart]! << 8) | bytes[locatorLengthStart + 1]! : 0
  const messageStart = locatorStart + locatorLength
  const end = checkedEnd(messageStart + pattern.messageBytes)
  if (end > bytes.length) throw endsEarly()
  return {
    bytes: bytes.subarray(start, end),
    hint: bytes.subarray(start, locatorLengthStart),
    sealedLocator: bytes.subarray(locatorStart, messageStart),
    message: bytes.subarray(messageStart, end),
  }
}

/** Whether a ciphertext from `start` to the end of `bytes` has a possible length.
 * @throws `seal/malformed`, `seal/too_large`. */
export function checkCiphertext(bytes: Uint8Array, start: number): void {
  const length = bytes.length - start
  if (length < CIPHERTEXT_MIN_BYTES) throw endsEarly()
  if (length > SEAL_VALUE_MAX_BYTES + AEAD_TAG_BYTES) {
    throw openError('seal/too_large', `expected at most ${SEAL_VALUE_MAX_BYTES} bytes of content`)
  }
}

/** The position at `offset`, which lies within `bytes`. */
export function readPosition(bytes: Uint8Array, offset: number): number {
  return (
    ((bytes[offset]! << 24) | (bytes[offset + 1]! << 16) | (bytes[offset + 2]! << 8) | bytes[offset + 3]!) >>>
    0
  )
}

/** Write `position` at `offset`, big-endian. */
export function writePosition(bytes: Uint8Array, offset: number, position: number): void {
  bytes[offset] = position >>> 24
  bytes[offset + 1] = (position >>> 16) & 0xff
  bytes[offset + 2] = (position >>> 8) & 0xff
  bytes[offset + 3] = position & 0xff
}

function endsEarly(): Error {
  return malformed('a whole sealed value, got one that ends early')
}
