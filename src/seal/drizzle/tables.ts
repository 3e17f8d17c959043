// Plans of Drizzle's tables: sealed columns, blind indexes and the primary key, read from the declaration once.
// Leaves out what is done with them (../rows).
import { getTableColumns, is, type Table } from 'drizzle-orm'
import { PgTable, getTableConfig as pgConfig } from 'drizzle-orm/pg-core'
import { SQLiteTable, getTableConfig as sqliteConfig } from 'drizzle-orm/sqlite-core'
import { IndexField, SealedField } from '../rows/field.js'
import { type PlannedKey, RowPlan } from '../rows/plan.js'
import type { KeyKind } from '../rows/row-key.js'
import { declaredOf, nameOf, qualified } from './declaration.js'

/** Types of key columns that give back what they were given, and the kind of key that they are. */
const KEY_KINDS: Readonly<Record<string, KeyKind>> = {
  PgUUID: 'uuid',
  PgText: 'text',
  PgVarchar: 'text',
  PgSmallInt: 'integer',
  PgInteger: 'integer',
  PgBigInt53: 'integer',
  PgBigInt64: 'integer',
  SQLiteText: 'text',
  SQLiteInteger: 'integer',
  SQLiteBigInt: 'integer',
  SQLiteBlobBuffer: 'bytes',
}

const plans = new WeakMap<object, RowPlan>()

/** @throws TypeError for a table whose key is missing or of a type that is given back otherwise than it was stored. */
export function planOf(table: Table): RowPlan {
  const known = plans.get(table)
  if (known !== undefined) return known
  const plan = makePlan(table)
  plans.set(table, plan)
  return plan
}

function makePlan(table: Table): RowPlan {
  const { schema, name } = nameOf(table)
  const { uniqueNames, keyNames } = constraintsOf(table)
  const entries = Object.entries(getTableColumns(table))
  const planned = entries.map(([property, column]) => {
    const declared = declaredOf(column)
    return {
      property,
      name: column.name,
      field: declared instanceof SealedField ? declared : undefined,
      index: declared instanceof IndexField ? declared : undefined,
      unique: column.isUnique || uniqueNames.has(column.name),
    }
  })
  const keys = keyNames.flatMap((keyName): PlannedKey[] => {
    const [property, column] = entries.find(([, { name: columnName }]) => columnName === keyName) ?? []
    if (property === undefined || column === undefined) return []
    const kind = KEY_KINDS[column.columnType]
    if (kind !== undefined) return [{ property, kind }]
    throw new TypeError(
      `Cannot seal rows of "${name}": its key "${keyName}" is of type ${column.getSQLType()}, which may come back in another form; expected a UUID, text, an integer or a blob`,
    )
  })
  return new RowPlan(qualified(schema, name), planned, keys)
}

/** Names of the columns of the primary key in its order, and of those with a unique constraint or index. */
function constraintsOf(table: Table): { keyNames: readonly string[]; uniqueNames: ReadonlySet<string> } {
  const config = is(table, PgTable)
    ? pgConfig(table)
    : is(table, SQLiteTable)
      ? sqliteConfig(table)
      : undefined
  if (config === undefined) throw new TypeError('Cannot seal rows: expected a table of Postgres or SQLite')
  const columns: readonly { name: string; primary: boolean }[] = config.columns
  const own = columns.filter(({ primary }) => primary).map(({ name }) => name)
  const composite = config.primaryKeys[0]?.columns.map(({ name }) => name)
  const uniqueNames = new Set<string>()
  for (const { columns: constrained } of config.uniqueConstraints) {
    for (const { name } of constrained) uniqueNames.add(name)
  }
  for (const { config: index } of config.indexes) {
    if (!index.unique) continue
    for (const column of index.columns) {
      if ('name' in column && typeof column.name === 'string') uniqueNames.add(column.name)
    }
  }
  return { keyNames: composite ?? own, uniqueNames }
}
