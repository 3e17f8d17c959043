// Reads and judges in one pass what nearly every value is: short, plain, with keys that have been there before. Whatever is
// not, also whatever is wrong, is left to guard.ts and value-reader.ts, so that this accepts a part of what they accept and
// gives the same for it (test/property/plain-values.test.ts). Leaves out byte strings and all tags.
import { EMPTY } from '../bytes.js'
import { HEAD, MAJOR } from './value-tags.js'
import { asciiAt, keptKeyAt } from './value-text.js'

/** What {@link readPlain} gives for a value that is none. */
export const NOT_PLAIN: unique symbol = Symbol('not plain')

/** Bounds far below those of any session, so that what was built in vain is little. */
const PLAIN_MAX_BYTES = 256
const PLAIN_MAX_DEPTH = 4
const PLAIN_MAX_MEMBERS = 16
/** Longest text of a head without a length behind it, bytes. */
const KEY_MAX_BYTES = 23

// The state of the one read that runs; it ends without having called anything foreign.
let input: Uint8Array = EMPTY
let position = 0
let end = 0
/** Keys of the objects that are open, the outermost first. */
const keys: string[] = []
let keysUsed = 0
const float = new DataView(new ArrayBuffer(8))

/** The value of `bytes[start, stop)`, which come from a peer, if it is plain.
 * @param bytes - borrowed for the call. */
export function readPlain(bytes: Uint8Array, start: number, stop: number): unknown {
  if (stop - start > PLAIN_MAX_BYTES) return NOT_PLAIN
  input = bytes
  position = start
  end = stop
  keysUsed = 0
  const value = readItem(0)
  input = EMPTY
  return position === end ? value : NOT_PLAIN
}

function readItem(depth: number): unknown {
  if (position >= end) return NOT_PLAIN
  const head = input[position++]!
  const major = head >> 5
  if (major === MAJOR.simple) return readSimple(head)
  let argument = head & 0x1f
  if (argument >= 24) {
    argument = readArgument(argument)
    if (argument < 0) return NOT_PLAIN
  }
  switch (major) {
    case MAJOR.unsigned:
      return argument
    case MAJOR.negative:
      return -1 - argument
    case MAJOR.text:
      return readText(argument)
    case MAJOR.array:
      return readArray(argument, depth + 1)
    case MAJOR.map:
      return readObject(argument, depth + 1)
    default:
      return NOT_PLAIN
  }
}

/** The argument of 1, 2 or 4 bytes; below 0 for every other. */
function readArgument(info: number): number {
  const size = info > 26 ? Number.POSITIVE_INFINITY : 1 << (info - 24)
  if (size > end - position) return -1
  let argument = 0
  for (let i = 0; i < size; i++) argument = argument * 256 + input[position++]!
  return argument
}

function readSimple(head: number): unknown {
  switch (head) {
    case HEAD.false:
      return false
    case HEAD.true:
      return true
    case HEAD.null:
      return null
    case HEAD.undefined:
      return undefined
    case HEAD.float64:
      return readFloat64()
    default:
      return NOT_PLAIN
  }
}

function readFloat64(): unknown {
  if (end - position < 8) return NOT_PLAIN
  for (let i = 0; i < 8; i++) float.setUint8(i, input[position++]!)
  return float.getFloat64(0)
}

function readText(length: number): unknown {
  if (length > end - position) return NOT_PLAIN
  const text = asciiAt(input, position, length)
  if (text === undefined) return NOT_PLAIN
  position += length
  return text
}

function readArray(count: number, depth: number): unknown {
  if (count > end - position || depth > PLAIN_MAX_DEPTH) return NOT_PLAIN
  const items = new Array<unknown>(count)
  for (let i = 0; i < count; i++) {
    const item = readItem(depth)
    if (item === NOT_PLAIN) return NOT_PLAIN
    items[i] = item
  }
  return items
}

function readObject(count: number, depth: number): unknown {
  if (count > PLAIN_MAX_MEMBERS || depth > PLAIN_MAX_DEPTH) return NOT_PLAIN
  const object: Record<string, unknown> = {}
  const first = keysUsed
  for (let i = 0; i < count; i++) {
    const key = readKey()
    if (key === undefined || isAmong(key, first)) return NOT_PLAIN
    keys[keysUsed++] = key
    const value = readItem(depth)
    if (value === NOT_PLAIN) return NOT_PLAIN
    object[key] = value
  }
  keysUsed = first
  return object
}

/** A key that is kept: its text is the same bytes, and none that objects inherit. */
function readKey(): string | undefined {
  if (position >= end) return undefined
  const length = input[position++]! - (MAJOR.text << 5)
  if (length < 0 || length > KEY_MAX_BYTES || length > end - position) return undefined
  const key = keptKeyAt(input, position, length)
  position += length
  return key
}

/** Whether `key` is one of those from `first` on. */
function isAmong(key: string, first: number): boolean {
  for (let i = first; i < keysUsed; i++) if (keys[i] === key) return true
  return false
}
