// The plan of one table: which of its columns are sealed, which hold blind indexes and which name the row. Made once a table, by
// those who know what a table is (table.ts, the query builders). Leaves out keys and values.
import { Column, Place, type RowKey } from '../column.js'
import type { IndexField, NamedField, SealedField } from './field.js'
import { type KeyKind, ROW_KEY_OF } from './row-key.js'

/** A column of a table, as far as plans are concerned. */
export interface PlannedColumn {
  /** What the column is called in rows. */
  readonly property: string
  /** What it is called in the database, and in the context of its values. */
  readonly name: string
  readonly field: SealedField<never, unknown> | undefined
  readonly index: IndexField<never> | undefined
  /** Whether the database refuses a second row with the same value. */
  readonly unique: boolean
}

/** A column of the primary key. */
export interface PlannedKey {
  readonly property: string
  readonly kind: KeyKind
}

/** A blind index that its table has named. */
export interface NamedIndex {
  readonly property: string
  readonly name: string
  readonly source: string
  readonly field: IndexField<never>
}

/** What row helpers know of one table. */
export class RowPlan {
  /** As contexts name it. */
  readonly table: string
  readonly cells: readonly NamedField[]
  readonly indexes: readonly NamedIndex[]
  readonly keys: readonly PlannedKey[]

  /** @throws TypeError for a table without a key, or an index without its column or too short to be unique. */
  constructor(table: string, columns: readonly PlannedColumn[], keys: readonly PlannedKey[]) {
    this.table = table
    this.keys = keys
    this.cells = columns.flatMap(({ property, name, field }) =>
      field === undefined ? [] : [namedField(table, property, name, field)],
    )
    this.indexes = columns.flatMap((column) =>
      column.index === undefined ? [] : [this.#namedIndex(column, column.index)],
    )
    if (keys.length === 0) {
      throw new TypeError(
        `Cannot seal rows of "${table}": expected a primary key that the application makes, such as a UUID`,
      )
    }
  }

  /** The key of `row`: its value, or the list of its values in the order of the key.
   * @param action - what cannot be done without it.
   * @throws TypeError when the row does not have it. */
  rowKeyOf(row: object, action: string): RowKey {
    const [first] = this.keys
    if (this.keys.length === 1) return this.#keyPart(row, first!, action)
    return this.keys.map((key) => this.#keyPart(row, key, action))
  }

  #keyPart(row: object, { property, kind }: PlannedKey, action: string): RowKey {
    const value: unknown = Reflect.get(row, property)
    const key = ROW_KEY_OF[kind](value)
    if (key !== undefined) return key
    const got = value === undefined ? 'none' : `something else (${typeof value})`
    throw new TypeError(
      `Cannot ${action} row of "${this.table}": expected its key "${property}" as ${kind}, got ${got}`,
    )
  }

  #namedIndex(column: PlannedColumn, index: IndexField<never>): NamedIndex {
    const { property, name, unique } = column
    const source = this.cells.find((cell) => cell.property === index.of)
    if (source === undefined) {
      throw new TypeError(
        `Cannot index "${this.table}": "${name}" is of "${index.of}", which is no sealed column of this table`,
      )
    }
    if (unique && index.bits < UNIQUE_BITS) {
      throw new TypeError(
        `Cannot index "${this.table}": "${name}" is unique, so two different values must not share an index; expected at least ${UNIQUE_BITS} bits, got ${index.bits}`,
      )
    }
    return { property, name, source: index.of, field: index }
  }
}

/** With fewer, chance would refuse rows of different values: see docs/sealing.md. */
const UNIQUE_BITS = 96

function namedField(
  table: string,
  property: string,
  name: string,
  field: SealedField<never, unknown>,
): NamedField {
  const { codec, options } = field
  return { property, column: new Column({ ...options, table, column: name, codec }), field }
}

/** The cell of `column` in a row: what a writer and a reader have to name alike. */
export function placeOf(column: Column<never, unknown>, row: RowKey): Place<never, unknown> {
  return new Place(column, row)
}
