// The same two tables for Postgres and for SQLite, and databases for them.
import { createClient } from '@libsql/client'
import { relations } from 'drizzle-orm'
import { drizzle as drizzleLibsql } from 'drizzle-orm/libsql'
import { drizzle as drizzlePg, type NodePgDatabase } from 'drizzle-orm/node-postgres'
import * as pg from 'drizzle-orm/pg-core'
import * as lite from 'drizzle-orm/sqlite-core'
import { Client } from 'pg'
import { findPostgres, startPostgres } from '../../../scripts/postgres.mjs'
import { generateKeyPair } from '../../../src/crypto/index.js'
import {
  caseless,
  nullable,
  optional,
  RowReader,
  sealedColumns,
  sealedSqliteColumns,
  text,
} from '../../../src/seal/drizzle/index.js'

export const readerKey = generateKeyPair()
const indexRoot = new Uint8Array(32).fill(7)
export const pii = sealedColumns(readerKey.publicKey, { indexRoot })
const litePii = sealedSqliteColumns(readerKey.publicKey, { indexRoot })
export const reader = new RowReader({ keys: readerKey, accept: [{ pattern: 'N' }] })

export const users = pg.pgTable('users', {
  id: pg.uuid('id').primaryKey(),
  email: pii.text('email', { schemaVersion: 1 }),
  emailIndex: pii.index('email_index', { of: 'email', normalise: caseless }).unique(),
  name: pii.column('name', nullable(text)),
  phone: pii.column('phone', optional(text)),
  profile: pii.json<{ born: string }>('profile', { padding: [64] }),
  plan: pg.text('plan'),
})
export const notes = pg.pgTable(
  'notes',
  { owner: pg.uuid('owner').notNull(), number: pg.integer('number').notNull(), body: pii.text('body') },
  (table) => [pg.primaryKey({ columns: [table.owner, table.number] })],
)
const liteUsers = lite.sqliteTable('users', {
  id: lite.text('id').primaryKey(),
  email: litePii.text('email', { schemaVersion: 1 }),
  emailIndex: litePii.index('email_index', { of: 'email', normalise: caseless }).unique(),
  name: litePii.column('name', nullable(text)),
  phone: litePii.column('phone', optional(text)),
  profile: litePii.json<{ born: string }>('profile', { padding: [64] }),
  plan: lite.text('plan'),
})
const liteNotes = lite.sqliteTable(
  'notes',
  {
    owner: lite.text('owner').notNull(),
    number: lite.integer('number').notNull(),
    body: litePii.text('body'),
  },
  (table) => [lite.primaryKey({ columns: [table.owner, table.number] })],
)

const CREATE = (binary: string, id: string) => [
  `create table users (id ${id} primary key, email ${binary} not null, email_index ${binary} unique not null, name ${binary} not null, phone ${binary}, profile ${binary} not null, plan text)`,
  `create table notes (owner ${id} not null, number integer not null, body ${binary} not null, primary key (owner, number))`,
]

const relationsOf = (table: typeof users, further: typeof notes) => ({
  usersRelations: relations(table, ({ many }) => ({ notes: many(further) })),
  notesRelations: relations(further, ({ one }) => ({
    user: one(table, { fields: [further.owner], references: [table.id] }),
  })),
})
const schema = { users, notes, ...relationsOf(users, notes) }

/** What the tests need. Both dialects have the same calls and results, so the types are those of Postgres. */
export interface Bench {
  readonly db: NodePgDatabase<typeof schema>
  readonly users: typeof users
  readonly notes: typeof notes
  readonly pii: typeof pii
  run(text: string): Promise<unknown>
  reset(): Promise<void>
  close(): Promise<void>
}

export async function openSqlite(): Promise<Bench> {
  const client = createClient({ url: ':memory:' })
  const tables = { users: liteUsers as unknown as typeof users, notes: liteNotes as unknown as typeof notes }
  const db = drizzleLibsql(client, { schema: { ...tables, ...relationsOf(tables.users, tables.notes) } })
  const run = (text: string) => client.execute(text)
  return {
    ...tables,
    db: db as unknown as Bench['db'],
    pii: litePii as unknown as typeof pii,
    run,
    reset: () => resetWith(run, CREATE('blob', 'text')),
    close: async () => client.close(),
  }
}

export async function openPostgres(): Promise<Bench> {
  const postgres = await startPostgres()
  const client = new Client({ connectionString: postgres.url })
  await client.connect()
  const run = (text: string) => client.query(text)
  return {
    users,
    notes,
    pii,
    db: drizzlePg(client, { schema }),
    run,
    reset: () => resetWith(run, CREATE('bytea', 'uuid')),
    close: async () => {
      await client.end()
      await postgres.stop()
    },
  }
}

async function resetWith(run: (text: string) => Promise<unknown>, create: readonly string[]): Promise<void> {
  for (const name of ['users', 'notes']) await run(`drop table if exists ${name}`)
  for (const text of create) await run(text)
}

export const postgresMissing = findPostgres() === undefined
if (postgresMissing) {
  console.warn(
    '\n*** SKIPPED: Drizzle with a real Postgres. It is not installed; root can: node scripts/postgres.mjs --install\n',
  )
}

export const ADA = '0b0e3f1c-8f0e-4a43-9a4c-5b1d0f6f0a01'
export const BOB = '0b0e3f1c-8f0e-4a43-9a4c-5b1d0f6f0b02'
export const ada = { id: ADA, email: 'Ada@Example.org', name: null, profile: { born: '1815' }, plan: 'free' }
export const bob = { id: BOB, email: 'bob@example.org', name: '', phone: '', profile: { born: '' } }
