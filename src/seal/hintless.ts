// Sealed values without hints (spec/mailbox.md §3): who keeps messages for others must not learn for whom, even if he knows the
// recipient's public key, and a hint is a hash of that. The hints of a value are zeros on the way, and its reader, who knows
// which value is for him, puts his own in. Nothing authentic changes: hints only choose which wrap is tried.
import type { PublicKey } from '../crypto/index.js'
import { hintOf } from './epoch-keys.js'
import { malformed } from './failure.js'
import { formOf, HINT_BYTES, OFFSET, readHeader } from './layout.js'

/** A whole value with one wrap, its hint overwritten with zeros.
 * @param value - borrowed.
 * @throws `seal/malformed`, `seal/version`, `seal/too_large` for anything but a whole value for one reader. */
export function withoutHint(value: Uint8Array): Uint8Array {
  checkSingle(value)
  return withHint(value, new Uint8Array(HINT_BYTES))
}

/** The same value with the hint of `reader`, so that `SealReader` tries its wrap.
 * @param value - borrowed.
 * @throws as {@link withoutHint}. */
export function withHintOf(value: Uint8Array, reader: PublicKey): Uint8Array {
  const { wraps } = checkSingle(value)
  return withHint(value, hintOf(reader, wraps[0]!.message))
}

/** One value for each wrap of `value`, in their order: the same content, each with that wrap alone and without its hint.
 * @param value - a whole value for any number of readers; borrowed.
 * @throws `seal/malformed`, `seal/version`, `seal/too_large`. */
export function splitByReader(value: Uint8Array): readonly Uint8Array[] {
  const { wraps, end } = wholeHeader(value)
  return wraps.map(({ bytes }) => {
    const single = new Uint8Array(OFFSET.wraps + bytes.length + value.length - end)
    single.set(value.subarray(0, OFFSET.wraps))
    single[OFFSET.wrapCount] = 1
    single.set(bytes, OFFSET.wraps)
    single.fill(0, OFFSET.wraps, OFFSET.wraps + HINT_BYTES)
    single.set(value.subarray(end), OFFSET.wraps + bytes.length)
    return single
  })
}

/** For who passes sealed values on without being their reader: whether `value` is a whole value for one reader, without hint.
 * @throws as {@link withoutHint}. */
export function checkHintless(value: Uint8Array): void {
  const { wraps } = checkSingle(value)
  if (wraps[0]!.hint.some((byte) => byte !== 0)) throw malformed('a value whose hint is zero')
}

function withHint(value: Uint8Array, hint: Uint8Array): Uint8Array {
  const copy = value.slice()
  copy.set(hint, OFFSET.wraps)
  return copy
}

function checkSingle(value: Uint8Array) {
  const header = wholeHeader(value)
  if (header.wraps.length !== 1) throw malformed('a value for exactly one reader')
  return header
}

function wholeHeader(value: Uint8Array) {
  if (formOf(value) !== 'value') throw malformed('a value that carries its header')
  return readHeader(value)
}
