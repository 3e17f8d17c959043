// Hash and HMAC out of a native one-shot hash. Two costs are not the hash's own: crossing into native code, so all parts go
// over in one call; and handing over a short array, which V8 must first move out of its heap, so parts are gathered in one
// lasting buffer and results are copied out of it. That buffer holds secrets only during a call and is zero after it.
// Serves sodium.ts alone, whose library has no HMAC. Leaves out node and noble: their own streaming ones are as fast.
import { lastingArray, viewsOf } from '../lasting.js'
import type { BareHash } from './contract.js'

/** A hash of exactly one input, written to `out`; both are views that last. */
export type OneShotHash = (out: Uint8Array, input: Uint8Array) => void

// The lasting buffer, laid out for the longest hash: HMAC's outer input (block ‖ inner digest) and inner input (block ‖
// message) each lie in one piece, a shorter block ends where a longer one does.
const RESULT = 0
const OUTER_BLOCK_END = 192
const DIGEST = OUTER_BLOCK_END
const INNER_BLOCK_END = 384
const MESSAGE = INNER_BLOCK_END
/** Messages up to this many bytes are gathered in the lasting buffer, longer ones in an array of their own. */
const GATHERED_MAX_BYTES = 4_096
const scratch = lastingArray(MESSAGE + GATHERED_MAX_BYTES)
const scratchWords = new Uint32Array(scratch.buffer)
/** Views of inputs up to this length are made once: a view costs a tenth of the hash. */
const VIEWED_MAX_BYTES = 256

const IPAD_WORD = 0x3636_3636
const OPAD_WORD = 0x5c5c_5c5c
const WORD_BYTES = 4

/** `compute` as a hash of several parts, with HMAC (RFC 2104 §2) over it.
 * @param length - of its digest, bytes.
 * @param blockLength - bytes. */
export function gatheredHash(
  compute: OneShotHash,
  { length, blockLength }: { length: number; blockLength: number },
): BareHash {
  const result = scratch.subarray(RESULT, RESULT + length)
  const digest = scratch.subarray(DIGEST, DIGEST + length)
  const outer = scratch.subarray(OUTER_BLOCK_END - blockLength, DIGEST + length)
  const innerBlock = scratch.subarray(INNER_BLOCK_END - blockLength, INNER_BLOCK_END)
  const messageOf = viewsOf(scratch, MESSAGE, VIEWED_MAX_BYTES)
  const innerOf = viewsOf(scratch, INNER_BLOCK_END - blockLength, VIEWED_MAX_BYTES)

  const hash = (parts: readonly Uint8Array[]): Uint8Array => {
    const messageLength = totalLength(parts)
    try {
      if (messageLength <= GATHERED_MAX_BYTES) {
        copyParts(scratch, MESSAGE, parts)
        compute(result, messageOf(messageLength))
      } else if (parts.length === 1) {
        compute(result, parts[0]!)
      } else {
        withLongInput(messageLength, parts, (input) => compute(result, input))
      }
      return new Uint8Array(result)
    } finally {
      wipeScratch(messageLength)
    }
  }

  const hmac = (key: Uint8Array, parts: readonly Uint8Array[]): Uint8Array => {
    const shortKey = key.length > blockLength ? hash([key]) : key
    const messageLength = totalLength(parts)
    try {
      writePads(shortKey, blockLength)
      if (messageLength > GATHERED_MAX_BYTES) {
        withLongInput(blockLength + messageLength, [innerBlock, ...parts], (input) => compute(digest, input))
      } else {
        copyParts(scratch, MESSAGE, parts)
        compute(digest, innerOf(blockLength + messageLength))
      }
      compute(result, outer)
      return new Uint8Array(result)
    } finally {
      wipeScratch(messageLength)
      if (shortKey !== key) shortKey.fill(0)
    }
  }
  return { hash, hmac }
}

/** Inner and outer block of HMAC under `key`, which is no longer than a block; the rest of both is zero before. */
function writePads(key: Uint8Array, blockLength: number): void {
  scratch.set(key, INNER_BLOCK_END - blockLength)
  const inner = (INNER_BLOCK_END - blockLength) / WORD_BYTES
  const outer = (OUTER_BLOCK_END - blockLength) / WORD_BYTES
  const words = blockLength / WORD_BYTES
  for (let i = 0; i < words; i++) {
    const word = scratchWords[inner + i]!
    scratchWords[inner + i] = word ^ IPAD_WORD
    scratchWords[outer + i] = word ^ OPAD_WORD
  }
}

/** Nothing stays in the lasting buffer: pads and digests follow from keys, and a message may be one. */
function wipeScratch(messageLength: number): void {
  scratch.fill(0, 0, MESSAGE + Math.min(messageLength, GATHERED_MAX_BYTES))
}

/** `compute` on the concatenated `parts`, in an array that is wiped afterwards. */
function withLongInput(
  length: number,
  parts: readonly Uint8Array[],
  compute: (input: Uint8Array) => void,
): void {
  const input = new Uint8Array(length)
  copyParts(input, 0, parts)
  compute(input)
  input.fill(0)
}

function totalLength(parts: readonly Uint8Array[]): number {
  let length = 0
  for (let i = 0; i < parts.length; i++) length += parts[i]!.length
  return length
}

function copyParts(target: Uint8Array, start: number, parts: readonly Uint8Array[]): void {
  let offset = start
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!
    target.set(part, offset)
    offset += part.length
  }
}
