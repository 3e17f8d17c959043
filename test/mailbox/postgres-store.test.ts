// MailboxStore in a real Postgres: the suite, two stores on one database, and a server that loses power.
import { randomBytes } from 'node:crypto'
import pg from 'pg'
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

  test('a settlement, a deposit and a lease that come together are one transaction, the lease last; a receipt of no delivery harms none', async () => {
    await using store = await open()
    const id = new Uint8Array(randomBytes(16))
    await store.openBox({ id, limits, expiresMs: undefined }, [], NOW)
    await store.deposit(id, 0, [messageOf('a'), messageOf('b')], NOW)
    const [first] = (await store.lease(id, { ...asking, maxMessages: 1 }, NOW)).messages
    const wrong = { kind: 'nack', receipt: '0.9999999999', delayMs: 0 } as const
    const together = [
      store.lease(id, asking, NOW),
      store.settle(id, [{ kind: 'ack', receipt: first!.receipt }, wrong], NOW),
      store.deposit(id, 0, [messageOf('c')], NOW),
    ] as const
    const [{ messages }, , deposited] = await Promise.all(together)
    expect(messages).toMatchObject([
      { position: 1, deliveries: 1, envelope: Buffer.from('b') },
      { position: 2, deliveries: 1, envelope: Buffer.from('c') },
    ])
    expect(deposited).toMatchObject({ accepted: 1, duplicates: 0 })
    expect(await store.stat(id, NOW)).toMatchObject({ messages: 2, arrivals: 3 })
    const client = new pg.Client({ connectionString: postgres.url })
    await client.connect()
    const { rows } = await client.query(
      `select xmin::text from noisecap_box where id = $1
       union all select xmin::text from noisecap_message where box = $1`,
      [id],
    )
    await client.end()
    expect(rows).toHaveLength(3)
    expect(new Set(rows.map(({ xmin }) => xmin)).size).toBe(1)
  })

  test('what was put in here and is taken for the first time is not read again; all else is', async () => {
    await using one = await open()
    await using two = await open()
    const id = new Uint8Array(randomBytes(16))
    const put = (store: typeof one, ...texts: string[]) =>
      store.deposit(
        id,
        0,
        texts.map((text) => messageOf(text)),
        NOW,
      )
    const take = async (now: number) => {
      const { messages } = await one.lease(id, asking, now)
      return messages.map(({ envelope }) => new TextDecoder().decode(envelope)).join('')
    }
    await one.openBox({ id, limits, expiresMs: undefined }, [], NOW)
    await put(one, 'a', 'b')
    await put(two, 'c')
    await put(one, 'd')
    await put(one, 'e', 'f')
    const client = new pg.Client({ connectionString: postgres.url })
    await client.connect()
    await client.query(`update noisecap_message set envelope = '?' where box = $1 and position <> 2`, [id])
    await client.end()
    expect(await take(NOW)).toBe('??cdef')
    expect(await take(NOW + asking.leaseMs)).toBe('??c???')
    await put(one, 'g')
    await one.dropBox(id)
    await one.openBox({ id, limits, expiresMs: undefined }, [], NOW)
    await put(two, 'h')
    expect(await take(NOW)).toBe('h')
  })

  test('what a full box refuses is one transaction each, but for the first; what it takes later is in order', async () => {
    await using store = await open()
    const id = new Uint8Array(randomBytes(16))
    await store.openBox({ id, limits: { ...limits, maxMessages: 1 }, expiresMs: undefined }, [], NOW)
    await store.deposit(id, 0, [messageOf('first')], NOW)
    const client = new pg.Client({ connectionString: postgres.url })
    await client.connect()
    const transactions = async () => {
      const { rows } = await client.query<{ n: string }>('select txid_current() as n')
      return Number(rows[0]?.n)
    }
    const before = await transactions()
    for (let i = 0; i < 9; i++)
      expect(await store.deposit(id, 0, [messageOf(`${i}`)], NOW)).toMatchObject({
        refusal: 'quota_messages',
      })
    expect((await transactions()) - before - 1).toBe(10)
    await client.end()
    const taken: string[] = []
    for (let i = 0; i < 12; i++) {
      const { messages } = await store.lease(id, asking, NOW)
      taken.push(...messages.map(({ envelope }) => new TextDecoder().decode(envelope)))
      const acks = messages.map(({ receipt }) => ({ kind: 'ack', receipt }) as const)
      await store.settle(id, acks, NOW)
      await store.deposit(id, 0, [messageOf(`later ${i}`), messageOf('too many')], NOW)
    }
    expect(taken).toEqual(['first', ...Array.from({ length: 11 }, (_, i) => `later ${i}`)])
  })

  test('a message at the position of one that the server has lost is what is taken', async () => {
    await using one = await open()
    await using two = await open()
    const id = new Uint8Array(randomBytes(16))
    await one.openBox({ id, limits, expiresMs: undefined }, [], NOW)
    await one.deposit(id, 0, [messageOf('kept'), messageOf('lost')], NOW)
    const client = new pg.Client({ connectionString: postgres.url })
    await client.connect()
    const box = `'\\x${Buffer.from(id).toString('hex')}'`
    await client.query(`delete from noisecap_message where box = ${box} and position = 1;
      delete from noisecap_id where box = ${box} and position = 1;
      update noisecap_box set messages = 1, bytes = 4, next_position = 1 where id = ${box}`)
    await client.end()
    await two.deposit(id, 0, [messageOf('another')], NOW)
    const { messages } = await one.lease(id, asking, NOW)
    expect(messages.map(({ envelope }) => new TextDecoder().decode(envelope))).toEqual(['kept', 'another'])
  })

  test('an upload goes on at another relay; nothing is left in the tables once message or box is gone', async () => {
    await using one = await open()
    await using two = await open()
    const id = new Uint8Array(randomBytes(16))
    const message = messageOf('head')
    const piece = new Uint8Array(262_144).fill(7)
    const rows = async (table: string) => {
      await one.sweep(NOW, 100)
      const client = new pg.Client({ connectionString: postgres.url })
      await client.connect()
      const { rowCount } = await client.query(`select 1 from ${table}`).finally(() => client.end())
      return rowCount
    }
    const upload = async () => {
      await one.bodies!.begin(id, 0, message, piece.length + 1, NOW)
      await one.bodies!.append(id, 0, message.id, 0, piece, NOW)
      const last = await two.bodies!.append(id, 0, message.id, 1, Uint8Array.of(8), NOW)
      expect(last).toEqual({ pieces: 2, complete: true })
    }
    await one.openBox({ id, limits, expiresMs: undefined }, [], NOW)
    await upload()
    const { messages } = await two.lease(id, asking, NOW)
    expect(await one.bodies!.read(id, message.id, 0, NOW)).toEqual(Buffer.from(piece))
    expect(await one.bodies!.read(id, message.id, 1, NOW)).toEqual(Buffer.of(8))
    await two.settle(id, [{ kind: 'ack', receipt: messages[0]!.receipt }], NOW)
    expect(await rows('noisecap_piece')).toBe(0)
    await one.dropBox(id)
    await one.openBox({ id, limits, expiresMs: undefined }, [], NOW)
    await upload()
    expect(await rows('noisecap_piece')).toBe(2)
    await one.dropBox(id)
    expect(await rows('noisecap_piece')).toBe(0)
    expect(await rows('noisecap_body')).toBe(0)
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
