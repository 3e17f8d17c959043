// Door of `noisecap/seal/rows`: sealed columns for plain database drivers, and what query builders build on.
export { bytes, type Codec, dcbor, json, nullable, optional, text, validated } from '../codec.js'
export { IndexCell, SealedCell } from './cell.js'
export { caseless, digits, exact, type FieldOptions, type IndexOptions, type Normalise } from './field.js'
export type { RowOutcome, RowProvenance } from './opening.js'
export type { SealedColumnsOptions, SealTarget } from './sealing.js'
export { type Dialect, type Statement, Statements, type Where } from './statements.js'
export {
  type Columns,
  key,
  type OpenedRow,
  type PlacedRow,
  type PlainRow,
  placed,
  plain,
  type RowChanges,
  RowReader,
  type SealedChanges,
  SealedColumns,
  type SealedRow,
  SealedTable,
  sealedColumns,
  sealedTable,
} from './table.js'
