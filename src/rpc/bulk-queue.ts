// Sources of bytes that travel in frames of their own, a frame of each in turn (spec/rpc.md §2, §4). Leaves out when they
// leave (outbox.ts).
import { ByteSink } from './byte-sink.js'
import { FRAME, writeByte, writeBytes, writeVarint } from './wire.js'

/** Bytes that travel in frames of their own, whenever no message waits. */
export interface BulkSource {
  readonly id: number
  /** The next 1 to 32,768 bytes, borrowed until the next call; undefined when there are none now. */
  takeBytes(): Uint8Array | undefined
}

/** Where a frame is put together, whoever sends it: it leaves at once. */
const frame = new ByteSink(0)

/** Sources of one session that have bytes. */
export class BulkQueue {
  readonly #sources: BulkSource[] = []

  get isEmpty(): boolean {
    return this.#sources.length === 0
  }

  add(source: BulkSource): void {
    if (!this.#sources.includes(source)) this.#sources.push(source)
  }

  /** One frame of the source whose turn it is, borrowed until the next call; undefined when none has any. */
  next(): Uint8Array | undefined {
    for (let source = this.#sources.shift(); source !== undefined; source = this.#sources.shift()) {
      const bytes = source.takeBytes()
      if (bytes === undefined) continue
      frame.length = 0
      writeByte(frame, FRAME.stream)
      writeVarint(frame, source.id)
      writeBytes(frame, bytes)
      this.#sources.push(source)
      return frame.bytes.subarray(0, frame.length)
    }
    return undefined
  }
}
