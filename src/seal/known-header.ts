// The header of an epoch as it was opened: what a value that carries its header is compared with, since nothing else vouches for
// its wraps (spec/seal.md §6). Of most patterns it is made of whole words, and is compared so. Public bytes: without regard to time.
// Leaves out finding the epoch (epoch-cache.ts).
import { OFFSET, POSITION_BYTES } from './layout.js'
import { COPIED_MAX_BYTES, copyHolds, copyValue } from './value-copy.js'

const WORD_BYTES = 4

/** All of a header save its form byte. */
export class KnownHeader {
  /** Bytes. */
  readonly length: number
  /** A copy, in memory of whole words. */
  readonly #words: Uint32Array

  /** @param body - borrowed. */
  constructor(body: Uint8Array) {
    this.length = body.length
    this.#words = new Uint32Array(Math.ceil(body.length / WORD_BYTES))
    this.#bytes().set(body)
  }

  /** Whether a value begins with this header.
   * @param sealed - borrowed; it is the copied value (value-copy.ts) afterwards, where that is true and it is short enough. */
  beginsValue(sealed: Uint8Array): boolean {
    const { length } = this
    const ciphertextStart = OFFSET.core + length + POSITION_BYTES
    if (sealed.length < ciphertextStart) return false
    const isLong = sealed.length > COPIED_MAX_BYTES
    if (!isLong) copyValue(sealed, ciphertextStart)
    return isLong || length % WORD_BYTES !== 0
      ? standsIn(sealed, OFFSET.core, this.#bytes())
      : copyHolds(this.#words, length + POSITION_BYTES)
  }

  /** Whether `body` is that of this header. */
  is(body: Uint8Array): boolean {
    return body.length === this.length && standsIn(body, 0, this.#bytes())
  }

  #bytes(): Uint8Array {
    return new Uint8Array(this.#words.buffer, 0, this.length)
  }
}

/** Node's own comparison, which takes two fifths of the time of a loop over a header. */
const compare = (globalThis as { Buffer?: typeof Buffer }).Buffer?.prototype.compare

/** Whether `part` stands in `bytes` at `offset`. */
export function standsIn(bytes: Uint8Array, offset: number, part: Uint8Array): boolean {
  const { length } = part
  if (bytes.length < offset + length) return false
  if (compare !== undefined)
    return compare.call(bytes as Buffer, part, 0, length, offset, offset + length) === 0 // it takes any Uint8Array
  for (let i = 0; i < length; i++) if (bytes[offset + i] !== part[i]) return false
  return true
}
