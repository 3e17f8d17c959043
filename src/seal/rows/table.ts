// Tables for plain drivers: columns by name, declared once for writers and readers. Rows are objects by column name, as drivers
// give them. Leaves out SQL (statements.ts) and query builders, which have tables of their own.

import type { Acceptance } from '../acceptance.js'
import { bytes, type Codec, json, text } from '../codec.js'
import { type OpenOptions, SealReader, type SealReaderOptions } from '../reader.js'
import type { Sealed } from '../sealed.js'
import type { IndexCell, SealedCell } from './cell.js'
import { type FieldOptions, IndexField, type IndexOptions, SealedField } from './field.js'
import { openEachRow, openRows, placeRows, type RowOutcome } from './opening.js'
import { type PlannedColumn, type PlannedKey, RowPlan } from './plan.js'
import type { KeyKind } from './row-key.js'
import { RowSealer, type SealedColumnsOptions, type SealTarget } from './sealing.js'

/** A column of the primary key, which the application makes. */
export class KeyColumn<out Value> {
  declare readonly value: Value
  readonly kind: KeyKind

  constructor(kind: KeyKind) {
    this.kind = kind
  }
}

/** A column that is stored as it is. */
export class PlainColumn<out Value> {
  declare readonly value: Value
}

/** Columns of the primary key, in the order in which they stand in the table. */
export const key = {
  uuid: (): KeyColumn<string> => new KeyColumn('uuid'),
  text: (): KeyColumn<string> => new KeyColumn('text'),
  integer: (): KeyColumn<number | bigint> => new KeyColumn('integer'),
  bytes: (): KeyColumn<Uint8Array> => new KeyColumn('bytes'),
} as const

/** A column that is stored as it is; `Value` is what the driver takes and gives. */
export function plain<Value>(): PlainColumn<Value> {
  return new PlainColumn()
}

/** A unique blind index. */
class UniqueIndexField<in In> extends IndexField<In> {}

/** What a column of a table can be. */
export type AnyColumn =
  | KeyColumn<unknown>
  | PlainColumn<unknown>
  | SealedField<never, unknown>
  | IndexField<never>

/** Columns by name. */
export type Columns = Readonly<Record<string, AnyColumn>>

/** Names of the columns that are sealed, of blind indexes, and of the others. */
type SealedNames<C> = {
  [Name in keyof C]: C[Name] extends SealedField<infer _, infer __> ? Name : never
}[keyof C]
type IndexNames<C> = { [Name in keyof C]: C[Name] extends IndexField<infer _> ? Name : never }[keyof C]
type KeyNames<C> = { [Name in keyof C]: C[Name] extends KeyColumn<unknown> ? Name : never }[keyof C]
type PlainNames<C> = { [Name in keyof C]: C[Name] extends PlainColumn<unknown> ? Name : never }[keyof C]
type AbsentNames<C> = {
  [Name in keyof C]: C[Name] extends SealedField<infer In, infer _>
    ? undefined extends In
      ? Name
      : never
    : never
}[keyof C]
type InputOf<Column> = Column extends SealedField<infer In, infer _> ? In : never
type ValueOf<Column> = Column extends KeyColumn<infer Value> | PlainColumn<infer Value> ? Value : never
type Shown<T> = { [Name in keyof T]: T[Name] }

/** A row before it is sealed: all sealed columns but those that may be absent; plain ones may be left to the database. */
export type PlainRow<C extends Columns> = Shown<
  { [Name in KeyNames<C>]: ValueOf<C[Name]> } & {
    [Name in Exclude<SealedNames<C>, AbsentNames<C>>]: InputOf<C[Name]>
  } & { [Name in AbsentNames<C>]?: InputOf<C[Name]> } & { [Name in PlainNames<C>]?: ValueOf<C[Name]> }
>

/** The key of a row, and the columns to change. */
export type RowChanges<C extends Columns> = Shown<
  { [Name in KeyNames<C>]: ValueOf<C[Name]> } & { [Name in SealedNames<C>]?: InputOf<C[Name]> } & {
    [Name in PlainNames<C>]?: ValueOf<C[Name]>
  }
>

type Stored<Column> =
  Column extends SealedField<infer In, infer Out>
    ? SealedCell<In, Out>
    : Column extends IndexField<infer In>
      ? IndexCell<In>
      : ValueOf<Column>

/** A row as it may be stored. */
export type SealedRow<C extends Columns> = Shown<
  { [Name in KeyNames<C> | SealedNames<C> | IndexNames<C>]: Stored<C[Name]> } & {
    [Name in PlainNames<C>]?: ValueOf<C[Name]>
  }
>

/** What an update sets. */
export type SealedChanges<C extends Columns> = Shown<{
  [Name in SealedNames<C> | IndexNames<C> | PlainNames<C>]?: Stored<C[Name]>
}>

/** A row as drivers give it, opened: the columns of the table have their types, others stay as they are. Drivers that do not
 * say which columns a row has are taken to give all of the table. */
export type OpenedRow<C extends Columns, Row> = string extends keyof Row
  ? Shown<{ [Name in keyof C]: OpenedOf<C[Name], unknown> }>
  : Shown<{ [Name in keyof Row]: Name extends keyof C ? OpenedOf<C[Name], Row[Name]> : Row[Name] }>
type OpenedOf<Column, Given> =
  Column extends SealedField<infer _, infer Out>
    ? Out
    : Column extends IndexField<infer _>
      ? Given
      : ValueOf<Column>

/** A row as drivers give it, whose sealed columns wait to be opened. */
export type PlacedRow<C extends Columns, Row> = string extends keyof Row
  ? Shown<{ [Name in keyof C]: PlacedOf<C[Name], unknown> }>
  : Shown<{ [Name in keyof Row]: Name extends keyof C ? PlacedOf<C[Name], Row[Name]> : Row[Name] }>
type PlacedOf<Column, Given> =
  Column extends SealedField<infer _, infer Out>
    ? Sealed<Out> | (undefined extends Out ? undefined : never)
    : OpenedOf<Column, Given>

/** A table with sealed columns. Immutable. */
export class SealedTable<const C extends Columns> {
  readonly name: string
  readonly columns: C
  readonly plan: RowPlan

  /** @throws TypeError for a table without a key, an index without its column or too short to be unique. */
  constructor(name: string, columns: C) {
    const entries = Object.entries(columns)
    const keys: PlannedKey[] = entries.flatMap(([property, column]) =>
      column instanceof KeyColumn ? [{ property, kind: column.kind }] : [],
    )
    this.name = name
    this.columns = columns
    this.plan = new RowPlan(name, entries.map(planned), keys)
  }
}

function planned([property, column]: [string, AnyColumn]): PlannedColumn {
  return {
    property,
    name: property,
    field: column instanceof SealedField ? column : undefined,
    index: column instanceof IndexField ? column : undefined,
    unique: column instanceof UniqueIndexField,
  }
}

/** Declare a table with sealed columns; see {@link SealedTable}. */
export function sealedTable<const C extends Columns>(name: string, columns: C): SealedTable<C> {
  return new SealedTable(name, columns)
}

/** Declares sealed columns, and seals rows of tables that have them. Prints as `[redacted]`. */
export class SealedColumns extends RowSealer {
  text(options?: FieldOptions): SealedField<string> {
    return new SealedField(text, options)
  }

  bytes(options?: FieldOptions): SealedField<Uint8Array> {
    return new SealedField(bytes, options)
  }

  /** @typeParam T - what is sealed, which JSON can say; a promise of the caller. */
  json<T>(options?: FieldOptions): SealedField<NoInfer<T>> {
    return new SealedField(json<T>(), options)
  }

  /** A column of any codec, such as `nullable(text)`. */
  column<In, Out>(codec: Codec<In, Out>, options?: FieldOptions): SealedField<In, Out> {
    return new SealedField(codec, options)
  }

  /** The blind index of another column. */
  index<In = string>(options: IndexOptions<In>): IndexField<NoInfer<In>> {
    return new IndexField(options)
  }

  /** One over which the database has a unique constraint. */
  uniqueIndex<In = string>(options: Omit<IndexOptions<In>, 'bits'>): IndexField<NoInfer<In>> {
    return new UniqueIndexField(options)
  }

  /** A row to be inserted; see {@link RowSealer.sealRow}. */
  seal<C extends Columns>(table: SealedTable<C>, row: PlainRow<C>): SealedRow<C> {
    return this.sealRow(table.plan, row) as SealedRow<C> // as the plan of that table says
  }

  /** What an update of the row with that key sets; see {@link RowSealer.sealChanges}. */
  changes<C extends Columns>(table: SealedTable<C>, row: RowChanges<C>): SealedChanges<C> {
    return this.sealChanges(table.plan, row) as SealedChanges<C> // as the plan of that table says
  }

  /** The blind index of `value`, to look for in the column `name`. */
  find<C extends Columns, const Name extends IndexNames<C>>(
    table: SealedTable<C>,
    name: Name,
    value: C[Name] extends IndexField<infer In> ? In : never,
  ): Stored<C[Name]> {
    const index = table.plan.indexes.find(({ property }) => property === name)
    if (index === undefined) {
      throw new TypeError(`Cannot find rows of "${table.name}": "${String(name)}" is no blind index`)
    }
    return super.findIn(table.plan, index, value) as Stored<C[Name]> // of the field of that name
  }
}

/** Declare sealed columns, and seal to a capability or to public keys where one is given. */
export function sealedColumns(to?: SealTarget, options?: SealedColumnsOptions): SealedColumns {
  return new SealedColumns(to, options)
}

/** Opens rows as drivers give them. Prints as `[redacted]`. */
export class RowReader<const Accepted extends Acceptance = Acceptance> implements Disposable {
  readonly #reader: SealReader<Accepted>

  /** @throws TypeError, RangeError. */
  constructor(options: SealReaderOptions<Accepted> | SealReader<Accepted>) {
    this.#reader = options instanceof SealReader ? options : new SealReader(options)
  }

  /** @param rows - with their key, and any other columns of the table.
   * @throws as {@link SealReader.open}, at the first value that does not open. */
  open<C extends Columns, Row extends object>(
    table: SealedTable<C>,
    rows: readonly Row[],
    options?: OpenOptions,
  ): OpenedRow<C, Row>[] {
    return openRows(table.plan, this.#reader, rows, options) as OpenedRow<C, Row>[] // as the plan says
  }

  /** As {@link open}, with an outcome for each row: one that does not open does not spoil the others. */
  openEach<C extends Columns, Row extends object>(
    table: SealedTable<C>,
    rows: readonly Row[],
    options?: OpenOptions,
  ): RowOutcome<OpenedRow<C, Row>, Accepted>[] {
    const outcomes = openEachRow(table.plan, this.#reader, rows, options)
    return outcomes as RowOutcome<OpenedRow<C, Row>, Accepted>[] // as the plan says
  }

  [Symbol.dispose](): void {
    this.#reader[Symbol.dispose]()
  }
}

/** Rows whose sealed columns hold a {@link Sealed} each, for whoever opens them later. */
export function placed<C extends Columns, Row extends object>(
  table: SealedTable<C>,
  rows: readonly Row[],
): PlacedRow<C, Row>[] {
  return placeRows(table.plan, rows) as PlacedRow<C, Row>[] // as the plan says
}
