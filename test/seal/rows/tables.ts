// The table that the tests of rows share, its writer and its reader.
import { generateKeyPair } from '../../../src/crypto/index.js'
import {
  caseless,
  key,
  nullable,
  optional,
  plain,
  RowReader,
  sealedColumns,
  sealedTable,
  text,
} from '../../../src/seal/rows/index.js'

export const readerKey = generateKeyPair()
export const indexRoot = new Uint8Array(32).fill(7)
export const pii = sealedColumns(readerKey.publicKey, { indexRoot })
export const reader = new RowReader({ keys: readerKey, accept: [{ pattern: 'N' }] })

export const columns = {
  id: key.uuid(),
  email: pii.text({ schemaVersion: 1 }),
  email_index: pii.uniqueIndex({ of: 'email', normalise: caseless }),
  name: pii.column(nullable(text)),
  phone: pii.column(optional(text)),
  profile: pii.json<{ born: string }>({ padding: [64] }),
  plan: plain<string>(),
} as const
export const users = sealedTable('users', columns)

export const ADA = '0b0e3f1c-8f0e-4a43-9a4c-5b1d0f6f0a01'
export const BOB = '0b0e3f1c-8f0e-4a43-9a4c-5b1d0f6f0b02'
export const ada = {
  id: ADA,
  email: 'Ada@Example.org',
  name: null,
  profile: { born: '1815-12-10' },
  plan: 'free',
} as const
export const bob = { id: BOB, email: 'bob@example.org', name: '', phone: '', profile: { born: '' } } as const

/** The same in SQL; `binary` is bytea or blob. */
export const createUsers = (binary: string) =>
  `create table users (id ${binary === 'bytea' ? 'uuid' : 'text'} primary key, email ${binary} not null, email_index ${binary} unique not null,
   name ${binary} not null, phone ${binary}, profile ${binary} not null, plan text)`
