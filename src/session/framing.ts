// Splits a byte stream into frames, u16 length ‖ body, without copying a frame that arrived whole (spec/session.md §6).
// A length beyond the limit is refused before memory is taken for it, and a trickled frame is copied once, not once a chunk.
// Leaves out what a frame means.
import { EMPTY, unwritten } from '../bytes.js'
import type { Framing } from '../transport/index.js'

/** A peer announced a frame longer than is allowed here. */
export class FrameTooLongError extends Error {}

/** From here on memory is taken without zeros: a frame is handed over when every byte of it was filled. */
const LONG_FRAME_BYTES = 4_096

/** Feed with {@link push}, drain with {@link next}. */
export class FrameReader {
  /** Longest body accepted now, bytes; raised when the handshake is done. */
  maxBytes: number
  /** Whether the body that {@link next} returned was put together here from several chunks, and is no view of one. */
  wasGathered = false
  readonly #framing: Framing
  #chunk: Uint8Array = EMPTY
  #offset = 0
  #firstLengthByte = -1
  #partial: Uint8Array | undefined
  #filled = 0

  constructor(framing: Framing, maxBytes: number) {
    this.#framing = framing
    this.maxBytes = maxBytes
  }

  /** Whether a frame has begun and not ended: the frame deadline runs. */
  get isMidFrame(): boolean {
    return this.#partial !== undefined || this.#firstLengthByte >= 0
  }

  /** Whether bytes lie behind the frames that were taken. */
  get hasRest(): boolean {
    return this.#offset < this.#chunk.length
  }

  /** Let go of everything: what comes is no longer of interest. */
  clear(): void {
    this.#letGo()
    this.#partial = undefined
    this.#firstLengthByte = -1
  }

  /** Hand over the next bytes. All frames of the bytes before must have been drained. */
  push(chunk: Uint8Array): void {
    if (this.hasRest) throw new Error('Cannot push: earlier frames are not drained')
    this.#chunk = chunk
    this.#offset = 0
  }

  /** The next whole body, which the caller may alter; undefined when more bytes are needed.
   * @throws {@link FrameTooLongError} */
  next(): Uint8Array | undefined {
    this.wasGathered = false
    if (this.#framing === 'message') return this.#nextMessage()
    if (this.#partial !== undefined) return this.#fill(this.#partial)
    const length = this.#readLength()
    if (length < 0) return undefined
    if (length > this.maxBytes) throw new FrameTooLongError()
    const end = this.#offset + length
    if (end <= this.#chunk.length) {
      const body = this.#chunk.subarray(this.#offset, end)
      this.#offset = end
      if (!this.hasRest) this.#letGo()
      return body
    }
    this.#partial = length < LONG_FRAME_BYTES ? new Uint8Array(length) : unwritten(length)
    this.#filled = 0
    return this.#fill(this.#partial)
  }

  #nextMessage(): Uint8Array | undefined {
    if (this.#offset >= this.#chunk.length) return undefined
    const message = this.#chunk
    this.#letGo()
    if (message.length > this.maxBytes) throw new FrameTooLongError()
    return message
  }

  /** The length before a body, or -1 when its two bytes are not there yet. */
  #readLength(): number {
    const chunk = this.#chunk
    if (this.#firstLengthByte < 0) {
      if (this.#offset >= chunk.length) return -1
      this.#firstLengthByte = chunk[this.#offset++]!
    }
    if (this.#offset >= chunk.length) return -1
    const length = (this.#firstLengthByte << 8) | chunk[this.#offset++]!
    this.#firstLengthByte = -1
    return length
  }

  #fill(partial: Uint8Array): Uint8Array | undefined {
    const take = Math.min(partial.length - this.#filled, this.#chunk.length - this.#offset)
    partial.set(this.#chunk.subarray(this.#offset, this.#offset + take), this.#filled)
    this.#offset += take
    this.#filled += take
    if (!this.hasRest) this.#letGo()
    if (this.#filled < partial.length) return undefined
    this.#partial = undefined
    this.wasGathered = true
    return partial
  }

  /** A chunk may be 64 KiB that a stranger sent: it is not kept until the next one comes. */
  #letGo(): void {
    this.#chunk = EMPTY
    this.#offset = 0
  }
}
