// Writes single CBOR items to a sink: heads in their shortest form, text, byte strings, numbers, bigints.
// The written bytes count only once `commit` is called. Leaves out containers and what may be sent (value-writer.ts).
import { MESSAGE_MAX_BYTES, VALUE_BIGINT_MAX_BYTES } from '../limits.js'
import { ByteSink } from './byte-sink.js'
import { Refusal } from './value-refusal.js'
import { HEAD, INTEGER_BOUND, MAJOR, TAG } from './value-tags.js'

const encoder = new TextEncoder()
const numbers = new DataView(new ArrayBuffer(8))
const U64_BOUND = 1n << 64n
const BIGINT_BOUND = 1n << BigInt(8 * VALUE_BIGINT_MAX_BYTES)
/** Up to this many characters a loop beats TextEncoder (bench/values.ts). */
const SHORT_TEXT = 40
const NO_SINK = new ByteSink(0)

/** A position in a sink from which items are written on. */
export class ItemWriter {
  #sink = NO_SINK
  #out = NO_SINK.bytes
  #start = 0
  #at = 0

  /** Go to the end of `sink`. */
  begin(sink: ByteSink): void {
    this.#sink = sink
    this.#out = sink.bytes
    this.#start = sink.length
    this.#at = sink.length
  }

  /** What was written since `begin` belongs to the sink. */
  commit(): void {
    this.#checkSize()
    this.#sink.length = this.#at
  }

  /** Let go of the sink. */
  release(): void {
    this.begin(NO_SINK)
  }

  /** Write text.
   * @returns its length in UTF-8. */
  text(text: string): number {
    const { length } = text
    if (length > SHORT_TEXT) return this.#longText(text)
    this.#reserve(length + 5)
    const out = this.#out
    let at = this.#at + (length < 24 ? 1 : 2)
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i)
      if (code >= 0x80) return this.#longText(text)
      out[at++] = code
    }
    this.head(MAJOR.text, length)
    this.#at = at
    return length
  }

  #longText(text: string): number {
    if (text.length > MESSAGE_MAX_BYTES) throw tooLarge()
    if (!text.isWellFormed()) {
      throw new Refusal(
        'text with a lone surrogate',
        'slice() can cut a character in two: see toWellFormed()',
      )
    }
    this.#reserve(3 * text.length + 5)
    const guess = headSize(text.length)
    const { written } = encoder.encodeInto(text, this.#out.subarray(this.#at + guess))
    const size = headSize(written)
    // Non-ASCII text is longer in bytes than in characters, now and then by enough for a longer head.
    if (size !== guess) this.#out.copyWithin(this.#at + size, this.#at + guess, this.#at + guess + written)
    this.head(MAJOR.text, written)
    this.#at += written
    this.#checkSize()
    return written
  }

  /** Write a byte string. */
  bytes(value: Uint8Array): void {
    const { length } = value
    if (length > MESSAGE_MAX_BYTES) throw tooLarge()
    this.head(MAJOR.bytes, length)
    this.#reserve(length)
    this.#out.set(value, this.#at)
    this.#at += length
    this.#checkSize()
  }

  #checkSize(): void {
    if (this.#at - this.#start > MESSAGE_MAX_BYTES) throw tooLarge()
  }

  /** Write a number: an integer of up to four bytes, or a float64. */
  number(value: number): void {
    // 1 / value tells -0, which is no integer of CBOR.
    if (value >>> 0 === value && (value !== 0 || 1 / value > 0)) this.head(MAJOR.unsigned, value)
    else if (value < 0 && value >= -INTEGER_BOUND && Math.floor(value) === value) {
      this.head(MAJOR.negative, -1 - value)
    } else {
      numbers.setFloat64(0, value)
      // The bits of NaN are the engine's choice; as a key it must have one form.
      if (Number.isNaN(value)) numbers.setBigUint64(0, 0x7ff8_0000_0000_0000n)
      this.#wide(HEAD.float64)
    }
  }

  /** Write a bigint: eight bytes, or a tagged magnitude. */
  bigint(value: bigint): void {
    const negative = value < 0n
    const magnitude = negative ? -1n - value : value
    if (magnitude < U64_BOUND) {
      numbers.setBigUint64(0, magnitude)
      this.#wide(negative ? 0x3b : 0x1b)
      return
    }
    if (magnitude >= BIGINT_BOUND) throw new Refusal(`a bigint of more than ${VALUE_BIGINT_MAX_BYTES} bytes`)
    let hex = magnitude.toString(16)
    if (hex.length % 2 !== 0) hex = `0${hex}`
    const length = hex.length / 2
    this.head(MAJOR.tag, negative ? TAG.negativeBigint : TAG.positiveBigint)
    this.head(MAJOR.bytes, length)
    this.#reserve(length)
    for (let i = 0; i < length; i++) {
      this.#out[this.#at++] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16)
    }
  }

  /** Write one byte. */
  byte(byte: number): void {
    this.#reserve(1)
    this.#out[this.#at++] = byte
  }

  /** `head` and the eight bytes of `numbers`. */
  #wide(head: number): void {
    this.#reserve(9)
    const out = this.#out
    out[this.#at++] = head
    for (let i = 0; i < 8; i++) out[this.#at++] = numbers.getUint8(i)
  }

  /** A head in its shortest form, `argument` under 2^32. */
  head(major: number, argument: number): void {
    this.#reserve(5)
    const out = this.#out
    const first = major << 5
    if (argument < 24) {
      out[this.#at++] = first | argument
      return
    }
    const size = headSize(argument) - 1
    out[this.#at++] = first | (size === 1 ? 24 : size === 2 ? 25 : 26)
    for (let shift = 8 * (size - 1); shift >= 0; shift -= 8) out[this.#at++] = (argument >>> shift) & 0xff
  }

  #reserve(extra: number): void {
    if (this.#at + extra <= this.#out.length) return
    this.#sink.reserve(extra, this.#at)
    this.#out = this.#sink.bytes
  }
}

/** Bytes of the shortest head with this argument. */
function headSize(argument: number): number {
  if (argument < 24) return 1
  if (argument < 0x100) return 2
  return argument < 0x1_0000 ? 3 : 5
}

function tooLarge(): Refusal {
  return new Refusal(`more than ${MESSAGE_MAX_BYTES} bytes`, 'Send it as a stream')
}
