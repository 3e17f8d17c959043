// Transactions in a real Postgres: what is sent ahead fails with them and leaves nothing behind, and what concerns a box is found by
// an index, however much was ever in it.
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findPostgres, type Postgres, startPostgres } from '../../scripts/postgres.mjs'
import { openPostgresMailboxStore } from '../../src/mailbox/postgres.js'
import { remove } from '../../src/mailbox/postgres-box.js'
import { PLANS } from '../../src/mailbox/postgres-connection.js'
import { findKnown } from '../../src/mailbox/postgres-deposit.js'
import { pageOf } from '../../src/mailbox/postgres-lease.js'
import { PostgresTransaction } from '../../src/mailbox/postgres-transaction.js'
import { messageOf } from './conformance.js'

const found = findPostgres() !== undefined
if (!found) {
  console.error(
    '\n*** SKIPPED: transactions of the mailbox in a real Postgres. It is not installed; root can: node scripts/postgres.mjs --install\n',
  )
}

describe.skipIf(!found)('in a real Postgres', () => {
  let postgres: Postgres
  let client: pg.Client
  beforeAll(async () => {
    postgres = await startPostgres()
    client = new pg.Client({ connectionString: postgres.url, pipeline: true } as pg.ClientConfig) // @types/pg does not know it
    await client.connect()
    await client.query('create table kept (n integer primary key)')
  })
  afterAll(async () => {
    await client?.end()
    await postgres?.stop()
  })
  const kept = async () =>
    (await client.query<{ n: number }>('select n from kept order by n')).rows.map(({ n }) => n)
  const insert = (tx: PostgresTransaction, n: number) => tx.send('insert into kept values ($1)', [n])

  test('what is sent and not waited for is committed', async () => {
    const result = await PostgresTransaction.run(client, async (tx) => {
      insert(tx, 1)
      insert(tx, 2)
      return 'done'
    })
    expect([result, await kept()]).toEqual(['done', [1, 2]])
  })

  test('one that fails fails the transaction with its own reason, though others were sent behind it, the commit too', async () => {
    const failing = PostgresTransaction.run(client, async (tx) => {
      insert(tx, 3)
      insert(tx, 1)
      const rows = tx.query('select 1 as n')
      tx.commit()
      return rows
    })
    await expect(failing).rejects.toMatchObject({ code: '23505' })
    expect(await kept()).toEqual([1, 2])
  })

  test('work that throws leaves nothing behind, and the connection is as good as before', async () => {
    const failing = PostgresTransaction.run(client, async (tx) => {
      insert(tx, 4)
      throw new RangeError('no receipt')
    })
    await expect(failing).rejects.toThrow('no receipt')
    expect(await kept()).toEqual([1, 2])
    await PostgresTransaction.run(client, async (tx) => insert(tx, 5))
    expect(await kept()).toEqual([1, 2, 5])
  })

  test('leases, deposits and acknowledgements find what they need by an index, whatever the server knows of the tables', async () => {
    const NOW = 1_800_000_000_000
    const id = new Uint8Array(16).fill(1)
    const limits = {
      maxMessages: 1e5,
      maxBytes: 1e9,
      messageTtlSeconds: 86_400,
      maxDeliveries: 3,
      ordered: true,
    }
    await using store = await openPostgresMailboxStore({ connectionString: postgres.url, max: 2 })
    await store.openBox({ id, limits, expiresMs: undefined }, [], NOW)
    const messages = Array.from({ length: 200 }, (_, n) => messageOf(`message ${n}`))
    await store.deposit(id, 0, messages, NOW)
    await client.query(PLANS)
    const plans: string[] = []
    const explainer = {
      query: async ({ name: _, text, values }: pg.QueryConfig) => {
        if (values === undefined) return client.query(text)
        const plan = await client.query<{ 'QUERY PLAN': string }>(`explain ${text}`, values)
        plans.push(plan.rows.map((row) => row['QUERY PLAN']).join('\n'))
        return { ...plan, rows: [] }
      },
    }
    const asked = [{ depositor: 0, messages: messages.slice(0, 64), nowMs: NOW }]
    for (const statistics of ['none', 'fresh']) {
      if (statistics === 'fresh') await client.query('analyze')
      await PostgresTransaction.run(explainer, async (tx) => {
        await pageOf(tx, id, { maxMessages: 64 })
        await findKnown(tx, id, asked)
        remove(tx, id, 'position = any($2) and dead is null', [[1, 2, 3]])
      })
    }
    expect(plans).toHaveLength(6)
    for (const plan of plans) {
      expect(plan).toMatch(/Index (Only )?Scan using noisecap_(message|id)_pkey/)
      expect(plan).not.toMatch(/Bitmap|Seq Scan|Sort/)
    }
  })
})
