// The keys of the maps that are open during a scan, on one stack, and the search for two equal ones when a map closes.
// Keys have exactly one encoding (guard.ts sees to it), so equal keys are equal bytes.
// Few keys are compared pairwise; many go through a hash table under a key that the peer cannot know, drawn afresh for
// each value in which it is needed.
import { drawHashKey, hashOf } from './guard-hash.js'

/** Up to this many keys are compared pairwise, which costs less than hashing them. */
const PAIRWISE_MAX = 16

/** Start and end of each key, in turn; grows to the largest value ever seen, at most 2 * VALUE_MAX_ITEMS. */
let ranges = new Int32Array(512)
let used = 0
/** Open addressing: 1 + number of the key, or 0. */
let table = new Int32Array(0)
/** Whether the scan that runs has drawn its hash key: 70 ns of hashing a map must not cost 5 µs of drawing. */
let drawn = false

/** Forget all keys, before a scan. */
export function resetKeys(): void {
  used = 0
  drawn = false
}

/** Remember the key at `[start, end)`; it belongs to the innermost open map. */
export function pushKey(start: number, end: number): void {
  if (used === ranges.length) {
    const larger = new Int32Array(ranges.length * 2)
    larger.set(ranges)
    ranges = larger
  }
  ranges[used++] = start
  ranges[used++] = end
}

/** Forget the last `count` keys.
 * @returns whether two of them are equal. */
export function popKeys(bytes: Uint8Array, count: number): boolean {
  const first = used - 2 * count
  const found = count <= PAIRWISE_MAX ? equalPair(bytes, first) : equalHashed(bytes, first, count)
  used = first
  return found
}

function equalPair(bytes: Uint8Array, first: number): boolean {
  for (let a = first; a < used; a += 2) {
    // Keys that differ mostly differ in length or in the last byte.
    const end = ranges[a + 1]!
    const length = end - ranges[a]!
    const last = bytes[end - 1]
    for (let b = a + 2; b < used; b += 2) {
      const otherEnd = ranges[b + 1]!
      const candidate = otherEnd - ranges[b]! === length && bytes[otherEnd - 1] === last
      if (candidate && equalKeys(bytes, a, b)) return true
    }
  }
  return false
}

function equalHashed(bytes: Uint8Array, first: number, count: number): boolean {
  const size = 2 ** Math.ceil(Math.log2(2 * count))
  if (table.length < size) table = new Int32Array(size)
  else table.fill(0, 0, size)
  if (!drawn) drawHashKey()
  drawn = true
  for (let key = first; key < used; key += 2) {
    let slot = hashOf(bytes, ranges[key]!, ranges[key + 1]!) & (size - 1)
    for (let other = table[slot]!; other !== 0; other = table[slot]!) {
      if (equalKeys(bytes, other - 1, key)) return true
      slot = (slot + 1) & (size - 1)
    }
    table[slot] = key + 1
  }
  return false
}

function equalKeys(bytes: Uint8Array, a: number, b: number): boolean {
  const start = ranges[a]!
  const length = ranges[a + 1]! - start
  const otherStart = ranges[b]!
  if (length !== ranges[b + 1]! - otherStart) return false
  for (let i = 0; i < length; i++) if (bytes[start + i] !== bytes[otherStart + i]) return false
  return true
}
