// What sealed bytes say about themselves to anybody, without a key (spec/seal.md §2, §12): form, pattern, hints of readers, chunks,
// segments. Never content, and nothing that is proven: whoever stores the bytes can change all of it.
// Leaves out opening.
import { equalConstantTime, hexEncode } from '../bytes.js'
import { AEAD_TAG_BYTES, type PublicKey } from '../crypto/index.js'
import { SEAL_HEADER_MAX_BYTES } from '../limits.js'
import { epochIdOf, hintOf } from './epoch-keys.js'
import { malformed } from './failure.js'
import {
  COMPACT_OFFSET,
  type Form,
  formOf,
  type Header,
  POSITION_BYTES,
  readHeader,
  readPosition,
} from './layout.js'
import type { SealPatternName } from './pattern.js'
import { type RandomAccess, type RandomSource, randomAccess, readExactly } from './random-access.js'
import {
  FRAME_HEAD_BYTES,
  FRAME_OVERHEAD_BYTES,
  PRELUDE_END_BYTES,
  readFrameHead,
  readPrelude,
  readTrailer,
  TRAILER_BYTES,
} from './stream-layout.js'

/** What a header says. */
export interface HeaderDescription {
  readonly pattern: SealPatternName
  /** 16 bytes, hexadecimal. */
  readonly epochId: string
  /** Hint of each reader, 4 bytes, hexadecimal, and whether it fits the public key that was given. */
  readonly readers: readonly { readonly hint: string; readonly fits: boolean | undefined }[]
}

/** One segment of a stream or log. */
export interface SegmentDescription extends HeaderDescription {
  /** Where it begins, bytes. */
  readonly offset: number
  readonly chunkBytes: number
  readonly chunks: number
  readonly contentBytes: number
  /** Whether its last chunk and its length are there. */
  readonly complete: boolean
}

/** What sealed bytes say; a stream has at least one segment. */
export type SealDescription =
  | ({ readonly form: 'header' | 'value' } & HeaderDescription & {
        readonly position: number | undefined
        readonly contentBytes: number | undefined
      })
  | {
      readonly form: 'compact'
      readonly epochId: string
      readonly position: number
      readonly contentBytes: number
    }
  | { readonly form: 'stream'; readonly segments: readonly SegmentDescription[] }

/** Describe a sealed value, header, stream or log.
 * @param publicKey - of a reader, to tell which wraps are likely its own.
 * @throws `seal/malformed`, `seal/version`, `seal/too_large` where the beginning is none. */
export async function describeSealed(source: RandomSource, publicKey?: PublicKey): Promise<SealDescription> {
  const access = await randomAccess(source)
  const start = await beginningAt(access, 0)
  const form = formOf(start)
  if (form === 'stream') return { form, segments: await segmentsOf(access, publicKey) }
  if (form === 'compact') {
    if (start.length < COMPACT_OFFSET.ciphertext)
      throw malformed('a whole sealed value, got one that ends early')
    return {
      form,
      epochId: hexEncode(start.subarray(COMPACT_OFFSET.epochId, COMPACT_OFFSET.position)),
      position: readPosition(start, COMPACT_OFFSET.position),
      contentBytes: contentBytes(access.size - COMPACT_OFFSET.ciphertext),
    }
  }
  return describeWithHeader(form, start, access.size, publicKey)
}

function describeWithHeader(
  form: Exclude<Form, 'stream' | 'compact'>,
  start: Uint8Array,
  size: number,
  publicKey: PublicKey | undefined,
): SealDescription {
  const header = readHeader(start)
  const about = describeHeader(header, publicKey)
  if (form === 'header') return { form, ...about, position: undefined, contentBytes: undefined }
  if (start.length < header.end + POSITION_BYTES)
    throw malformed('a whole sealed value, got one that ends early')
  const position = readPosition(start, header.end)
  return { form, ...about, position, contentBytes: contentBytes(size - header.end - POSITION_BYTES) }
}

/** With its padding, and without the byte that says whether there is a value. */
function contentBytes(ciphertextBytes: number): number {
  return Math.max(0, ciphertextBytes - AEAD_TAG_BYTES - 1)
}

function describeHeader(header: Header, publicKey: PublicKey | undefined): HeaderDescription {
  return {
    pattern: header.pattern.name,
    epochId: hexEncode(epochIdOf(new Uint8Array(header.commitment))),
    readers: header.wraps.map(({ hint, message }) => ({
      hint: hexEncode(hint),
      fits: publicKey === undefined ? undefined : equalConstantTime(hintOf(publicKey, message), hint),
    })),
  }
}

async function segmentsOf(
  source: RandomAccess,
  publicKey: PublicKey | undefined,
): Promise<readonly SegmentDescription[]> {
  const segments: SegmentDescription[] = []
  let offset = 0
  do {
    const prelude = readPrelude(await beginningAt(source, offset))
    const end = await endOf(source, offset + prelude.end, prelude.chunkBytes)
    const { chunkBytes } = prelude
    const about = describeHeader(prelude.header, publicKey)
    const { chunks, contentBytes: content, complete } = end
    segments.push({ ...about, offset, chunkBytes, chunks, contentBytes: content, complete })
    if (!complete) break
    offset = end.offset
  } while (offset < source.size)
  return segments
}

/** Where the frames from `start` on end: at once where this segment is the last of the file, else from frame to frame. */
async function endOf(source: RandomAccess, start: number, chunkBytes: number) {
  const frameBytes = chunkBytes + FRAME_OVERHEAD_BYTES
  let index = 0
  let offset = start
  const lastStart = lastFrameStart(source, start, frameBytes)
  if (lastStart !== undefined && (await isLastFrame(source, lastStart, start, frameBytes))) {
    index = (lastStart - start) / frameBytes
    offset = lastStart
  }
  for (let content = index * chunkBytes; ; index++) {
    if (offset + FRAME_HEAD_BYTES > source.size)
      return { chunks: index, contentBytes: content, complete: false, offset }
    const head = readFrameHead(await readExactly(source, offset, FRAME_HEAD_BYTES), 0, index, chunkBytes)
    const next = offset + head.contentBytes + FRAME_OVERHEAD_BYTES
    if (next > source.size) return { chunks: index, contentBytes: content, complete: false, offset }
    content += head.contentBytes
    offset = next
    if (!head.last) continue
    const end = offset + TRAILER_BYTES
    return { chunks: index + 1, contentBytes: content, complete: end <= source.size, offset: end }
  }
}

function lastFrameStart({ size }: RandomAccess, start: number, frameBytes: number): number | undefined {
  const all = size - TRAILER_BYTES - start
  return all < FRAME_OVERHEAD_BYTES ? undefined : start + (Math.ceil(all / frameBytes) - 1) * frameBytes
}

/** Whether a last chunk stands there that ends with the file, whose length is that of one segment. */
async function isLastFrame(
  source: RandomAccess,
  offset: number,
  start: number,
  frameBytes: number,
): Promise<boolean> {
  const trailer = await readExactly(source, source.size - TRAILER_BYTES, TRAILER_BYTES)
  const claimed = readTrailer(trailer, 0)
  if (claimed < source.size - start || claimed > source.size) return false
  const word = readPosition(await readExactly(source, offset, FRAME_HEAD_BYTES), 0)
  const contentBytes = word - 0x8000_0000
  return (
    contentBytes >= 0 &&
    contentBytes < frameBytes &&
    offset + contentBytes + FRAME_OVERHEAD_BYTES + TRAILER_BYTES === source.size
  )
}

/** As much as a header can take. */
async function beginningAt(source: RandomAccess, offset: number): Promise<Uint8Array> {
  const most = Math.min(SEAL_HEADER_MAX_BYTES + PRELUDE_END_BYTES, source.size - offset)
  return readExactly(source, offset, most)
}
