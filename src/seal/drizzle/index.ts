// Door of `noisecap/seal/drizzle`: sealed columns of Drizzle's tables for Postgres and SQLite. drizzle-orm is an optional peer.
export { bytes, type Codec, dcbor, json, nullable, optional, text, validated } from '../codec.js'
export { IndexCell, SealedCell } from '../rows/cell.js'
export {
  caseless,
  digits,
  exact,
  type FieldOptions,
  type IndexOptions,
  type Normalise,
} from '../rows/field.js'
export type { RowOutcome, RowProvenance } from '../rows/opening.js'
export type { SealedColumnsOptions, SealTarget } from '../rows/sealing.js'
export {
  PgColumns,
  type PgIndex,
  type PgSealed,
  SqliteColumns,
  type SqliteIndex,
  type SqliteSealed,
  sealedColumns,
  sealedSqliteColumns,
  type UnsealedRow,
} from './columns.js'
export { type OpenedRow, type PlacedRow, placed, RowReader } from './reader.js'
