// The table, shared by the form that writes it and the worker that reads it. Declared without keys: who seals and who opens has
// them. Leaves out both.
import { createClient } from '@libsql/client'
import { drizzle, type LibSQLDatabase } from 'drizzle-orm/libsql'
import { sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { sealedSqliteColumns } from 'noisecap/seal/drizzle'

const declared = sealedSqliteColumns()

export const users = sqliteTable('users', {
  id: text('id').primaryKey(),
  name: declared.text('name', { schemaVersion: 1 }),
  email: declared.text('email', { schemaVersion: 1, padding: [64] }),
})

/** @param file - path of the database. */
export async function openDatabase(file: string): Promise<LibSQLDatabase> {
  const client = createClient({ url: `file:${file}` })
  await client.execute('pragma journal_mode = wal')
  await client.execute('pragma busy_timeout = 10000')
  const sealed = 'blob not null check'
  await client.execute(
    `create table if not exists users (id text primary key,
       name ${sealed} (hex(substr(name, 1, 1)) >= 'F9'), email ${sealed} (hex(substr(email, 1, 1)) >= 'F9'))`,
  )
  return drizzle(client)
}
