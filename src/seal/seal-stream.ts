// sealStream: a source of bytes as one sealed stream (spec/seal.md §12). Flat in memory: at most one chunk waits, since only the
// end of the source tells which chunk is the last. Leaves out the chunks themselves (stream-sealer.ts).
import { unwritten } from '../bytes.js'
import { type ByteSource, ByteStream, checkPiece, iterateBytes, type PieceOptions } from './byte-stream.js'
import { FRAME_OVERHEAD_BYTES, TRAILER_BYTES } from './stream-layout.js'
import { type StreamSealer, type StreamSealOptions, streamSealer } from './stream-sealer.js'
import type { SealWriter } from './writer.js'

/** A stream that is sealed while it is read. */
export class SealedStream extends ByteStream {
  readonly #sealer: StreamSealer

  /** Use {@link sealStream}. */
  constructor(from: ByteSource, sealer: StreamSealer, lend: boolean) {
    const source = iterateBytes(from)
    const pieces = sealed(source, sealer, lend)
    super(pieces, async () => {
      sealer[Symbol.dispose]()
      await pieces.return()
      await source.return?.()
    })
    this.#sealer = sealer
  }

  /** Once all of it has been read: what `after` of the next segment of a log is, 48 bytes and not secret; undefined before. */
  get tail(): Uint8Array | undefined {
    return this.#sealer.tail
  }
}

/** Seal all bytes of `source` as one stream.
 * @param source - read only as the result is read. Pieces that hold more than a chunk are quicker: only what one holds at its end is
 * copied before it is sealed.
 * @param options - `lend` where each piece is done with before the next one is asked for.
 * @returns pieces of the sealed stream, of about 64 KiB; reading them fails with what the source fails with, and with
 * `seal/interrupted` in a copy of the process or after a jump of its clocks.
 * @throws TypeError, RangeError as {@link streamSealer}.
 * @example await pipeline(createReadStream(path), (source) => sealStream(source, writer), createWriteStream(sealedPath)) */
export function sealStream(
  source: ByteSource,
  writer: SealWriter,
  options: StreamSealOptions & PieceOptions = {},
): SealedStream {
  return new SealedStream(source, streamSealer(writer, options), options.lend === true)
}

async function* sealed(
  source: AsyncIterator<Uint8Array> | Iterator<Uint8Array>,
  sealer: StreamSealer,
  lend: boolean,
): AsyncGenerator<Uint8Array, void, undefined> {
  using stream = sealer
  const { chunkBytes } = sealer
  /** The chunk that waits, since only what comes next tells whether it is the last. */
  const waiting = new Uint8Array(chunkBytes)
  let filled = 0
  let ended = false
  const lent = lend ? unwritten(chunkBytes + FRAME_OVERHEAD_BYTES) : undefined
  const frameOf = (content: Uint8Array): Uint8Array => {
    if (lent === undefined) return stream.sealed(content, false)
    stream.seal(content, false, lent)
    return lent
  }
  try {
    yield stream.prelude
    for (;;) {
      const { done, value: piece } = await source.next()
      if (done === true) break
      checkPiece(piece)
      for (let at = 0; at < piece.length; ) {
        if (filled === chunkBytes) {
          filled = 0
          yield frameOf(waiting)
        }
        // A chunk that lies in one piece, with more behind it, is sealed from where it lies.
        while (filled === 0 && piece.length - at > chunkBytes) {
          const content = piece.subarray(at, at + chunkBytes)
          at += chunkBytes
          yield frameOf(content)
        }
        const count = Math.min(chunkBytes - filled, piece.length - at)
        waiting.set(piece.subarray(at, at + count), filled)
        filled += count
        at += count
      }
    }
    ended = true
    yield lastFrameOf(stream, waiting.subarray(0, filled))
  } finally {
    waiting.fill(0)
    if (!ended) await source.return?.()
  }
}

/** The frame of the last chunk, with the trailer after it. */
function lastFrameOf(stream: StreamSealer, content: Uint8Array): Uint8Array {
  const end = content.length + FRAME_OVERHEAD_BYTES
  const bytes = new Uint8Array(end + TRAILER_BYTES)
  stream.seal(content, true, bytes.subarray(0, end))
  bytes.set(stream.trailer, end)
  return bytes
}
