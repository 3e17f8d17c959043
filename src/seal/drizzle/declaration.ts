// What Drizzle's columns say of themselves: which of them are sealed, and how a value gets to the driver and back. A column type
// of Drizzle sees no row, so it seals nothing: it refuses whatever a row helper has not sealed.
// Leaves out queries (guard.ts) and tables as a whole (tables.ts).
import { binary, bytesOf, IndexCell, SealedCell } from '../rows/cell.js'
import { IndexField, SealedField } from '../rows/field.js'

/** What a column was declared as. */
export type Declared = SealedField<never, unknown> | IndexField<never>

const DECLARED = Symbol('noisecap declared')

/** Sealed columns by table and name, as statements name them: several where tables of several databases share a name. */
const tables = new Map<string, Map<string, Set<Declared>>>()

/** What the column type of a declared column does. */
export interface ColumnType {
  dataType(): string
  toDriver(value: unknown): Uint8Array | null
  fromDriver(value: unknown): unknown
}

/** Drizzle's type of a declared column, stored as `dataType`. */
export function columnType(declared: Declared, dataType: string): ColumnType {
  return {
    dataType: () => dataType,
    toDriver(value) {
      if (isStorable(value, declared))
        return value === null ? null : binary((value as SealedCell<never>).bytes)
      throw new TypeError(
        declared instanceof SealedField
          ? 'Cannot store or compare: expected what seal() or changes() gives for this sealed column, got something else'
          : 'Cannot store or compare: expected what seal(), changes() or find() gives for this blind index, got something else',
      )
    },
    fromDriver(value) {
      // What is no bytes does not open; nothing is thrown here, so that one bad row does not spoil the others.
      const bytes = bytesOf(value) ?? new Uint8Array(0)
      return declared instanceof SealedField
        ? new SealedCell(bytes, declared)
        : new IndexCell(bytes, declared)
    },
  }
}

/** Whether `value` may go to the driver for a column of that declaration. */
export function isStorable(value: unknown, declared: Declared): boolean {
  if (declared instanceof IndexField) return value instanceof IndexCell && value.field === declared
  if (value === null) return declared.mayBeAbsent
  return value instanceof SealedCell && value.field === declared
}

/** Have the column that `builder` makes remember its declaration. */
export function declareOn<Builder extends object>(builder: Builder, declared: Declared): Builder {
  // Drizzle makes a column by calling `build` of its builder with the table, in every dialect; its types do not show that.
  const made = builder as { build?: (table: object) => object }
  const build = made.build?.bind(builder)
  if (build === undefined)
    throw new TypeError('Cannot declare sealed column: expected drizzle-orm 0.45 or later')
  made.build = (table) => {
    const column = build(table) as BuiltColumn
    refuseDefaults(column)
    Object.defineProperty(column, DECLARED, { value: declared })
    register(table, column.name, declared)
    return column
  }
  return builder
}

/** Columns of aliases and of subqueries are proxies of their column, and answer as it does. */
export function declaredOf(column: object): Declared | undefined {
  return Reflect.get(column, DECLARED) as Declared | undefined
}

/** The declared columns of the table that a statement names so, by name; undefined for a table without. */
export function declaredIn(
  schema: string | undefined,
  table: string,
): ReadonlyMap<string, ReadonlySet<Declared>> | undefined {
  return tables.get(qualified(schema, table))
}

/** How contexts name a table (spec/sealed-rows.md §3). */
export function qualified(schema: string | undefined, table: string): string {
  if (schema === undefined) return table
  return [schema, table].map((name) => `"${name.replaceAll('"', '""')}"`).join('.')
}

/** Schema and name of a table, of the original where it is an alias. */
export function nameOf(table: object): { schema: string | undefined; name: string } {
  return {
    schema: Reflect.get(table, Symbol.for('drizzle:Schema')) as string | undefined,
    name: Reflect.get(table, Symbol.for('drizzle:OriginalName')) as string,
  }
}

interface BuiltColumn {
  readonly name: string
  readonly hasDefault: boolean
  readonly onUpdateFn: unknown
  readonly generated: unknown
}

function refuseDefaults({ name, hasDefault, onUpdateFn, generated }: BuiltColumn): void {
  if (!hasDefault && onUpdateFn === undefined && generated === undefined) return
  throw new TypeError(
    `Cannot declare "${name}": a default or generated value would be stored unsealed; give the value to seal()`,
  )
}

function register(table: object, column: string, declared: Declared): void {
  const { schema, name } = nameOf(table)
  const key = qualified(schema, name)
  const columns = tables.get(key) ?? new Map<string, Set<Declared>>()
  columns.set(column, (columns.get(column) ?? new Set()).add(declared))
  tables.set(key, columns)
}
