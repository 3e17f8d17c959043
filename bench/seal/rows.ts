// What opening adds to a selection: 1,000 rows with 3 sealed columns out of a table of 10^6 (BENCH_ROWS), through Drizzle and
// SQLite, beside the same selection unopened and beside bare AEAD opens of as many values. CPU time, differences within a round.
// Compact values of one writer, whose headers are kept in memory. Leaves out the time of writing them.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from '@libsql/client'
import { and, gte, lt } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/libsql'
import { blob, integer, sqliteTable } from 'drizzle-orm/sqlite-core'
import Database from 'libsql'
import { generateKeyPair } from '../../src/crypto/index.js'
import { RowReader, sealedSqliteColumns } from '../../src/seal/drizzle/index.js'
import { atMost, count, type Row, reported } from '../suite/report.js'
import { alternate, cpuMicrosSince, median, ROUNDS } from '../suite/rounds.js'
import { sodium } from '../suite/sodium.js'

const ROWS = Number(process.env['BENCH_ROWS'] ?? 1_000_000)
const SELECTED = 1_000
const WARMUPS = 3
const COLUMNS = 3

const readerKey = generateKeyPair()
const headers = new Map<string, Uint8Array>()
const nameOf = (id: Uint8Array) => Buffer.from(id).toString('hex')
const pii = sealedSqliteColumns(readerKey.publicKey, {
  onEpoch: ({ id, bytes }) => headers.set(nameOf(id), bytes),
})
const users = sqliteTable('users', {
  id: integer('id').primaryKey(),
  email: pii.text('email'),
  phone: pii.text('phone'),
  address: pii.text('address'),
})
const bare = sqliteTable('users', {
  id: integer('id').primaryKey(),
  email: blob('email', { mode: 'buffer' }).notNull(),
  phone: blob('phone', { mode: 'buffer' }).notNull(),
  address: blob('address', { mode: 'buffer' }).notNull(),
})
const rowOf = (id: number) => ({
  id,
  email: `person-${id}@example.org`,
  phone: `+44 20 7946 ${String(id % 10_000).padStart(4, '0')}`,
  address: `${id} Example Street, Example Town, EX1 ${id % 10}AA`,
})

/** A table of `ROWS` rows at `file`. */
function fill(file: string): void {
  const database = new Database(file)
  database.exec('create table users (id integer primary key, email blob, phone blob, address blob)')
  const insert = database.prepare('insert into users values (?, ?, ?, ?)')
  database.exec('begin')
  for (let id = 0; id < ROWS; id++) {
    const { email, phone, address } = pii.seal(users, rowOf(id))
    insert.run([id, ...[email, phone, address].map(({ bytes }) => Buffer.from(bytes))])
  }
  database.exec('commit')
  database.close()
}

/** Bare opens of the values of some rows, checked. */
function bareOpens(rows: readonly ReturnType<typeof rowOf>[]): () => void {
  const key = Buffer.alloc(32, 7)
  const nonce = Buffer.alloc(12)
  const values = rows.flatMap(({ email, phone, address }) =>
    [email, phone, address].map((value) => {
      const plaintext = Buffer.from(`${value}\x01`)
      const sealed = Buffer.alloc(plaintext.length + 16)
      sodium.crypto_aead_chacha20poly1305_ietf_encrypt(sealed, plaintext, null, null, nonce, key)
      return { sealed, opened: Buffer.alloc(plaintext.length), plaintext }
    }),
  )
  const run = () => {
    for (const { sealed, opened } of values)
      sodium.crypto_aead_chacha20poly1305_ietf_decrypt(opened, null, sealed, null, nonce, key)
  }
  run()
  if (!values.every(({ opened, plaintext }) => opened.equals(plaintext)))
    throw new Error('sodium does not open what it sealed')
  return run
}

async function cpuOf(run: () => unknown): Promise<number> {
  const began = process.cpuUsage()
  await run()
  return cpuMicrosSince(began)
}

/** The rows of the table `rows`. */
export async function measureRows(): Promise<readonly Row[]> {
  const directory = mkdtempSync(join(tmpdir(), 'noisecap-bench-rows-'))
  try {
    const file = join(directory, 'users.db')
    console.log(`… sealing ${count(ROWS)} rows`)
    fill(file)
    const db = drizzle(createClient({ url: `file:${file}` }))
    const reader = new RowReader({
      keys: readerKey,
      accept: [{ pattern: 'N' }],
      headers: (id) => headers.get(nameOf(id)),
    })
    const from = Math.floor(ROWS / 2)
    const selectFrom = <Table extends typeof users | typeof bare>(table: Table) =>
      db
        .select()
        .from(table as typeof users)
        .where(and(gte(table.id, from), lt(table.id, from + SELECTED)))
    const opened = async () => reader.open(users, await selectFrom(users))
    const [first] = await opened()
    if (first?.address !== rowOf(from).address) throw new Error('a row does not open as it was sealed')
    const opens = bareOpens(Array.from({ length: SELECTED }, (_, i) => rowOf(from + i)))
    const results = await alternate(
      [() => cpuOf(() => selectFrom(bare)), () => cpuOf(opened), () => cpuOf(opens)],
      WARMUPS,
      5 * ROUNDS,
    )
    const [plain, whole, aead] = results as [number[], number[], number[]]
    const added = median(whole.map((micros, round) => micros - plain[round]!))
    const floor = median(aead)
    const ms = (micros: number) => `${(micros / 1_000).toFixed(2)} ms`
    const what = `${count(SELECTED)} of ${count(ROWS)} rows, ${COLUMNS} sealed columns`
    return [
      {
        what: `${what}: opening adds`,
        ours: ms(added),
        peer: `bare AEAD opens of ${count(SELECTED * COLUMNS)} values ${ms(floor)}`,
        ...atMost(added / floor, 2),
      },
      {
        what: `${what}: selected and opened`,
        ours: ms(median(whole)),
        peer: `selected ${ms(median(plain))}`,
        ...reported(median(whole) / median(plain)),
      },
    ]
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
