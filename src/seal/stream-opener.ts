// StreamOpener: the chunks of one sealed stream, synchronously and without I/O (spec/seal.md §12), one after the other or at
// random. openStream (open-stream.ts) and openRange (open-range.ts) are it together with a source.
// Nothing is handed out before its chunk is authentic. Leaves out the header, which has been opened by then (reader.ts).
import { EMPTY } from '../bytes.js'
import { AEAD_TAG_BYTES, type AeadKey } from '../crypto/index.js'
import { SEAL_CHUNKS_MAX } from '../limits.js'
import { redact } from '../redact.js'
import type { Acceptance, Provenance } from './acceptance.js'
import { chunkNonceOf, streamAssociatedData, tailOf } from './chunk-context.js'
import type { RowKey } from './column.js'
import { streamCipher } from './epoch-keys.js'
import { alteredChunk, malformed, openError } from './failure.js'
import type { SealPatternName } from './pattern.js'
import { type OpenOptions, type SealReader, streamEpoch } from './reader.js'
import {
  FRAME_HEAD_BYTES,
  FRAME_OVERHEAD_BYTES,
  type FrameHead,
  type Prelude,
  readFrameHead,
  readPrelude,
  TRAILER_BYTES,
} from './stream-layout.js'

/** How to open a stream. */
export interface StreamOpenOptions extends OpenOptions {
  /** What the stream was sealed for; it opens for nothing else. */
  readonly context?: RowKey | undefined
  /** In a log: tail of the segment before, 48 bytes. */
  readonly after?: Uint8Array | undefined
}

/** Opens one stream. Prints as `[redacted]`, `using` forgets its key. */
export class StreamOpener<Pattern extends SealPatternName = SealPatternName> implements Disposable {
  /** What is known about who sealed the stream. */
  readonly from: Provenance<Pattern>
  /** Content of every chunk save the last, bytes. */
  readonly chunkBytes: number
  /** Bytes of the prelude: the first frame stands there. */
  readonly preludeBytes: number
  readonly #cipher: AeadKey
  readonly #ad: Uint8Array
  readonly #tailOf: (finalTag: Uint8Array) => Uint8Array
  #index = 0
  #length: number
  #tail: Uint8Array | undefined

  /** Use {@link streamOpener}.
   * @param cipher - the key of this stream; disposed here. */
  constructor(
    prelude: Prelude,
    preludeEnd: Uint8Array,
    from: Provenance<Pattern>,
    ad: Uint8Array,
    cipher: AeadKey,
  ) {
    const core = new Uint8Array(prelude.header.core)
    const commitment = new Uint8Array(prelude.header.commitment)
    const end = new Uint8Array(preludeEnd)
    this.from = from
    this.chunkBytes = prelude.chunkBytes
    this.preludeBytes = prelude.end
    this.#ad = ad
    this.#cipher = cipher
    this.#length = prelude.end
    this.#tailOf = (finalTag) => tailOf(core, commitment, end, finalTag)
  }

  /** Length and mark of the next chunk, from the 4 bytes at `offset`.
   * @throws `seal/malformed`, `seal/too_large`. */
  frameHead(bytes: Uint8Array, offset = 0): FrameHead {
    if (this.#tail !== undefined) throw new TypeError('Cannot open chunk: the last one has been opened')
    if (this.#index >= SEAL_CHUNKS_MAX) throw openError('seal/too_large', 'expected at most 2^32 chunks')
    return readFrameHead(bytes, offset, this.#index, this.chunkBytes)
  }

  /** Open the next chunk.
   * @param frame - the whole frame; borrowed, altered only where `out` lies in it.
   * @param out - its content, frame.length - 20 bytes; may be those of `frame` from byte 4 on.
   * @throws `seal/altered` for a chunk that was altered, moved, repeated or is of another stream; `seal/malformed`. */
  open(frame: Uint8Array, out: Uint8Array): void {
    const last = this.#checkFrame(frame)
    this.openAt(this.#index, last, frame, out)
    this.#goOn(frame, last)
  }

  /** Open the next chunk into new memory, as {@link open}.
   * @returns its content. */
  opened(frame: Uint8Array): Uint8Array {
    const last = this.#checkFrame(frame)
    const content = this.openedAt(this.#index, last, frame)
    this.#goOn(frame, last)
    return content
  }

  /** Open any chunk, as {@link open}, without going on to the next. That nothing was cut off is known only to whoever has opened
   * the last one too. */
  openAt(index: number, last: boolean, frame: Uint8Array, out: Uint8Array): void {
    const nonce = chunkNonceOf(index, last)
    if (!this.#cipher.open(nonce, this.#ad, frame.subarray(FRAME_HEAD_BYTES), out)) throw alteredChunk(index)
  }

  /** As {@link openAt}, into new memory.
   * @returns the content of the chunk. */
  openedAt(index: number, last: boolean, frame: Uint8Array): Uint8Array {
    const content = this.#cipher.opened(chunkNonceOf(index, last), this.#ad, frame.subarray(FRAME_HEAD_BYTES))
    if (content === undefined) throw alteredChunk(index)
    return content
  }

  /** Length of the stream with its trailer, once the last chunk has been opened. */
  checkTrailer(streamBytes: number): void {
    if (this.#tail === undefined) throw new TypeError('Cannot end stream: its last chunk has not been opened')
    if (streamBytes !== this.#length + TRAILER_BYTES) throw malformed('the length of the stream at its end')
  }

  /** What the next segment of a log names this stream by, 48 bytes; undefined before the last chunk. */
  get tail(): Uint8Array | undefined {
    return this.#tail
  }

  [Symbol.dispose](): void {
    this.#cipher[Symbol.dispose]()
  }

  /** Whether `frame`, which is as long as it says, is the last one. */
  #checkFrame(frame: Uint8Array): boolean {
    const { last, contentBytes } = this.frameHead(frame)
    if (frame.length === contentBytes + FRAME_OVERHEAD_BYTES) return last
    throw new RangeError(
      `Cannot open chunk: expected a frame of ${contentBytes + FRAME_OVERHEAD_BYTES} bytes`,
    )
  }

  #goOn(frame: Uint8Array, last: boolean): void {
    this.#index += 1
    this.#length += frame.length
    if (!last) return
    this.#tail = this.#tailOf(frame.subarray(frame.length - AEAD_TAG_BYTES))
    this[Symbol.dispose]()
  }
}

/** Begin to open a stream whose chunks the caller brings: {@link openStream} does that.
 * @param beginning - of the stream, at least up to its first chunk, which stands at `preludeBytes` of the result; borrowed.
 * @throws as {@link SealReader.open}, save for what concerns a value. */
export function streamOpener<Accepted extends Acceptance>(
  reader: SealReader<Accepted>,
  beginning: Uint8Array,
  { context, after, at }: StreamOpenOptions = {},
): StreamOpener<Accepted['pattern']> {
  const prelude = readPrelude(beginning)
  const { header, position, chunkBytes, end } = prelude
  const ad = streamAssociatedData(chunkBytes, context, after)
  const epoch = streamEpoch(reader, beginning, at)
  const from = epoch.from as Provenance<Accepted['pattern']> // of a pattern that is accepted: the reader refuses others
  const writer = 'writer' in from ? from.writer : EMPTY
  const cipher = streamCipher(epoch.epochKey, header.core, writer, position)
  return new StreamOpener(prelude, beginning.subarray(header.end, end), from, ad, cipher)
}

redact(StreamOpener, () => 'StreamOpener [redacted]')
