// MailboxStore in a real NATS server: the suite, several stores on one stream, a server that is killed, and a log that is cut short.
import { randomBytes } from 'node:crypto'
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
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

  describe('large bodies', () => {
    const message = messageOf('head')
    const piece = new Uint8Array(262_144).fill(7)
    const upload = async (one: MailboxStore, two: MailboxStore, id: Uint8Array) => {
      await one.bodies!.begin(id, 0, message, piece.length + 1, NOW)
      await one.bodies!.append(id, 0, message.id, 0, piece, NOW)
      const last = await two.bodies!.append(id, 0, message.id, 1, Uint8Array.of(8), NOW)
      expect(last).toEqual({ pieces: 2, complete: true })
    }

    test('an upload goes on at another relay; nothing is left in the stream once the message is gone', async () => {
      const stream = newStream()
      await using one = await open(stream)
      await using two = await open(stream)
      const { id } = await newBox(one)
      await upload(one, two, id)
      const { messages } = await two.lease(id, asking, NOW)
      expect(await one.bodies!.read(id, message.id, 0, NOW)).toEqual(piece)
      expect(await one.bodies!.read(id, message.id, 1, NOW)).toEqual(Uint8Array.of(8))
      await two.settle(id, [{ kind: 'ack', receipt: messages[0]!.receipt }], NOW)
      await expect.poll(async () => (await kept(stream))['piece']).toBeUndefined()
      await expect.poll(async () => (await kept(stream))['message']).toBeUndefined()
      const again = { ...messageOf('again'), expiresMs: NOW + 1_000 }
      await one.bodies!.begin(id, 0, again, piece.length, NOW)
      await one.bodies!.append(id, 0, again.id, 0, piece, NOW)
      await two.sweep(NOW + 1_000, 100)
      await expect.poll(async () => (await kept(stream))['piece']).toBeUndefined()
    })

    test('a box that has ended leaves no piece; a snapshot removes what nobody counts on, and keeps the others', async () => {
      const stream = newStream()
      await using one = await open(stream)
      const { id } = await newBox(one)
      await upload(one, one, id)
      const client = await connect(nats.connection)
      // As a relay leaves it that ends before it has cleaned up.
      const left = `${stream}.piece.${hexEncode(id)}.${'ab'.repeat(16)}.0`
      await jetstream(client).publish(left, piece)
      await client.close()
      expect((await kept(stream))['piece']).toBe(3)
      for (let i = 0; i < 260; i++) await one.deposit(id, 0, [messageOf(`m${i}`)], NOW)
      await expect.poll(async () => (await kept(stream))['piece']).toBe(2)
      await using two = await open(stream)
      expect(await two.bodies!.read(id, message.id, 0, NOW)).toEqual(piece)
      const { messages } = await two.lease(id, { ...asking, maxMessages: 1 }, NOW)
      expect(new TextDecoder().decode(messages[0]!.envelope)).toBe('head')
      await two.dropBox(id)
      await expect.poll(async () => (await kept(stream))['piece']).toBeUndefined()
    })

    test('two relays that change the box meanwhile: every piece that was acknowledged is there', async () => {
      const stream = newStream()
      await using one = await open(stream)
      await using two = await open(stream)
      const { id } = await newBox(one)
      const body = Array.from({ length: 12 }, (_, i) => new Uint8Array(262_144).fill(i))
      let uploading = true
      const others = (async () => {
        for (let i = 0; uploading; i++) {
          const short = messageOf(`short ${i}`)
          // Its body ends while pieces of the other one are on their way.
          await two.bodies!.begin(id, 1, short, 3, NOW)
          await two.bodies!.append(id, 1, short.id, 0, Uint8Array.of(1, 2, 3), NOW)
          const { messages } = await two.lease(id, asking, NOW)
          const done = messages.filter(({ envelope }) => envelope.length > 4)
          await two.settle(
            id,
            done.map(({ receipt }) => ({ kind: 'ack', receipt })),
            NOW,
          )
        }
      })()
      await one.bodies!.begin(id, 0, message, 12 * 262_144, NOW)
      for (const [i, bytes] of body.entries()) await one.bodies!.append(id, 0, message.id, i, bytes, NOW)
      uploading = false
      await others
      for (const [i, bytes] of body.entries())
        expect((await two.bodies!.read(id, message.id, i, NOW))?.every((byte) => byte === bytes[0])).toBe(
          true,
        )
    }, 60_000)
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
