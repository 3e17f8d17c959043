// openStream and openLog: sealed streams from a source of bytes, chunk by chunk (spec/seal.md §12). What a chunk holds is handed
// out when it is authentic and not before; that nothing is missing is known at the end, which throws where something is.
// Leaves out the chunks themselves (stream-opener.ts) and opening a part (open-range.ts).
import { EMPTY, unwritten } from '../bytes.js'
import type { Acceptance, Provenance } from './acceptance.js'
import { ByteReader } from './byte-reader.js'
import { type ByteSource, ByteStream, type PieceOptions } from './byte-stream.js'
import { malformed } from './failure.js'
import type { SealPatternName } from './pattern.js'
import type { SealReader } from './reader.js'
import {
  FRAME_HEAD_BYTES,
  FRAME_OVERHEAD_BYTES,
  preludeBytesKnown,
  readTrailer,
  TRAILER_BYTES,
  truncated,
} from './stream-layout.js'
import { type StreamOpener, type StreamOpenOptions, streamOpener } from './stream-opener.js'

/** A stream whose header has been opened; its content opens while it is read. */
export class OpenedStream<Pattern extends SealPatternName = SealPatternName> extends ByteStream {
  readonly #opener: StreamOpener<Pattern>

  /** Use {@link openStream} or {@link openLog}. */
  constructor(
    opener: StreamOpener<Pattern>,
    pieces: AsyncGenerator<Uint8Array, void, undefined>,
    letGo: () => Promise<void>,
  ) {
    super(pieces, letGo)
    this.#opener = opener
  }

  /** What is known about who sealed it. */
  get from(): Provenance<Pattern> {
    return this.#opener.from
  }

  /** Once all of it has been read: its tail, 48 bytes; undefined before. */
  get tail(): Uint8Array | undefined {
    return this.#opener.tail
  }
}

/** Open a stream. Resolves when its header has been opened.
 * @param source - the sealed bytes, all of them: reading the result fails with `seal/malformed` when more follow.
 * @param options - `lend` where each piece is done with before the next one is asked for.
 * @returns the content in pieces, each authentic, and memory of its own unless it is lent. Only when reading ends without an error is it complete.
 * @throws as `SealReader.open`, and `seal/truncated`; what the source fails with. While reading: `seal/altered`,
 * `seal/truncated`, `seal/malformed`.
 * @example for await (const piece of await openStream(createReadStream(path), reader)) … */
export async function openStream<Accepted extends Acceptance>(
  source: ByteSource,
  reader: SealReader<Accepted>,
  options: StreamOpenOptions & PieceOptions = {},
): Promise<OpenedStream<Accepted['pattern']>> {
  const bytes = new ByteReader(source)
  const opener = await orClose(bytes, () => begin(bytes, reader, options))
  const pieces = onlyContent(bytes, opener, options.lend === true)
  return new OpenedStream(opener, pieces, async () => {
    opener[Symbol.dispose]()
    await pieces.return()
    await bytes.close()
  })
}

/** Open a log: one or more segments, each sealed with the tail of the one before. Segments come in order; asking for the next one
 * reads the present one to its end. A log that was cut back to an earlier segment cannot be told from one that never went on:
 * compare the last `tail` with one that is kept elsewhere where that matters.
 * @param options - `after` is the tail of a segment that was read before, to go on from there; `lend` as in {@link openStream}.
 * @throws while iterating: as {@link openStream}. */
export async function* openLog<Accepted extends Acceptance>(
  source: ByteSource,
  reader: SealReader<Accepted>,
  options: StreamOpenOptions & PieceOptions = {},
): AsyncGenerator<OpenedStream<Accepted['pattern']>, void, undefined> {
  const bytes = new ByteReader(source)
  let after = options.after
  try {
    do {
      const opener = await begin(bytes, reader, { ...options, after })
      const pieces = contentOf(bytes, opener, options.lend === true)
      // What the caller leaves is read here: the next segment stands after it.
      yield new OpenedStream(opener, pieces, async () => undefined)
      while ((await pieces.next()).done !== true);
      after = opener.tail
    } while ((await bytes.peek(1)).length > 0)
  } finally {
    await bytes.close()
  }
}

async function begin<Accepted extends Acceptance>(
  bytes: ByteReader,
  reader: SealReader<Accepted>,
  options: StreamOpenOptions,
): Promise<StreamOpener<Accepted['pattern']>> {
  const prelude = await readBeginning(bytes)
  const opener = streamOpener(reader, prelude, options)
  bytes.skip(prelude.length)
  return opener
}

/** The prelude at the start of `bytes`, of which no byte after it is waited for; looked at, not skipped.
 * @throws `seal/malformed`, `seal/version`, `seal/too_large`, `seal/truncated`. */
export async function readBeginning(bytes: ByteReader): Promise<Uint8Array> {
  for (let known = FRAME_HEAD_BYTES; ; ) {
    const prelude = await bytes.peek(known)
    if (prelude.length < 2) throw malformedStart()
    const needed = preludeBytesKnown(prelude)
    if (prelude.length < known) throw truncated()
    if (needed === known) return prelude
    known = needed
  }
}

function malformedStart(): Error {
  return malformed('a sealed stream, got fewer than 2 bytes')
}

/** The content of one stream, up to and with its trailer. */
async function* contentOf(
  bytes: ByteReader,
  opener: StreamOpener,
  lend: boolean,
): AsyncGenerator<Uint8Array, void, undefined> {
  using stream = opener
  using opening = lend ? new LentMemory(stream) : stream
  for (let last = false; !last; ) {
    const head = await bytes.peek(FRAME_HEAD_BYTES)
    if (head.length < FRAME_HEAD_BYTES) throw truncated()
    const { contentBytes, last: isLast } = stream.frameHead(head)
    const frameBytes = contentBytes + FRAME_OVERHEAD_BYTES
    const frame = await bytes.peek(frameBytes)
    if (frame.length < frameBytes) throw truncated()
    const content = opening.opened(frame)
    bytes.skip(frameBytes)
    last = isLast
    if (contentBytes > 0) yield content
  }
  const trailer = await bytes.peek(TRAILER_BYTES)
  if (trailer.length < TRAILER_BYTES) throw truncated()
  stream.checkTrailer(readTrailer(trailer, 0))
  bytes.skip(TRAILER_BYTES)
}

async function* onlyContent(
  bytes: ByteReader,
  opener: StreamOpener,
  lend: boolean,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* contentOf(bytes, opener, lend)
    if ((await bytes.peek(1)).length > 0)
      throw malformed('the end after the last chunk, got further bytes: openLog reads what was appended')
  } finally {
    await bytes.close()
  }
}

/** Opens every chunk of a stream into the same memory, which disposal wipes. */
class LentMemory implements Disposable {
  readonly #opener: StreamOpener
  #memory = EMPTY

  constructor(opener: StreamOpener) {
    this.#opener = opener
  }

  /** @param frame - a whole one.
   * @returns its content, valid until the next call. */
  opened(frame: Uint8Array): Uint8Array {
    const length = frame.length - FRAME_OVERHEAD_BYTES
    // As much as has arrived already: what a stream says of its chunks takes no memory alone.
    if (this.#memory.length < length) this.#memory = unwritten(length)
    const content = this.#memory.subarray(0, length)
    this.#opener.open(frame, content)
    return content
  }

  [Symbol.dispose](): void {
    this.#memory.fill(0)
  }
}

async function orClose<T>(bytes: ByteReader, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    await bytes.close()
    throw error
  }
}
