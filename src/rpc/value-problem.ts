// The bounds of one value and the reasons for which the guard refuses bytes, with the fixed text of each.
// Fixed, because what a peer sent never stands in an error (spec/rpc.md §5). Leaves out the check itself (guard.ts).
import {
  VALUE_BIGINT_MAX_BYTES,
  VALUE_HASHED_NUMBERS_MAX,
  VALUE_KEY_MAX_BYTES,
  VALUE_MAX_DEPTH,
  VALUE_MAX_ITEMS,
  VALUE_OBJECT_MEMBERS_MAX,
} from '../limits.js'

/** Why bytes are not a value. */
export type ValueProblem =
  /** The bytes end inside an item, or a length promises more than there is; also no bytes at all. */
  | 'truncated'
  /** Bytes are left after the value. */
  | 'trailing_bytes'
  /** An item of indefinite length, or the break that ends one. */
  | 'indefinite_length'
  /** Additional information 28 to 30. */
  | 'reserved_head'
  /** A simple value other than false, true, null and undefined. */
  | 'simple_value'
  /** A tag that values do not have, reserved ones included. */
  | 'tag'
  /** An allowed tag before the wrong kind of item, or a date out of range. */
  | 'tag_content'
  /** A bigint above the limit. */
  | 'bigint_length'
  | 'depth'
  | 'items'
  /** A plain object with too many members. */
  | 'object_members'
  /** Too many numbers and bigints as members of Sets and keys of Maps. */
  | 'hashed_numbers'
  | 'utf8'
  /** An object with a key that is not text, or a Map with a key that is not a primitive. */
  | 'key_type'
  /** A key that is not in its one encoding. */
  | 'key_form'
  | 'key_length'
  /** The key `__proto__`. */
  | 'key_proto'
  | 'duplicate_key'

/** Bounds of one value. */
export interface ValueLimits {
  /** Containers inside one another; `[]` has depth 1. */
  readonly maxDepth: number
  /** Items: containers, members, keys; a tag and what it stands before are one. */
  readonly maxItems: number
  /** Members of one plain object: engines keep one copy of each name, and move all members whenever a large object grows, so that
   * a member costs twice what it costs in a small one. */
  readonly maxObjectMembers: number
  /** Numbers and bigints that are members of Sets or keys of Maps, counted over the whole value: engines hash them without
   * a secret, so a peer can choose ones that collide, and inserting n of those takes n^2 steps. */
  readonly maxHashedNumbers: number
  /** UTF-8 bytes of a text key. */
  readonly keyMaxBytes: number
  /** Magnitude of a bigint, bytes. */
  readonly bigintMaxBytes: number
  /** Whether what belongs to a session may stand in it: references, answers, streams, capabilities. */
  readonly links: boolean
}

/** The bounds of spec/rpc.md §5. */
export const DEFAULT_VALUE_LIMITS: ValueLimits = {
  maxDepth: VALUE_MAX_DEPTH,
  maxItems: VALUE_MAX_ITEMS,
  maxObjectMembers: VALUE_OBJECT_MEMBERS_MAX,
  maxHashedNumbers: VALUE_HASHED_NUMBERS_MAX,
  keyMaxBytes: VALUE_KEY_MAX_BYTES,
  bigintMaxBytes: VALUE_BIGINT_MAX_BYTES,
  links: false,
}

/** Bounds of a value inside a session. */
export const SESSION_VALUE_LIMITS: ValueLimits = { ...DEFAULT_VALUE_LIMITS, links: true }

/** What each problem says in an error, after `expected`. */
export const PROBLEM_TEXT: Readonly<Record<ValueProblem, string>> = {
  truncated: 'a whole item, got bytes that end inside one',
  trailing_bytes: 'one value, got bytes after it',
  indefinite_length: 'definite lengths, got an indefinite one',
  reserved_head: 'defined heads, got a reserved one',
  simple_value: 'false, true, null or undefined, got another simple value',
  tag: 'tags of values only, got another tag',
  tag_content: 'content that fits its tag, got something else',
  bigint_length: 'a bigint within the limit, got a longer one',
  depth: 'nesting within the limit, got deeper nesting',
  items: 'items within the limit, got more',
  object_members: 'objects with members within their limit, got more',
  hashed_numbers: 'numbers in Sets and as keys of Maps within their limit, got more',
  utf8: 'text in UTF-8, got other bytes',
  key_type: 'text as key of an object and a primitive as key of a Map, got another key',
  key_form: 'keys in their one encoding, got another encoding',
  key_length: 'keys within the limit, got a longer one',
  key_proto: 'keys other than __proto__',
  duplicate_key: 'each key once, got one twice',
}
