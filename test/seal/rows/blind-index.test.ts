// Blind indexes: what is equal, what is cut, who can compute them. The formula is held against node:crypto.
import { createHmac } from 'node:crypto'
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { encodeDcbor } from '../../../src/dcbor.js'
import {
  caseless,
  digits,
  exact,
  IndexCell,
  key,
  nullable,
  sealedColumns,
  sealedTable,
  text,
} from '../../../src/seal/rows/index.js'
import { indexRoot, pii, readerKey } from './tables.js'

const tableOf = (bits: number, normalise: (value: string) => string | Uint8Array = exact) =>
  sealedTable('users', {
    id: key.text(),
    email: pii.column(nullable(text)),
    index: pii.index({ of: 'email', normalise, bits }),
  })
const indexIn = (bits: number, email: string | null) =>
  pii.seal(tableOf(bits), { id: '1', email }).index.bytes

test('HMAC under the key of the column, cut to its bits (spec/sealed-rows.md §2)', () => {
  const columnKey = createHmac('sha256', indexRoot)
    .update(encodeDcbor(['users', 'index']))
    .digest()
  const whole = createHmac('sha256', columnKey).update('ada@example.org').digest()
  expect([...indexIn(128, 'ada@example.org')]).toEqual([...whole.subarray(0, 16)])
  expect([...indexIn(8, 'ada@example.org')]).toEqual([whole[0]])
  expect([...indexIn(13, 'ada@example.org')]).toEqual([whole[0], whole[1]! & 0b1111_1000])
  const found = pii.find(tableOf(13), 'index', 'ada@example.org')
  expect([...found.bytes]).toEqual([...indexIn(13, 'ada@example.org')])
})

test('roots, tables and columns have indexes of their own', () => {
  const of = (root: Uint8Array | string, table: string, column: 'a' | 'b') => {
    const own = sealedColumns(readerKey.publicKey, { indexRoot: root })
    const declared = sealedTable(table, {
      id: key.text(),
      s: own.text(),
      a: own.index({ of: 's' }),
      b: own.index({ of: 's' }),
    })
    return Buffer.from(own.find(declared, column, 'x').bytes).toString('hex')
  }
  const all = [
    of(indexRoot, 't', 'a'),
    of(indexRoot, 't', 'b'),
    of(indexRoot, 'u', 'a'),
    of(new Uint8Array(32), 't', 'a'),
  ]
  expect(new Set(all).size).toBe(4)
  for (const root of [Buffer.from(indexRoot).toString('hex'), Buffer.from(indexRoot).toString('base64url')]) {
    expect(of(root, 't', 'a')).toBe(all[0])
  }
})

describe('normalisation', () => {
  test.each([
    [exact, 'Å', 'A\u030a', true],
    [exact, 'Ada', 'ada', false],
    [caseless, ' Ada@Example.org ', 'ada@example.org', true],
    [caseless, 'ＡＤＡ', 'ada', true],
    [caseless, 'STRASSE', 'straße', false],
    [digits, '+44 (0)20 7946-0000', '4402079460000', true],
    [digits, '٠', '0', false],
  ])('%o of %s and %s', (normalise, one, other, same) => {
    const both = [one, other].map((email) =>
      [...pii.seal(tableOf(128, normalise), { id: '1', email }).index.bytes].join(),
    )
    expect(both[0] === both[1]).toBe(same)
  })

  test('bytes go as they are; other values want a normalise of their own', () => {
    expect(exact(new Uint8Array([1]))).toEqual(new Uint8Array([1]))
    for (const value of [7, {}, '\ud800']) expect(() => exact(value)).toThrow(TypeError)
    const bad = tableOf(128, () => 7 as never)
    expect(() => pii.seal(bad, { id: '1', email: 'x' })).toThrow(/expected `normalise` to give text or bytes/)
  })
})

test('a row without a value cannot be told from one with: its index is as long, and random', () => {
  expect(indexIn(128, null)).toHaveLength(16)
  expect(indexIn(128, null)).not.toEqual(indexIn(128, null))
  expect(indexIn(13, null)[1]! & 0b111).toBe(0)
  expect(() => pii.find(tableOf(128), 'index', null as never)).toThrow(/rows without a value are not indexed/)
})

test('bits, roots and unique indexes that are none', () => {
  for (const bits of [7, 129, 8.5, Number.NaN]) expect(() => tableOf(bits)).toThrow(RangeError)
  for (const root of [new Uint8Array(31), 'x', '', 7]) {
    expect(() => sealedColumns(undefined, { indexRoot: root as never })).toThrow(/expected 32 random bytes/)
  }
  const without = sealedColumns(readerKey.publicKey)
  const table = sealedTable('t', { id: key.text(), s: without.text(), index: without.index({ of: 's' }) })
  expect(() => without.find(table, 'index', 'x')).toThrow(/expected an `indexRoot`/)
  expect(() => without.seal(table, { id: '1', s: 'x' })).toThrow(/expected an `indexRoot`/)
})

test('nothing of the root or of a value is printed', () => {
  const found = pii.find(tableOf(128), 'index', 'ada@example.org')
  expect(found).toBeInstanceOf(IndexCell)
  expect(inspect([found, pii], { depth: 9, showHidden: true })).not.toMatch(/ada|07070707|7, 7, 7/)
})
