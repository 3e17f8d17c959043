// openRange: a part of a sealed stream, without reading the rest (spec/seal.md §12). The last chunk is opened first, whatever the
// part: only it proves where the stream ends. And readTail: where a log goes on.
// Leaves out reading from the start (open-stream.ts).
import { AEAD_TAG_BYTES } from '../crypto/index.js'
import { SEAL_HEADER_MAX_BYTES } from '../limits.js'
import type { Acceptance } from './acceptance.js'
import { tailOf } from './chunk-context.js'
import { malformed } from './failure.js'
import { OpenedStream } from './open-stream.js'
import { type RandomAccess, type RandomSource, randomAccess, readExactly } from './random-access.js'
import type { SealReader } from './reader.js'
import {
  FRAME_OVERHEAD_BYTES,
  PRELUDE_END_BYTES,
  type Prelude,
  readFrameHead,
  readPrelude,
  readTrailer,
  TRAILER_BYTES,
  truncated,
} from './stream-layout.js'
import { type StreamOpener, type StreamOpenOptions, streamOpener } from './stream-opener.js'

/** Which part; beyond the end there is nothing. */
export interface ByteRange {
  /** First byte of the content; default 0. */
  readonly start?: number | undefined
  /** Byte after the last one; default the end. */
  readonly end?: number | undefined
}

/** Where the chunks of one stream lie. */
interface Chunks {
  readonly source: RandomAccess
  /** Offset of the first frame. */
  readonly start: number
  /** Bytes of every frame save the last. */
  readonly frameBytes: number
  readonly lastIndex: number
  readonly lastFrameBytes: number
}

/** Open a part of a stream of one segment.
 * @returns the content from `start` to `end`, and `size`, the proven length of the whole content in bytes.
 * @throws as {@link openStream}; RangeError for a range that is none. */
export async function openRange<Accepted extends Acceptance>(
  source: RandomSource,
  reader: SealReader<Accepted>,
  range: ByteRange,
  options: StreamOpenOptions = {},
): Promise<OpenedStream<Accepted['pattern']> & { readonly size: number }> {
  const { start = 0, end = Number.MAX_SAFE_INTEGER } = range
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || end < start)
    throw new RangeError('Cannot open range: expected whole numbers of bytes, 0 <= start <= end')
  const access = await randomAccess(source)
  const { prelude, bytes } = await readBeginning(access, 0)
  const opener = streamOpener(reader, bytes, options)
  try {
    const chunks = await findChunks(access, prelude)
    const last = await openChunk(chunks, opener, chunks.lastIndex)
    const size = chunks.lastIndex * opener.chunkBytes + last.length
    const pieces = contentOf(chunks, opener, last, start, Math.min(end, size))
    const stream = new OpenedStream(opener, pieces, async () => {
      opener[Symbol.dispose]()
      await pieces.return()
    })
    return Object.assign(stream, { size })
  } catch (error) {
    opener[Symbol.dispose]()
    throw error
  }
}

/** Where a log goes on. */
export interface LogEnd {
  /** For `after` of the next segment, 48 bytes. */
  readonly tail: Uint8Array
  /** Bytes of the log; the next segment begins there. */
  readonly size: number
}

/** Find the end of a log, which needs no key: its writer cannot read it. Says what the storage says; whether the segments belong
 * together is known to whoever opens them.
 * @throws `seal/truncated`, `seal/malformed`. */
export async function readTail(source: RandomSource): Promise<LogEnd> {
  const access = await randomAccess(source)
  const { size } = access
  const start = size - (await segmentBytes(access))
  const { prelude, bytes } = await readBeginning(access, start)
  if (prelude.end + FRAME_OVERHEAD_BYTES + TRAILER_BYTES > size - start) throw truncated()
  const tagStart = size - TRAILER_BYTES - AEAD_TAG_BYTES
  const finalTag = await readExactly(access, tagStart, AEAD_TAG_BYTES)
  const { core, commitment, end: headerEnd } = prelude.header
  return { tail: tailOf(core, commitment, bytes.subarray(headerEnd, prelude.end), finalTag), size }
}

async function readBeginning(
  source: RandomAccess,
  start: number,
): Promise<{ prelude: Prelude; bytes: Uint8Array }> {
  const most = Math.min(SEAL_HEADER_MAX_BYTES + PRELUDE_END_BYTES, source.size - start)
  const bytes = await readExactly(source, start, most)
  const prelude = readPrelude(bytes)
  return { prelude, bytes: bytes.subarray(0, prelude.end) }
}

/** Length of the last segment, as its trailer says; a possible one. */
async function segmentBytes(source: RandomAccess): Promise<number> {
  const { size } = source
  if (size < TRAILER_BYTES) throw truncated()
  const bytes = readTrailer(await readExactly(source, size - TRAILER_BYTES, TRAILER_BYTES), 0)
  if (bytes > size || bytes <= TRAILER_BYTES) throw truncated()
  return bytes
}

async function findChunks(source: RandomAccess, { end: start, chunkBytes }: Prelude): Promise<Chunks> {
  const { size } = source
  if ((await segmentBytes(source)) !== size)
    throw malformed(
      'a stream of one segment: it was cut short, or other segments follow, which openLog reads',
    )
  const frameBytes = chunkBytes + FRAME_OVERHEAD_BYTES
  const all = size - TRAILER_BYTES - start
  const lastIndex = Math.max(0, Math.ceil(all / frameBytes) - 1)
  const lastFrameBytes = all - lastIndex * frameBytes
  if (lastFrameBytes < FRAME_OVERHEAD_BYTES) throw truncated()
  return { source, start, frameBytes, lastIndex, lastFrameBytes }
}

/** The content of one chunk. */
async function openChunk(chunks: Chunks, opener: StreamOpener, index: number): Promise<Uint8Array> {
  const { source, start, frameBytes, lastIndex, lastFrameBytes } = chunks
  const isLast = index === lastIndex
  const length = isLast ? lastFrameBytes : frameBytes
  const frame = await readExactly(source, start + index * frameBytes, length)
  const { last, contentBytes } = readFrameHead(frame, 0, index, opener.chunkBytes)
  if (last !== isLast || contentBytes !== length - FRAME_OVERHEAD_BYTES) {
    if (isLast && !last) throw truncated()
    throw malformed(`chunk ${index} to have the length that its place says`)
  }
  return opener.openedAt(index, last, frame)
}

async function* contentOf(
  chunks: Chunks,
  opener: StreamOpener,
  last: Uint8Array,
  start: number,
  end: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  using stream = opener
  const { chunkBytes } = stream
  for (let index = Math.floor(start / chunkBytes); index * chunkBytes < end; index++) {
    const content = index === chunks.lastIndex ? last : await openChunk(chunks, stream, index)
    const offset = index * chunkBytes
    const piece = content.subarray(Math.max(0, start - offset), Math.min(content.length, end - offset))
    if (piece.length > 0) yield piece
  }
}
