// Opening of rows that Drizzle selected. Leaves out what a plan is and how a value opens.
import type { Table } from 'drizzle-orm'
import { redact } from '../../redact.js'
import type { Acceptance } from '../acceptance.js'
import { type OpenOptions, SealReader, type SealReaderOptions } from '../reader.js'
import type { SealedCell } from '../rows/cell.js'
import { openEachRow, openRows, placeRows, type RowOutcome } from '../rows/opening.js'
import type { Sealed } from '../sealed.js'
import { planOf } from './tables.js'

type OutOf<Value> = NonNullable<Value> extends SealedCell<never, infer Out> ? Out : Value
type SealedOf<Value> =
  NonNullable<Value> extends SealedCell<never, infer Out>
    ? Sealed<Out> | (undefined extends Out ? undefined : never)
    : Value

/** A row as Drizzle selected it, opened. */
export type OpenedRow<Row> = { [Name in keyof Row]: OutOf<Row[Name]> }

/** A row as Drizzle selected it, whose sealed columns wait to be opened. */
export type PlacedRow<Row> = { [Name in keyof Row]: SealedOf<Row[Name]> }

/** Opens rows of Drizzle's tables. Prints as `[redacted]`. */
export class RowReader<const Accepted extends Acceptance = Acceptance> implements Disposable {
  readonly #reader: SealReader<Accepted>

  /** @throws TypeError, RangeError. */
  constructor(options: SealReaderOptions<Accepted> | SealReader<Accepted>) {
    this.#reader = options instanceof SealReader ? options : new SealReader(options)
  }

  /** @param rows - of that table, as selected: its key, and any other of its columns under their property names.
   * @throws as {@link SealReader.open}, at the first value that does not open. */
  open<Row extends object>(table: Table, rows: readonly Row[], options?: OpenOptions): OpenedRow<Row>[] {
    return openRows(planOf(table), this.#reader, rows, options) as OpenedRow<Row>[] // as the plan says
  }

  /** As {@link open}, with an outcome for each row: one that does not open does not spoil the others. */
  openEach<Row extends object>(
    table: Table,
    rows: readonly Row[],
    options?: OpenOptions,
  ): RowOutcome<OpenedRow<Row>, Accepted>[] {
    const outcomes = openEachRow(planOf(table), this.#reader, rows, options)
    return outcomes as RowOutcome<OpenedRow<Row>, Accepted>[] // as the plan says
  }

  [Symbol.dispose](): void {
    this.#reader[Symbol.dispose]()
  }
}

redact(RowReader, () => 'RowReader [redacted]')

/** Rows whose sealed columns hold a {@link Sealed} each, for whoever opens them later. */
export function placed<Row extends object>(table: Table, rows: readonly Row[]): PlacedRow<Row>[] {
  return placeRows(planOf(table), rows) as PlacedRow<Row>[] // as the plan says
}
