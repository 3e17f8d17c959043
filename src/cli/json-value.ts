// Values of calls as JSON and back (docs/cli.md): what JSON lacks stands as an object with one key, such as {"$bytes": "…"}.
// Exact both ways; a plain object that happens to look like one of these is wrapped in {"$object": …}.
// Leaves out which values may travel (src/rpc).
import { base64urlDecode, base64urlEncode } from '../bytes.js'
import { VALUE_MAX_DEPTH } from '../limits.js'
import { UsageError } from './usage-error.js'

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

const ODD_NUMBERS = ['NaN', 'Infinity', '-Infinity', '-0']

const READERS: Readonly<Record<string, (content: unknown, depth: number) => unknown>> = {
  $bytes: readBytes,
  $date: (content) => {
    const date = typeof content === 'string' ? new Date(content) : undefined
    return date !== undefined && !Number.isNaN(date.getTime()) ? date : wrong('$date', 'an ISO 8601 time')
  },
  $bigint: (content) =>
    typeof content === 'string' && /^-?\d+$/.test(content)
      ? BigInt(content)
      : wrong('$bigint', 'decimal digits'),
  $number: (content) =>
    typeof content === 'string' && ODD_NUMBERS.includes(content)
      ? Number(content)
      : wrong('$number', ODD_NUMBERS.join(', ')),
  $undefined: (content) => (content === true ? undefined : wrong('$undefined', 'true')),
  $set: (content, depth) => new Set(listOf(content, '$set').map((item) => read(item, depth))),
  $map: (content, depth) =>
    new Map(
      listOf(content, '$map').map((item): [unknown, unknown] => {
        if (!Array.isArray(item) || item.length !== 2) wrong('$map', 'a list of [key, value]')
        return [read(item[0], depth), read(item[1], depth)]
      }),
    ),
  $object: (content, depth) =>
    isRecord(content) ? readRecord(content, depth) : wrong('$object', 'an object'),
}

/** `value`, a result of a call, as JSON can say it. */
export function toJsonValue(value: unknown): Json {
  switch (typeof value) {
    case 'boolean':
    case 'string':
      return value
    case 'number':
      if (!Number.isFinite(value) || Object.is(value, -0)) {
        return { $number: Object.is(value, -0) ? '-0' : String(value) }
      }
      return value
    case 'bigint':
      return { $bigint: String(value) }
    case 'object':
      return value === null ? null : objectToJson(value)
    default:
      return { $undefined: true }
  }
}

function objectToJson(value: object): Json {
  if (value instanceof Uint8Array) return { $bytes: base64urlEncode(value) }
  if (value instanceof Date) return { $date: value.toISOString() }
  if (Array.isArray(value)) return value.map(toJsonValue)
  if (value instanceof Set) return { $set: [...value].map(toJsonValue) }
  if (value instanceof Map) return { $map: [...value].map((entry) => entry.map(toJsonValue)) }
  const entries = Object.entries(value).map(([key, item]) => [key, toJsonValue(item)] as const)
  const plain = Object.fromEntries(entries)
  return taggedBy(plain) === undefined ? plain : { $object: plain }
}

/** The value that a user wrote as JSON.
 * @throws UsageError without quoting any of it. */
export function fromJsonText(text: string): unknown {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    const position = /position (\d+)/.exec(error instanceof Error ? error.message : '')?.[1]
    throw new UsageError(
      `Cannot read input: expected JSON, got text that is none${position === undefined ? '' : ` at position ${position}`}`,
      `Quote it for the shell: '{"text":"hello"}'; a bare text needs its own quotes: '"hello"'`,
    )
  }
  return read(parsed, 0)
}

function read(json: unknown, depth: number): unknown {
  if (depth > VALUE_MAX_DEPTH) {
    throw new UsageError(`Cannot read input: expected at most ${VALUE_MAX_DEPTH} levels of nesting, got more`)
  }
  if (Array.isArray(json)) return json.map((item) => read(item, depth + 1))
  if (!isRecord(json)) return json
  const tag = taggedBy(json)
  const reader = tag === undefined ? undefined : READERS[tag]
  return tag === undefined || reader === undefined ? readRecord(json, depth) : reader(json[tag], depth + 1)
}

function readRecord(record: Readonly<Record<string, unknown>>, depth: number): unknown {
  return Object.fromEntries(Object.entries(record).map(([key, item]) => [key, read(item, depth + 1)]))
}

/** The tag that `record` consists of. */
function taggedBy(record: Readonly<Record<string, unknown>>): string | undefined {
  const [key, ...others] = Object.keys(record)
  return key !== undefined && others.length === 0 && Object.hasOwn(READERS, key) ? key : undefined
}

function isRecord(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
}

function readBytes(content: unknown): Uint8Array {
  try {
    if (typeof content === 'string') return base64urlDecode(content)
  } catch {
    // The same error as for what is not even text.
  }
  return wrong('$bytes', 'base64url without padding')
}

function listOf(content: unknown, tag: string): readonly unknown[] {
  return Array.isArray(content) ? content : wrong(tag, 'a list')
}

function wrong(tag: string, expected: string): never {
  throw new UsageError(`Cannot read input: expected ${expected} under ${tag}, got something else`)
}
