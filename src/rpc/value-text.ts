// Texts of values: short ones from character codes, and the keys that arrive again and again, kept (bench/values.ts).
// Leaves out what a text stands for (value-reader.ts, plain-reader.ts) and whether bytes are UTF-8 (guard-utf8.ts).
import { utf8Decode } from '../bytes.js'

/** Text up to this length is built from character codes, which is faster than a TextDecoder, bytes. */
const SHORT_TEXT = 24

/** One array for each length: an array that changes its length is reallocated. */
const codesOf = Array.from({ length: SHORT_TEXT + 1 }, (_, length) => new Array<number>(length).fill(0))

/** The text of `length` bytes at `start`, which are UTF-8. */
export function textAt(bytes: Uint8Array, start: number, length: number): string {
  if (length > SHORT_TEXT) return longUtf8At(bytes, start, length)
  return shortAsciiAt(bytes, start, length) ?? shortUtf8At(bytes, start, length)
}

/** The text of `length` bytes at `start`, if they are ASCII. */
export function asciiAt(bytes: Uint8Array, start: number, length: number): string | undefined {
  if (length <= SHORT_TEXT) return shortAsciiAt(bytes, start, length)
  const stop = start + length
  for (let i = start; i < stop; i++) if (bytes[i]! >= 0x80) return undefined
  return longUtf8At(bytes, start, length)
}

function shortAsciiAt(bytes: Uint8Array, start: number, length: number): string | undefined {
  const codes = codesOf[length]!
  for (let i = 0; i < length; i++) {
    const code = bytes[start + i]!
    if (code >= 0x80) return undefined
    codes[i] = code
  }
  return String.fromCharCode.apply(null, codes)
}

function longUtf8At(bytes: Uint8Array, start: number, length: number): string {
  // A view, not `subarray`: that is slow on a Buffer.
  return utf8Decode(new Uint8Array(bytes.buffer, bytes.byteOffset + start, length))
}

function shortUtf8At(bytes: Uint8Array, start: number, length: number): string {
  const stop = start + length
  let text = ''
  for (let i = start; i < stop; ) {
    const lead = bytes[i]!
    if (lead < 0x80) {
      text += String.fromCharCode(lead)
      i += 1
      continue
    }
    const units = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4
    let code = lead & (0xff >> (units + 1))
    for (const end = i + units; ++i < end; ) code = (code << 6) | (bytes[i]! & 0x3f)
    text += String.fromCodePoint(code)
  }
  return text
}

/** Keys seen lately, by a hash: the same few names arrive again and again, and a kept string needs no interning.
 * At most 512 strings of 24 characters, none of them inherited by objects; a peer can displace entries, nothing else. */
const keyCache: string[] = new Array<string>(512).fill('')

function slotOf(bytes: Uint8Array, start: number, length: number): number {
  return (
    (length * 31 + bytes[start]! * 7 + bytes[start + length - 1]! * 131 + bytes[start + (length >> 1)]!) & 511
  )
}

/** The key of `length` bytes at `start`, if it is kept: an ASCII text that objects do not inherit. */
export function keptKeyAt(bytes: Uint8Array, start: number, length: number): string | undefined {
  if (length === 0 || length > SHORT_TEXT) return undefined
  const kept = keyCache[slotOf(bytes, start, length)]!
  if (kept.length !== length) return undefined
  for (let i = 0; i < length; i++) if (kept.charCodeAt(i) !== bytes[start + i]) return undefined
  return kept
}

/** Keep `key` of `length` bytes at `start` for its next time, unless it is long or not ASCII. */
export function keepKey(key: string, bytes: Uint8Array, start: number, length: number): void {
  if (length > 0 && length <= SHORT_TEXT && key.length === length)
    keyCache[slotOf(bytes, start, length)] = key
}
