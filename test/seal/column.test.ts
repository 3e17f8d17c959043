// The associated data of a place, which most row keys reach by a short way: it is the plain encoding in every case.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hexEncode } from '../../src/bytes.js'
import { type Dcbor, encodeDcbor } from '../../src/dcbor.js'
import { SEAL_CONTEXT_MAX_BYTES } from '../../src/limits.js'
import { Column, type RowKey, text } from '../../src/seal/index.js'
import { codeOf } from './parties.js'

/** As spec/seal.md §7 says it, by the encoder alone. */
function plainly({ table, column, schemaVersion }: Column<string>, row: RowKey): string {
  const context = new Map<number, Dcbor>([
    [0, table],
    [1, column],
  ])
  if (schemaVersion !== undefined) context.set(2, schemaVersion)
  context.set(3, row as Dcbor) // every RowKey is one
  return hexEncode(encodeDcbor(['noisecap/v1 ad', 0, null, context]))
}
const columnOf = (name: string, schemaVersion?: number) =>
  new Column({ table: 't', column: name, codec: text, schemaVersion })
const quickly = (column: Column<string>, row: RowKey) => hexEncode(column.associatedData(row))

describe('associatedData', () => {
  const columns = [columnOf('c'), columnOf('größe', 7), columnOf('n'.repeat(900)), columnOf('n'.repeat(980))]
  const integers = [
    0,
    -0,
    1,
    23,
    24,
    255,
    256,
    65_535,
    65_536,
    2 ** 31,
    2 ** 32 - 1,
    2 ** 32,
    2 ** 53 - 1,
    -1,
    -24,
  ]
  const texts = [0, 1, 23, 24, 61, 62, 63, 64, 255, 256, 900].map((length) => 'r'.repeat(length))
  const others: readonly RowKey[] = [
    'größe',
    'a\u0000b',
    '\u007f\u0080',
    null,
    true,
    7n,
    new Uint8Array(40),
    [1, 'a', [2]],
  ]

  test.each([...integers, ...texts, ...others])(
    '%s, the plain encoding in every column that has room',
    (row) => {
      for (const column of columns) {
        const expected = plainly(column, row)
        if (expected.length / 2 <= SEAL_CONTEXT_MAX_BYTES) expect(quickly(column, row)).toBe(expected)
        else expect(codeOf(() => column.associatedData(row))).toBe('RangeError')
      }
    },
  )

  test('long and short ones in turn, and other columns between: nothing is left of the one before', () => {
    const key = fc.oneof(
      fc.integer(),
      fc.nat(),
      fc.string({ maxLength: 80 }),
      fc.uuid(),
      fc.uint8Array({ maxLength: 70 }),
    )
    const rows = fc.array(fc.tuple(fc.nat(1), key), { minLength: 2, maxLength: 8 })
    fc.assert(
      fc.property(rows, (steps) => {
        for (const [index, row] of steps) {
          const column = columns[index]!
          expect(quickly(column, row)).toBe(plainly(column, row))
        }
      }),
    )
  })
})
