// The numbers and the binary fields of RPC messages (spec/rpc.md §2, §3): kinds of frames, ops, flags, varints, text.
// Leaves out values (values.ts) and what messages do (peer.ts).
import { utf8, utf8Decode } from '../bytes.js'
import { PIPELINE_PATH_MAX_KEYS, VALUE_KEY_MAX_BYTES } from '../limits.js'
import type { ByteSink } from './byte-sink.js'
import type { PathKey } from './value-links.js'

/** First byte of a record's plaintext. CLOSE (16) is the session's own. */
export const FRAME = { batch: 0, fragment: 1, stream: 2 } as const

/** Every op of version 1; those that are not built yet are answered or refused, never ignored silently. */
export const OP = {
  call: 0,
  return: 1,
  fail: 2,
  finish: 3,
  pull: 4,
  cancel: 5,
  release: 6,
  broken: 7,
  item: 8,
  end: 9,
  credit: 10,
  stop: 11,
  present: 12,
  goaway: 13,
  ping: 14,
  pong: 15,
  close: 16,
  map: 17,
  resolve: 18,
  disembargo: 19,
  befriend: 20,
  save: 21,
} as const
/** Ops from here on may be skipped by who does not know them. */
export const FIRST_SKIPPABLE_OP = 0x80

/** Flags of a CALL. */
export const CALL_FLAG = {
  want: 1,
  idempotent: 2,
  oneWay: 4,
  deadline: 8,
  trace: 16,
  keep: 32,
  metadata: 64,
} as const
/** Flags of a FAIL: which optional fields follow, in this order; data is last and unbounded. */
export const FAIL_FLAG = { mayHaveRun: 1, errorId: 2, name: 4, message: 8, retryAfter: 16, data: 32 } as const

/** Bytes of an error id. */
export const ERROR_ID_BYTES = 8
/** Largest varint, so that sums stay exact. */
const VARINT_MAX = 0xffff_ffff

/** A message breaks the wire format: the session ends. */
export class WireError extends Error {}

/** Append `value`, 7 bits a byte, low first. */
export function writeVarint(sink: ByteSink, value: number): void {
  sink.reserve(5)
  const bytes = sink.bytes
  let rest = value >>> 0
  let at = sink.length
  while (rest > 0x7f) {
    bytes[at++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  bytes[at++] = rest
  sink.length = at
}

/** Append one byte. */
export function writeByte(sink: ByteSink, value: number): void {
  sink.reserve(1)
  sink.bytes[sink.length++] = value
}

/** Append bytes as they are. */
export function writeBytes(sink: ByteSink, bytes: Uint8Array): void {
  sink.reserve(bytes.length)
  sink.bytes.set(bytes, sink.length)
  sink.length += bytes.length
}

/** Append text counted by a varint. */
export function writeText(sink: ByteSink, text: string): void {
  const bytes = utf8(text)
  writeVarint(sink, bytes.length)
  writeBytes(sink, bytes)
}

/** Append the target of a CALL that goes to what will stand at `path` of an answer. */
export function writeAnswerTarget(sink: ByteSink, call: number, path: readonly PathKey[]): void {
  writeVarint(sink, call * 2 + 1)
  writeVarint(sink, path.length)
  for (const key of path) {
    writeByte(sink, typeof key === 'number' ? 1 : 0)
    if (typeof key === 'number') writeVarint(sink, key)
    else writeText(sink, key)
  }
}

/** Read the path of such a target.
 * @throws WireError beyond eight steps. */
export function readPath(reader: FieldReader): PathKey[] {
  const steps = reader.varint()
  if (steps > PIPELINE_PATH_MAX_KEYS) throw new WireError('path is longer than allowed')
  const path: PathKey[] = []
  for (let i = 0; i < steps; i++)
    path.push(reader.byte() === 0 ? reader.text(VALUE_KEY_MAX_BYTES) : reader.varint())
  return path
}

/** Reads fields of one message; running out of bytes is a {@link WireError}. */
export class FieldReader {
  #bytes: Uint8Array = new Uint8Array(0)
  /** The last text that was ASCII. */
  #lastText = ''
  /** Where the next field begins. */
  at = 0
  /** Where the message ends. */
  end = 0

  /** Read `bytes[start, end)` from now on. */
  reset(bytes: Uint8Array, start: number, end: number): void {
    this.#bytes = bytes
    this.at = start
    this.end = end
  }

  byte(): number {
    if (this.at >= this.end) throw new WireError('message ends too early')
    return this.#bytes[this.at++]!
  }

  varint(): number {
    let value = 0
    let scale = 1
    for (let i = 0; i < 5; i++) {
      const byte = this.byte()
      value += (byte & 0x7f) * scale
      if (byte < 0x80) {
        if (value > VARINT_MAX) break
        return value
      }
      scale *= 0x80
    }
    throw new WireError('varint is longer than 32 bits')
  }

  take(length: number): Uint8Array {
    const start = this.at
    if (length > this.end - start) throw new WireError('message ends too early')
    this.at = start + length
    return this.#bytes.subarray(start, this.at)
  }

  /** Text counted by a varint.
   * @param maxBytes - longer text is a {@link WireError}. */
  text(maxBytes: number): string {
    const length = this.varint()
    if (length > maxBytes) throw new WireError('text is longer than allowed')
    const start = this.at
    if (length > this.end - start) throw new WireError('message ends too early')
    this.at = start + length
    // The same method is called again and again: its name needs no new string then.
    const last = this.#lastText
    if (length === last.length && isText(this.#bytes, start, last)) return last
    for (let i = start; i < this.at; i++) {
      if (this.#bytes[i]! > 0x7f) return strictText(this.#bytes.subarray(start, this.at))
    }
    this.#lastText = String.fromCharCode(...this.#bytes.subarray(start, this.at))
    return this.#lastText
  }
}

/** Whether the bytes from `start` on are `text`, which is ASCII. */
function isText(bytes: Uint8Array, start: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[start + i] !== text.charCodeAt(i)) return false
  return true
}

function strictText(bytes: Uint8Array): string {
  try {
    return utf8Decode(bytes)
  } catch {
    throw new WireError('text is not UTF-8')
  }
}

/** Write the length of a message behind `mark`, for which one byte was left before it.
 * @returns how many more it took. */
export function writeLengthBefore(sink: ByteSink, mark: number, length: number): number {
  if (length <= 0x7f) {
    sink.bytes[mark] = length
    return 0
  }
  const extra = length > 0x3fff ? 2 : 1
  sink.reserve(extra)
  sink.bytes.copyWithin(mark + 1 + extra, mark + 1, sink.length)
  const end = sink.length + extra
  sink.length = mark
  writeVarint(sink, length)
  sink.length = end
  return extra
}
