// Deterministic CBOR (RFC 8949 §4.2.1) without floats and tags: the encoding of grants, caveats, locators,
// handshake parameters and sealing contexts, where two encodings of one value must not exist.
// The decoder refuses whatever the encoder would not have written. Leaves out RPC values (src/rpc/values.ts).
import { EMPTY, utf8, utf8Decode } from './bytes.js'
import { DCBOR_MAX_DEPTH } from './limits.js'

/** A value of deterministic CBOR; integers are numbers up to 2^53 − 1 and bigints beyond, to 64 bits. */
export type Dcbor = null | boolean | number | bigint | string | Uint8Array | readonly Dcbor[] | DcborMap
/** A map with text or integer keys; the order of insertion does not matter. */
export type DcborMap = ReadonlyMap<string | number, Dcbor>

/** Bytes are not deterministic CBOR; the message says where and what was expected, never the bytes. */
export class DcborError extends Error {
  override get name(): string {
    return 'DcborError'
  }
}

const MAJOR = { unsigned: 0, negative: 1, bytes: 2, text: 3, array: 4, map: 5, simple: 7 } as const
const SIMPLE = { false: 0xf4, true: 0xf5, null: 0xf6 } as const
const U64_MAX = 0xffff_ffff_ffff_ffffn

/** The one encoding of `value`.
 * @throws TypeError for floats, lone surrogates, other types and integers outside −2^64 … 2^64 − 1.
 * Source: RFC 8949 §4.2.1. */
export function encodeDcbor(value: Dcbor): Uint8Array {
  const out: number[] = []
  writeItem(out, value, 0)
  return Uint8Array.from(out)
}

function writeItem(out: number[], value: Dcbor, depth: number): void {
  if (depth > DCBOR_MAX_DEPTH) throw new TypeError(`Cannot encode: nested deeper than ${DCBOR_MAX_DEPTH}`)
  if (value === null) out.push(SIMPLE.null)
  else if (typeof value === 'boolean') out.push(value ? SIMPLE.true : SIMPLE.false)
  else if (typeof value === 'number' || typeof value === 'bigint') writeInteger(out, value)
  else if (typeof value === 'string') writeText(out, value)
  else if (value instanceof Uint8Array) writeBytes(out, MAJOR.bytes, value)
  else if (Array.isArray(value)) {
    writeHead(out, MAJOR.array, BigInt(value.length))
    for (const item of value) writeItem(out, item, depth + 1)
  } else if (value instanceof Map) writeMap(out, value, depth)
  else throw new TypeError('Cannot encode: expected null, boolean, integer, text, bytes, array or Map')
}

function writeInteger(out: number[], value: number | bigint): void {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) {
    throw new TypeError('Cannot encode number: expected a safe integer (deterministic CBOR has no floats)')
  }
  const integer = BigInt(value)
  const magnitude = integer < 0n ? -1n - integer : integer
  if (magnitude > U64_MAX) throw new TypeError('Cannot encode integer: expected at most 64 bits')
  writeHead(out, integer < 0n ? MAJOR.negative : MAJOR.unsigned, magnitude)
}

function writeText(out: number[], text: string): void {
  if (!text.isWellFormed()) throw new TypeError('Cannot encode text: it holds a lone surrogate')
  writeBytes(out, MAJOR.text, utf8(text))
}

function writeBytes(out: number[], major: number, bytes: Uint8Array): void {
  writeHead(out, major, BigInt(bytes.length))
  for (const byte of bytes) out.push(byte)
}

function writeMap(out: number[], map: DcborMap, depth: number): void {
  const entries: { key: Uint8Array; value: Dcbor }[] = []
  for (const [key, value] of map) entries.push({ key: encodeDcbor(key), value })
  entries.sort((a, b) => compareBytes(a.key, b.key))
  writeHead(out, MAJOR.map, BigInt(entries.length))
  for (const { key, value } of entries) {
    for (const byte of key) out.push(byte)
    writeItem(out, value, depth + 1)
  }
}

function writeHead(out: number[], major: number, argument: bigint): void {
  const first = major << 5
  if (argument < 24n) {
    out.push(first | Number(argument))
    return
  }
  const size = argument < 0x100n ? 1 : argument < 0x1_0000n ? 2 : argument < 0x1_0000_0000n ? 4 : 8
  out.push(first | (24 + Math.log2(size)))
  for (let i = size - 1; i >= 0; i--) out.push(Number((argument >> BigInt(8 * i)) & 0xffn))
}

/** Lexicographic order of byte strings. */
function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length)
  for (let i = 0; i < shared; i++) if (a[i] !== b[i]) return a[i]! - b[i]!
  return a.length - b.length
}

/** The value of `bytes`, which must be exactly one item; byte strings are copied out.
 * @throws {@link DcborError} for anything that {@link encodeDcbor} would not have written. */
export function decodeDcbor(bytes: Uint8Array): Dcbor {
  const reader = new Reader(bytes)
  const value = reader.item(0)
  if (reader.offset !== bytes.length) throw new DcborError(`trailing bytes at offset ${reader.offset}`)
  return value
}

/** The first item of `bytes` and the number of bytes that it takes.
 * @throws {@link DcborError} as {@link decodeDcbor}. */
export function decodeDcborPrefix(bytes: Uint8Array): { value: Dcbor; length: number } {
  const reader = new Reader(bytes)
  const value = reader.item(0)
  return { value, length: reader.offset }
}

class Reader {
  offset = 0
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  item(depth: number): Dcbor {
    if (depth > DCBOR_MAX_DEPTH) throw this.#error(`nested deeper than ${DCBOR_MAX_DEPTH}`)
    const first = this.#take(1)[0]!
    const major = first >> 5
    if (major === MAJOR.simple) return this.#simple(first)
    const argument = this.#argument(first & 0x1f)
    switch (major) {
      case MAJOR.unsigned:
        return toInteger(argument)
      case MAJOR.negative:
        return toInteger(-1n - argument)
      case MAJOR.bytes:
        return this.#take(this.#length(argument, 1)).slice()
      case MAJOR.text:
        return this.#text(this.#length(argument, 1))
      case MAJOR.array:
        return this.#array(this.#length(argument, 1), depth)
      case MAJOR.map:
        return this.#map(this.#length(argument, 2), depth)
      default:
        throw this.#error('tags are not allowed')
    }
  }

  #simple(first: number): Dcbor {
    if (first === SIMPLE.false) return false
    if (first === SIMPLE.true) return true
    if (first === SIMPLE.null) return null
    throw this.#error('floats and other simple values are not allowed')
  }

  /** The argument of a head, refused unless it has its shortest form. */
  #argument(info: number): bigint {
    if (info < 24) return BigInt(info)
    if (info > 27) throw this.#error('indefinite lengths are not allowed')
    const size = 1 << (info - 24)
    let argument = 0n
    for (const byte of this.#take(size)) argument = (argument << 8n) | BigInt(byte)
    const shortest = size === 1 ? 24n : 1n << BigInt(4 * size)
    if (argument < shortest) throw this.#error('a length or integer is not in its shortest form')
    return argument
  }

  /** A count of items of at least `itemBytes` bytes each, refused before memory is taken for it. */
  #length(argument: bigint, itemBytes: number): number {
    const left = this.#bytes.length - this.offset
    if (argument * BigInt(itemBytes) > BigInt(left)) throw this.#error('ends too early')
    return Number(argument)
  }

  #text(length: number): string {
    try {
      return utf8Decode(this.#take(length))
    } catch {
      throw this.#error('text is not UTF-8')
    }
  }

  #array(count: number, depth: number): Dcbor[] {
    const items: Dcbor[] = []
    for (let i = 0; i < count; i++) items.push(this.item(depth + 1))
    return items
  }

  #map(count: number, depth: number): DcborMap {
    const map = new Map<string | number, Dcbor>()
    let previous = EMPTY
    for (let i = 0; i < count; i++) {
      const start = this.offset
      const key = this.item(DCBOR_MAX_DEPTH)
      if (typeof key !== 'string' && typeof key !== 'number')
        throw this.#error('a map key is not text or integer')
      const encoded = this.#bytes.subarray(start, this.offset)
      if (i > 0 && compareBytes(previous, encoded) >= 0) throw this.#error('map keys are not in order')
      previous = encoded
      map.set(key, this.item(depth + 1))
    }
    return map
  }

  #take(length: number): Uint8Array {
    const end = this.offset + length
    if (end > this.#bytes.length) throw this.#error('ends too early')
    const part = this.#bytes.subarray(this.offset, end)
    this.offset = end
    return part
  }

  #error(what: string): DcborError {
    return new DcborError(`not deterministic CBOR at offset ${this.offset}: ${what}`)
  }
}

function toInteger(value: bigint): number | bigint {
  const asNumber = Number(value)
  return Number.isSafeInteger(asNumber) ? asNumber : value
}
