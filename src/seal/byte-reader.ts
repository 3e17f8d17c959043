// Reading a source of bytes in stretches of known length, though it comes in pieces of any. A stretch that lies within one piece
// is not copied; otherwise it is put together in memory that is used again and again.
// Leaves out what the bytes mean.
import { EMPTY } from '../bytes.js'
import { type ByteSource, checkPiece, iterateBytes } from './byte-stream.js'

const SCRATCH_BYTES = 8_192

/** A source with a look ahead. */
export class ByteReader {
  readonly #pieces: AsyncIterator<Uint8Array> | Iterator<Uint8Array>
  #piece = EMPTY
  #pieceAt = 0
  /** Bytes that stand before the rest of the piece: `#scratch` from `#scratchAt` to `#scratchEnd`. */
  #scratch = EMPTY
  #scratchAt = 0
  #scratchEnd = 0
  #ended = false

  constructor(source: ByteSource) {
    this.#pieces = iterateBytes(source)
  }

  /** Look ahead.
   * @param length - bytes; whoever asks has checked that so many are allowed.
   * @returns a view of the next `length` bytes, valid until the next call; shorter only where the source ends. */
  async peek(length: number): Promise<Uint8Array> {
    for (;;) {
      const view = this.#at(length)
      if (view !== undefined) return view
      await this.#pull()
    }
  }

  /** Go past `length` bytes, which have been looked at. */
  skip(length: number): void {
    const fromScratch = Math.min(length, this.#scratchEnd - this.#scratchAt)
    this.#scratchAt += fromScratch
    this.#pieceAt += length - fromScratch
  }

  /** Let go of the source. */
  async close(): Promise<void> {
    this.#piece = EMPTY
    this.#pieceAt = 0
    if (this.#ended) return
    this.#ended = true
    await this.#pieces.return?.()
  }

  /** `length` bytes as far as they are here; undefined while more may come. */
  #at(length: number): Uint8Array | undefined {
    const inPiece = this.#piece.length - this.#pieceAt
    const inScratch = this.#scratchEnd - this.#scratchAt
    if (inScratch === 0 && (inPiece >= length || this.#ended))
      return this.#piece.subarray(this.#pieceAt, this.#pieceAt + length)
    if (inScratch < length) this.#gather(Math.min(length - inScratch, inPiece), length)
    const gathered = Math.min(this.#scratchEnd - this.#scratchAt, length)
    return gathered === length || this.#ended
      ? this.#scratch.subarray(this.#scratchAt, this.#scratchAt + gathered)
      : undefined
  }

  /** Move `count` bytes of the piece to the scratch, which shall have room for `length`. */
  #gather(count: number, length: number): void {
    if (this.#scratchAt > 0) {
      this.#scratch.copyWithin(0, this.#scratchAt, this.#scratchEnd)
      this.#scratchEnd -= this.#scratchAt
      this.#scratchAt = 0
    }
    if (this.#scratch.length < length) {
      const larger = new Uint8Array(Math.max(length, SCRATCH_BYTES))
      larger.set(this.#scratch.subarray(0, this.#scratchEnd))
      this.#scratch = larger
    }
    this.#scratch.set(this.#piece.subarray(this.#pieceAt, this.#pieceAt + count), this.#scratchEnd)
    this.#scratchEnd += count
    this.#pieceAt += count
  }

  /** Get the next piece, when the present one has been used up. */
  async #pull(): Promise<void> {
    const { done, value } = await this.#pieces.next()
    if (done === true) {
      this.#ended = true
      this.#piece = EMPTY
    } else {
      checkPiece(value)
      this.#piece = value
    }
    this.#pieceAt = 0
  }
}
