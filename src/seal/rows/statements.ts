// SQL for plain drivers, with parameters: inserts, updates and selections that take sealed values for sealed columns and nothing
// else, and compare blind indexes only. What they give is `{ text, values }`: `pg` takes it as it is, SQLite drivers take
// `db.prepare(text).run(values)`. Leaves out every other SQL.
import { binary, IndexCell, SealedCell } from './cell.js'
import { IndexField, SealedField } from './field.js'
import type {
  AnyColumn,
  Columns,
  KeyColumn,
  RowChanges,
  SealedChanges,
  SealedRow,
  SealedTable,
} from './table.js'

/** SQL and the values of its parameters. */
export interface Statement {
  readonly text: string
  readonly values: unknown[]
}

/** How parameters are written: `$1` or `?`. */
export type Dialect = 'postgres' | 'sqlite'

type KeyOf<C extends Columns> = Pick<
  RowChanges<C>,
  { [Name in keyof C]: C[Name] extends KeyColumn<unknown> ? Name : never }[keyof C] & keyof RowChanges<C>
>

/** Conditions by column, all of which hold: a value, or a list of which one equals. Sealed columns cannot be compared. */
export type Where<C extends Columns> = {
  readonly [Name in keyof C as C[Name] extends SealedField<infer _, infer __> ? never : Name]?:
    | Comparable<C[Name]>
    | readonly Comparable<C[Name]>[]
}
type Comparable<Column> =
  Column extends IndexField<infer In>
    ? IndexCell<In>
    : Column extends { readonly value: infer Value }
      ? Value
      : never

/** Statements of one SQL dialect. */
export class Statements {
  readonly #dialect: Dialect

  constructor(dialect: Dialect) {
    this.#dialect = dialect
  }

  /** @throws TypeError for a row that has a sealed column unsealed, or a column that the table has not. */
  insert<C extends Columns>(table: SealedTable<C>, row: SealedRow<C>): Statement {
    const values: unknown[] = []
    const entries = storable(table, row, 'insert')
    for (const name of required(table)) {
      if (entries.every(([given]) => given !== name)) throw unsealed(table, name, 'insert', undefined)
    }
    const columns = entries.map(([name]) => quoted(name)).join(', ')
    const parameters = entries.map(([, value]) => this.#parameter(values, value)).join(', ')
    return { text: `insert into ${quotedTable(table)} (${columns}) values (${parameters})`, values }
  }

  /** @param row - the key of the row, as it was given to `changes`.
   * @throws TypeError as {@link insert}, or without a change. */
  update<C extends Columns>(table: SealedTable<C>, row: KeyOf<C>, changes: SealedChanges<C>): Statement {
    const values: unknown[] = []
    const entries = storable(table, changes, 'update')
    if (entries.length === 0)
      throw new TypeError(`Cannot update "${table.name}": expected something to change`)
    const key = table.plan.keys.map(({ property }) => [property, Reflect.get(row, property)] as const)
    table.plan.rowKeyOf(row, 'update')
    const set = entries.map(([name, value]) => `${quoted(name)} = ${this.#parameter(values, value)}`)
    const where = key.map(([name, value]) => `${quoted(name)} = ${this.#parameter(values, value)}`)
    return {
      text: `update ${quotedTable(table)} set ${set.join(', ')} where ${where.join(' and ')}`,
      values,
    }
  }

  /** All columns of the rows for which all conditions hold.
   * @throws TypeError for a condition on a sealed column, or of a blind index with anything but `find()`. */
  select<C extends Columns>(table: SealedTable<C>, where: Where<C> = {}): Statement {
    const values: unknown[] = []
    const columns = Object.keys(table.columns).map(quoted).join(', ')
    const conditions = Object.entries(where).flatMap(([name, wanted]) => {
      if (wanted === undefined)
        throw new TypeError(`Cannot select from "${table.name}": "${name}" is undefined`)
      const list: readonly unknown[] = Array.isArray(wanted) ? wanted : [wanted]
      for (const value of list) checkCondition(table, name, value)
      if (list.length === 0) return ['1 = 0']
      const parameters = list.map((value) => this.#parameter(values, value))
      return [`${quoted(name)} in (${parameters.join(', ')})`]
    })
    const suffix = conditions.length === 0 ? '' : ` where ${conditions.join(' and ')}`
    return { text: `select ${columns} from ${quotedTable(table)}${suffix}`, values }
  }

  #parameter(values: unknown[], value: unknown): string {
    values.push(value instanceof SealedCell || value instanceof IndexCell ? binary(value.bytes) : value)
    return this.#dialect === 'postgres' ? `$${values.length}` : '?'
  }
}

/** What is given of `row`, when all of it may be stored. */
function storable<C extends Columns>(
  table: SealedTable<C>,
  row: object,
  action: string,
): [name: string, value: unknown][] {
  const entries = Object.entries(row).filter(([, value]) => value !== undefined)
  for (const [name, value] of entries) {
    const column = columnOf(table, name, action)
    const fits =
      column instanceof SealedField
        ? value instanceof SealedCell && value.field === column
        : column instanceof IndexField
          ? value instanceof IndexCell && value.field === column
          : !(value instanceof SealedCell || value instanceof IndexCell)
    if (!fits) throw unsealed(table, name, action, value)
  }
  return entries
}

/** Names of the columns without which a row would be left unsealed. */
function required<C extends Columns>(table: SealedTable<C>): string[] {
  return [...table.plan.cells, ...table.plan.indexes, ...table.plan.keys].map(({ property }) => property)
}

function checkCondition<C extends Columns>(table: SealedTable<C>, name: string, value: unknown): void {
  const column = columnOf(table, name, 'select from')
  if (column instanceof SealedField) {
    throw new TypeError(
      `Cannot select from "${table.name}": "${name}" is sealed and cannot be compared; declare a blind index of it`,
    )
  }
  const isIndex = column instanceof IndexField
  const given =
    value instanceof IndexCell ? value.field === column : value instanceof SealedCell ? false : !isIndex
  if (!given) {
    throw new TypeError(
      `Cannot select from "${table.name}": expected what find() gives for "${name}", got another value`,
    )
  }
  if (value === null) throw new TypeError(`Cannot select from "${table.name}": null equals nothing`)
}

function columnOf<C extends Columns>(table: SealedTable<C>, name: string, action: string): AnyColumn {
  const column = Object.hasOwn(table.columns, name) ? table.columns[name] : undefined
  if (column === undefined)
    throw new TypeError(`Cannot ${action} "${table.name}": there is no column "${name}"`)
  return column
}

function unsealed<C extends Columns>(
  table: SealedTable<C>,
  name: string,
  action: string,
  value: unknown,
): TypeError {
  const got = value === undefined ? 'none' : 'something else'
  return new TypeError(
    `Cannot ${action} "${table.name}": expected for "${name}" what seal() or changes() gives for that column, got ${got}`,
  )
}

/** A name as SQL writes it. */
function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** A table, with its schema where it has one: `crm.users`. */
function quotedTable({ name }: { readonly name: string }): string {
  return name.split('.').map(quoted).join('.')
}
