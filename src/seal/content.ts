// The plaintext of a sealed value (spec/seal.md §7): content ‖ state ‖ zero bytes. The last byte that is not zero says whether
// there is a value, null or nothing; what follows it is padding and hides the length.
// Short plaintexts live in one lasting buffer, which is wiped after each call: nothing here calls user code in between.
import { utf8, utf8Decode, wipe } from '../bytes.js'
import { lastingArray, viewsOf } from '../lasting.js'
import { SEAL_VALUE_MAX_BYTES } from '../limits.js'
import type { Content } from './codec.js'
import { altered, openError } from './failure.js'

/** What the last byte before the padding says. */
const STATE = { value: 1, null: 2, absent: 3 } as const
const UTF8_MAX_BYTES_PER_UNIT = 3

const SCRATCH_BYTES = 4_096
const KEPT_VIEWS_MAX_BYTES = 600
const scratch = lastingArray(SCRATCH_BYTES)
const scratchOf = viewsOf(scratch, 0, KEPT_VIEWS_MAX_BYTES)
const encoder = new TextEncoder()

/** Memory for a plaintext of `length` bytes, until the next call; its owner wipes it. */
export function plaintextBuffer(length: number): Uint8Array {
  return length <= SCRATCH_BYTES ? scratchOf(length) : new Uint8Array(length)
}

/** Bucket sizes of a padded column, ascending; of the last one also multiples are used. Empty for no padding. */
export type Buckets = readonly number[]

/** The plaintext of `content`, in memory that the caller wipes before anything else happens here.
 * @throws TypeError for text with lone surrogates, RangeError past 16 MiB. */
export function plaintextOf(content: Content, buckets: Buckets): Uint8Array {
  if (typeof content === 'string') return textPlaintext(content, buckets)
  if (content === null) return finished(undefined, 0, STATE.null, buckets)
  if (content === undefined) return finished(undefined, 0, STATE.absent, buckets)
  return finished(content, content.length, STATE.value, buckets)
}

function textPlaintext(text: string, buckets: Buckets): Uint8Array {
  if (!text.isWellFormed()) throw new TypeError('Cannot seal text: it holds a lone surrogate')
  if (text.length * UTF8_MAX_BYTES_PER_UNIT >= SCRATCH_BYTES) {
    const encoded = utf8(text)
    try {
      return finished(encoded, encoded.length, STATE.value, buckets)
    } finally {
      wipe(encoded)
    }
  }
  return finished(undefined, encoder.encodeInto(text, scratch).written, STATE.value, buckets)
}

/** @param content - undefined where its `length` bytes stand in the scratch buffer already. */
function finished(
  content: Uint8Array | undefined,
  length: number,
  state: number,
  buckets: Buckets,
): Uint8Array {
  const total = paddedLength(length + 1, buckets)
  if (total > SEAL_VALUE_MAX_BYTES) {
    throw new RangeError(`Cannot seal value: expected at most ${SEAL_VALUE_MAX_BYTES} bytes with padding`)
  }
  const plaintext = plaintextBuffer(total)
  if (content !== undefined) plaintext.set(content)
  else if (total > SCRATCH_BYTES) plaintext.set(scratch.subarray(0, length))
  plaintext[length] = state
  if (total > length + 1) plaintext.fill(0, length + 1)
  return plaintext
}

function paddedLength(length: number, buckets: Buckets): number {
  let largest = 0
  for (const bucket of buckets) {
    if (length <= bucket) return bucket
    largest = bucket
  }
  return largest === 0 ? length : Math.ceil(length / largest) * largest
}

/** The content of an authentic plaintext; bytes are copied out.
 * @throws `seal/altered` where only a writer that breaks the rules could have made it, `seal/bad_value` for text that is none. */
export function contentOf(plaintext: Uint8Array, wanted: 'text' | 'bytes'): Content {
  let length = plaintext.length - 1
  while (length >= 0 && plaintext[length] === 0) length -= 1
  const state = length < 0 ? 0 : plaintext[length]
  if (state === STATE.value) {
    return wanted === 'bytes' ? plaintext.slice(0, length) : textOf(prefixOf(plaintext, length))
  }
  if (length === 0 && state === STATE.null) return null
  if (length === 0 && state === STATE.absent) return undefined
  throw altered()
}

function textOf(bytes: Uint8Array): string {
  try {
    return utf8Decode(bytes)
  } catch {
    throw openError('seal/bad_value', 'its content is authentic, yet not text')
  }
}

/** A kept view where there is one. */
function prefixOf(plaintext: Uint8Array, length: number): Uint8Array {
  return plaintext.buffer === scratch.buffer ? scratchOf(length) : plaintext.subarray(0, length)
}
