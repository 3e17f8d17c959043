// The relay: its capabilities, what they allow, how they end, long polls, windows, quotas, and what its store could betray.
import { describe, expect, test } from 'vitest'
import { hexEncode, utf8 } from '../../src/bytes.js'
import { keyHash, mint } from '../../src/capability/index.js'
import { generateKeyPair } from '../../src/crypto/index.js'
import { NoisecapError } from '../../src/errors.js'
import { parseAlias } from '../../src/mailbox/alias.js'
import { EnvelopeWriter } from '../../src/mailbox/envelope.js'
import {
  CollectInterface,
  DepositInterface,
  MemoryOrderedStore,
  NotifyInterface,
  OrderedMailboxStore,
  Relay,
  RelayClient,
  RelayInterface,
} from '../../src/mailbox/index.js'
import { CallError } from '../../src/rpc/index.js'
import { FakeClock, TestNetwork } from '../../src/testing/index.js'
import { ada, closing, mailbox } from './parties.js'

const codeOf = async (action: Promise<unknown>): Promise<string> => {
  try {
    await action
    return 'none'
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
}
const LATER = Date.now() + 3_600_000
const CONSUMER = new Uint8Array(8).fill(1)
const asking = { consumer: CONSUMER, leaseMs: 30_000, maxMessages: 10, waitMs: 0 }

async function open(options: Parameters<typeof mailbox>[0] = {}) {
  const all = await mailbox(options)
  const depositor = closing(await all.connect(all.deposit.capability, DepositInterface))
  const collector = closing(await all.connect(all.collect.capability, CollectInterface))
  const writer = new EnvelopeWriter({ to: ada.publicKey, box: all.deposit.box })
  const envelope = (text: string) => {
    const header = {
      series: new Uint8Array(16),
      sequence: 0,
      previous: undefined,
      sentAt: 1,
      expires: 1_000,
      contentType: 'text/plain',
      headers: {},
      reply: undefined,
      receipt: undefined,
      inReplyTo: undefined,
    }
    return writer.seal({ header, body: utf8(text) })
  }
  const put = (...texts: string[]) =>
    depositor.deposit({ messages: texts.map((text) => ({ envelope: envelope(text), expiresMs: LATER })) })
  return { ...all, depositor, collector, envelope, put }
}

describe('capabilities of a box', () => {
  test('have the use of their path and aliases of which none follows from another', async () => {
    const { deposit, collect, notify } = await mailbox()
    const capabilities = [deposit.capability, collect.capability, notify]
    expect(capabilities.map(({ use }) => use)).toEqual(['deposit', 'collect', 'notify'])
    const aliases = capabilities.map(({ object }) => object!.split('/')[1]!)
    expect(new Set(aliases).size).toBe(3)
    for (const alias of aliases) expect(parseAlias(alias)).toHaveLength(16)
  })

  test('one role cannot be had with the capability of another, nor with one for calls', async () => {
    const { connect, deposit, collect, service, relay } = await mailbox()
    const object = collect.capability.object!
    for (const use of ['call', 'deposit', 'notify'] as const) {
      const wrong = mint(service.key, { use, object })
      const stub = connect(wrong, CollectInterface).then((box) => closing(box).stat())
      expect(await codeOf(stub), use).toMatch(/^(session\/denied|rpc\/permission_denied)$/)
    }
    const seal = mint(service.key, { use: 'seal', object })
    expect(await codeOf(connect(seal, CollectInterface))).toBe('session/denied')
    // The interface of another role has no methods at the object that is there.
    const box = closing(await connect(deposit.capability, CollectInterface))
    expect(await codeOf(box.stat())).toBe('rpc/unimplemented')
    const opener = mint(service.key, { use: 'deposit', object: relay.boxes.mint({}).object! })
    const opening = connect(opener, RelayInterface).then((stub) => closing(stub).openBox({}))
    expect(await codeOf(opening)).toMatch(/^(session\/denied|rpc\/permission_denied)$/)
  })

  test('an alias that never was finds no box', async () => {
    const { connect, service } = await mailbox()
    for (const alias of ['a'.repeat(26), 'short']) {
      const guess = mint(service.key, { use: 'collect', object: `collect/${alias}` })
      const box = closing(await connect(guess, CollectInterface))
      expect(await codeOf(box.stat())).toBe('rpc/not_found')
    }
  })

  test('attenuate: methods and expiry hold; a narrowed collect address only reads', async () => {
    const { connect, collect, put } = await open()
    await put('a')
    const reader = collect.attenuate({ methods: ['read', 'stat'], expiresIn: '1h' })
    const box = closing(await connect(reader.capability, CollectInterface))
    expect((await box.read({ after: -1, maxMessages: 5 })).messages).toHaveLength(1)
    expect(await codeOf(box.receive(asking))).toBe('rpc/permission_denied')
    const expired = collect.attenuate({ expiresAt: new Date(Date.now() - 120_000) })
    expect(await codeOf(connect(expired.capability, CollectInterface))).toBe('session/expired')
  })

  test('revoke: the owner ends one deposit capability, others and open waits go on', async () => {
    const { connect, collector, deposit, put } = await open()
    const forBob = await collector.grant({ role: 'deposit' })
    expect(forBob.object).not.toBe(deposit.capability.object)
    const bob = closing(await connect(forBob, DepositInterface, { partition: 'bob' }))
    expect(await codeOf(bob.limits())).toBe('none')
    await collector.revoke({ capability: forBob })
    expect(await codeOf(bob.limits())).toMatch(/^rpc\/|^session\//)
    expect(await codeOf(connect(forBob, DepositInterface, { partition: 'bob 2' }))).toBe('session/revoked')
    expect(await put('still')).toMatchObject({ accepted: 1 })
  })

  test('revoke, a capability of another box, or a made-up one, is refused', async () => {
    const { collector, open: openBox, service } = await open()
    const other = await openBox()
    expect(await codeOf(collector.revoke({ capability: other.deposit.capability }))).toBe(
      'rpc/invalid_argument',
    )
    const call = mint(service.key, { object: 'relay' })
    expect(await codeOf(collector.revoke({ capability: call }))).toBe('rpc/invalid_argument')
  })

  test('a box with a life of its own ends, and its capabilities with it', async () => {
    const clock = new FakeClock()
    const network = closing(new TestNetwork({ clock }))
    const { collect, deposit } = await mailbox({ network, box: { ttlSeconds: 60 } })
    for (const { capability } of [collect, deposit]) {
      expect(capability.caveats).toMatchObject([{ type: 'expires' }])
    }
  })

  test('drop ends a box for everybody who has it', async () => {
    const { collector, depositor, put, envelope } = await open()
    await put('a')
    const waiting = codeOf(collector.receive({ ...asking, consumer: CONSUMER.slice().fill(3), waitMs: 0 }))
    expect(await waiting).toBe('none')
    await collector.drop()
    expect(
      await depositor.deposit({ messages: [{ envelope: envelope('b'), expiresMs: LATER }] }),
    ).toMatchObject({
      accepted: 0,
      refusal: 'gone',
    })
    expect(await codeOf(collector.stat())).toBe('rpc/not_found')
  })
})

describe('delivery', () => {
  test('a long poll answers when something comes, and empty when its time is over', async () => {
    const { collector, put } = await open()
    expect(await collector.receive({ ...asking, waitMs: 20 })).toEqual({ messages: [] })
    const waiting = collector.receive({ ...asking, waitMs: 20_000 })
    await put('a')
    expect((await waiting).messages).toHaveLength(1)
  })

  test('a long poll hears when a lease of another consumer ends', async () => {
    const { collector, put } = await open()
    await put('a')
    await collector.receive({ ...asking, leaseMs: 150 })
    const { messages } = await collector.receive({ ...asking, consumer: new Uint8Array(8), waitMs: 20_000 })
    expect(messages).toMatchObject([{ deliveries: 2 }])
  })

  test('a stream holds no more than its window until something is settled', async () => {
    const { collector, put } = await open()
    await put('a', 'b', 'c', 'd')
    await using messages = collector.follow({ consumer: CONSUMER, leaseMs: 30_000, window: 2 })
    const first = (await messages.next()).value!
    const second = (await messages.next()).value!
    const third = messages.next()
    const early = await Promise.race([
      third,
      new Promise((resolve) => setTimeout(() => resolve('held back'), 50)),
    ])
    expect(early).toBe('held back')
    await collector.settle({ settlements: [{ kind: 'ack', receipt: first.receipt }] })
    expect((await third).value?.position).toBeGreaterThan(second.position)
    await collector.ackThrough({ receipt: second.receipt, consumer: CONSUMER })
    expect((await messages.next()).done).toBe(false)
  })

  test('what is leased into the room of a settlement is sent once that is durable; where that fails, it goes back', async () => {
    const { collector, put, store } = await open()
    await put('a', 'b', 'c')
    await using messages = collector.follow({ consumer: CONSUMER, leaseMs: 30_000, window: 2 })
    const first = (await messages.next()).value!
    await messages.next()
    const { settle, lease } = store
    let fail = () => {}
    let leased = 0
    store.settle = () =>
      new Promise((_, reject) => {
        fail = () => reject(new NoisecapError('mailbox/store', 'full'))
      })
    store.lease = async (...request) => {
      const result = await lease.apply(store, request)
      leased += result.messages.length
      return result
    }
    const settling = collector.settle({ settlements: [{ kind: 'ack', receipt: first.receipt }] })
    await expect.poll(() => leased).toBe(1)
    const third = messages.next()
    const isHeldBack = () =>
      Promise.race([third, new Promise((resolve) => setTimeout(() => resolve('held back'), 50))])
    expect(await isHeldBack()).toBe('held back')
    store.settle = settle
    fail()
    expect(await isHeldBack()).toBe('held back')
    await settling // the connection asks again
    expect((await third).value).toMatchObject({ position: 2, deliveries: 2 })
  })

  test.each(['the reader leaves it', 'the connection is lost'])(
    'a stream that ends because %s gives back at once what nobody has settled, in order',
    async (why) => {
      const { network, put, connect, collect } = await open()
      await put('a', 'b', 'c')
      const dead = closing(await connect(collect.capability, CollectInterface, { partition: 'dead' }))
      const messages = dead.follow({ consumer: CONSUMER, leaseMs: 3_600_000, window: 2 })
      const { value: first } = await messages.next()
      await messages.next()
      await dead.settle({ settlements: [{ kind: 'ack', receipt: first!.receipt }] })
      if (why === 'the reader leaves it') await messages.return?.()
      else network.disconnect()
      const other = closing(await connect(collect.capability, CollectInterface, { partition: 'other' }))
      const request = { ...asking, consumer: new Uint8Array(8).fill(2), waitMs: 60_000 }
      const { messages: again } = await other.receive(request)
      expect(again[0]).toMatchObject({ position: first!.position + 1, deliveries: 2 })
      // An acknowledgement of the earlier delivery still counts.
      const late = again[0]!.receipt.replace(/2$/, '1')
      await other.settle({ settlements: [{ kind: 'ack', receipt: late }] })
      expect((await other.stat()).messages).toBe(1)
    },
  )

  test('a full quota is refused with a time to try again; the rest of the batch waits', async () => {
    const { put, collector } = await open({ box: { maxMessages: 2 } })
    expect(await put('a', 'b', 'c')).toEqual({
      accepted: 2,
      duplicates: 0,
      refusal: 'quota_messages',
      retryAfterMs: 5_000,
    })
    expect(await collector.stat()).toMatchObject({ messages: 2, refusals: 1 })
  })

  test('what is no envelope, or shows a hint, is refused', async () => {
    const { depositor, envelope } = await open()
    const hinted = envelope('a')
    hinted[53] = 1
    for (const bad of [utf8('plain text'), hinted]) {
      const deposit = depositor.deposit({ messages: [{ envelope: bad, expiresMs: LATER }] })
      expect(await codeOf(deposit)).toBe('rpc/invalid_argument')
    }
    const nonsense = depositor.deposit({ messages: 'all' } as never)
    expect(await codeOf(nonsense)).toBe('rpc/invalid_argument')
  })

  test('a receipt that is none is the caller’s mistake', async () => {
    const { collector } = await open()
    const settle = collector.settle({ settlements: [{ kind: 'ack', receipt: 'x' }] })
    expect(await codeOf(settle)).toBe('rpc/invalid_argument')
  })

  test('a store that fails is told as unavailable, with nothing of its error', async () => {
    const { network } = await mailbox()
    const entries = new MemoryOrderedStore()
    const store = new OrderedMailboxStore(entries)
    const service = network.createService()
    const relay = closing(new Relay(service, store))
    const client = closing(new RelayClient(relay.boxes.mint({}), { connect: network.connect }))
    entries.write = () => Promise.reject(new NoisecapError('mailbox/store', 'disk full at /srv/secret'))
    const failure = (await client
      .openBox({ to: ada.publicKey })
      .catch((error: unknown) => error)) as CallError
    expect(failure).toBeInstanceOf(CallError)
    expect(failure).toMatchObject({ code: 'rpc/unavailable', retryAfterMs: 1_000 })
    expect(failure.message).not.toContain('secret')
  })

  test('two relays with one key and one store serve the same box', async () => {
    const { network, service, store, deposit, collect, put } = await open()
    await put('a')
    const other = closing(new TestNetwork())
    const twin = other.createService({ key: service.key })
    closing(new Relay(twin, store))
    const collector = closing(await other.connect(collect.capability, CollectInterface))
    expect((await collector.receive(asking)).messages).toHaveLength(1)
    expect(network).not.toBe(other)
    expect(deposit.capability.keyHash).toBe(twin.keyHash)
  })
})

describe('what a relay keeps and hears', () => {
  test('no plaintext, key, box name, alias or secret is in its store', async () => {
    const network = closing(new TestNetwork())
    const kept: Uint8Array[] = []
    const entries = new MemoryOrderedStore()
    const write = entries.write.bind(entries)
    entries.write = (work) =>
      write((tx) =>
        work({
          get: (key) => tx.get(key),
          range: (start, end) => tx.range(start, end),
          remove: (key) => tx.remove(key),
          put: (key, value) => {
            kept.push(key.slice(), value.slice())
            tx.put(key, value)
          },
        }),
      )
    const relay = closing(new Relay(network.createService(), new OrderedMailboxStore(entries)))
    const client = closing(new RelayClient(relay.boxes.mint({}), { connect: network.connect }))
    const { deposit, collect } = await client.openBox({ to: ada.publicKey })
    const sender = generateKeyPair()
    const box = closing(await network.connect(deposit.capability, DepositInterface))
    const writer = new EnvelopeWriter({ to: ada.publicKey, box: deposit.box }, { pattern: 'X', key: sender })
    const header = {
      series: new Uint8Array(16).fill(0x5a),
      sequence: 0,
      previous: undefined,
      sentAt: 1,
      expires: 2,
      contentType: 'text/canary',
      headers: { canary: 'a canary in a header' },
      reply: deposit.export(),
      receipt: undefined,
      inReplyTo: undefined,
    }
    const envelope = writer.seal({ header, body: utf8('a canary in the body') })
    await box.deposit({ messages: [{ envelope, expiresMs: LATER }] })
    const all = kept.map(hexEncode).join(' ')
    expect(all).toContain(hexEncode(envelope))
    const aliases = [deposit, collect].map(({ capability }) => parseAlias(capability.object!.split('/')[1]!)!)
    const secrets = [
      utf8('canary'),
      ada.publicKey,
      sender.publicKey,
      keyHash(ada.publicKey),
      deposit.box,
      header.series,
      ...aliases,
      ...aliases.map((_, i) => utf8([deposit, collect][i]!.capability.object!.split('/')[1]!)),
    ]
    for (const secret of secrets) expect(all).not.toContain(hexEncode(secret))
  })

  test('NotifyInterface has no method that shows a message', () => {
    expect([...NotifyInterface.methods.keys()]).toEqual(['wait', 'watch'])
  })
})
