// MailboxStore in a real Postgres: the suite, two stores on one database, and a server that loses power.
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findPostgres, type Postgres, startPostgres } from '../../scripts/postgres.mjs'
import { openPostgresMailboxStore } from '../../src/mailbox/postgres.js'
import { describeStore, messageOf } from './conformance.js'

const found = findPostgres() !== undefined
if (!found) {
  console.error(
    '\n*** SKIPPED: the mailbox in a real Postgres. It is not installed; root can: node scripts/postgres.mjs --install\n',
  )
}

describe.skipIf(!found)('in a real Postgres', () => {
  let postgres: Postgres
  beforeAll(async () => {
    postgres = await startPostgres()
  })
  afterAll(() => postgres?.stop())
  const open = () => openPostgresMailboxStore({ connectionString: postgres.url, max: 4 })

  describeStore('postgres', open)

  const NOW = 1_800_000_000_000
  const limits = {
    maxMessages: 100,
    maxBytes: 1_000_000,
    messageTtlSeconds: 86_400,
    maxDeliveries: 3,
    ordered: true,
  }
  const asking = { consumer: new Uint8Array(8), maxMessages: 10, maxBytes: 1_000, leaseMs: 30_000 }

  test('two stores on one database: each hears of the other, and neither leases what the other holds', async () => {
    await using one = await open()
    await using two = await open()
    const id = new Uint8Array(randomBytes(16))
    await one.openBox({ id, limits, expiresMs: undefined }, [], NOW)
    let heard = 0
    two.watch(id, () => {
      heard += 1
    })
    await one.deposit(id, 0, [messageOf('a')], NOW)
    await expect.poll(() => heard).toBeGreaterThan(0)
    expect((await one.lease(id, asking, NOW)).messages).toHaveLength(1)
    const other = { ...asking, consumer: new Uint8Array(8).fill(1) }
    expect((await two.lease(id, other, NOW)).messages).toHaveLength(0)
  })

  test('a server that loses power keeps what was acknowledged; meanwhile mailbox/store', async () => {
    await using store = await open()
    const id = new Uint8Array(randomBytes(16))
    await store.openBox({ id, limits, expiresMs: undefined }, [], NOW)
    await store.deposit(id, 0, [messageOf('durable')], NOW)
    await postgres.crash()
    await expect(store.deposit(id, 0, [messageOf('b')], NOW)).rejects.toMatchObject({ code: 'mailbox/store' })
    await postgres.resume()
    expect((await store.lease(id, asking, NOW)).messages).toHaveLength(1)
    expect(await store.deposit(id, 0, [messageOf('b')], NOW)).toMatchObject({ accepted: 1 })
  })
})
