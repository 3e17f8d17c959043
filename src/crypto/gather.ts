// One contiguous input out of several parts, and HMAC from a one-shot hash: crossing into native code once with all bytes
// is cheaper than once a part. Short inputs share one buffer outside the JavaScript heap, which is wiped after each use.
// Serves sodium.ts alone, whose library has no HMAC. Leaves out node and noble: their own streaming ones are as fast.

/** Inputs up to this many bytes are gathered in the shared buffer, longer ones in a new array. */
const SHARED_BYTES = 4_096
const shared = new Uint8Array(SHARED_BYTES)
const IPAD = 0x36
const OPAD = 0x5c

/** A hash of exactly one input, into a new array. */
export type OneShotHash = (input: Uint8Array) => Uint8Array

/** `hash` of the concatenated `parts`; the synchronous call is the only one that sees the gathered bytes. */
export function hashParts(hash: OneShotHash, parts: readonly Uint8Array[]): Uint8Array {
  const length = totalLength(parts)
  if (parts.length === 1 && length > SHARED_BYTES) return hash(parts[0]!)
  const input = bufferOf(length)
  copyParts(input, 0, parts)
  const digest = hash(input)
  input.fill(0)
  return digest
}

/** HMAC of the concatenated `parts`.
 * @param key - any length.
 * @param blockLength - of `hash`, bytes.
 * Source: RFC 2104 §2. */
export function hmacParts(
  hash: OneShotHash,
  blockLength: number,
  key: Uint8Array,
  parts: readonly Uint8Array[],
): Uint8Array {
  const blockKey = key.length > blockLength ? hash(key) : key
  const inner = bufferOf(blockLength + totalLength(parts))
  writePad(inner, IPAD, blockLength, blockKey)
  copyParts(inner, blockLength, parts)
  const innerDigest = hash(inner)
  inner.fill(0)
  const outer = shared.subarray(0, blockLength + innerDigest.length)
  writePad(outer, OPAD, blockLength, blockKey)
  outer.set(innerDigest, blockLength)
  const mac = hash(outer)
  outer.fill(0)
  innerDigest.fill(0)
  if (blockKey !== key) blockKey.fill(0)
  return mac
}

function writePad(block: Uint8Array, pad: number, blockLength: number, key: Uint8Array): void {
  block.fill(pad, 0, blockLength)
  for (let i = 0; i < key.length; i++) block[i] = key[i]! ^ pad
}

function bufferOf(length: number): Uint8Array {
  return length > SHARED_BYTES ? new Uint8Array(length) : shared.subarray(0, length)
}

function totalLength(parts: readonly Uint8Array[]): number {
  let length = 0
  for (const part of parts) length += part.length
  return length
}

function copyParts(target: Uint8Array, start: number, parts: readonly Uint8Array[]): void {
  let offset = start
  for (const part of parts) {
    target.set(part, offset)
    offset += part.length
  }
}
