// A short sealed value in lasting memory, laid so that the ciphertext of all of them begins at one place: native code gets a view
// that is there already, and the header before it is compared in words. Public bytes, which nobody wipes.
// Leaves out long values, of which a copy costs more than a view.
import { lastingArray, viewsOf } from '../lasting.js'

/** Values up to so many bytes are copied. */
export const COPIED_MAX_BYTES = 2_048
const CIPHERTEXT = COPIED_MAX_BYTES
const WORD_BYTES = 4
const KEPT_VIEWS_MAX_BYTES = 640

const copy = lastingArray(2 * COPIED_MAX_BYTES)
const copyWords = new Uint32Array(copy.buffer)
const ciphertextOf = viewsOf(copy, CIPHERTEXT, KEPT_VIEWS_MAX_BYTES)

/** Copy a value.
 * @param sealed - at most `COPIED_MAX_BYTES`, of which the ciphertext begins at `ciphertextStart`. */
export function copyValue(sealed: Uint8Array, ciphertextStart: number): void {
  copy.set(sealed, CIPHERTEXT - ciphertextStart)
}

/** The ciphertext of the value that was copied last.
 * @returns a view that the next copy overwrites. */
export function copiedCiphertext(length: number): Uint8Array {
  return ciphertextOf(length)
}

/** Whether `words` stand in the value that was copied last.
 * @param before - bytes from their beginning to the ciphertext, whole words. */
export function copyHolds(words: Uint32Array, before: number): boolean {
  const start = (CIPHERTEXT - before) / WORD_BYTES
  const { length } = words
  let difference = 0
  for (let i = 0; i < length; i++) difference |= words[i]! ^ copyWords[start + i]!
  return difference === 0
}
