// Transactions in a real Postgres: what is sent ahead fails with them and leaves nothing behind, and what concerns a box is found by
// an index, however much was ever in it.
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findPostgres, type Postgres, startPostgres } from '../../scripts/postgres.mjs'
import { openPostgresMailboxStore } from '../../src/mailbox/postgres.js'
import { remove } from '../../src/mailbox/postgres-box.js'
import { PLANS } from '../../src/mailbox/postgres-connection.js'
import { findKnown, sendDeposit } from '../../src/mailbox/postgres-deposit.js'
import { FreshEnvelopes } from '../../src/mailbox/postgres-fresh.js'
import { pageOf, sendLease } from '../../src/mailbox/postgres-lease.js'
import { GatheringSocket } from '../../src/mailbox/postgres-socket.js'
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

  test('work that waits for no rows is one turn to the server, the commit included', async () => {
    const told: string[] = []
    const listener = {
      query: async (statement: pg.QueryConfig) => {
        told.push(statement.text)
        const answer = await client.query(statement)
        told.push('answered')
        return answer
      },
    }
    await PostgresTransaction.run(listener, async (tx) => ({ rows: tx.query('select 1 as n') }))
    expect(told.slice(0, 4)).toEqual(['begin', 'select 1 as n', 'commit', 'answered'])
  })

  test('what one turn sends is written at once', async () => {
    const written: string[] = []
    class Told extends GatheringSocket {
      override _write(...args: Parameters<GatheringSocket['_write']>) {
        written.push('one')
        super._write(...args)
      }
      override _writev(...args: Parameters<NonNullable<GatheringSocket['_writev']>>) {
        written.push('many')
        super._writev?.(...args)
      }
    }
    const config = { connectionString: postgres.url, pipeline: true, stream: () => new Told() }
    const other = new pg.Client(config)
    await other.connect()
    written.length = 0
    const sum = await PostgresTransaction.run(other, async (tx) => {
      tx.send('select $1::integer', [1])
      return { rows: tx.query('select $1::integer + $2 as n', [1, 2]) }
    })
    expect([written, (await sum.rows).rows]).toEqual([['many'], [{ n: 3 }]])
    await other.end()
  })

  test('one that fails fails the transaction with its own reason, though others were sent behind it, the commit too', async () => {
    const failing = PostgresTransaction.run(client, async (tx) => {
      insert(tx, 3)
      insert(tx, 1)
      return { rows: tx.query('select 1 as n') }
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
        if (values === undefined || text === 'begin') return client.query(text)
        const plan = await client.query<{ 'QUERY PLAN': string }>(`explain ${text}`, values)
        plans.push(plan.rows.map((row) => row['QUERY PLAN']).join('\n'))
        return { ...plan, rows: [] }
      },
    }
    const asked = [{ depositor: 0, messages: messages.slice(0, 64), nowMs: NOW }]
    const leasing = { consumer: new Uint8Array(8), maxMessages: 64, maxBytes: 1e6, leaseMs: 1_000 }
    for (const statistics of ['none', 'fresh']) {
      if (statistics === 'fresh') await client.query('analyze')
      await PostgresTransaction.run(explainer, async (tx) => {
        sendDeposit(tx, id, asked, new FreshEnvelopes())
        sendLease(tx, id, leasing, NOW, new FreshEnvelopes())
        await pageOf(tx, id, -1)
        await findKnown(tx, id, asked)
        remove(tx, id, 'position = any($2) and dead is null', [[1, 2, 3]])
      })
    }
    expect(plans).toHaveLength(10)
    for (const plan of plans) {
      expect(plan).toMatch(/Index (Only )?Scan using noisecap_(message|id)_pkey/)
      expect(plan).not.toMatch(/Bitmap|Seq Scan|Sort/)
    }
  })
})
