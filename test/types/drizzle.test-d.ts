import { eq } from 'drizzle-orm'
import type { NodePgDatabase } from 'drizzle-orm/node-postgres'
import { pgTable, text as pgText, uuid } from 'drizzle-orm/pg-core'
import { text as liteText, sqliteTable } from 'drizzle-orm/sqlite-core'
import { describe, expectTypeOf, test } from 'vitest'
import type { KeyPair } from '../../src/crypto/index.js'
import {
  type IndexCell,
  nullable,
  optional,
  placed,
  RowReader,
  type SealedCell,
  sealedColumns,
  sealedSqliteColumns,
  text,
} from '../../src/seal/drizzle/index.js'
import type { Sealed } from '../../src/seal/index.js'

declare const db: NodePgDatabase
declare const readerKey: KeyPair
const pii = sealedColumns(process.env['SEAL_CAP'])
const users = pgTable('users', {
  id: uuid('id').primaryKey(),
  email: pii.text('email'),
  emailIndex: pii.index('email_index', { of: 'email' }).unique(),
  name: pii.column('name', nullable(text)),
  phone: pii.column('phone', optional(text)),
  profile: pii.json<{ born: number }>('profile'),
  plan: pgText('plan'),
})
const row = { id: 'x', email: 'x', name: null, profile: { born: 1815 } }

describe('columns', () => {
  test('hold what is sealed, and may be NULL where they may be absent', () => {
    type Row = typeof users.$inferSelect
    expectTypeOf<Row['email']>().toEqualTypeOf<SealedCell<string, string>>()
    expectTypeOf<Row['phone']>().toEqualTypeOf<SealedCell<string | undefined, string | undefined> | null>()
    expectTypeOf<Row['emailIndex']>().toEqualTypeOf<IndexCell<string>>()
  })

  test('the same in SQLite', () => {
    const lite = sealedSqliteColumns()
    const table = sqliteTable('t', { id: liteText('id').primaryKey(), secret: lite.text('secret') })
    expectTypeOf(lite.seal(table, { id: 'x', secret: 'x' })).toEqualTypeOf<typeof table.$inferInsert>()
    // @ts-expect-error another type
    lite.seal(table, { id: 'x', secret: 7 })
  })
})

describe('sealing', () => {
  test('what goes in follows the columns', () => {
    expectTypeOf(pii.seal(users, { ...row, plan: 'free' })).toEqualTypeOf<typeof users.$inferInsert>()
    db.insert(users).values(pii.seal(users, row))
    // @ts-expect-error plaintext does not compile
    db.insert(users).values(row)
    // @ts-expect-error without a value
    pii.seal(users, { id: 'x', name: null, profile: { born: 1 } })
    // @ts-expect-error null where none is declared
    pii.seal(users, { ...row, email: null })
    // @ts-expect-error another type
    pii.seal(users, { ...row, profile: { born: '1815' } })
    // @ts-expect-error the index follows from its column
    pii.seal(users, { ...row, emailIndex: 'x' })
    db.update(users).set(pii.changes(users, { id: 'x', email: 'y' }))
    // @ts-expect-error another type
    pii.changes(users, { id: 'x', email: 7 })
  })

  test('indexes are compared with what find() gives', () => {
    eq(users.emailIndex, pii.find(users.emailIndex, 'x'))
    // @ts-expect-error plaintext
    eq(users.emailIndex, 'x')
    // @ts-expect-error plaintext with a sealed column
    eq(users.email, 'x')
    // @ts-expect-error no blind index
    pii.find(users.email, 'x')
    // @ts-expect-error a value of another type
    pii.find(users.emailIndex, 7)
  })
})

describe('opening', () => {
  const reader = new RowReader({ keys: readerKey, accept: [{ pattern: 'N' }] })

  test('rows as selected, whole and in part', async () => {
    const [opened] = reader.open(users, await db.select().from(users))
    expectTypeOf(opened!.email).toEqualTypeOf<string>()
    expectTypeOf(opened!.name).toEqualTypeOf<string | null>()
    expectTypeOf(opened!.phone).toEqualTypeOf<string | undefined>()
    expectTypeOf(opened!.profile).toEqualTypeOf<{ born: number }>()
    expectTypeOf(opened!.plan).toEqualTypeOf<string | null>()
    const [part] = reader.open(users, await db.select({ id: users.id, email: users.email }).from(users))
    expectTypeOf(part!).toEqualTypeOf<{ id: string; email: string }>()
    const [late] = placed(users, await db.select().from(users))
    expectTypeOf(late!.email).toEqualTypeOf<Sealed<string>>()
  })

  test('outcomes are looked at before they are used, and N says nothing of the writer', async () => {
    const [outcome] = reader.openEach(users, await db.select().from(users))
    // @ts-expect-error it may have failed
    outcome?.row
    if (outcome?.ok) expectTypeOf(outcome.from['email']!.pattern).toEqualTypeOf<'N'>()
  })
})
