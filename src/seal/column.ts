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
const UINT16_FOLLOWS = 25
const UINT32_FOLLOWS = 26
const TEXT_HEAD = 0x60
/** Row keys up to this many encoded bytes, which are nearly all, are written behind the start that their column keeps. */
const SHORT_ROW_BYTES = 64

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
  /** The start with room for a short row key: what is the same for all rows is copied once. */
  readonly #short: Uint8Array
  readonly #shortOf: (length: number) => Uint8Array

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
    this.#short = lastingArray(Math.min(this.#withRow.length + SHORT_ROW_BYTES, SEAL_CONTEXT_MAX_BYTES))
    this.#short.set(this.#withRow)
    this.#shortOf = viewsOf(this.#short, 0, this.#short.length)
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
    const end =
      typeof row === 'string'
        ? writeShortAscii(this.#short, start, row)
        : typeof row === 'number'
          ? writeUint32(this.#short, start, row)
          : undefined
    if (end !== undefined) return this.#shortOf(end)
    adScratch.set(this.#withRow)
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
 * @returns the offset after it; undefined for other or longer text, of which something may then stand there. */
function writeShortAscii(target: Uint8Array, start: number, text: string): number | undefined {
  const { length } = text
  if (start + length + 2 > target.length) return undefined
  let at = start
  if (length < UINT8_FOLLOWS) target[at++] = TEXT_HEAD | length
  else {
    target[at++] = TEXT_HEAD | UINT8_FOLLOWS
    target[at++] = length
  }
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i)
    if (unit >= 0x80) return undefined
    target[at++] = unit
  }
  return at
}

/** Write a dCBOR integer from 0 to 2^32 - 1 at `start`.
 * @returns the offset after it; undefined for other numbers. */
function writeUint32(target: Uint8Array, start: number, value: number): number | undefined {
  if (value >>> 0 !== value || start + 5 > target.length) return undefined
  let at = start
  if (value < UINT8_FOLLOWS) target[at++] = value
  else if (value < 0x100) {
    target[at++] = UINT8_FOLLOWS
    target[at++] = value
  } else if (value < 0x1_0000) {
    target[at++] = UINT16_FOLLOWS
    target[at++] = value >>> 8
    target[at++] = value & 0xff
  } else {
    target[at++] = UINT32_FOLLOWS
    target[at++] = value >>> 24
    target[at++] = (value >>> 16) & 0xff
    target[at++] = (value >>> 8) & 0xff
    target[at++] = value & 0xff
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
