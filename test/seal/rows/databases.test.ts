// Sealed rows in real databases, through their plain drivers: the same tests for SQLite (libsql) and for Postgres (pg).
import { randomUUID } from 'node:crypto'
import Sqlite from 'libsql'
import { Client } from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { findPostgres, type Postgres, startPostgres } from '../../../scripts/postgres.mjs'
import { type Statement, Statements } from '../../../src/seal/rows/index.js'
import { ADA, ada, BOB, bob, createUsers, pii, reader, users } from './tables.js'

type StoredRow = Record<string, unknown>

/** What the tests need of a database. */
interface Database {
  run(statement: Statement): Promise<StoredRow[]>
  close(): Promise<void>
}

async function openSqlite(): Promise<Database> {
  const database = new Sqlite(':memory:')
  return {
    // Values in one array: a Buffer as the first of several arguments ends the process.
    run: async ({ text, values }) => {
      const prepared = database.prepare(text)
      if (/^\s*select/i.test(text)) return prepared.all(values) as StoredRow[]
      prepared.run(values)
      return []
    },
    close: async () => void database.close(),
  }
}

let postgres: Postgres | undefined
async function openPostgres(): Promise<Database> {
  postgres = await startPostgres()
  const client = new Client({ connectionString: postgres.url })
  await client.connect()
  return {
    run: async (statement) => (await client.query(statement)).rows as StoredRow[],
    close: () => client.end(),
  }
}
afterAll(() => postgres?.stop())

const missing = findPostgres() === undefined
if (missing) {
  console.warn(
    '\n*** SKIPPED: sealed rows in a real Postgres. It is not installed; root can: node scripts/postgres.mjs --install\n',
  )
}

describe.each([
  { name: 'SQLite', dialect: 'sqlite', binary: 'blob', open: openSqlite, skip: false },
  { name: 'Postgres', dialect: 'postgres', binary: 'bytea', open: openPostgres, skip: missing },
] as const)('$name', ({ dialect, binary, open, skip }) => {
  const statements = new Statements(dialect)
  let database: Database
  const sql = (text: string, ...values: unknown[]) => database.run({ text, values })
  const all = () => database.run(statements.select(users))

  beforeAll(async () => {
    if (!skip) database = await open()
  })
  afterAll(() => database?.close())
  beforeEach(async () => {
    if (skip) return
    await sql('drop table if exists users')
    await sql(createUsers(binary))
    await database.run(statements.insert(users, pii.seal(users, ada)))
    await database.run(statements.insert(users, pii.seal(users, bob)))
  })

  test.skipIf(skip)('what was sealed opens, with null, empty and absent told apart', async () => {
    const opened = reader.open(users, await all())
    expect(opened.map(({ email_index, ...row }) => row).sort((a, b) => (a.id < b.id ? -1 : 1))).toEqual([
      { ...ada, phone: undefined },
      { ...bob, plan: null },
    ])
  })

  test.skipIf(skip)('nothing of it stands in the database in clear', async () => {
    const [first] = await sql(`select * from users where id = ${quote(ADA)}`)
    const stored = Object.values(first!).map((value) => Buffer.from(value as Uint8Array | string))
    for (const word of ['ada', 'Ada', 'example', '1815']) {
      expect(stored.some((bytes) => bytes.includes(word))).toBe(false)
    }
  })

  test.skipIf(skip)(
    'a value moved to another row or column does not open, and the error says so',
    async () => {
      await sql(
        `update users set email = (select email from users where id = ${quote(BOB)}) where id = ${quote(ADA)}`,
      )
      const [moved] = await database.run(statements.select(users, { id: ADA }))
      expect(() => reader.open(users, [moved!])).toThrow(
        /moved or altered.*\(column "email" of "users", row 0 of those given\)/,
      )
      await sql('update users set name = email')
      const [other] = await database.run(statements.select(users, { id: BOB }))
      expect(() => reader.open(users, [other!])).toThrow(/moved or altered.*column "name"/)
    },
  )

  test.skipIf(skip)('one bad row does not spoil the others', async () => {
    await sql(`update users set email = profile where id = ${quote(ADA)}`)
    const outcomes = reader.openEach(users, await all())
    const [bad] = outcomes.filter((outcome) => !outcome.ok)
    const [good] = outcomes.filter((outcome) => outcome.ok)
    expect(bad?.ok === false && Object.keys(bad.errors)).toEqual(['email'])
    expect(bad?.ok === false && bad.errors['email']).toMatchObject({ code: 'seal/altered' })
    expect(good?.ok === true && good.row.email).toBe('bob@example.org')
    expect(good?.ok === true && good.from['email']).toEqual({ pattern: 'N' })
  })

  test.skipIf(skip)('a row is found by its blind index, without regard to case', async () => {
    const found = await database.run(
      statements.select(users, { email_index: pii.find(users, 'email_index', 'ADA@example.org') }),
    )
    expect(reader.open(users, found).map(({ id }) => id)).toEqual([ADA])
    const both = ['ada@example.org', 'bob@example.org'].map((email) => pii.find(users, 'email_index', email))
    expect(await database.run(statements.select(users, { email_index: both }))).toHaveLength(2)
    const nobody = { email_index: pii.find(users, 'email_index', 'eve@example.org') }
    expect(await database.run(statements.select(users, nobody))).toEqual([])
  })

  test.skipIf(skip)('a unique constraint holds over what is sealed', async () => {
    const again = pii.seal(users, { ...bob, id: randomUUID(), email: 'BOB@Example.org' })
    await expect(database.run(statements.insert(users, again))).rejects.toThrow(/unique/i)
  })

  test.skipIf(skip)('an update seals for the row of its key, and moves its index along', async () => {
    const changes = pii.changes(users, { id: ADA, email: 'countess@example.org', plan: 'paid' })
    await database.run(statements.update(users, { id: ADA }, changes))
    const found = await database.run(
      statements.select(users, { email_index: pii.find(users, 'email_index', 'countess@example.org') }),
    )
    expect(reader.open(users, found)).toMatchObject([
      { id: ADA, email: 'countess@example.org', plan: 'paid' },
    ])
  })

  test.skipIf(skip)('a key is the same in capitals', async () => {
    const id = 'ABCDEF01-8F0E-4A43-9A4C-5B1D0F6F0A01'
    await database.run(statements.insert(users, pii.seal(users, { ...ada, id, email: 'c@example.org' })))
    const found = await sql(`select * from users where lower(cast(id as text)) = lower(${quote(id)})`)
    expect(reader.open(users, found)).toMatchObject([{ email: 'c@example.org' }])
  })

  test.skipIf(skip)(
    'NULL in a column that is not optional is refused, in one that is it is absence',
    async () => {
      const [row] = await database.run(statements.select(users, { id: BOB }))
      expect(reader.open(users, [{ ...row!, phone: null }])).toMatchObject([{ phone: undefined }])
      expect(() => reader.open(users, [{ ...row!, name: null }])).toThrow(/deleted or never sealed/)
    },
  )
})

const quote = (text: string) => `'${text}'`
