// MailboxStore in a real NATS server: the suite, several stores on one stream, a server that is killed, and a log that is cut short.
import { randomBytes } from 'node:crypto'
import { jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findNats, type Nats, startNats } from '../../scripts/nats.mjs'
import { hexEncode } from '../../src/bytes.js'
import { openNatsMailboxStore } from '../../src/mailbox/nats.js'
import type { MailboxStore } from '../../src/mailbox/store.js'
import { describeStore, messageOf } from './conformance.js'

const found = findNats() !== undefined
if (!found) {
  console.error(
    '\n*** SKIPPED: the mailbox in a real NATS server. It is not installed; root can: node scripts/nats.mjs --install\n',
  )
}

describe.skipIf(!found)('in a real NATS server', () => {
  let nats: Nats
  beforeAll(async () => {
    nats = await startNats()
  })
  afterAll(() => nats?.stop())
  let streams = 0
  const newStream = () => `boxes${streams++}`
  const open = (stream: string) => openNatsMailboxStore({ ...nats.connection, stream })

  describeStore('nats', () => open(newStream()))

  const NOW = 1_800_000_000_000
  const limits = {
    maxMessages: 10_000,
    maxBytes: 10_000_000,
    messageTtlSeconds: 86_400,
    maxDeliveries: 3,
    ordered: true,
  }
  const ANA = new Uint8Array(8)
  const BOB = new Uint8Array(8).fill(1)
  const asking = { consumer: ANA, maxMessages: 64, maxBytes: 1_000_000, leaseMs: 30_000 }
  const newBox = async (store: MailboxStore) => {
    const id = new Uint8Array(randomBytes(16))
    const names = [{ role: 'deposit' as const, hash: new Uint8Array(randomBytes(16)) }]
    await store.openBox({ id, limits, expiresMs: undefined }, names, NOW)
    return { id, hash: names[0]!.hash }
  }
  /** How many entries the stream has under each kind of subject. */
  const kept = async (stream: string) => {
    const client = await connect(nats.connection)
    const { state } = await (await jetstreamManager(client)).streams.info(stream, { subjects_filter: '>' })
    await client.close()
    const counts: Record<string, number> = {}
    for (const [subject, count] of Object.entries(state.subjects ?? {})) {
      const kind = subject.split('.')[1]!
      counts[kind] = (counts[kind] ?? 0) + count
    }
    return counts
  }

  test('two stores on one stream: each hears of the other, and neither leases what the other holds', async () => {
    const stream = newStream()
    await using one = await open(stream)
    await using two = await open(stream)
    const { id } = await newBox(one)
    let heard = 0
    two.watch(id, () => {
      heard += 1
    })
    await one.deposit(id, 0, [messageOf('a')], NOW)
    await expect.poll(() => heard).toBeGreaterThan(0)
    expect((await one.lease(id, asking, NOW)).messages).toHaveLength(1)
    expect((await two.lease(id, { ...asking, consumer: BOB }, NOW)).messages).toHaveLength(0)
  })

  test('two stores that change one box at once: each message once, in the order of its depositor', async () => {
    const stream = newStream()
    await using one = await open(stream)
    await using two = await open(stream)
    const { id } = await newBox(one)
    const stores = [one, two]
    const got: string[] = []
    const sent = Array.from({ length: 240 }, (_, i) => ({ depositor: i % 4, text: `${i % 4}:${i}` }))
    const depositAll = async (depositor: number) => {
      for (const { text } of sent.filter((each) => each.depositor === depositor))
        await stores[depositor % 2]!.deposit(id, depositor, [messageOf(text)], NOW)
    }
    let depositing = true
    const collect = async (store: MailboxStore, consumer: Uint8Array) => {
      for (;;) {
        const { messages } = await store.lease(id, { ...asking, consumer, maxMessages: 5 }, NOW)
        got.push(...messages.map(({ envelope }) => new TextDecoder().decode(envelope)))
        await store.settle(
          id,
          messages.map(({ receipt }) => ({ kind: 'ack', receipt })),
          NOW,
        )
        if (!depositing && messages.length === 0 && (await store.stat(id, NOW))?.messages === 0) return
      }
    }
    const collecting = Promise.all([collect(one, ANA), collect(two, BOB)])
    await Promise.all([0, 1, 2, 3].map(depositAll))
    depositing = false
    await collecting
    expect([...got].sort()).toEqual(sent.map(({ text }) => text).sort())
    for (let depositor = 0; depositor < 4; depositor++) {
      const of = (texts: readonly string[]) => texts.filter((text) => text.startsWith(`${depositor}:`))
      expect(of(got)).toEqual(of(sent.map(({ text }) => text)))
    }
  }, 60_000)

  test('a long log is cut short by a snapshot; another store reads the box from it, and goes on', async () => {
    const stream = newStream()
    await using one = await open(stream)
    const { id } = await newBox(one)
    for (let i = 0; i < 150; i++) {
      await one.deposit(id, 0, [messageOf(`m${i}`)], NOW)
      if (i % 2 === 0) continue
      const { messages } = await one.lease(id, { ...asking, maxMessages: 1 }, NOW)
      await one.settle(id, [{ kind: 'ack', receipt: messages[0]!.receipt }], NOW)
    }
    expect((await kept(stream))['snapshot']).toBe(1)
    expect((await kept(stream))['log']).toBeLessThan(100)
    await using two = await open(stream)
    const { messages } = await two.lease(id, { ...asking, consumer: BOB, maxMessages: 100 }, NOW)
    expect(messages.map(({ envelope }) => new TextDecoder().decode(envelope))).toEqual(
      Array.from({ length: 75 }, (_, i) => `m${i + 75}`),
    )
    expect(await two.deposit(id, 0, [messageOf('m3')], NOW)).toMatchObject({ duplicates: 1 })
    await two.settle(
      id,
      messages.map(({ receipt }) => ({ kind: 'ack', receipt })),
      NOW,
    )
    expect(await one.stat(id, NOW)).toMatchObject({ messages: 0, bytes: 0, arrivals: 150 })
    await expect.poll(async () => (await kept(stream))['message']).toBeUndefined()
  }, 60_000)

  test('a box that has ended leaves nothing in the stream', async () => {
    const stream = newStream()
    await using store = await open(stream)
    const { id } = await newBox(store)
    await store.deposit(id, 0, [messageOf('a'), messageOf('b')], NOW)
    await store.dropBox(id)
    await store.sweep(NOW + 86_400_000, 100)
    await expect.poll(() => kept(stream)).toEqual({})
  })

  test('an envelope of the greatest length is kept and delivered', async () => {
    await using store = await open(newStream())
    const { id } = await newBox(store)
    const envelope = new Uint8Array(randomBytes(925_696))
    await store.deposit(id, 0, [{ ...messageOf('x'), envelope }], NOW)
    const { messages } = await store.lease(id, asking, NOW)
    expect(hexEncode(messages[0]!.envelope)).toBe(hexEncode(envelope))
  })

  test('a stream that would lose messages is refused', async () => {
    const stream = newStream()
    const client = await connect(nats.connection)
    const manager = await jetstreamManager(client)
    await manager.streams.add({ name: stream, subjects: [`${stream}.>`], max_age: 1e9, storage: 'file' })
    await client.close()
    await expect(open(stream)).rejects.toMatchObject({ code: 'mailbox/store' })
  })

  test('a server that is killed keeps what was acknowledged; meanwhile mailbox/store', async () => {
    await using store = await open(newStream())
    const { id, hash } = await newBox(store)
    await store.deposit(id, 0, [messageOf('durable')], NOW)
    await nats.crash()
    await expect(store.deposit(id, 0, [messageOf('b')], NOW)).rejects.toMatchObject({ code: 'mailbox/store' })
    await expect(store.find(hash, NOW)).rejects.toMatchObject({ code: 'mailbox/store' })
    await nats.resume()
    await expect.poll(() => store.find(hash, NOW).catch(() => undefined), { timeout: 20_000 }).toBeDefined()
    expect((await store.lease(id, asking, NOW)).messages).toHaveLength(1)
    expect(await store.deposit(id, 0, [messageOf('b')], NOW)).toMatchObject({ accepted: 1 })
  }, 60_000)
})
