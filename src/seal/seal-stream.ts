// sealStream: a source of bytes as one sealed stream (spec/seal.md §12). Flat in memory: at most one chunk waits, since only the
// end of the source tells which chunk is the last. Leaves out the chunks themselves (stream-sealer.ts).
import { type ByteSource, ByteStream, checkPiece, iterateBytes } from './byte-stream.js'
import { FRAME_HEAD_BYTES, FRAME_OVERHEAD_BYTES, TRAILER_BYTES } from './stream-layout.js'
import type { StreamSealer } from './stream-sealer.js'
import type { SealWriter, StreamSealOptions } from './writer.js'

/** A stream that is sealed while it is read. */
export class SealedStream extends ByteStream {
  readonly #sealer: StreamSealer

  /** Use {@link sealStream}. */
  constructor(from: ByteSource, sealer: StreamSealer) {
    const source = iterateBytes(from)
    const pieces = sealed(source, sealer)
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
 * @param source - read only as the result is read; a piece is copied once, into the memory where it is sealed.
 * @returns pieces of the sealed stream, of about 64 KiB; reading them fails with what the source fails with, and with
 * `seal/interrupted` in a copy of the process or after a jump of its clocks.
 * @throws TypeError, RangeError as `SealWriter.stream`.
 * @example await pipeline(createReadStream(path), (source) => sealStream(source, writer), createWriteStream(sealedPath)) */
export function sealStream(
  source: ByteSource,
  writer: SealWriter,
  options: StreamSealOptions = {},
): SealedStream {
  return new SealedStream(source, writer.stream(options))
}

async function* sealed(
  source: AsyncIterator<Uint8Array> | Iterator<Uint8Array>,
  sealer: StreamSealer,
): AsyncGenerator<Uint8Array, void, undefined> {
  using stream = sealer
  const { chunkBytes } = sealer
  let frame = newFrame(chunkBytes)
  let filled = 0
  let ended = false
  try {
    yield stream.prelude
    for (;;) {
      const { done, value: piece } = await source.next()
      if (done === true) break
      checkPiece(piece)
      for (let at = 0; at < piece.length; ) {
        if (filled === chunkBytes) {
          yield closeFrame(stream, frame, filled, false)
          frame = newFrame(chunkBytes)
          filled = 0
        }
        const count = Math.min(chunkBytes - filled, piece.length - at)
        frame.set(piece.subarray(at, at + count), FRAME_HEAD_BYTES + filled)
        filled += count
        at += count
      }
    }
    ended = true
    yield closeFrame(stream, frame, filled, true)
  } finally {
    frame.fill(0, FRAME_HEAD_BYTES, FRAME_HEAD_BYTES + (ended ? 0 : filled))
    if (!ended) await source.return?.()
  }
}

function newFrame(chunkBytes: number): Uint8Array {
  return new Uint8Array(chunkBytes + FRAME_OVERHEAD_BYTES + TRAILER_BYTES)
}

/** The frame whose content stands in place, with the trailer after the last one. */
function closeFrame(stream: StreamSealer, frame: Uint8Array, filled: number, last: boolean): Uint8Array {
  const end = filled + FRAME_OVERHEAD_BYTES
  const content = frame.subarray(FRAME_HEAD_BYTES, FRAME_HEAD_BYTES + filled)
  stream.seal(content, last, frame.subarray(0, end))
  if (!last) return frame.subarray(0, end)
  frame.set(stream.trailer, end)
  return frame.subarray(0, end + TRAILER_BYTES)
}
