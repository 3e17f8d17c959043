// What stands in a sealed column: bytes of a sealed value, or of a blind index, with the field that they belong to. Drivers and
// query builders are given these and nothing else, so that plaintext cannot be mistaken for them. Print as `[sealed]`.
// Leaves out where the row is: that comes with the row (opening.ts).
import { redact } from '../../redact.js'
import type { IndexField, SealedField } from './field.js'

/** The bytes of one sealed value, as stored. `In` is what was sealed, `Out` what opens. */
export class SealedCell<in In, out Out = In> {
  /** As stored; borrowed. */
  readonly bytes: Uint8Array
  readonly field: SealedField<In, Out>

  /** Made by row helpers. @param bytes - referred to, not copied. */
  constructor(bytes: Uint8Array, field: SealedField<In, Out>) {
    this.bytes = bytes
    this.field = field
  }

  /** What `pg` stores of it. */
  toPostgres(): Uint8Array {
    return this.bytes
  }
}

/** The blind index of one value, as stored and as searched for. */
export class IndexCell<in In> {
  /** As stored; borrowed. */
  readonly bytes: Uint8Array
  readonly field: IndexField<In>

  /** Made by row helpers. @param bytes - referred to, not copied. */
  constructor(bytes: Uint8Array, field: IndexField<In>) {
    this.bytes = bytes
    this.field = field
  }

  /** What `pg` stores of it. */
  toPostgres(): Uint8Array {
    return this.bytes
  }
}

redact(SealedCell, () => '[sealed]')
redact(IndexCell, () => '[blind index]')

/** `value` as bytes, from whatever a driver gives for a binary column; undefined when it is none.
 * Postgres writes `\x` and hexadecimal digits where binary values stand inside JSON. */
export function bytesOf(value: unknown): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value
  if (value instanceof ArrayBuffer) return new Uint8Array(value)
  if (typeof value === 'string' && HEX_FORM.test(value)) {
    return Uint8Array.from(value.slice(2).match(/../g) ?? [], (digits) => Number.parseInt(digits, 16))
  }
  return undefined
}

const HEX_FORM = /^\\x(?:[0-9a-f]{2})*$/

/** What drivers take for a binary column: Node's for SQLite want a Buffer. A view, not a copy. */
export function binary(bytes: Uint8Array): Uint8Array {
  const { Buffer: NodeBuffer } = globalThis as { Buffer?: typeof Buffer }
  return NodeBuffer === undefined ? bytes : NodeBuffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
