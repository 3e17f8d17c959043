// Sealing and opening files at the speed of the disk: many chunks a read and a write, in memory that is used again and again, each
// chunk in place. While this thread encrypts one batch, Node's file threads read the next and write the one before.
// Leaves out pipes, which go through sealStream and openStream.
import type { FileHandle } from 'node:fs/promises'
import { primitives } from '../crypto/index.js'
import { NoisecapError } from '../errors.js'
import type { StreamOpener, StreamSealer } from '../seal/index.js'
import type { Io } from './io.js'
import type { Sink } from './output-file.js'

/** Around the content of a chunk (spec/seal.md §12), bytes. */
const HEAD_BYTES = 4
const OVERHEAD_BYTES = 20
const TRAILER_BYTES = 8
const BATCH_BYTES = 1_048_576
/** One is read, one is worked on, one is written. */
const BATCHES = 3

/** Called with the bytes of the file that were done; what it throws ends the work. */
export type Advance = (bytes: number) => void

/** Where the cipher is JavaScript, have it optimized. */
export function optimizeCipher(io: Io): void {
  if (primitives().aead('ChaChaPoly').provider === 'noble') io.optimize()
}

/** Memory for the frames of some chunks. */
class Batch {
  readonly bytes: Uint8Array
  readonly frames: readonly Uint8Array[]
  readonly contents: readonly Uint8Array[]

  constructor(chunkBytes: number) {
    const frameBytes = chunkBytes + OVERHEAD_BYTES
    const count = Math.max(1, Math.floor(BATCH_BYTES / chunkBytes))
    // Of its own, and not shared with other buffers.
    this.bytes = new Uint8Array(new ArrayBuffer(count * frameBytes))
    this.frames = Array.from({ length: count }, (_, i) =>
      this.bytes.subarray(i * frameBytes, (i + 1) * frameBytes),
    )
    this.contents = this.frames.map((frame) => frame.subarray(HEAD_BYTES, HEAD_BYTES + chunkBytes))
  }
}

/** Seal all of a file as one stream. */
export async function sealFile(
  input: FileHandle,
  sealer: StreamSealer,
  sink: Sink,
  advance: Advance,
): Promise<void> {
  const { chunkBytes } = sealer
  const batches = Array.from({ length: BATCHES }, () => new Batch(chunkBytes))
  const capacity = batches[0]!.contents.length * chunkBytes
  let writing = awaitedLater(sink.write([sealer.prelude]))
  let reading = awaitedLater(readFully(input, batches[0]!.contents, 0))
  try {
    for (let n = 0, filled = await reading; ; n++) {
      const batch = batches[n % BATCHES]!
      const full = filled === capacity
      if (full)
        reading = awaitedLater(readFully(input, batches[(n + 1) % BATCHES]!.contents, (n + 1) * capacity))
      const chunks = Math.max(1, Math.ceil(filled / chunkBytes))
      for (let i = 0; i < chunks - 1; i++) sealer.seal(batch.contents[i]!, false, batch.frames[i]!)
      // Whether the last chunk of the batch is the last of the file, the next read tells.
      const next: number = full ? await reading : 0
      const last = next === 0
      const lastBytes = filled - (chunks - 1) * chunkBytes
      const frame = batch.frames[chunks - 1]!.subarray(0, lastBytes + OVERHEAD_BYTES)
      sealer.seal(batch.contents[chunks - 1]!.subarray(0, lastBytes), last, frame)
      await writing
      const sealed = batch.bytes.subarray(0, filled + chunks * OVERHEAD_BYTES)
      writing = awaitedLater(sink.write(last ? [sealed, sealer.trailer] : [sealed]))
      advance(filled)
      if (last) break
      filled = next
    }
    await writing
  } finally {
    await Promise.allSettled([reading, writing])
  }
}

/** Open one stream of a file, to its end.
 * @param start - where its first frame stands.
 * @returns where it ends. */
export async function openFile(
  input: FileHandle,
  start: number,
  opener: StreamOpener,
  sink: Sink,
  advance: Advance,
): Promise<number> {
  const batches = Array.from({ length: BATCHES }, () => new Batch(opener.chunkBytes))
  const capacity = batches[0]!.bytes.length
  let position = start
  let writing: Promise<void> = Promise.resolve()
  let reading = awaitedLater(readFully(input, [batches[0]!.bytes], position))
  try {
    for (let n = 0; ; n++) {
      const batch = batches[n % BATCHES]!
      const filled = await reading
      if (filled === capacity)
        reading = awaitedLater(readFully(input, [batches[(n + 1) % BATCHES]!.bytes], position + capacity))
      const { contents, end, last } = openBatch(batch, filled, opener)
      await writing
      writing = awaitedLater(sink.write(contents))
      advance(end)
      position += end
      if (last) break
    }
    await writing
  } finally {
    await Promise.allSettled([reading, writing])
  }
  const trailer = new Uint8Array(TRAILER_BYTES)
  if ((await readFully(input, [trailer], position)) < TRAILER_BYTES) throw cutShort()
  const view = new DataView(trailer.buffer)
  opener.checkTrailer(view.getUint32(0) * 2 ** 32 + view.getUint32(4))
  return position + TRAILER_BYTES
}

/** Open the frames of a batch in place.
 * @param filled - bytes that were read; fewer than there is room for only at the end of the file. */
function openBatch(
  batch: Batch,
  filled: number,
  opener: StreamOpener,
): { readonly contents: readonly Uint8Array[]; readonly end: number; readonly last: boolean } {
  const contents: Uint8Array[] = []
  let end = 0
  for (let i = 0; i < batch.frames.length; i++) {
    if (filled < end + HEAD_BYTES) throw cutShort()
    const { contentBytes, last } = opener.frameHead(batch.bytes, end)
    const frameBytes = contentBytes + OVERHEAD_BYTES
    if (filled < end + frameBytes) throw cutShort()
    const content = batch.contents[i]!.subarray(0, contentBytes)
    opener.open(batch.frames[i]!.subarray(0, frameBytes), content)
    contents.push(content)
    end += frameBytes
    if (last) return { contents, end, last }
  }
  return { contents, end, last: false }
}

/** A promise whose failure is heard when it is awaited, and that may fail before. */
function awaitedLater<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined)
  return promise
}

/** Read until `views` are full or the file ends.
 * @returns bytes. */
async function readFully(file: FileHandle, views: readonly Uint8Array[], position: number): Promise<number> {
  let filled = 0
  let rest = views
  while (rest.length > 0) {
    let { bytesRead } = await file.readv(rest, position + filled)
    if (bytesRead === 0) break
    filled += bytesRead
    while (rest.length > 0 && bytesRead >= rest[0]!.length) {
      bytesRead -= rest[0]!.length
      rest = rest.slice(1)
    }
    if (bytesRead > 0) rest = [rest[0]!.subarray(bytesRead), ...rest.slice(1)]
  }
  return filled
}

function cutShort(): NoisecapError {
  return new NoisecapError(
    'seal/truncated',
    'Cannot open seal: the file ends before its last chunk is complete: it was cut short',
    { hint: 'Fetch it again, or find out whether its writer finished' },
  )
}
