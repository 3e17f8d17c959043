// What binds a chunk to its place (spec/seal.md §12): its nonce, which is its index with the last-chunk mark, and the associated
// data of its stream, which hold the chunk size, what the application says, and the end of the segment before.
// Leaves out the key of a stream (epoch-keys.ts).
import { concat, label } from '../bytes.js'
import { AEAD_NONCE_BYTES, AEAD_TAG_BYTES, primitives } from '../crypto/index.js'
import { type Dcbor, encodeDcbor } from '../dcbor.js'
import { lastingArray } from '../lasting.js'
import { SEAL_CONTEXT_MAX_BYTES } from '../limits.js'
import type { RowKey } from './column.js'
import { COMMITMENT_BYTES } from './layout.js'

const AD_LABEL = 'noisecap/v1 ad'
const KIND_STREAM = 1
/** Keys of the context map. */
const KEY = { context: 0, previousHash: 1, previousTag: 2 } as const
const SEGMENT_LABEL = label('noisecap/v1 seal segment')
const HASH_BYTES = COMMITMENT_BYTES

/** Hash of a segment's beginning and tag of its last chunk, bytes. */
const TAIL_BYTES = HASH_BYTES + AEAD_TAG_BYTES
const LAST_CHUNK = 0x80

/** The nonce of a chunk, for all streams: public, and written right before each synchronous call. */
const nonce = lastingArray(AEAD_NONCE_BYTES)
const nonceView = new DataView(nonce.buffer)

/** Four zero bytes and 64 bits, little-endian: the index, and on the last chunk bit 63.
 * @returns an array that the next call overwrites. */
export function chunkNonceOf(index: number, last: boolean): Uint8Array {
  nonceView.setUint32(4, index, true)
  nonce[AEAD_NONCE_BYTES - 1] = last ? LAST_CHUNK : 0
  return nonce
}

/** The associated data of every chunk of a stream.
 * @param context - undefined for none, which is not `null`.
 * @param after - tail of the segment before, 48 bytes; undefined for the first.
 * @throws RangeError past 1,024 bytes, TypeError for a context without an encoding. */
export function streamAssociatedData(
  chunkBytes: number,
  context: RowKey | undefined,
  after: Uint8Array | undefined,
): Uint8Array {
  const members = new Map<number, Dcbor>()
  if (context !== undefined) members.set(KEY.context, context as Dcbor) // every RowKey is one
  if (after !== undefined) {
    if (!(after instanceof Uint8Array) || after.length !== TAIL_BYTES)
      throw new TypeError(`Cannot continue log: expected a tail of ${TAIL_BYTES} bytes`)
    members.set(KEY.previousHash, after.subarray(0, HASH_BYTES))
    members.set(KEY.previousTag, after.subarray(HASH_BYTES))
  }
  const ad = encodeDcbor([AD_LABEL, KIND_STREAM, chunkBytes, members])
  if (ad.length <= SEAL_CONTEXT_MAX_BYTES) return ad
  throw new RangeError(
    `Cannot name stream: expected at most ${SEAL_CONTEXT_MAX_BYTES} encoded bytes of context`,
  )
}

/** What the next segment names this one by. It does not depend on the wraps, so rewrapping breaks no log.
 * @param preludeEnd - position and chunk size, as they stand in the prelude. */
export function tailOf(
  core: Uint8Array,
  commitment: Uint8Array,
  preludeEnd: Uint8Array,
  finalTag: Uint8Array,
): Uint8Array {
  return concat(primitives().hash('SHA256').hash(SEGMENT_LABEL, core, commitment, preludeEnd), finalTag)
}
