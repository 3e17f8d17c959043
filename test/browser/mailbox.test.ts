// The mailbox of a page, in a real browser, at a real relay over WebSockets that comes and goes.
import type { BrowserContext } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { asPublicKey } from '../../src/crypto/index.js'
import { connect, generateKeyPair, Service, ServiceKey } from '../../src/index.js'
import {
  CollectAddress,
  CollectInterface,
  Inbox,
  type MailboxStore,
  MemoryOrderedStore,
  memoryMailboxStore,
  Outbox,
  Relay,
  RelayClient,
} from '../../src/mailbox/index.js'
import { attachWebSocket } from '../../src/transport/websocket-server.js'
import { noChromium, openTab, type Site, startSite, type Tab, toldBy } from './site.js'

interface Told {
  readonly publicKey: readonly number[]
}
interface Got {
  readonly value?: unknown
  readonly bytes?: number
  readonly sum: number
}

/** A relay behind a path of the site; `deposited` gets the number of messages of each deposit. */
async function startRelay(site: Site, key: ServiceKey, store: MailboxStore, deposited: number[]) {
  const service = Service.create(key, {
    interceptors: [
      ({ method, input }, next) => {
        if (method === 'deposit') deposited.push((input as { messages: readonly unknown[] }).messages.length) // validated
        return next()
      },
    ],
  })
  const relay = new Relay(service, store)
  const attached = await attachWebSocket(site.server, '/relay', (pipe) => service.accept(pipe))
  return {
    opener: relay.boxes.mint({}, { at: [`ws://127.0.0.1:${site.port}/relay`] }),
    [Symbol.asyncDispose]: async () => {
      attached.close()
      await relay[Symbol.asyncDispose]()
      await service.close(0)
    },
  }
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)

describe.skipIf(noChromium)('a mailbox in Chromium', { timeout: 120_000 }, () => {
  let site: Site
  let address: string
  let context: BrowserContext
  let key: ServiceKey
  let store: MailboxStore
  let deposited: number[]
  let relay: Awaited<ReturnType<typeof startRelay>> | undefined

  beforeAll(async () => {
    site = await startSite()
    address = await site.addPage('mailbox')
  })
  afterAll(() => site?.[Symbol.asyncDispose]())
  beforeEach(async () => {
    context = await site.browser.newContext()
    key = ServiceKey.generate()
    store = memoryMailboxStore()
    deposited = []
    await start()
  })
  afterEach(async () => {
    await context.close()
    await stop()
    await store[Symbol.asyncDispose]()
  })

  async function start(): Promise<void> {
    relay = await startRelay(site, key, store, deposited)
  }
  async function stop(): Promise<void> {
    await relay?.[Symbol.asyncDispose]()
    relay = undefined
  }
  const openBox = async (to: Uint8Array) => {
    await using client = new RelayClient(relay!.opener, { connect })
    return await client.openBox({ to: asPublicKey(Uint8Array.from(to)) })
  }
  const open = async () => {
    const tab = await openTab(context, address)
    const { publicKey } = await toldBy<Told>(tab)
    return { ...tab, publicKey: Uint8Array.from(publicKey) }
  }
  const reload = async (tab: Tab) => {
    await tab.page.reload()
    await toldBy<Told>(tab)
  }
  const ask = <T>({ page }: Tab, code: string): Promise<T> => page.evaluate<T>(`page.${code}`)
  const got = async (tab: Tab) => (await ask<Got[]>(tab, 'got')).map(({ value, bytes }) => value ?? bytes)
  /** What is said in the console of each attempt to reach a relay that is away, and nothing else. */
  const strange = ({ complaints }: Tab) => complaints.filter((each) => !each.includes('/relay'))

  test('what was written offline goes out once and in order after a reload, and is read once, whatever is reloaded', async () => {
    const bob = await open()
    const opener = JSON.stringify(relay!.opener.export())
    const box = await ask<{ deposit: string; collect: string }>(bob, `openBox(${opener})`)
    await stop()

    const ana = await open()
    await ask(ana, `write(${JSON.stringify(box.deposit)})`)
    expect(await ask(ana, `send(${JSON.stringify(range(0, 5))})`)).toBe(5)
    expect(await ask(ana, 'sendBytes(3000000)')).toBe(6)
    await ask(ana, `sendAtOnce(${JSON.stringify(range(5, 40))})`)
    await reload(ana)
    expect(await ask(ana, 'waiting()')).toBe(41)
    // The large body lies on disk and not in memory.
    expect((await ask<{ bytes: number }>(ana, 'entries()')).bytes).toBeLessThan(500_000)
    await ask(ana, 'send(["last"])')
    await start()
    await ask(ana, 'retry()')
    await ask(ana, 'flush()')
    expect(await ask(ana, 'waiting()')).toBe(0)
    expect((await ask<{ count: number }>(ana, 'entries()')).count).toBe(1) // where the series stands
    expect(deposited.reduce((sum, count) => sum + count, 0)).toBe(41) // and a body

    await using owner = await connect(CollectAddress.parse(box.collect).capability, CollectInterface)
    expect(await owner.stat()).toMatchObject({ arrivals: 42, messages: 42 })
    await ask(bob, `collect(${JSON.stringify(box.collect)})`)
    const all = [...range(0, 5), 3_000_000, ...range(5, 40), 'last']
    await expect.poll(() => got(bob)).toEqual(all)
    let sum = 0
    for (let i = 0; i < 3_000_000; i++)
      sum = (sum * 31 + (((i % 50_000) + Math.floor(i / 50_000) * 50_000) % 251)) >>> 0
    expect((await ask<Got[]>(bob, 'got'))[5]?.sum).toBe(sum)
    await expect.poll(async () => (await owner.stat())?.messages).toBe(0)

    await reload(bob)
    await ask(ana, 'send(["after"])')
    await expect.poll(() => got(bob)).toEqual(['after'])
    expect([...(await ask<unknown[]>(ana, 'failed')), ...(await ask<unknown[]>(bob, 'failed'))]).toEqual([])
    expect([...strange(ana), ...strange(bob)]).toEqual([])
  })

  test('messages whose acknowledgement was lost with the relay do not come again after a reload, nor in another tab', async () => {
    const tab = await open()
    const { deposit, collect } = await openBox(tab.publicKey)
    await using out = new Outbox(new MemoryOrderedStore(), deposit, { connect })
    for (const value of ['one', 'two', 'three']) await out.send(value)
    await out.flush()
    const other = await open()
    await ask(tab, 'hold()')
    await ask(tab, `collect(${JSON.stringify(collect.export())})`)
    await expect.poll(() => got(tab)).toEqual(['one', 'two', 'three'])
    await stop()
    await ask(tab, 'acknowledge()')
    await expect.poll(async () => (await ask<{ count: number }>(tab, 'entries()')).count).toBe(6)
    await reload(tab)
    await start()
    await ask(other, `collect(${JSON.stringify(collect.export())})`)
    await using box = await connect(collect.capability, CollectInterface)
    await expect.poll(async () => (await box.stat())?.messages).toBe(0)
    expect([await got(tab), await got(other)]).toEqual([[], []])
    await out.send('four')
    await expect.poll(async () => [...(await got(tab)), ...(await got(other))]).toEqual(['four'])
  })

  test('a body for which there is no room: mailbox/store; its room is free again, and what else is sent arrives', async () => {
    const browser = await context.newCDPSession(await context.newPage())
    await browser.send('Storage.overrideQuotaForOrigin', { origin: site.origin, quotaSize: 20_000_000 })
    const tab = await open()
    const { deposit, collect } = await openBox(tab.publicKey)
    await stop()
    await ask(tab, `write(${JSON.stringify(deposit.export())})`)
    await ask(tab, 'send(["before"])')
    expect(await ask(tab, 'sendBytes(40000000).catch((error) => error.code)')).toBe('mailbox/store')
    expect(await ask(tab, 'waiting()')).toBe(1)
    // What there was of it has been taken out, which Chromium counts after a moment.
    await expect.poll(() => ask(tab, 'send(["after"]).catch((error) => error.code)')).toBe(2)
    await start()
    await ask(tab, 'retry()')
    await ask(tab, 'flush()')
    await ask(tab, `collect(${JSON.stringify(collect.export())})`)
    await expect.poll(() => got(tab)).toEqual(['before', 'after'])
  })

  test('two tabs with one outbox: everything once and in order; one sends, and when it is closed the other goes on', async () => {
    const ada = generateKeyPair()
    const { deposit, collect } = await openBox(ada.publicKey)
    await stop()
    const [first, second] = [await open(), await open()]
    for (const tab of [first, second]) await ask(tab, `write(${JSON.stringify(deposit.export())})`)
    const texts = (name: string) => JSON.stringify(range(0, 30).map((i) => `${name} ${i}`))
    await Promise.all([ask(first, `send(${texts('first')})`), ask(second, `send(${texts('second')})`)])
    await expect.poll(() => ask(first, 'waiting()')).toBe(60)
    await expect.poll(() => ask(second, 'waiting()')).toBe(60)
    // The first tab has its turn. It ends without a word, as tabs do.
    await first.page.close()
    await ask(second, 'retry()')
    await start()
    await ask(second, 'retry()')
    await ask(second, 'flush()')
    const third = await open() // goes on with what was kept, of which nothing is left
    expect(await ask(third, 'waiting()')).toBe(0)
    await Promise.all([ask(second, 'send(["second 30"])'), ask(third, 'send(["third"])')])
    await ask(second, 'flush()')
    await ask(third, 'flush()')
    expect(deposited.reduce((sum, count) => sum + count, 0)).toBe(62) // none was sent twice

    const values: string[] = []
    const sequences: (number | undefined)[] = []
    for await (const message of new Inbox<string>(collect, ada, undefined, { connect })) {
      values.push(message.value)
      sequences.push(message.series?.sequence)
      await message.ack()
      if (values.length === 62) break
    }
    expect(sequences).toEqual(range(0, 62))
    const of = (name: string) => values.filter((value) => value.startsWith(name))
    expect(of('first')).toEqual(range(0, 30).map((i) => `first ${i}`))
    expect(of('second')).toEqual(range(0, 31).map((i) => `second ${i}`))
    expect([...strange(second), ...strange(third)]).toEqual([])
  })

  test('IndexedDbOrderedStore, two of one database: any works see and leave what they would in memory', async () => {
    const tab = await openTab(context, await site.addPage('indexed-db-store'))
    expect(await toldBy(tab)).toEqual({
      different: [],
      alike: true,
      heard: true,
      settled: ['fulfilled', 'rejected', 'fulfilled'],
      nines: ['9', '9,1', '9,9'],
      apart: 1_000,
      inMemory: 0,
      gone: true,
      behind: '43,1',
      closed: 'mailbox/store',
      kept: true,
    })
    expect(tab.complaints).toEqual([])
  })
})
