// Fields: what a table declares about its sealed columns and blind indexes, before it has a name. Driver-free and without keys,
// so that writers and readers share one declaration. Leaves out tables (plan.ts) and the computation of indexes (blind-index.ts).
import { BLIND_INDEX_BITS, BLIND_INDEX_BITS_MIN } from '../../limits.js'
import type { Codec } from '../codec.js'
import type { Column, ColumnOptions } from '../column.js'

/** Beyond the codec. */
export type FieldOptions = Pick<ColumnOptions<never, unknown>, 'schemaVersion' | 'padding'>

/** A sealed column that no table has named yet. */
export class SealedField<in In, out Out = In> {
  readonly codec: Codec<In, Out>
  readonly options: FieldOptions
  /** Whether a row may be without it: such a column may be NULL in the database. */
  readonly mayBeAbsent: boolean

  constructor(codec: Codec<In, Out>, options: FieldOptions = {}) {
    this.codec = codec
    this.options = options
    this.mayBeAbsent = readsAbsence(codec)
  }
}

/** What two values have in common when they count as equal: text or bytes to be hashed. */
export type Normalise<in In> = (value: In) => string | Uint8Array

/** What a blind index is made of. */
export interface IndexOptions<in In> {
  /** Property of the table whose values are indexed. */
  readonly of: string
  /** Default {@link exact}. */
  readonly normalise?: Normalise<In> | undefined
  /** Bits kept, 8 to 128, which is the default. Fewer say less to whoever sees the table, and find more rows that do not match. */
  readonly bits?: number | undefined
}

/** A column that holds the blind index of another. */
export class IndexField<in In> {
  readonly of: string
  readonly normalise: Normalise<In>
  readonly bits: number

  /** @throws RangeError for a number of bits outside 8 to 128. */
  constructor({ of, normalise = exact, bits = BLIND_INDEX_BITS }: IndexOptions<In>) {
    if (!Number.isSafeInteger(bits) || bits < BLIND_INDEX_BITS_MIN || bits > BLIND_INDEX_BITS) {
      throw new RangeError(
        `Cannot make blind index: expected ${BLIND_INDEX_BITS_MIN} to ${BLIND_INDEX_BITS} bits, got ${bits}`,
      )
    }
    this.of = of
    this.normalise = normalise
    this.bits = bits
  }
}

/** Text in Unicode's composed form (NFC), or bytes as they are: only what is the same counts as equal.
 * @throws TypeError for anything else. */
export function exact(value: unknown): string | Uint8Array {
  if (value instanceof Uint8Array) return value
  return textOf(value).normalize('NFC')
}

/** Text without regard to case, width and surrounding space (NFKC, lower-cased), as for e-mail addresses.
 * @throws TypeError for anything else. */
export function caseless(value: unknown): string {
  return textOf(value).normalize('NFKC').trim().toLowerCase().normalize('NFKC')
}

/** The digits of a text, as for telephone numbers and account numbers.
 * @throws TypeError for anything else. */
export function digits(value: unknown): string {
  return textOf(value).normalize('NFKC').replaceAll(/\D/g, '')
}

function textOf(value: unknown): string {
  if (typeof value === 'string' && value.isWellFormed()) return value
  throw new TypeError(
    'Cannot index value: expected well-formed text; give the index a `normalise` for other values',
  )
}

/** By contract, codecs refuse absence unless they are made for it. */
function readsAbsence(codec: Codec<never, unknown>): boolean {
  try {
    codec.decode(undefined)
    return true
  } catch {
    return false
  }
}

/** A field whose table has named it. */
export interface NamedField {
  readonly property: string
  readonly column: Column<never, unknown>
  readonly field: SealedField<never, unknown>
}
