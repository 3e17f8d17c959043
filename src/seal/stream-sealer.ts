// StreamSealer: the chunks of one sealed stream, synchronously and without I/O (spec/seal.md §12). Whoever manages buffers of
// its own uses it directly; sealStream (seal-stream.ts) is it together with a source. Never the same chunk index twice, and none
// in a copy of the process. Leaves out where the content comes from and where frames go.
import { AEAD_TAG_BYTES, type AeadKey } from '../crypto/index.js'
import { NoisecapError } from '../errors.js'
import { SEAL_CHUNK_BYTES, SEAL_CHUNKS_MAX } from '../limits.js'
import { redact } from '../redact.js'
import { chunkNonceOf, streamAssociatedData, tailOf } from './chunk-context.js'
import type { RowKey } from './column.js'
import { Continuity } from './incarnation.js'
import { OFFSET } from './layout.js'
import {
  checkChunkBytes,
  encodePrelude,
  FRAME_HEAD_BYTES,
  FRAME_OVERHEAD_BYTES,
  PRELUDE_END_BYTES,
  TRAILER_BYTES,
  writeFrameHead,
  writeTrailer,
} from './stream-layout.js'
import { type SealWriter, takeStream } from './writer.js'

/** How a stream is sealed. */
export interface StreamSealOptions {
  /** What the stream is for, such as the name of a file; it opens for nothing else. None when left out. */
  readonly context?: RowKey | undefined
  /** Content of each chunk, bytes, a power of two from 64 to 2^20; default 65,536. */
  readonly chunkBytes?: number | undefined
  /** Append to a log: tail of its last segment, 48 bytes. */
  readonly after?: Uint8Array | undefined
}

/** Seals one stream, which carries its header and may go on after the end of its epoch. Prints as `[redacted]`, `using` forgets its key. */
export class StreamSealer implements Disposable {
  /** What the stream begins with: header, position, chunk size. */
  readonly prelude: Uint8Array
  /** Content of every chunk save the last, bytes. */
  readonly chunkBytes: number
  readonly #cipher: AeadKey
  readonly #ad: Uint8Array
  readonly #continuity: Continuity
  #index = 0
  #length: number
  #tail: Uint8Array | undefined

  /** Use {@link streamSealer}.
   * @param cipher - the key of this stream and of nothing else; disposed here. */
  constructor(
    prelude: Uint8Array,
    chunkBytes: number,
    ad: Uint8Array,
    cipher: AeadKey,
    continuity: Continuity,
  ) {
    this.prelude = prelude
    this.chunkBytes = chunkBytes
    this.#ad = ad
    this.#cipher = cipher
    this.#continuity = continuity
    this.#length = prelude.length
  }

  /** Seal the next chunk.
   * @param content - `chunkBytes` bytes, fewer only in the last chunk, which is empty only when it is alone; borrowed.
   * @param last - whether nothing follows; the stream is then finished.
   * @param frame - content.length + 20 bytes, written; `content` may stand in it from byte 4 on.
   * @throws `seal/interrupted` in a copy of the process and after a jump of its clocks; RangeError. */
  seal(content: Uint8Array, last: boolean, frame: Uint8Array): void {
    const { length } = content
    if (frame.length !== length + FRAME_OVERHEAD_BYTES)
      throw new RangeError(`Cannot seal chunk: expected a frame of ${length + FRAME_OVERHEAD_BYTES} bytes`)
    const index = this.#next(length, last)
    this.#cipher.seal(chunkNonceOf(index, last), this.#ad, content, frame.subarray(FRAME_HEAD_BYTES))
    this.#goOn(frame, last)
  }

  /** Seal the next chunk into new memory, as {@link seal}.
   * @returns its frame. */
  sealed(content: Uint8Array, last: boolean): Uint8Array {
    const index = this.#next(content.length, last)
    const frame = this.#cipher.sealed(chunkNonceOf(index, last), this.#ad, content, FRAME_HEAD_BYTES)
    this.#goOn(frame, last)
    return frame
  }

  /** The index of the next chunk, which nobody gets again, also where sealing it then fails. */
  #next(length: number, last: boolean): number {
    if (this.#tail !== undefined) throw new TypeError('Cannot seal chunk: the stream is finished')
    if (last ? length > this.chunkBytes || (length === 0 && this.#index > 0) : length !== this.chunkBytes) {
      throw new RangeError(
        `Cannot seal chunk: expected ${this.chunkBytes} bytes, fewer only in the last chunk`,
      )
    }
    if (this.#index >= SEAL_CHUNKS_MAX)
      throw new RangeError('Cannot seal stream: expected at most 2^32 chunks')
    if (!this.#continuity.lasts) {
      this[Symbol.dispose]()
      throw interrupted()
    }
    const index = this.#index
    this.#index += 1
    return index
  }

  #goOn(frame: Uint8Array, last: boolean): void {
    writeFrameHead(frame, frame.length - FRAME_OVERHEAD_BYTES, last)
    this.#length += frame.length
    if (last) this.#finish(frame)
  }

  /** What the stream ends with, after the last chunk: its length, 8 bytes. */
  get trailer(): Uint8Array {
    const trailer = new Uint8Array(TRAILER_BYTES)
    if (this.#tail === undefined) throw new TypeError('Cannot end stream: its last chunk has not been sealed')
    writeTrailer(trailer, 0, this.#length + TRAILER_BYTES)
    return trailer
  }

  /** What the next segment of a log names this stream by, 48 bytes, not secret; undefined before the last chunk. */
  get tail(): Uint8Array | undefined {
    return this.#tail
  }

  [Symbol.dispose](): void {
    this.#cipher[Symbol.dispose]()
  }

  #finish(frame: Uint8Array): void {
    const { prelude } = this
    this.#tail = tailOf(
      prelude.subarray(OFFSET.core, OFFSET.commitment),
      prelude.subarray(OFFSET.commitment, OFFSET.wrapCount),
      prelude.subarray(prelude.length - PRELUDE_END_BYTES),
      frame.subarray(frame.length - AEAD_TAG_BYTES),
    )
    this[Symbol.dispose]()
  }
}

/** Begin a stream whose chunks the caller brings and takes: {@link sealStream} does both.
 * @throws RangeError for another chunk size, TypeError for a context without an encoding; what `onEpoch` of the writer throws. */
export function streamSealer(
  writer: SealWriter,
  { context, chunkBytes = SEAL_CHUNK_BYTES, after }: StreamSealOptions = {},
): StreamSealer {
  checkChunkBytes(chunkBytes)
  const ad = streamAssociatedData(chunkBytes, context, after)
  const { header, position, cipher, surroundings } = takeStream(writer)
  const prelude = encodePrelude(header, position, chunkBytes)
  return new StreamSealer(prelude, chunkBytes, ad, cipher, new Continuity(surroundings))
}

redact(StreamSealer, () => 'StreamSealer [redacted]')

function interrupted(): NoisecapError {
  return new NoisecapError(
    'seal/interrupted',
    'Cannot seal stream: this process was copied, or its clocks jumped, since the last chunk',
    { hint: 'Seal the stream again from its beginning; what was written of it is of no use' },
  )
}
