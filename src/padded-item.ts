// One item of deterministic CBOR, padded with zeros to a multiple, so that its length tells little (spec/resolve.md §3,
// spec/seal.md §5). One encoding for each value: what is not padded that way is refused. Leaves out what the items say.
import { equalConstantTime } from './bytes.js'
import { type Dcbor, DcborError, decodeDcborPrefix, encodeDcbor } from './dcbor.js'

/** Length of `length` bytes once padded. */
export function paddedLength(length: number, multiple: number): number {
  return Math.ceil(length / multiple) * multiple
}

/** The bytes of `value`, padded; a new array. */
export function encodePaddedItem(value: Dcbor, multiple: number): Uint8Array {
  return pad(encodeDcbor(value), multiple)
}

/** The item before the padding; undefined where either is not as {@link encodePaddedItem} makes it. */
export function decodePaddedItem(padded: Uint8Array, multiple: number): Dcbor | undefined {
  try {
    const { value, length } = decodeDcborPrefix(padded)
    return equalConstantTime(padded, pad(padded.subarray(0, length), multiple)) ? value : undefined
  } catch (error) {
    if (error instanceof DcborError) return undefined
    throw error
  }
}

function pad(bytes: Uint8Array, multiple: number): Uint8Array {
  const padded = new Uint8Array(paddedLength(bytes.length, multiple))
  padded.set(bytes)
  return padded
}
