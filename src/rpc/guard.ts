// Judges the bytes of one value before anything is built from them (spec/rpc.md §5): well-formed CBOR of definite
// lengths, bounded depth and items, the listed tags only, strict UTF-8, keys that exist once. Iterative, without
// recursion, exceptions or allocation (its tables grow once and stay), in time linear in the bytes.
// Leaves out reading the value (value-reader.ts), which relies on every rule here.
import { EMPTY, utf8 } from '../bytes.js'
import { VALUE_MAX_DEPTH } from '../limits.js'
import { popKeys, pushKey, resetKeys } from './guard-keys.js'
import { isLinkTag, LINK_REFUSED, passLink, resetLinks } from './guard-links.js'
import { isUtf8 } from './guard-utf8.js'
import { DEFAULT_VALUE_LIMITS, type ValueLimits, type ValueProblem } from './value-problem.js'
import { DATE_MAX_MS, HEAD, INTEGER_BOUND, MAJOR, TAG } from './value-tags.js'

/** From `object` on they have keys. */
const KIND = { list: 0, set: 1, object: 2, map: 3 } as const

// The state of the scan that runs. There is never a second one: nothing here calls back.
let input: Uint8Array = EMPTY
let position = 0
let end = 0
let limits = DEFAULT_VALUE_LIMITS
/** The argument of the head just read; exact up to 2^53, which is past every length. */
let argument = 0
let depth = 0
/** Numbers that may still come as members of Sets and keys of Maps. */
let hashedNumbers = 0
let kinds = new Uint8Array(VALUE_MAX_DEPTH + 1)
/** Items still to come, keys and values apart; even means that a key is next. */
let left = new Uint32Array(VALUE_MAX_DEPTH + 1)
/** Entries of the map. */
let counts = new Uint32Array(VALUE_MAX_DEPTH + 1)
const float = new DataView(new ArrayBuffer(8))
const PROTO = utf8('__proto__')

/** Judge `bytes[start, stop)` as exactly one value.
 * @param bytes - borrowed for the call.
 * @returns undefined when it is a value that value-reader.ts may read, else what is wrong first. */
export function checkValue(
  bytes: Uint8Array,
  start = 0,
  stop: number = bytes.length,
  bounds: ValueLimits = DEFAULT_VALUE_LIMITS,
): ValueProblem | undefined {
  input = bytes
  position = start
  end = Math.min(stop, bytes.length)
  limits = bounds
  depth = 0
  hashedNumbers = bounds.maxHashedNumbers
  resetKeys()
  resetLinks()
  if (bounds.maxDepth >= kinds.length) growLevels(bounds.maxDepth)
  const problem = scan()
  input = EMPTY
  return problem
}

function growLevels(maxDepth: number): void {
  kinds = new Uint8Array(maxDepth + 1)
  left = new Uint32Array(maxDepth + 1)
  counts = new Uint32Array(maxDepth + 1)
}

function scan(): ValueProblem | undefined {
  let items = limits.maxItems
  for (;;) {
    if (items-- <= 0) return 'items'
    let problem: ValueProblem | undefined
    if (depth > 0) {
      const atKey = kinds[depth]! >= KIND.object && (left[depth]! & 1) === 0
      left[depth]!--
      problem = atKey ? scanKey() : scanItem()
    } else problem = scanItem()
    if (problem !== undefined) return problem
    while (depth > 0 && left[depth] === 0) {
      if (kinds[depth]! >= KIND.object && popKeys(input, counts[depth]!)) return 'duplicate_key'
      depth--
    }
    if (depth === 0) return position === end ? undefined : 'trailing_bytes'
  }
}

/** Read the rest of a head into `argument`. */
function readArgument(info: number): ValueProblem | undefined {
  if (info < 24) {
    argument = info
    return undefined
  }
  if (info > 27) return info === 31 ? 'indefinite_length' : 'reserved_head'
  const size = 1 << (info - 24)
  if (size > end - position) return 'truncated'
  argument = 0
  for (let i = 0; i < size; i++) argument = argument * 256 + input[position++]!
  return undefined
}

function scanItem(): ValueProblem | undefined {
  if (position >= end) return 'truncated'
  const head = input[position++]!
  const major = head >> 5
  if (major === MAJOR.simple) return scanSimple(head)
  const problem = readArgument(head & 0x1f)
  if (problem !== undefined) return problem
  switch (major) {
    case MAJOR.unsigned:
    case MAJOR.negative:
      return kinds[depth] === KIND.set ? countNumber() : undefined
    case MAJOR.bytes:
      return skip(argument)
    case MAJOR.text:
      return scanText()
    case MAJOR.array:
      return open(KIND.list)
    case MAJOR.map:
      return open(KIND.object)
    default:
      return scanTagged(argument)
  }
}

/** A number or bigint that a Set or a Map has to hash. */
function countNumber(): ValueProblem | undefined {
  return hashedNumbers-- > 0 ? undefined : 'hashed_numbers'
}

/** Simple values and floats. */
function scanSimple(head: number): ValueProblem | undefined {
  if (head >= HEAD.false && head <= HEAD.undefined) return undefined
  if (head >= HEAD.float16 && head <= HEAD.float64) {
    const problem = skip(2 << (head - HEAD.float16))
    return problem === undefined && kinds[depth] === KIND.set ? countNumber() : problem
  }
  if (head === 0xff) return 'indefinite_length'
  return head > HEAD.float64 ? 'reserved_head' : 'simple_value'
}

function skip(length: number): ValueProblem | undefined {
  if (length > end - position) return 'truncated'
  position += length
  return undefined
}

function scanText(): ValueProblem | undefined {
  const start = position
  const problem = skip(argument)
  if (problem !== undefined) return problem
  return isUtf8(input, start, position) ? undefined : 'utf8'
}

/** Enter a container of `argument` members or entries; every item of it takes a byte at least. */
function open(kind: number): ValueProblem | undefined {
  const items = kind >= KIND.object ? 2 * argument : argument
  if (items > end - position) return 'truncated'
  if (kind === KIND.object && argument > limits.maxObjectMembers) return 'object_members'
  if (depth >= limits.maxDepth) return 'depth'
  depth++
  kinds[depth] = kind
  left[depth] = items
  counts[depth] = argument
  return undefined
}

/** What a tag stands before. */
function scanTagged(tag: number): ValueProblem | undefined {
  switch (tag) {
    case TAG.positiveBigint:
    case TAG.negativeBigint:
      return scanBigint(1) ?? (kinds[depth] === KIND.set ? countNumber() : undefined)
    case TAG.set:
      return scanContainer(MAJOR.array, KIND.set)
    case TAG.map:
      return scanContainer(MAJOR.map, KIND.map)
    case TAG.date:
      return scanDate()
    default:
      return limits.links && isLinkTag(tag) ? scanLink(tag) : 'tag'
  }
}

function scanLink(tag: number): ValueProblem | undefined {
  const behind = passLink(tag, input, position, end)
  if (behind === LINK_REFUSED) return 'tag_content'
  position = behind
  return undefined
}

function scanContainer(major: number, kind: number): ValueProblem | undefined {
  if (position >= end) return 'truncated'
  const head = input[position++]!
  if (head >> 5 !== major) return 'tag_content'
  return readArgument(head & 0x1f) ?? open(kind)
}

/** The byte string behind a bigint tag, in any form (as an item) or with `least` bytes and no leading zero (as a key). */
function scanBigint(least: number): ValueProblem | undefined {
  if (position >= end) return 'truncated'
  const start = position
  const head = input[position++]!
  if (head >> 5 !== MAJOR.bytes) return 'tag_content'
  const problem = readArgument(head & 0x1f)
  if (problem !== undefined) return problem
  if (argument > limits.bigintMaxBytes) return 'bigint_length'
  if (least > 1) {
    const short = argument < least || input[position] === 0 || !isShortest(position - start - 1)
    if (short && argument <= end - position) return 'key_form'
  }
  return skip(argument)
}

/** The number behind a date tag: whole milliseconds that a Date can hold. */
function scanDate(): ValueProblem | undefined {
  if (position >= end) return 'truncated'
  const head = input[position++]!
  if (head === HEAD.float64) {
    if (end - position < 8) return 'truncated'
    const ms = readFloat64()
    return Number.isInteger(ms) && Math.abs(ms) <= DATE_MAX_MS ? undefined : 'tag_content'
  }
  // Eight bytes would be a bigint.
  if (head >> 5 > MAJOR.negative || (head & 0x1f) === 27) return 'tag_content'
  return readArgument(head & 0x1f)
}

function readFloat64(): number {
  for (let i = 0; i < 8; i++) float.setUint8(i, input[position++]!)
  return float.getFloat64(0)
}

/** Whether `argument` needed the `size` bytes that it took behind its head. */
function isShortest(size: number): boolean {
  if (size === 0) return true
  return argument >= (size === 1 ? 24 : 2 ** (4 * size))
}

function scanKey(): ValueProblem | undefined {
  if (position >= end) return 'truncated'
  const start = position
  const head = input[position++]!
  const problem = head >> 5 === MAJOR.text ? scanTextKey(head) : scanOtherKey(head)
  if (problem === undefined) pushKey(start, position)
  return problem
}

function scanTextKey(head: number): ValueProblem | undefined {
  if (skipPlainKey(head & 0x1f)) return undefined
  const headStart = position
  const problem = readArgument(head & 0x1f)
  if (problem !== undefined) return problem
  if (argument > limits.keyMaxBytes) return 'key_length'
  if (!isShortest(position - headStart)) return 'key_form'
  const start = position
  return scanText() ?? (isProto(start) ? 'key_proto' : undefined)
}

/** Pass over a short ASCII key that is not `__proto__`, which is what nearly all keys are.
 * @returns false, with nothing passed over, for every other key. */
function skipPlainKey(length: number): boolean {
  if (length > 23 || length > limits.keyMaxBytes || length > end - position || length === PROTO.length)
    return false
  const bytes = input
  const stop = position + length
  for (let i = position; i < stop; i++) if (bytes[i]! >= 0x80) return false
  position = stop
  return true
}

/** Whether the text of `argument` bytes at `start` is `__proto__`. */
function isProto(start: number): boolean {
  if (argument !== PROTO.length) return false
  for (let i = 0; i < PROTO.length; i++) if (input[start + i] !== PROTO[i]) return false
  return true
}

/** Keys of a Map that are not text: one encoding for each number, bigint and simple value. */
function scanOtherKey(head: number): ValueProblem | undefined {
  if (kinds[depth] !== KIND.map) return 'key_type'
  const major = head >> 5
  const start = position
  if (major === MAJOR.unsigned || major === MAJOR.negative) {
    const problem = readArgument(head & 0x1f)
    if (problem !== undefined) return problem
    const size = position - start
    return size === 8 || isShortest(size) ? countNumber() : 'key_form'
  }
  if (head === 0xc0 + TAG.positiveBigint || head === 0xc0 + TAG.negativeBigint)
    return scanBigint(9) ?? countNumber()
  if (major === MAJOR.tag) return 'key_type'
  if (head === HEAD.float64) return scanFloatKey() ?? countNumber()
  if (head === HEAD.float16 || head === HEAD.float32) return 'key_form'
  return major === MAJOR.simple ? scanSimple(head) : 'key_type'
}

/** A float that could not be an integer; of NaN only the one that JavaScript writes. */
function scanFloatKey(): ValueProblem | undefined {
  if (end - position < 8) return 'truncated'
  const start = position
  const value = readFloat64()
  if (Number.isNaN(value)) return isPlainNan(start) ? undefined : 'key_form'
  const asInteger = Number.isInteger(value) && value >= -INTEGER_BOUND && value < INTEGER_BOUND
  return asInteger ? 'key_form' : undefined
}

function isPlainNan(start: number): boolean {
  if (input[start] !== 0x7f || input[start + 1] !== 0xf8) return false
  for (let i = 2; i < 8; i++) if (input[start + i] !== 0) return false
  return true
}
