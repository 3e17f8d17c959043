// Opening of rows: each sealed column with the key of its own row (spec/seal.md §7), so that what was put into another row,
// column or table does not open. Leaves out what a table is, and writing.
import { NoisecapError } from '../../errors.js'
import type { Acceptance, Provenance } from '../acceptance.js'
import { openError } from '../failure.js'
import type { OpenOptions, SealReader } from '../reader.js'
import { Sealed } from '../sealed.js'
import { bytesOf, SealedCell } from './cell.js'
import type { NamedField } from './field.js'
import { placeOf, type RowPlan } from './plan.js'

/** Who sealed each value of a row, by property. */
export type RowProvenance<Accepted extends Acceptance> = Readonly<
  Record<string, Provenance<Accepted['pattern']>>
>

/** What became of one row. */
export type RowOutcome<Row, Accepted extends Acceptance> =
  | { readonly ok: true; readonly row: Row; readonly from: RowProvenance<Accepted> }
  | {
      readonly ok: false
      /** By property, of the values that did not open; `row` for a row without its key. */
      readonly errors: Readonly<Record<string, Error>>
    }

/** Rows with their sealed columns opened, in order.
 * @throws what the first value that does not open throws, with its table, column and position. */
export function openRows(
  plan: RowPlan,
  reader: SealReader,
  rows: readonly object[],
  options: OpenOptions | undefined,
): readonly object[] {
  return rows.map((row, position) => {
    const key = plan.rowKeyOf(row, 'open')
    const opened: Record<string, unknown> = { ...row }
    for (const cell of plan.cells) {
      const stored = opened[cell.property]
      if (stored === undefined && !(cell.property in opened)) continue
      try {
        const bytes = storedBytes(stored, cell)
        opened[cell.property] =
          bytes === undefined ? undefined : reader.open(bytes, placeOf(cell.column, key), options).value
      } catch (error) {
        throw located(error, plan, cell, position)
      }
    }
    return opened
  })
}

/** Rows one by one, each with its own outcome. */
export function openEachRow<Accepted extends Acceptance>(
  plan: RowPlan,
  reader: SealReader<Accepted>,
  rows: readonly object[],
  options: OpenOptions | undefined,
): readonly RowOutcome<object, Accepted>[] {
  return rows.map((row, position) => {
    const opened: Record<string, unknown> = { ...row }
    const from: Record<string, Provenance<Accepted['pattern']>> = {}
    const errors: Record<string, Error> = {}
    for (const cell of plan.cells) {
      const stored = opened[cell.property]
      if (stored === undefined && !(cell.property in opened)) continue
      try {
        const key = plan.rowKeyOf(row, 'open')
        const bytes = storedBytes(stored, cell)
        if (bytes === undefined) {
          opened[cell.property] = undefined
          continue
        }
        const outcome = reader.open(bytes, placeOf(cell.column, key), options)
        opened[cell.property] = outcome.value
        from[cell.property] = outcome.from
      } catch (error) {
        errors[cell.property] = located(error, plan, cell, position)
      }
    }
    return Object.keys(errors).length === 0 ? { ok: true, row: opened, from } : { ok: false, errors }
  })
}

/** Rows whose sealed columns hold a {@link Sealed} each, to be opened later by whoever has a reader. */
export function placeRows(plan: RowPlan, rows: readonly object[]): readonly object[] {
  return rows.map((row) => {
    const key = plan.rowKeyOf(row, 'place')
    const placed: Record<string, unknown> = { ...row }
    for (const cell of plan.cells) {
      if (!(cell.property in placed)) continue
      const bytes = storedBytes(placed[cell.property], cell)
      placed[cell.property] = bytes === undefined ? undefined : new Sealed(bytes, placeOf(cell.column, key))
    }
    return placed
  })
}

/** The bytes of what a driver or a query builder gave for a sealed column; undefined for a column that may be absent and is.
 * @throws `seal/malformed` for anything else. */
function storedBytes(stored: unknown, { field }: NamedField): Uint8Array | undefined {
  if (stored instanceof SealedCell) return stored.bytes
  if (stored === null && field.mayBeAbsent) return undefined
  const bytes = bytesOf(stored)
  if (bytes !== undefined) return bytes
  const got = stored === null ? 'NULL: the value was deleted or never sealed' : `${typeof stored}, not binary`
  throw openError('seal/malformed', `expected a sealed value, got ${got}`)
}

/** `error` with the place of what did not open: names of the schema and a number, nothing that was read. */
function located(error: unknown, { table }: RowPlan, { column }: NamedField, position: number): Error {
  if (!(error instanceof NoisecapError)) return error instanceof Error ? error : new Error('Cannot open row')
  const where = `column "${column.column}" of "${table}", row ${position} of those given`
  return new NoisecapError(
    error.code,
    `${error.message} (${where})`,
    error.hint === undefined ? {} : { hint: error.hint },
  )
}
