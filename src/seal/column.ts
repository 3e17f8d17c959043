// Where a sealed value lives: table, column, row key and schema version, as the associated data of its AEAD call
// (spec/seal.md §7), so that a value in another place does not open. Most of it is the same for a whole column and is encoded
// once. Leaves out databases: a place is whatever the application can name again when it opens.
import { concat, utf8 } from '../bytes.js'
import { type Dcbor, encodeDcbor } from '../dcbor.js'
import { lastingArray, viewsOf } from '../lasting.js'
import { SEAL_CONTEXT_MAX_BYTES, SEAL_VALUE_MAX_BYTES } from '../limits.js'
import type { Codec } from './codec.js'
import type { Buckets } from './content.js'

/** What names a row; types count: 1 is another row than "1", and `null` another than none. A list is a composite key. */
export type RowKey = null | boolean | number | bigint | string | Uint8Array | readonly RowKey[]

/** What a column is made of. */
export interface ColumnOptions<In, Out> {
  readonly table: string
  readonly column: string
  readonly codec: Codec<In, Out>
  /** A whole number from 0; a value sealed under another one does not open. None when left out, which is not 0. */
  readonly schemaVersion?: number | undefined
  /** Sizes in bytes, ascending, to which values are padded before sealing, so that lengths do not show; longer values are
   * padded to multiples of the last one. Not padded when left out. */
  readonly padding?: Buckets | undefined
}

const AD_LABEL = 'noisecap/v1 ad'
const KIND_VALUE = 0
/** Keys of the context map. */
const KEY = { table: 0, column: 1, schemaVersion: 2, row: 3 } as const
const MAP_HEAD = 0xa0
const UINT8_FOLLOWS = 24
const TEXT_HEAD = 0x60

const adScratch = lastingArray(SEAL_CONTEXT_MAX_BYTES)
const adOf = viewsOf(adScratch, 0, 256)

/** One column: all values in it share table, name, schema version and codec. Immutable. */
export class Column<in In, out Out = In> {
  readonly table: string
  readonly column: string
  readonly schemaVersion: number | undefined
  readonly codec: Codec<In, Out>
  readonly padding: Buckets
  readonly #withRow: Uint8Array
  readonly #withoutRow: Uint8Array

  /** @throws TypeError or RangeError for a name that is no well-formed text, or a version or buckets that are none. */
  constructor({ table, column, codec, schemaVersion, padding = [] }: ColumnOptions<In, Out>) {
    checkName(table, 'table')
    checkName(column, 'column')
    if (schemaVersion !== undefined && (!Number.isSafeInteger(schemaVersion) || schemaVersion < 0)) {
      throw new RangeError('Cannot make column: expected a schema version that is a whole number from 0')
    }
    checkBuckets(padding)
    this.table = table
    this.column = column
    this.codec = codec
    this.schemaVersion = schemaVersion
    this.padding = Object.freeze([...padding])
    this.#withRow = contextStart(this, true)
    this.#withoutRow = contextStart(this, false)
    if (this.#withRow.length >= SEAL_CONTEXT_MAX_BYTES) throw contextTooLong()
  }

  /** The cell of this column in the row of that key. */
  at(row: RowKey): Place<In, Out> {
    if (row === undefined)
      throw new TypeError('Cannot name place: expected a row key; `whole()` is without one')
    return new Place(this, row)
  }

  /** The place of a value that belongs to no row. */
  whole(): Place<In, Out> {
    return new Place(this, undefined)
  }

  /** For writers and readers: the associated data of a value in `row`, in memory that the next call overwrites.
   * @throws TypeError for a row key without an encoding, RangeError past 1,024 bytes. */
  associatedData(row: RowKey | undefined): Uint8Array {
    if (row === undefined) {
      adScratch.set(this.#withoutRow)
      return adOf(this.#withoutRow.length)
    }
    const start = this.#withRow.length
    adScratch.set(this.#withRow)
    if (typeof row === 'string' && row.length < SEAL_CONTEXT_MAX_BYTES - start - 3) {
      const end = writeAscii(row, start)
      if (end !== undefined) return adOf(end)
    }
    const encoded = encodeDcbor(row as Dcbor) // every RowKey is one
    if (start + encoded.length > SEAL_CONTEXT_MAX_BYTES) throw contextTooLong()
    adScratch.set(encoded, start)
    return adOf(start + encoded.length)
  }
}

/** A cell: what a value is sealed for, and has to be opened with. */
export class Place<in In, out Out = In> {
  readonly column: Column<In, Out>
  readonly row: RowKey | undefined

  /** Use {@link Column.at}. */
  constructor(column: Column<In, Out>, row: RowKey | undefined) {
    this.column = column
    this.row = row
  }
}

/** dCBOR of `["noisecap/v1 ad", kind, chunk size, context]` up to the row key, which stands last. */
function contextStart(
  { table, column, schemaVersion }: Pick<Column<never, unknown>, 'table' | 'column' | 'schemaVersion'>,
  withRow: boolean,
): Uint8Array {
  const context = new Map<number, Dcbor>([
    [KEY.table, table],
    [KEY.column, column],
  ])
  if (schemaVersion !== undefined) context.set(KEY.schemaVersion, schemaVersion)
  const whole = encodeDcbor([AD_LABEL, KIND_VALUE, null, context])
  if (!withRow) return whole
  const mapHead = whole.length - encodeDcbor(context).length
  whole[mapHead] = MAP_HEAD + context.size + 1
  return concat(whole, Uint8Array.of(KEY.row))
}

/** Write dCBOR text of ASCII at `start`.
 * @returns the offset after it; undefined for other text, of which something may then stand there. */
function writeAscii(text: string, start: number): number | undefined {
  const { length } = text
  let at = start
  if (length < UINT8_FOLLOWS) adScratch[at++] = TEXT_HEAD | length
  else if (length < 0x100) {
    adScratch[at++] = TEXT_HEAD | UINT8_FOLLOWS
    adScratch[at++] = length
  } else return undefined
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i)
    if (unit >= 0x80) return undefined
    adScratch[at++] = unit
  }
  return at
}

function checkName(name: string, what: string): void {
  if (typeof name !== 'string' || name === '' || !name.isWellFormed()) {
    throw new TypeError(`Cannot make column: expected well-formed, non-empty text as the name of the ${what}`)
  }
  if (utf8(name).length > SEAL_CONTEXT_MAX_BYTES) throw contextTooLong()
}

function checkBuckets(buckets: Buckets): void {
  let previous = 0
  for (const bucket of buckets) {
    if (!Number.isSafeInteger(bucket) || bucket <= previous || bucket > SEAL_VALUE_MAX_BYTES) {
      throw new RangeError(
        'Cannot make column: expected padding sizes in whole bytes, ascending, at most 16 MiB',
      )
    }
    previous = bucket
  }
}

function contextTooLong(): RangeError {
  return new RangeError(`Cannot name place: expected at most ${SEAL_CONTEXT_MAX_BYTES} encoded bytes`)
}
