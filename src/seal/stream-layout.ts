// Where each field of a sealed stream lies (spec/seal.md §12): the prelude, which is a header with the stream's position and
// chunk size; frames, each one chunk; and the length at the end, by which the beginning is found from there. Pure.
// Leaves out the keys (epoch-keys.ts, chunk-context.ts) and the opening of chunks (stream-sealer.ts, stream-opener.ts).
import { AEAD_TAG_BYTES } from '../crypto/index.js'
import { SEAL_CHUNK_MAX_BYTES, SEAL_CHUNK_MIN_BYTES } from '../limits.js'
import { malformed, openError } from './failure.js'
import {
  FORM,
  formOf,
  type Header,
  headerBytesKnown,
  OFFSET,
  POSITION_BYTES,
  readHeader,
  readPosition,
  writePosition,
} from './layout.js'

/** Length and last-chunk mark before each chunk, bytes. */
export const FRAME_HEAD_BYTES = 4
/** What a frame is longer than its content, bytes. */
export const FRAME_OVERHEAD_BYTES = FRAME_HEAD_BYTES + AEAD_TAG_BYTES
/** The length of the whole stream, at its end, bytes. */
export const TRAILER_BYTES = 8
/** Position and chunk size, after the header, bytes. */
export const PRELUDE_END_BYTES = POSITION_BYTES + 1

const LAST_CHUNK = 0x8000_0000
const WORD = 0x1_0000_0000

/** A prelude, taken apart. */
export interface Prelude {
  readonly header: Header
  readonly position: number
  readonly chunkBytes: number
  /** Offset of the first frame. */
  readonly end: number
}

/** What stands before the content of a frame. */
export interface FrameHead {
  readonly contentBytes: number
  readonly last: boolean
}

/** @throws RangeError for what is no power of two from 64 to 2^20. */
export function checkChunkBytes(chunkBytes: number): void {
  if (chunkSizeOf(Math.log2(chunkBytes)) === chunkBytes) return
  throw new RangeError(
    `Cannot seal stream: expected chunks of a power of two from ${SEAL_CHUNK_MIN_BYTES} to ${SEAL_CHUNK_MAX_BYTES} bytes`,
  )
}

/** The bytes of a prelude.
 * @param header - of the epoch, any form; copied. */
export function encodePrelude(header: Uint8Array, position: number, chunkBytes: number): Uint8Array {
  const prelude = new Uint8Array(header.length + PRELUDE_END_BYTES)
  prelude.set(header)
  prelude[OFFSET.form] = FORM.stream
  writePosition(prelude, header.length, position)
  prelude[header.length + POSITION_BYTES] = Math.log2(chunkBytes)
  return prelude
}

/** How long the prelude is that begins with `bytes`, as far as they tell; more once there are that many.
 * @throws `seal/malformed`, `seal/version`, `seal/too_large` as soon as they show. */
export function preludeBytesKnown(bytes: Uint8Array): number {
  if (bytes.length >= 2) checkStreamForm(bytes)
  return headerBytesKnown(bytes) + PRELUDE_END_BYTES
}

/** The prelude at the start of `bytes`.
 * @throws `seal/malformed`, `seal/version`, `seal/too_large`. */
export function readPrelude(bytes: Uint8Array): Prelude {
  checkStreamForm(bytes)
  const header = readHeader(bytes)
  const end = header.end + PRELUDE_END_BYTES
  if (bytes.length < end) throw malformed('a whole header of a stream, got one that ends early')
  const chunkBytes = chunkSizeOf(bytes[end - 1]!)
  if (chunkBytes === undefined) throw malformed('a chunk size of 2^6 to 2^20 bytes')
  return { header, position: readPosition(bytes, header.end), chunkBytes, end }
}

function checkStreamForm(bytes: Uint8Array): void {
  const form = formOf(bytes)
  if (form !== 'stream') throw malformed(`a sealed stream, got a sealed ${form}`)
}

function chunkSizeOf(exponent: number): number | undefined {
  const size = 2 ** exponent
  return Number.isInteger(exponent) && size >= SEAL_CHUNK_MIN_BYTES && size <= SEAL_CHUNK_MAX_BYTES
    ? size
    : undefined
}

/** Write length and mark at the start of a frame. */
export function writeFrameHead(frame: Uint8Array, contentBytes: number, last: boolean): void {
  writePosition(frame, 0, last ? contentBytes + LAST_CHUNK : contentBytes)
}

/** Length and mark at `offset`, for the chunk of that index: every chunk save the last is full, and only one that is alone may be empty.
 * @throws `seal/malformed`. */
export function readFrameHead(
  bytes: Uint8Array,
  offset: number,
  index: number,
  chunkBytes: number,
): FrameHead {
  const word = readPosition(bytes, offset)
  const last = word >= LAST_CHUNK
  const contentBytes = last ? word - LAST_CHUNK : word
  if (last ? contentBytes > chunkBytes || (contentBytes === 0 && index > 0) : contentBytes !== chunkBytes) {
    throw malformed(`chunk ${index} to have a possible length`)
  }
  return { contentBytes, last }
}

/** Write the length of a whole stream, itself included. */
export function writeTrailer(bytes: Uint8Array, offset: number, streamBytes: number): void {
  writePosition(bytes, offset, Math.floor(streamBytes / WORD))
  writePosition(bytes, offset + 4, streamBytes % WORD)
}

/** The length of a whole stream; past 2^53 it is not exact, and no stream is that long. */
export function readTrailer(bytes: Uint8Array, offset: number): number {
  return readPosition(bytes, offset) * WORD + readPosition(bytes, offset + 4)
}

/** Whether a form's bytes end before their end: the one answer for streams and files. */
export function truncated(): Error {
  return openError('seal/truncated', 'it ends before its last chunk is complete: it was cut short', {
    hint: 'Fetch it again, or find out whether its writer finished',
  })
}
