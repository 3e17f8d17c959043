// From outbox to inbox over a real relay, real sessions and a network in memory.
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { generateKeyPair } from '../../src/crypto/index.js'
import { NoisecapError } from '../../src/errors.js'
import {
  CollectAddress,
  CollectInterface,
  DepositAddress,
  DepositInterface,
  Group,
  Inbox,
  MemoryOrderedStore,
  NotifyInterface,
  newGroupName,
  Outbox,
  type Received,
} from '../../src/mailbox/index.js'
import { ada, closing, mailbox, take } from './parties.js'

const values = (messages: readonly Received[]) => messages.map(({ value }) => value)

describe('Outbox and Inbox', () => {
  test('messages come in order, with what the sender said, and are gone when acknowledged', async () => {
    const { outbox, inbox, connect, collect } = await mailbox()
    const out = outbox()
    const first = await out.send({ hello: 'ada' }, { ttl: '7d', headers: { subject: 'hi' } })
    await out.send('two')
    await out.flush()
    const [one, two] = await take(inbox(), 2)
    expect(one).toMatchObject({ value: { hello: 'ada' }, id: first.id, from: { pattern: 'N' } })
    expect({ ...one!.headers }).toEqual({ subject: 'hi' })
    expect(two).toMatchObject({ value: 'two', deliveries: 1, contentType: 'application/json' })
    expect(two!.series).toEqual({ name: one!.series.name, sequence: 1 })
    const box = closing(await connect(collect.capability, CollectInterface))
    expect(await box.stat()).toMatchObject({ messages: 0, arrivals: 2 })
  })

  test('a schema is checked on both sides', async () => {
    const { deposit, collect, connect } = await mailbox()
    const Message = z.object({ n: z.number() })
    const out = closing(new Outbox(new MemoryOrderedStore(), deposit, { connect, message: Message }))
    await expect(out.send({ n: 'no' } as never)).rejects.toThrow(TypeError)
    await out.send({ n: 1 })
    const inbox = new Inbox(collect, ada, Message, { connect })
    for await (const message of inbox) {
      const n: number = message.value.n
      expect(n).toBe(1)
      await message.ack()
      break
    }
  })

  test('X says who wrote; who is not accepted becomes a dead letter', async () => {
    const { outbox, inbox, connect, collect } = await mailbox()
    const [bob, eve] = [generateKeyPair(), generateKeyPair()]
    const store = new MemoryOrderedStore()
    await outbox({ as: { pattern: 'X', key: eve } }, undefined, store).send('eve')
    const unreadable: unknown[] = []
    const strict = inbox({
      accept: [{ pattern: 'X', writers: [bob.publicKey] }] as never,
      onUnreadable: (error) => unreadable.push(error),
    })
    await outbox({ as: { pattern: 'X', key: bob } }).send('bob')
    const [message] = await take(strict, 1)
    expect(message).toMatchObject({ value: 'bob', from: { pattern: 'X', writer: bob.publicKey } })
    expect(unreadable).toMatchObject([{ code: 'seal/not_accepted' }])
    const box = closing(await connect(collect.capability, CollectInterface))
    const { messages } = await box.deadLetters({ after: -1, maxMessages: 10 })
    expect(messages).toMatchObject([{ reason: 'rejected' }])
  })

  test('while the relay is away messages wait, and go out in order when it is back', async () => {
    const { network, outbox, inbox } = await mailbox()
    const out = outbox()
    network.refusesConnections = true
    for (let i = 0; i < 5; i++) await out.send(i)
    expect(out.waiting).toBe(5)
    network.refusesConnections = false
    out.retry()
    await out.flush()
    expect(values(await take(inbox(), 5))).toEqual([0, 1, 2, 3, 4])
  })

  test('an outbox that was closed goes on where it was, with the same ids', async () => {
    const { network, outbox, inbox, deposit } = await mailbox()
    const entries = new MemoryOrderedStore()
    network.refusesConnections = true
    const first = outbox({}, deposit, entries)
    const { id } = await first.send('kept')
    await first[Symbol.asyncDispose]()
    await expect(first.send('late')).rejects.toThrow(TypeError)
    network.refusesConnections = false
    const second = outbox({}, deposit, entries)
    await second.send('next')
    const messages = await take(inbox(), 2)
    expect(messages.map((message) => message.series.sequence)).toEqual([0, 1])
    expect(messages[0]).toMatchObject({ value: 'kept', id })
  })

  test('whatever connection is lost, each message comes once and in order to an inbox with a seen-set', async () => {
    const { network, outbox, inbox } = await mailbox()
    const out = outbox()
    const seen = new MemoryOrderedStore()
    const got: unknown[] = []
    const stop = new AbortController()
    // A message whose lease was taken for a stream that was gone already comes again when that ends.
    const collecting = (async () => {
      for await (const message of inbox({ seen, leaseMs: 1_000, signal: stop.signal })) {
        got.push(message.value)
        await message.ack().catch(() => {})
      }
    })()
    for (let i = 0; i < 60; i++) {
      await out.send(i)
      if (i % 7 === 3) network.disconnect()
      if (i % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 3))
    }
    await out.flush()
    await expect.poll(() => got.length).toBeGreaterThanOrEqual(60)
    stop.abort()
    await collecting
    expect(got).toEqual(Array.from({ length: 60 }, (_, i) => i))
  })

  test('what a relay delivers again is dropped by the seen-set, also of another inbox on the same store', async () => {
    const { outbox, inbox, store, connect, deposit, collect } = await mailbox()
    const seen = new MemoryOrderedStore()
    await outbox().send('once')
    const box = closing(await connect(collect.capability, CollectInterface))
    await expect.poll(async () => (await box.stat()).messages).toBe(1)
    const { messages } = await box.read({ after: -1, maxMessages: 1 })
    await take(inbox({ seen }), 1)
    // The relay forgets the id, and keeps the same bytes once more.
    await store.sweep(Date.now() + 400 * 86_400_000, 1_000)
    const direct = closing(await connect(deposit.capability, DepositInterface))
    const replay = { envelope: messages[0]!.envelope, expiresMs: Date.now() + 60_000 }
    expect(await direct.deposit({ messages: [replay] })).toMatchObject({ accepted: 1, duplicates: 0 })
    await outbox().send('end')
    expect(values(await take(inbox({ seen }), 1))).toEqual(['end'])
  })

  test('using gives back what was not acknowledged; the next delivery says so', async () => {
    const { outbox, inbox } = await mailbox()
    await outbox().send('again')
    await take(inbox({ retryDelayMs: 0 }), 1, (message) => message[Symbol.dispose]())
    const [again] = await take(inbox(), 1)
    expect(again).toMatchObject({ value: 'again', deliveries: 2 })
  })

  test('run handles several at once; what throws comes again, and at last is a dead letter', async () => {
    const { outbox, inbox, connect, collect } = await mailbox({ box: { maxDeliveries: 2, ordered: false } })
    const out = outbox()
    for (const value of ['a', 'poison', 'b', 'c']) await out.send(value)
    let running = 0
    let most = 0
    const done: unknown[] = []
    const stop = new AbortController()
    const finished = inbox({ retryDelayMs: 0, signal: stop.signal }).run(
      async ({ value }) => {
        running += 1
        most = Math.max(most, running)
        await expect.poll(() => most).toBe(3) // however slow the machine is
        running -= 1
        if (value === 'poison') throw new Error('no')
        done.push(value)
      },
      { concurrency: 3 },
    )
    const box = closing(await connect(collect.capability, CollectInterface))
    await expect.poll(async () => (await box.stat()).deadLetters).toBe(1)
    await expect.poll(async () => (await box.stat()).messages).toBe(0)
    stop.abort()
    await finished
    expect(done.sort()).toEqual(['a', 'b', 'c'])
    expect(most).toBe(3)
    const { messages } = await box.deadLetters({ after: -1, maxMessages: 1 })
    expect(messages).toMatchObject([{ reason: 'deliveries', deliveries: 2 }])
  })

  test('a consumer that is gone while it holds messages loses them when its lease ends', async () => {
    const { network, outbox, connect, collect, inbox } = await mailbox()
    await outbox().send('held')
    const dead = await connect(collect.capability, CollectInterface, { partition: 'dead' })
    const consumer = new Uint8Array(8).fill(9)
    const held = await dead.receive({ consumer, leaseMs: 300, maxMessages: 1, waitMs: 10_000 })
    expect(held.messages).toHaveLength(1)
    network.disconnect()
    const [message] = await take(inbox(), 1)
    expect(message).toMatchObject({ value: 'held', deliveries: 2 })
  })

  test('what a relay leased and could not send any more is not overtaken', async () => {
    const { store, outbox, inbox } = await mailbox()
    const out = outbox()
    for (let i = 0; i < 8; i++) await out.send(i)
    await out.flush()
    const lease = store.lease.bind(store)
    let fails = true
    store.lease = async (...of) => {
      const leased = await lease(...of)
      // As if it were killed before it could answer.
      if (fails && leased.messages.length > 0) {
        fails = false
        throw new NoisecapError('mailbox/store', 'Cannot reach the mailbox')
      }
      return leased
    }
    const receiving = inbox({ window: 4, leaseMs: 1_000 })
    const retrying = setInterval(() => receiving.retry(), 20) // or it comes again when the relay says, in 5 s
    const messages = await take(receiving, 8).finally(() => clearInterval(retrying))
    expect(fails).toBe(false)
    expect(values(messages)).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  })

  test('run, a connection lost while messages are being handled: each is handled once, and acknowledged', async () => {
    const { network, outbox, inbox, connect, collect } = await mailbox()
    await outbox().send('slow')
    await outbox().send('slower')
    const stop = new AbortController()
    const handled: unknown[] = []
    let release = () => {}
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    const running = inbox({ signal: stop.signal, seen: new MemoryOrderedStore() }).run(
      async ({ value }) => {
        handled.push(value)
        await released
      },
      { concurrency: 4 },
    )
    await expect.poll(() => handled).toEqual(['slow', 'slower'])
    network.disconnect()
    await outbox().send('next') // comes over the next connection, after the two were given back and came again
    await expect.poll(() => handled.length).toBeGreaterThan(2)
    release()
    const box = closing(await connect(collect.capability, CollectInterface, { partition: 'look' }))
    await expect.poll(async () => (await box.stat()).messages).toBe(0)
    stop.abort()
    await running
    expect(handled).toEqual(['slow', 'slower', 'next'])
  })

  test('a lease is extended while its message is being handled', async () => {
    const { outbox, inbox, collect, connect } = await mailbox()
    await outbox().send('slow')
    const messages = await take(inbox({ leaseMs: 150 }), 1, async (message) => {
      await new Promise((resolve) => setTimeout(resolve, 600))
      const other = closing(await connect(collect.capability, CollectInterface, { partition: 'other' }))
      const consumer = new Uint8Array(8).fill(7)
      const { messages } = await other.receive({ consumer, leaseMs: 100, maxMessages: 1, waitMs: 0 })
      expect(messages).toEqual([])
      await message.ack()
    })
    expect(messages[0]?.deliveries).toBe(1)
  })

  test('abort ends the loop, and what is held is given back', async () => {
    const { outbox, inbox } = await mailbox()
    await outbox().send('a')
    const stop = new AbortController()
    const seen: unknown[] = []
    for await (const message of inbox({ signal: stop.signal, retryDelayMs: 0 })) {
      seen.push(message.value)
      stop.abort()
    }
    expect(seen).toEqual(['a'])
    expect((await take(inbox(), 1))[0]).toMatchObject({ deliveries: 2 })
  })

  test('an expired message does not go out, and is told', async () => {
    const { network, outbox } = await mailbox()
    network.refusesConnections = true
    const failed: unknown[] = []
    const out = outbox({ onFailed: (message) => failed.push(message) })
    const { id } = await out.send('brief', { ttl: 1 })
    await new Promise((resolve) => setTimeout(resolve, 2_100))
    network.refusesConnections = false
    out.retry()
    await out.flush()
    expect(failed).toEqual([{ id, reason: 'expired' }])
  })
})

describe('replies and receipts', () => {
  test('an answer finds its way by the address inside the seal, and names what it answers', async () => {
    const { outbox, inbox, open } = await mailbox()
    const bob = generateKeyPair()
    const own = await open(bob.publicKey)
    const { id } = await outbox().send('question', { reply: own.deposit })
    const [question] = await take(inbox(), 1)
    await outbox({}, question!.reply!).send('answer', { inReplyTo: question!.id })
    const [answer] = await take(inbox({}, own.collect, bob), 1)
    expect(answer).toMatchObject({ value: 'answer', inReplyTo: id, isReceipt: false })
  })
  test('a receipt comes when the recipient sends such, and is one', async () => {
    const { outbox, inbox, open } = await mailbox()
    const bob = generateKeyPair()
    const own = await open(bob.publicKey)
    const { id } = await outbox().send('important', { receipt: own.deposit })
    await take(inbox({ receipts: true }), 1)
    const [receipt] = await take(inbox({}, own.collect, bob), 1)
    expect(receipt).toMatchObject({ isReceipt: true, inReplyTo: id, value: undefined })
  })
})

describe('Group', () => {
  test('each member gets one copy; who was removed gets no more; members are remembered', async () => {
    const { open, connect, inbox } = await mailbox()
    const keys = [generateKeyPair(), generateKeyPair()]
    const boxes = await Promise.all(keys.map(({ publicKey }) => open(publicKey)))
    const name = newGroupName()
    const entries = new MemoryOrderedStore()
    const group = new Group(entries, name, { connect })
    for (const { deposit } of boxes) await group.add(deposit)
    expect(await group.send('to all')).toHaveLength(2)
    await group.flush()
    await group.remove(boxes[1]!.deposit)
    await group[Symbol.asyncDispose]()
    const again = closing(new Group(entries, name, { connect }))
    expect(again.members).toHaveLength(1)
    await again.send('to one')
    const options = { groups: [name] }
    expect(values(await take(inbox(options, boxes[0]!.collect, keys[0]), 2))).toEqual(['to all', 'to one'])
    const [only] = await take(inbox(options, boxes[1]!.collect, keys[1]), 1)
    expect(only).toMatchObject({ value: 'to all', group: Buffer.from(name).toString('hex') })
  })
  test('with X each member is told who wrote', async () => {
    const { open, connect, inbox } = await mailbox()
    const [bob, sender] = [generateKeyPair(), generateKeyPair()]
    const box = await open(bob.publicKey)
    const options = { connect, as: { pattern: 'X' as const, key: sender } }
    const group = closing(new Group(new MemoryOrderedStore(), newGroupName(), options))
    await group.add(box.deposit)
    await group.send('signed')
    const [message] = await take(inbox({}, box.collect, bob), 1)
    expect(message).toMatchObject({ value: 'signed', from: { pattern: 'X', writer: sender.publicKey } })
  })
})

describe('addresses', () => {
  test('survive as text, and show no secret elsewhere', async () => {
    const { deposit, collect, inbox, outbox } = await mailbox()
    const text = deposit.export()
    const parsed = DepositAddress.parse(` ${text}\n`)
    await outbox({}, parsed).send('by text')
    const [message] = await take(inbox({}, CollectAddress.parse(collect.export())), 1)
    expect(message?.value).toBe('by text')
    const secret = text.slice(text.indexOf('#') + 1)
    for (const shown of [
      String(deposit),
      JSON.stringify(deposit),
      (await import('node:util')).inspect(deposit),
    ])
      expect(shown).not.toContain(secret)
    expect(() => DepositAddress.parse(collect.export())).toThrow(/deposit/)
    expect(() => DepositAddress.parse(text.slice(0, -1))).toThrow(/Cannot use address/)
  })
})

describe('notices', () => {
  test('NotifyInterface tells of an arrival and of a full quota, and nothing else', async () => {
    const { connect, notify, outbox } = await mailbox({ box: { maxMessages: 1 } })
    const watcher = closing(await connect(notify, NotifyInterface))
    const start = await watcher.wait({ arrivals: -1, refusals: -1, waitMs: 0 })
    expect(start).toEqual({ arrivals: 0, refusals: 0 })
    const waiting = watcher.wait({ ...start, waitMs: 10_000 })
    const out = outbox()
    await out.send('a')
    expect(await waiting).toEqual({ arrivals: 1, refusals: 0 })
    await out.send('b')
    expect(await watcher.wait({ arrivals: 1, refusals: 0, waitMs: 10_000 })).toEqual({
      arrivals: 1,
      refusals: 1,
    })
    expect(out.waiting).toBe(1)
  })
})
