// The CBOR heads that values are written with: major types, the tags that are allowed, and those kept for later.
// Numbers from 51888 lie in IANA's first-come-first-served range; whatever is not listed here is refused (spec/rpc.md §5).
// Leaves out the check (guard.ts), the reader (value-reader.ts) and the writer (value-writer.ts).

/** Major types of RFC 8949 §3.1. */
export const MAJOR = {
  unsigned: 0,
  negative: 1,
  bytes: 2,
  text: 3,
  array: 4,
  map: 5,
  tag: 6,
  simple: 7,
} as const

/** Whole first bytes of the simple values and of the three floats. */
export const HEAD = {
  false: 0xf4,
  true: 0xf5,
  null: 0xf6,
  undefined: 0xf7,
  float16: 0xf9,
  float32: 0xfa,
  float64: 0xfb,
} as const

/** Tags that a value may hold; each fixes what must follow it. */
export const TAG = {
  /** Byte string: magnitude of a bigint of 0 or more, big-endian (RFC 8949 §3.4.3). */
  positiveBigint: 2,
  /** Byte string: −1 − magnitude. */
  negativeBigint: 3,
  /** Array: the members of a Set. */
  set: 258,
  /** Map: the entries of a Map, where a map without a tag is an object. */
  map: 259,
  /** Number: a Date as whole Unix milliseconds. Tag 1 counts seconds in a float64, which rounds far dates. */
  date: 51_888,
} as const

/** Tags of what belongs to a session and is no data (spec/rpc.md §5); refused where there is no session. */
export const LINK_TAG = {
  /** Number: a reference that the sender exports. */
  mine: 51_889,
  /** Number: a reference that the receiver exported. */
  yours: 51_890,
  /** Array: what a call of the sender will answer: call, then the keys of a path into it. */
  answer: 51_891,
  /** Array: a stream that the sender feeds: id, kind. */
  stream: 51_892,
  /** Text: a capability, as a URI with its secret. */
  capability: 51_893,
  /** Number: as `mine`, of a reference of another session: the sender passes calls on to whoever hosts it. */
  passedOn: 51_894,
} as const

/** Numbers from −2^32 to 2^32 − 1 without a fraction are integers of up to four bytes; all others are floats.
 * Integers of eight bytes are bigints, whatever their size: `5n` stays `5n`. */
export const INTEGER_BOUND = 0x1_0000_0000

/** Times in ms that a Date can hold: ± this. Source: ECMA-262 §21.4.1.1. */
export const DATE_MAX_MS = 8.64e15
