// Values of calls, results and stream items as bytes (spec/rpc.md §5): what may travel, refused with a clear error at
// the caller; what arrived, judged as a whole before anything is built from it.
// Round trips exactly: null, undefined, booleans, numbers (-0, NaN, infinities), strings, bigints, Uint8Array, valid Dates,
// arrays without holes, plain objects, Set, and Map with primitive keys. What is no data goes through value-links.ts.
import { NoisecapError } from '../errors.js'
import { ByteSink } from './byte-sink.js'
import { checkValue } from './guard.js'
import { NOT_PLAIN, readPlain } from './plain-reader.js'
import type { LinkReader, LinkWriter } from './value-links.js'
import {
  DEFAULT_VALUE_LIMITS,
  PROBLEM_TEXT,
  SESSION_VALUE_LIMITS,
  type ValueLimits,
} from './value-problem.js'
import { readValue } from './value-reader.js'
import { ValueWriter } from './value-writer.js'

/** A scratch sink that a huge value has grown past this is not kept, bytes. */
const SCRATCH_MAX_BYTES = 65_536

// One writer is reused; a getter that encodes a value while another is being written gets one of its own.
let idleWriter: ValueWriter | undefined = new ValueWriter()
let idleScratch: ByteSink | undefined = new ByteSink()

/** The bytes of `value`, a new array.
 * @param name - what the path in an error starts with.
 * @throws `rpc/bad_value` naming the path and the kind of what cannot be sent, never the value. */
export function encodeValue(value: unknown, name = 'value'): Uint8Array {
  const scratch = idleScratch ?? new ByteSink()
  idleScratch = undefined
  scratch.length = 0
  try {
    encodeValueInto(scratch, value, name)
    return scratch.bytes.slice(0, scratch.length)
  } finally {
    if (scratch.bytes.length <= SCRATCH_MAX_BYTES) idleScratch = scratch
  }
}

/** Append the bytes of `value` to `sink`.
 * @param links - writes references and the like; without it they are refused.
 * @throws `rpc/bad_value` as {@link encodeValue}, with nothing appended; also when a getter of a value that is being
 * written to the same sink leads here. */
export function encodeValueInto(sink: ByteSink, value: unknown, name = 'value', links?: LinkWriter): void {
  const writer = idleWriter ?? new ValueWriter()
  idleWriter = undefined
  try {
    writer.write(sink, value, name, links)
  } finally {
    idleWriter = writer
  }
}

/** The value of `bytes[start, end)`, which come from a peer.
 * @param bytes - borrowed for the call; byte strings in the result are copies, never views of it.
 * @returns plain data: also an object with a key `then` is to be handed on without being awaited.
 * @throws `rpc/bad_value` with a fixed text for each reason. */
export function decodeValue(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
  limits: ValueLimits = DEFAULT_VALUE_LIMITS,
): unknown {
  judge(bytes, start, end, limits)
  return readValue(bytes, start)
}

/** The value of `bytes[start, end)` in a session, where it may hold references and the like.
 * @param links - builds those, and notes what is wrong with them. Else as {@link decodeValue}. */
export function decodeSessionValue(
  bytes: Uint8Array,
  start: number,
  end: number,
  links: LinkReader,
): unknown {
  const plain = readPlain(bytes, start, end)
  if (plain !== NOT_PLAIN) return plain
  judge(bytes, start, end, SESSION_VALUE_LIMITS)
  return readValue(bytes, start, links)
}

/** The value of bytes that {@link judgeSessionValue} has passed. */
export function readSessionValue(bytes: Uint8Array, start: number, links: LinkReader): unknown {
  return readValue(bytes, start, links)
}

/** Judge a value of a session without reading it: see `answersNeeded`.
 * @throws `rpc/bad_value`. */
export function judgeSessionValue(bytes: Uint8Array, start: number, end: number): void {
  judge(bytes, start, end, SESSION_VALUE_LIMITS)
}

function judge(bytes: Uint8Array, start: number, end: number, limits: ValueLimits): void {
  const problem = checkValue(bytes, start, end, limits)
  if (problem !== undefined) {
    throw new NoisecapError('rpc/bad_value', `Cannot read value: expected ${PROBLEM_TEXT[problem]}`)
  }
}
