// Rows without a database: what row helpers refuse, and what statements do not take.
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { mint, ServiceKey } from '../../../src/capability/index.js'
import { NoisecapError } from '../../../src/errors.js'
import { SealReader } from '../../../src/seal/index.js'
import {
  key,
  optional,
  placed,
  plain,
  RowReader,
  SealedCell,
  Statements,
  sealedColumns,
  sealedTable,
  text,
} from '../../../src/seal/rows/index.js'
import { ADA, ada, BOB, columns, pii, reader, readerKey, users } from './tables.js'

const sql = new Statements('postgres')
const cast = (value: unknown) => value as never
/** A row as it is after it was read. */
const stored = (row: object) =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, value instanceof SealedCell ? value.bytes : value]),
  )

describe('seal', () => {
  test('a row keeps what is not sealed, and the given row is left alone', () => {
    const row = pii.seal(users, ada)
    expect(row).toMatchObject({ id: ADA, plan: 'free' })
    expect(row.email).toBeInstanceOf(SealedCell)
    expect(ada.email).toBe('Ada@Example.org')
  })

  test.each([
    ['without its key', { ...ada, id: undefined }, /expected its key "id" as uuid, got none/],
    ['with a key of another kind', { ...ada, id: 7 }, /expected its key "id" as uuid, got something else/],
    [
      'without a value',
      { ...ada, email: undefined },
      /expected a value for "email"; declare it with optional/,
    ],
    ['with null where none is declared', { ...ada, email: null }, /expected text/],
    ['with a value of another type', { ...ada, email: 7 }, /expected text/],
    ['with an index of its own', { ...ada, email_index: 'x' }, /"email_index" is a blind index/],
    [
      'with a value that is sealed',
      { ...ada, email: pii.seal(users, ada).email },
      /"email" is sealed already/,
    ],
  ])('a row %s is refused', (_, row, message) => {
    expect(() => pii.seal(users, cast(row))).toThrow(message)
    expect(() => pii.seal(users, cast(row))).toThrow(TypeError)
  })

  test('changes without a value leave it alone; the key is not among them', () => {
    const changes = pii.changes(users, { id: ADA, name: 'Ada', email: undefined } as never)
    expect(
      Object.entries(changes)
        .filter(([, value]) => value !== undefined)
        .map(([name]) => name),
    ).toEqual(['name'])
  })

  test('columns declared without a key to seal to, as a reader declares them, seal nothing', () => {
    const declared = sealedColumns(undefined)
    const table = sealedTable('t', { id: key.text(), secret: declared.text() })
    expect(() => declared.seal(table, { id: 'a', secret: 'x' })).toThrow(/without a capability or public key/)
  })

  test('to a capability as text, to a public key as text, and to nothing else', () => {
    const service = ServiceKey.generate()
    const capability = mint(service, { use: 'seal', object: 'users' })
    const table = sealedTable('t', { id: key.text(), secret: pii.text() })
    const opening = new RowReader({
      keys: service.keyPair,
      accept: [
        { pattern: 'Npsk0', capabilities: { authority: service.authority(), objects: ['users'] } },
        { pattern: 'N' },
      ],
    })
    for (const to of [
      capability.export(),
      Buffer.from(service.publicKey).toString('hex'),
      Buffer.from(service.publicKey).toString('base64url'),
    ]) {
      const row = sealedColumns(to).seal(table, { id: 'a', secret: 'x' })
      expect(opening.open(table, [row])).toEqual([{ id: 'a', secret: 'x' }])
    }
    expect(() => sealedColumns('users')).toThrow(/got 5 characters/)
    const other = mint(service, { use: 'call', object: 'users' }).export()
    expect(() => sealedColumns(other)).toThrow(NoisecapError)
  })
})

describe('open', () => {
  const rows = [stored(pii.seal(users, ada))]

  test('rows in part: what is not there stays away, the key has to be there', () => {
    const { id, email } = rows[0] as { id: string; email: Uint8Array }
    expect(reader.open(users, [{ id, email, further: 1 }])).toEqual([
      { id, email: 'Ada@Example.org', further: 1 },
    ])
    expect(() => reader.open(users, [{ email }])).toThrow(/Cannot open row of "users": expected its key "id"/)
    expect(reader.openEach(users, [{ email }])).toMatchObject([
      { ok: false, errors: { email: expect.any(TypeError) } },
    ])
  })

  test('binary as drivers give it: bytes, an ArrayBuffer, hexadecimal from inside JSON', () => {
    const { id, email } = rows[0] as { id: string; email: Uint8Array }
    for (const given of [
      email.slice().buffer,
      `\\x${Buffer.from(email).toString('hex')}`,
      pii.seal(users, ada).email,
    ]) {
      expect(reader.open(users, [{ id, email: given }])).toEqual([{ id, email: 'Ada@Example.org' }])
    }
    for (const given of ['ada@example.org', '\\xzz', 7, {}]) {
      expect(() => reader.open(users, [{ id, email: given }])).toThrow(
        /expected a sealed value, got (string|number|object), not binary/,
      )
    }
  })

  test('another table, another column name and another schema version are other places', () => {
    const { id, email } = rows[0] as { id: string; email: Uint8Array }
    const people = sealedTable('people', columns)
    const renamed = sealedTable('users', { id: key.uuid(), mail: pii.text({ schemaVersion: 1 }) })
    const later = sealedTable('users', { id: key.uuid(), email: pii.text({ schemaVersion: 2 }) })
    expect(() => reader.open(people, [{ id, email }])).toThrow(/moved or altered/)
    expect(() => reader.open(renamed, [{ id, mail: email }])).toThrow(/moved or altered/)
    expect(() => reader.open(later, [{ id, email }])).toThrow(/moved or altered/)
  })

  test('keys of several columns, in their order; 64-bit keys that come back as text; binary keys', () => {
    const table = sealedTable('t', {
      tenant: key.text(),
      number: key.integer(),
      tag: key.bytes(),
      secret: pii.text(),
    })
    const keyed = { tenant: 'acme', number: 7n, tag: new Uint8Array([1]) }
    const { secret } = pii.seal(table, { ...keyed, secret: 'x' })
    for (const number of [7, 7n, '7']) {
      expect(reader.open(table, [{ ...keyed, number, secret }])).toMatchObject([{ secret: 'x' }])
    }
    for (const other of [{ number: 8 }, { tenant: 'acmf' }, { tag: new Uint8Array([2]) }]) {
      expect(() => reader.open(table, [{ ...keyed, ...other, secret }])).toThrow(/moved or altered/)
    }
    for (const number of ['07', 'x', 1.5, null]) {
      expect(() => reader.open(table, [{ ...keyed, number, secret }])).toThrow(/expected its key "number"/)
    }
  })

  test('a bad row gives its errors in its place, and the row before and after theirs', () => {
    const other = { ...rows[0]!, id: BOB }
    const outcomes = reader.openEach(users, [rows[0]!, other, rows[0]!])
    expect(outcomes.map(({ ok }) => ok)).toEqual([true, false, true])
    const [, bad] = outcomes
    expect(bad?.ok === false && Object.keys(bad.errors)).toEqual(['email', 'name', 'phone', 'profile'])
  })

  test('placed rows wait to be opened, and print nothing', () => {
    const [row] = placed(users, rows)
    expect(row?.email.open(new SealReader({ keys: readerKey, accept: [{ pattern: 'N' }] })).value).toBe(
      'Ada@Example.org',
    )
    expect(inspect({ ...pii.seal(users, ada), ...row })).not.toContain('Ada')
    expect(JSON.stringify(pii.seal(users, ada))).toContain('"email":"[sealed]"')
  })
})

describe('tables', () => {
  test.each([
    ['without a key', () => sealedTable('t', { secret: pii.text() }), /expected a primary key/],
    [
      'with an index of nothing',
      () => sealedTable('t', { id: key.text(), index: pii.index({ of: 'x' }) }),
      /which is no sealed column/,
    ],
    [
      'with an index of a plain column',
      () => sealedTable('t', { id: key.text(), a: plain(), index: pii.index({ of: 'a' }) }),
      /which is no sealed column/,
    ],
  ])('one %s is refused', (_, declare, message) => {
    expect(declare).toThrow(message)
  })
})

describe('statements', () => {
  const row = pii.seal(users, ada)

  test('an insert and an update hold bytes for what is sealed', () => {
    const insert = sql.insert(users, row)
    expect(insert.text).toMatch(/^insert into "users" \("id", "email", .*\) values \(\$1, \$2, .*\)$/)
    expect(insert.values.filter((value) => value instanceof Uint8Array)).toHaveLength(5)
    const update = sql.update(users, { id: ADA }, pii.changes(users, { id: ADA, name: 'Ada' }))
    expect(update.text).toBe('update "users" set "name" = $1 where "id" = $2')
    expect(new Statements('sqlite').update(users, { id: ADA }, { plan: 'paid' }).text).toBe(
      'update "users" set "plan" = ? where "id" = ?',
    )
  })

  test.each([
    ['plaintext', { ...row, email: 'ada@example.org' }, /expected for "email" what seal\(\)/],
    ['bytes', { ...row, email: row.email.bytes }, /expected for "email"/],
    ['null', { ...row, email: null }, /expected for "email"/],
    ['nothing', { ...row, email: undefined }, /expected for "email".*got none/],
    ['what was sealed for another column', { ...row, email: row.name }, /expected for "email"/],
    ['a blind index', { ...row, email: row.email_index }, /expected for "email"/],
    ['plaintext for its index', { ...row, email_index: 'ada@example.org' }, /expected for "email_index"/],
    ['what is sealed for a plain column', { ...row, plan: row.name }, /expected for "plan"/],
    ['a column that is not there', { ...row, emial: 'ada@example.org' }, /there is no column "emial"/],
    ['a column named as Object has it', { ...row, constructor: 'x' }, /there is no column "constructor"/],
  ])('an insert with %s is refused', (_, given, message) => {
    expect(() => sql.insert(users, cast(given))).toThrow(message)
  })

  test.each([
    ['plaintext', { email: 'x' }, /expected for "email"/],
    ['null', { email: null }, /expected for "email"/],
    ['nothing at all', {}, /expected something to change/],
  ])('an update with %s is refused', (_, changes, message) => {
    expect(() => sql.update(users, { id: ADA }, cast(changes))).toThrow(message)
  })

  test('an update without the key is refused', () => {
    expect(() => sql.update(users, cast({}), { plan: 'x' })).toThrow(/expected its key "id"/)
  })

  test.each([
    ['of a sealed column', { email: 'x' }, /"email" is sealed and cannot be compared/],
    ['of a sealed column with what is sealed', { email: row.email }, /cannot be compared/],
    ['of a blind index with plaintext', { email_index: 'x' }, /expected what find\(\) gives/],
    [
      'of a blind index with bytes in a list',
      { email_index: [row.email_index.bytes] },
      /expected what find\(\) gives/,
    ],
    ['of a plain column with what is sealed', { plan: row.email }, /expected what find\(\) gives/],
    ['with undefined', { plan: undefined }, /"plan" is undefined/],
    ['with null', { plan: null }, /null equals nothing/],
  ])('a condition %s is refused', (_, where, message) => {
    expect(() => sql.select(users, cast(where))).toThrow(message)
  })

  test('an empty list finds nothing; names are quoted', () => {
    expect(sql.select(users, { plan: [] }).text).toMatch(/ where 1 = 0$/)
    const odd = sealedTable('crm.odd"name', { 'i"d': key.text(), s: pii.column(optional(text)) })
    expect(sql.select(odd).text).toBe('select "i""d", "s" from "crm"."odd""name"')
  })
})
