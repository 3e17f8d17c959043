// The Postgres that other tests use: it takes connections, keeps what it acknowledged through a crash, and leaves nothing behind.
import { existsSync } from 'node:fs'
import { Client } from 'pg'
import { expect, test } from 'vitest'
import { findPostgres, startPostgres } from '../../scripts/postgres.mjs'

const missing = findPostgres() === undefined
if (missing) {
  console.warn(
    '\n*** SKIPPED: a real Postgres. It is not installed; root can: node scripts/postgres.mjs --install\n',
  )
}

test.skipIf(missing)('startPostgres: rows outlive a crash, and stop removes everything', async () => {
  const postgres = await startPostgres()
  const query = async (text: string) => {
    const client = new Client({ connectionString: postgres.url })
    await client.connect()
    try {
      return (await client.query(text)).rows
    } finally {
      await client.end()
    }
  }
  try {
    await query('create table kept (id int primary key)')
    await query('insert into kept values (7)')
    await postgres.crash()
    await expect(query('select 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await postgres.resume()
    expect(await query('select id from kept')).toEqual([{ id: 7 }])
    expect(postgres.log()).toContain('was not properly shut down')
  } finally {
    await postgres.stop()
  }
  expect(existsSync(postgres.directory)).toBe(false)
  await expect(query('select 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
})
