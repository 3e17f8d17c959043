// Sealed columns of Drizzle, for Postgres (bytea) and for SQLite (blob): the column types, and the row helper that knows table,
// column and primary key. Leaves out queries (guard.ts) and reading (reader.ts).
import type { Column, InferInsertModel, Table } from 'drizzle-orm'
import { type PgCustomColumnBuilder, customType as pgType } from 'drizzle-orm/pg-core'
import { type SQLiteCustomColumnBuilder, customType as sqliteType } from 'drizzle-orm/sqlite-core'
import { bytes, type Codec, json, text } from '../codec.js'
import type { IndexCell, SealedCell } from '../rows/cell.js'
import { type FieldOptions, IndexField, type IndexOptions, SealedField } from '../rows/field.js'
import { RowSealer, type SealedColumnsOptions, type SealTarget } from '../rows/sealing.js'
import { columnType, type Declared, declaredOf, declareOn } from './declaration.js'
import { installGuard } from './guard.js'
import { planOf } from './tables.js'

/** What a column of Drizzle holds; NOT NULL unless it may be absent. */
type Held<Data, MayBeAbsent> = { data: Data; driverData: Uint8Array } & (MayBeAbsent extends true
  ? unknown
  : { notNull: true })
type Config<Data, MayBeAbsent, Kind extends string> = {
  name: string
  dataType: 'custom'
  columnType: Kind
  data: Data
  driverParam: Uint8Array
  enumValues: undefined
} & (MayBeAbsent extends true ? unknown : { notNull: true })
type MayBeAbsent<Out> = undefined extends Out ? true : false

/** A column builder of Drizzle for Postgres. */
export type PgSealed<In, Out = In> = PgCustomColumnBuilder<
  Config<SealedCell<In, Out>, MayBeAbsent<Out>, 'PgCustomColumn'>
>
/** A blind index of Drizzle for Postgres. */
export type PgIndex<In> = PgCustomColumnBuilder<Config<IndexCell<In>, false, 'PgCustomColumn'>>
/** A column builder of Drizzle for SQLite. */
export type SqliteSealed<In, Out = In> = SQLiteCustomColumnBuilder<
  Config<SealedCell<In, Out>, MayBeAbsent<Out>, 'SQLiteCustomColumn'>
>
/** A blind index of Drizzle for SQLite. */
export type SqliteIndex<In> = SQLiteCustomColumnBuilder<Config<IndexCell<In>, false, 'SQLiteCustomColumn'>>

type Insert<T extends Table> = InferInsertModel<T>
type IsIndex<Value> = NonNullable<Value> extends IndexCell<never> ? true : false

/** A row before it is sealed: as Drizzle inserts it, with values where it has sealed ones, and without blind indexes. */
export type UnsealedRow<Row> = {
  [Name in keyof Row as IsIndex<Row[Name]> extends true ? never : Name]: NonNullable<
    Row[Name]
  > extends SealedCell<infer In, infer _>
    ? In
    : Row[Name]
}

/** Seals rows of Drizzle's tables; see {@link RowSealer}. */
class DrizzleColumns extends RowSealer {
  /** A row for `insert().values()`: every sealed column for its place, every blind index.
   * @throws TypeError for a row without its key, or without a value that its table wants. */
  seal<T extends Table>(table: T, row: UnsealedRow<Insert<T>>): Insert<T> {
    return this.sealRow(planOf(table), row) as Insert<T> // as the plan of that table says
  }

  /** What `update().set()` takes for the row with that key: give the key and what changes. */
  changes<T extends Table>(table: T, row: Partial<UnsealedRow<Insert<T>>>): Partial<Insert<T>> {
    return this.sealChanges(planOf(table), row) as Partial<Insert<T>> // as the plan of that table says
  }

  /** The blind index of `value`, to be compared with `column` by `eq`, `ne` or `inArray`. */
  find<C extends Column>(
    column: C,
    value: C['_']['data'] extends IndexCell<infer In> ? In : never,
  ): C['_']['data'] {
    const plan = planOf(column.table)
    const index = plan.indexes.find(({ field }) => field === declaredOf(column))
    if (index === undefined) throw new TypeError(`Cannot find rows: "${column.name}" is no blind index`)
    return this.findIn(plan, index, value)
  }
}

/** Sealed columns for `pgTable`. Prints as `[redacted]`. */
export class PgColumns extends DrizzleColumns {
  /** @param name - of the column in the database. */
  text(name: string, options?: FieldOptions): PgSealed<string> {
    return pgColumn(name, new SealedField(text, options))
  }

  bytes(name: string, options?: FieldOptions): PgSealed<Uint8Array> {
    return pgColumn(name, new SealedField(bytes, options))
  }

  /** @typeParam T - what is sealed, which JSON can say; a promise of the caller. */
  json<T>(name: string, options?: FieldOptions): PgSealed<T> {
    return pgColumn(name, new SealedField(json<T>(), options))
  }

  /** A column of any codec, such as `nullable(text)`. */
  column<In, Out>(name: string, codec: Codec<In, Out>, options?: FieldOptions): PgSealed<In, Out> {
    return pgColumn(name, new SealedField(codec, options))
  }

  /** The blind index of another column, which is named by its property. Add `.unique()` for a unique constraint. */
  index<In = string>(name: string, options: IndexOptions<In>): PgIndex<In> {
    return pgColumn(name, new IndexField(options)) as PgIndex<In>
  }
}

/** Sealed columns for `sqliteTable`. Prints as `[redacted]`. */
export class SqliteColumns extends DrizzleColumns {
  /** @param name - of the column in the database. */
  text(name: string, options?: FieldOptions): SqliteSealed<string> {
    return sqliteColumn(name, new SealedField(text, options))
  }

  bytes(name: string, options?: FieldOptions): SqliteSealed<Uint8Array> {
    return sqliteColumn(name, new SealedField(bytes, options))
  }

  /** @typeParam T - what is sealed, which JSON can say; a promise of the caller. */
  json<T>(name: string, options?: FieldOptions): SqliteSealed<T> {
    return sqliteColumn(name, new SealedField(json<T>(), options))
  }

  /** A column of any codec, such as `nullable(text)`. */
  column<In, Out>(name: string, codec: Codec<In, Out>, options?: FieldOptions): SqliteSealed<In, Out> {
    return sqliteColumn(name, new SealedField(codec, options))
  }

  /** The blind index of another column, which is named by its property. Add `.unique()` for a unique constraint. */
  index<In = string>(name: string, options: IndexOptions<In>): SqliteIndex<In> {
    return sqliteColumn(name, new IndexField(options)) as SqliteIndex<In>
  }
}

/** Declare sealed columns of `pgTable`, and seal to a capability or to public keys where one is given. */
export function sealedColumns(to?: SealTarget, options?: SealedColumnsOptions): PgColumns {
  return new PgColumns(to, options)
}

/** Declare sealed columns of `sqliteTable`, and seal to a capability or to public keys where one is given. */
export function sealedSqliteColumns(to?: SealTarget, options?: SealedColumnsOptions): SqliteColumns {
  return new SqliteColumns(to, options)
}

function pgColumn(name: string, declared: Declared): never {
  const builder = pgType<Held<unknown, true>>(typeOf(name, declared, 'bytea'))(name)
  return declareOn(mayBeNull(declared) ? builder : builder.notNull(), declared) as never // the caller says as what
}

function sqliteColumn(name: string, declared: Declared): never {
  const builder = sqliteType<Held<unknown, true>>(typeOf(name, declared, 'blob'))(name)
  return declareOn(mayBeNull(declared) ? builder : builder.notNull(), declared) as never // the caller says as what
}

function typeOf(
  name: string,
  declared: Declared,
  dataType: string,
): ReturnType<typeof columnType> & { toDriver(value: unknown): Uint8Array } {
  if (typeof name !== 'string' || name === '') {
    throw new TypeError(
      'Cannot declare sealed column: expected its name in the database, which its values are bound to',
    )
  }
  installGuard()
  return columnType(declared, dataType) as ReturnType<typeof typeOf> // null is a value of such a column
}

function mayBeNull(declared: Declared): boolean {
  return declared instanceof SealedField && declared.mayBeAbsent
}
