// Strict UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing past U+10FFFF.
// A TextDecoder would allocate and throw; this only answers. Part of the guard (guard.ts, spec/rpc.md §5).

/** Whether `bytes[start, end)` is UTF-8. */
export function isUtf8(bytes: Uint8Array, start: number, end: number): boolean {
  let position = start
  while (position < end) {
    if (bytes[position]! < 0x80) {
      position++
      continue
    }
    const length = sequenceLength(bytes, position, end)
    if (length === 0) return false
    position += length
  }
  return true
}

/** Bytes of the sequence that starts at `position` with a byte from 0x80 on; 0 when it is not valid.
 * Source: RFC 3629 §4, whose table bounds the second byte by the first. */
function sequenceLength(bytes: Uint8Array, position: number, end: number): 0 | 2 | 3 | 4 {
  const first = bytes[position]!
  if (first < 0xc2 || first > 0xf4) return 0
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
  if (position + length > end) return 0
  const second = bytes[position + 1]!
  const lowest = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80
  const highest = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf
  if (second < lowest || second > highest) return 0
  for (let i = 2; i < length; i++) if ((bytes[position + i]! & 0xc0) !== 0x80) return 0
  return length
}
