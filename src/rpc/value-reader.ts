// Builds the value of bytes that guard.ts has passed, and relies on every rule there: nothing is checked twice.
// Plain data only: objects with Object.prototype, arrays, Map, Set, Date, Uint8Array, primitives; whatever a key is
// called, it becomes an own data property, and nothing of the result is ever called or awaited (spec/rpc.md §5).
import { EMPTY } from '../bytes.js'
import { isLinkTag } from './guard-links.js'
import type { LinkReader, PathKey } from './value-links.js'
import { HEAD, LINK_TAG, MAJOR, TAG } from './value-tags.js'
import { keepKey, keptKeyAt, textAt } from './value-text.js'

// The state of the one read that runs; it ends without having called anything foreign.
let input: Uint8Array = EMPTY
let position = 0
/** Builds what is no data; undefined where the guard refuses that. */
let links: LinkReader | undefined
/** The buffer of the empty byte strings of this value: one of its own for each costs a µs. Never that of another value. */
let emptyBuffer: ArrayBuffer | undefined
const numbers = new DataView(new ArrayBuffer(8))

/** The value of `bytes` from `start` on.
 * @param bytes - has passed `checkValue`; borrowed for the call: byte strings in the result are copies.
 * @param linkReader - builds references and the like; needed where the guard let them pass. */
export function readValue(bytes: Uint8Array, start: number, linkReader?: LinkReader): unknown {
  input = bytes
  position = start
  links = linkReader
  emptyBuffer = undefined
  newKeys = 0
  const value = readItem()
  emptyBuffer = undefined
  input = EMPTY
  links = undefined
  return value
}

function readItem(): unknown {
  const head = input[position++]!
  const major = head >> 5
  if (major === MAJOR.simple) return readSimple(head)
  const info = head & 0x1f
  if (info === 27 && major <= MAJOR.negative) return readBigint64(major)
  const argument = info < 24 ? info : readArgument(info)
  switch (major) {
    case MAJOR.unsigned:
      return argument
    case MAJOR.negative:
      return -1 - argument
    case MAJOR.bytes:
      return readBytes(argument)
    case MAJOR.text:
      return readText(argument)
    case MAJOR.array:
      return readArray(argument)
    case MAJOR.map:
      return readObject(argument)
    default:
      return readTagged(argument)
  }
}

/** The argument behind a head whose additional information is 24 to 27. */
function readArgument(info: number): number {
  const size = 1 << (info - 24)
  let argument = 0
  for (let i = 0; i < size; i++) argument = argument * 256 + input[position++]!
  return argument
}

/** The argument of the next head. */
function readLength(): number {
  const info = input[position++]! & 0x1f
  return info < 24 ? info : readArgument(info)
}

function readSimple(head: number): unknown {
  switch (head) {
    case HEAD.false:
      return false
    case HEAD.true:
      return true
    case HEAD.null:
      return null
    case HEAD.float16:
      return readFloat16()
    case HEAD.float32:
      loadNumber(4)
      return numbers.getFloat32(0)
    case HEAD.float64:
      loadNumber(8)
      return numbers.getFloat64(0)
    default:
      return undefined
  }
}

function loadNumber(size: number): void {
  for (let i = 0; i < size; i++) numbers.setUint8(i, input[position++]!)
}

/** Source: RFC 8949 Appendix D. */
function readFloat16(): number {
  const half = input[position]! * 256 + input[position + 1]!
  position += 2
  const exponent = (half >> 10) & 0x1f
  const mantissa = half & 0x3ff
  const sign = half & 0x8000 ? -1 : 1
  if (exponent === 0) return sign * mantissa * 2 ** -24
  if (exponent === 31) return mantissa === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return sign * (mantissa + 1024) * 2 ** (exponent - 25)
}

function readBigint64(major: number): bigint {
  loadNumber(8)
  const magnitude = numbers.getBigUint64(0)
  return major === MAJOR.unsigned ? magnitude : -1n - magnitude
}

/** A copy: the receive buffer that `input` lies in is used again. Never a Buffer, whatever `input` is. */
function readBytes(length: number): Uint8Array {
  if (length === 0) {
    emptyBuffer ??= new ArrayBuffer(0)
    return new Uint8Array(emptyBuffer)
  }
  const copy = new Uint8Array(length)
  if (length < 32) for (let i = 0; i < length; i++) copy[i] = input[position + i]!
  else copy.set(new Uint8Array(input.buffer, input.byteOffset + position, length))
  position += length
  return copy
}

function readArray(count: number): unknown[] {
  // Of exact size: a pushed-to array takes room for 17 members, which nesting multiplies.
  const items = new Array<unknown>(count)
  for (let i = 0; i < count; i++) items[i] = readItem()
  return items
}

/** After so many keys of one value that were not kept, its objects are built as dictionaries: a shape for each costs three
 * times as much, and a peer can name every key anew (bench/values.ts). */
const NEW_KEYS_MAX = 128
let newKeys = 0
/** An object of more members is built as a dictionary from the start: V8 makes it one at about this size, and each shape on
 * the way there costs more than a member. */
const SHAPED_MEMBERS_MAX = 128

function readObject(count: number): Record<string, unknown> {
  if (newKeys > NEW_KEYS_MAX || count > SHAPED_MEMBERS_MAX) return readDictionary(count)
  const object: Record<string, unknown> = {}
  for (let i = 0; i < count; i++) {
    const length = readLength()
    const kept = keptKeyAt(input, position, length)
    if (kept !== undefined) {
      position += length
      object[kept] = readItem()
      continue
    }
    const key = readText(length)
    newKeys++
    // An assignment would fail on a frozen Object.prototype, and run a setter on a polluted one.
    if (key in Object.prototype) define(object, key, readItem())
    else {
      keepKey(key, input, position - length, length)
      object[key] = readItem()
    }
  }
  return object
}

/** Without a prototype at first, where every name is an own property and no shape is looked for. */
function readDictionary(count: number): Record<string, unknown> {
  const object = Object.create(null) as Record<string, unknown>
  for (let i = 0; i < count; i++) {
    const key = readText(readLength())
    object[key] = readItem()
  }
  return Object.setPrototypeOf(object, Object.prototype)
}

function define(object: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true })
}

function readTagged(tag: number): unknown {
  switch (tag) {
    case TAG.positiveBigint:
      return readMagnitude()
    case TAG.negativeBigint:
      return -1n - readMagnitude()
    case TAG.set:
      return new Set(readArray(readLength()))
    case TAG.map:
      return readMap(readLength())
    case TAG.date:
      return new Date(Number(readItem()))
    default:
      return isLinkTag(tag) ? readLink(tag) : undefined // the guard leaves no other
  }
}

function readLink(tag: number): unknown {
  const reader = links! // the guard lets links pass only where there is one
  switch (tag) {
    case LINK_TAG.mine:
      return reader.mine(readLength(), false)
    case LINK_TAG.passedOn:
      return reader.mine(readLength(), true)
    case LINK_TAG.yours:
      return reader.yours(readLength())
    case LINK_TAG.stream:
      readLength()
      return reader.stream(readLength(), readLength() === 1)
    case LINK_TAG.answer: {
      const [call, ...path] = readArray(readLength()) as [number, ...PathKey[]] // as the guard has seen to it
      return readAnswer(reader, call, path)
    }
    default:
      return reader.capability(readText(readLength()))
  }
}

/** An answer that is data is copied by a read of its own, in the middle of this one. */
function readAnswer(reader: LinkReader, call: number, path: readonly PathKey[]): unknown {
  const bytes = input
  const at = position
  const buffer = emptyBuffer
  const keys = newKeys
  const value = reader.answer(call, path)
  input = bytes
  position = at
  links = reader
  emptyBuffer = buffer
  newKeys = keys
  return value
}

function readMap(count: number): Map<unknown, unknown> {
  const map = new Map<unknown, unknown>()
  for (let i = 0; i < count; i++) {
    const key = readItem()
    map.set(key, readItem())
  }
  return map
}

function readMagnitude(): bigint {
  const length = readLength()
  let magnitude = 0n
  let next = length % 8
  for (const end = position + length; position < end; next = 8) {
    numbers.setBigUint64(0, 0n)
    for (let i = 8 - next; i < 8; i++) numbers.setUint8(i, input[position++]!)
    magnitude = (magnitude << 64n) | numbers.getBigUint64(0)
  }
  return magnitude
}

function readText(length: number): string {
  const text = textAt(input, position, length)
  position += length
  return text
}
