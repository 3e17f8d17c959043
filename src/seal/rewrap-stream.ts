// rewrapStream: other readers for a sealed stream or a log (spec/seal.md §9, §12). Headers are replaced, and the lengths at the
// end with them; chunks pass as they are, without being opened. Leaves out the headers (rewrap.ts).
import { ByteReader } from './byte-reader.js'
import { type ByteSource, ByteStream } from './byte-stream.js'
import { malformed } from './failure.js'
import { FORM, OFFSET } from './layout.js'
import { readBeginning } from './open-stream.js'
import type { Rewrapper } from './rewrap.js'
import {
  encodePrelude,
  FRAME_HEAD_BYTES,
  FRAME_OVERHEAD_BYTES,
  readFrameHead,
  readPrelude,
  readTrailer,
  TRAILER_BYTES,
  truncated,
  writeTrailer,
} from './stream-layout.js'

/** The same stream, or log, for other readers.
 * @param source - the sealed bytes, all of them.
 * @returns pieces of the sealed stream; reading them fails with `seal/reseal` for patterns other than N, and as opening a header
 * does. Chunks are not opened: what was altered in them stays so. */
export function rewrapStream(source: ByteSource, rewrapper: Rewrapper): ByteStream {
  const bytes = new ByteReader(source)
  const pieces = rewrapped(bytes, rewrapper)
  return new ByteStream(pieces, async () => {
    await pieces.return()
    await bytes.close()
  })
}

async function* rewrapped(
  bytes: ByteReader,
  rewrapper: Rewrapper,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    do yield* segment(bytes, rewrapper)
    while ((await bytes.peek(1)).length > 0)
  } finally {
    await bytes.close()
  }
}

async function* segment(
  bytes: ByteReader,
  rewrapper: Rewrapper,
): AsyncGenerator<Uint8Array, void, undefined> {
  const old = await readBeginning(bytes)
  const { header, position, chunkBytes, end } = readPrelude(old)
  const oldHeader = new Uint8Array(old.subarray(0, header.end))
  oldHeader[OFFSET.form] = FORM.header
  const prelude = encodePrelude(rewrapper.rewrap(oldHeader), position, chunkBytes)
  bytes.skip(end)
  yield prelude
  let length = prelude.length
  let last = false
  for (let index = 0; !last; index++) {
    const head = await take(bytes, FRAME_HEAD_BYTES)
    const frame = readFrameHead(head, 0, index, chunkBytes)
    const piece = new Uint8Array(await take(bytes, frame.contentBytes + FRAME_OVERHEAD_BYTES))
    bytes.skip(piece.length)
    yield piece
    length += piece.length
    last = frame.last
  }
  const shrunk = end - prelude.length
  const trailer = new Uint8Array(await take(bytes, TRAILER_BYTES))
  length += TRAILER_BYTES
  if (readTrailer(trailer, 0) - shrunk !== length) throw malformed('the length of the stream at its end')
  writeTrailer(trailer, 0, length)
  bytes.skip(TRAILER_BYTES)
  yield trailer
}

async function take(bytes: ByteReader, length: number): Promise<Uint8Array> {
  const view = await bytes.peek(length)
  if (view.length < length) throw truncated()
  return view
}
