// Row keys: the value of a key column in the one form that it has before it is stored and after it was read, since a database
// may write it otherwise than it was given (a UUID in lower case, a 64-bit number as text). Kinds whose form nobody can foresee
// are refused. Leaves out which columns are the key (plan.ts).
import type { RowKey } from '../column.js'

/** Kinds of key column that come back as they were stored. */
export type KeyKind = 'uuid' | 'text' | 'integer' | 'bytes'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const INTEGER = /^-?(?:0|[1-9]\d{0,18})$/

/** The value as a row key, or undefined when it is none of that kind. */
export const ROW_KEY_OF: Readonly<Record<KeyKind, (value: unknown) => RowKey | undefined>> = {
  uuid(value) {
    if (typeof value !== 'string') return undefined
    const lower = value.toLowerCase()
    return UUID.test(lower) ? lower : undefined
  },
  text: (value) => (typeof value === 'string' ? value : undefined),
  integer(value) {
    if (typeof value === 'bigint' || Number.isSafeInteger(value)) return value as bigint | number
    return typeof value === 'string' && INTEGER.test(value) ? BigInt(value) : undefined
  },
  bytes(value) {
    if (value instanceof ArrayBuffer) return new Uint8Array(value)
    return value instanceof Uint8Array ? value : undefined
  },
}
