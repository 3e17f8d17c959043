// Lists mapped by the service: recorded once, one message out and one back, by the rules of calls that the client sends.
import { afterEach, describe, expect, test } from 'vitest'
import { CALLS_IN_FLIGHT_MAX } from '../../src/limits.js'
import { createStub, map, pipelined, reference } from '../../src/rpc/index.js'
import { OP } from '../../src/rpc/wire.js'
import { settled } from './conversation.js'
import { exportOf, MappingAuthority, openShop, Pen, Shop, shopOf } from './mapping.js'

const PRESENTATION = { locator: new Uint8Array(8), proof: new Uint8Array(32), holderSalts: [] }

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

async function world(...given: Parameters<typeof openShop>) {
  const opened = await openShop(...given)
  closers.push(opened.close)
  return opened
}

describe('one message out, one answer back', () => {
  test('100 elements with 3 calls each', async () => {
    const { shop, sent, events } = await world(1_024)
    const names = await map(shop.items(100), (item) => ({
      name: item.name(),
      double: item.price(2),
      maker: item.maker().name(),
    }))
    expect(names).toHaveLength(100)
    expect(names[7]).toEqual({ name: 'item 7', double: 14, maker: 'maker of 7' })
    expect(events.calls).toBe(300)
    // The list was asked for in the same turn; FINISH lets go of it.
    expect(sent.client.ops()).toEqual([OP.call, OP.map, OP.finish])
    expect(sent.client.records).toHaveLength(2)
    expect(sent.service.ops()).toEqual([OP.return, OP.return])
  })

  test('a list that is there', async () => {
    const { shop, sent } = await world(1_024)
    const list = shop.items(50)
    await list
    sent.client.clear()
    sent.service.clear()
    const prices = await map(list, (item) => item.price(3))
    expect(prices).toEqual(Array.from({ length: 50 }, (_, i) => 3 * i))
    expect(sent.client.ops()).toEqual([OP.map])
    expect(sent.service.ops()).toEqual([OP.return])
  })

  test('a list that was asked for in an earlier turn and is still to come', async () => {
    const { shop, gate } = await world(1_024)
    const list = shop.slow(2)
    await settled()
    const names = map(list, (item) => item.name())
    await settled()
    for (const open of gate.splice(0)) open()
    expect(await names).toEqual(['item 0', 'item 1'])
  })
})

describe('what a step may do', () => {
  test('members of elements, results as inputs, members of results', async () => {
    const { shop } = await world(1_024)
    const mapped = await map(shop.catalogue(3), ({ item }) => {
      const details = item.details()
      return { echoed: item.echo({ name: item.name(), of: [details] }), tags: details }
    }).catch((error: unknown) => error)
    // An object with references in it is no data that could be passed on.
    expect(mapped).toMatchObject({ code: 'rpc/failed_precondition' })
    const echoed = await map(shop.catalogue(3), ({ item }) => item.echo({ name: item.name(), of: [1, null] }))
    expect(echoed[2]).toEqual({ name: 'item 2', of: [1, null] })
    const makers = await map(shop.catalogue(3), (entry) => pipelined(entry.item.details()).maker.name())
    expect(makers).toEqual(['maker of 0', 'maker of 1', 'maker of 2'])
  })

  test('captured values, references of the service, and objects of the client', async () => {
    const { shop, client, exports } = await world(1_024)
    const pen = await shop.pen()
    const own: string[] = []
    const mine = reference(Pen, {
      note: (text: string) => {
        own.push(text)
        return `noted ${text}`
      },
    })
    const text = 'hello'
    const noted = await map(shop.items(3), (item) => [
      item.tell({ to: pen, text }),
      item.tell({ to: mine, text }),
      item.tell({ to: mine, text: 'again' }),
    ])
    expect(noted[1]).toEqual(['1: hello', 'noted 1: hello', 'noted 1: again'])
    expect(own).toHaveLength(6)
    await settled()
    // Sent twice, given back twice: nothing of it is left at either side, and no release was one too many.
    expect(client.connection.isOpen).toBe(true)
    pen[Symbol.dispose]()
    await settled()
    expect(exports.size).toBe(1 + 3)
    expect(await shop.words()).toBe('not a list')
  })

  test('references in results belong to the caller, all others are let go', async () => {
    const { shop, events, exports } = await world(1_024)
    const items = await shop.items(4)
    const list = Promise.resolve(items)
    expect(() => map(list, (item) => item.name())).toThrow(TypeError)
    const again = shop.items(4)
    const makers = await map(again, (item) => {
      item.maker()
      return { kept: item.maker(), item }
    })
    await settled()
    expect(events.disposed).toBe(4) // makers that no result holds
    expect(await makers[2]!.kept.name()).toBe('maker of 2')
    for (const { kept, item } of makers) {
      kept[Symbol.dispose]()
      item[Symbol.dispose]()
    }
    for (const item of await again) item[Symbol.dispose]()
    for (const item of items) item[Symbol.dispose]()
    await settled()
    expect(exports.size).toBe(1)
    expect(events.disposed).toBe(4 + 4 + 8)
  })

  test('an empty list, a map of a map, and a call on a result of a map', async () => {
    const { shop, sent } = await world(1_024)
    expect(await map(shop.items(0), (item) => item.name())).toEqual([])
    sent.client.clear()
    const makers = map(shop.items(3), (item) => item.maker())
    const names = map(makers, (maker) => maker.name())
    const first = pipelined(makers)[0]!.name()
    expect([await names, await first]).toEqual([['maker of 0', 'maker of 1', 'maker of 2'], 'maker of 0'])
    expect(sent.client.records.length).toBeLessThanOrEqual(2)
  })
})

describe('what cannot be replayed is refused while it is recorded', () => {
  test('TypeErrors, and nothing is sent', async () => {
    const { shop, sent } = await world(1_024)
    const other = await world(1_024)
    const foreign = await other.shop.pen()
    const pending = shop.pen()
    const list = shop.items(1)
    await list
    sent.client.clear()
    const refused: ((item: never) => unknown)[] = [
      async (item: { name(): Promise<string> }) => `${await item.name()}!`,
      async (item: { name(): Promise<string> }) => item.name(),
      (item: { name(): Promise<string> }) => `${item.name()}!`,
      (item: { price(by: number): Promise<number> }) => Number(item.price(1)) > 3,
      (item: { name(): Promise<string> }) => Promise.resolve(item.name()),
      (item: { name(): Promise<string> }) => 'length' in item.name(),
      (item: Iterable<unknown>) => [...item],
      (item: { name(): Promise<string> }) => item.name().then(() => {}),
      (item: { tell(to: unknown): unknown }) => item.tell({ to: foreign, text: '' }),
      (item: { tell(to: unknown): unknown }) => item.tell({ to: pending, text: '' }),
      (item: { echo(value: unknown): unknown }) => item.echo(shop.words()),
      (item: { echo(value: unknown): unknown }) => item.echo(() => {}),
      (item: { echo(value: unknown): unknown }) => item.echo(new ReadableStream()),
      (item: { echo(value: unknown, options: object): unknown }) => item.echo(1, { timeoutMs: 1 }),
      (item: { echo(value: unknown): unknown }) => Array.from({ length: 65 }, () => item.echo(1)),
      (item: never) => item,
      () => 'nothing',
      (item: { a: { a: { a: { a: { a: { a: { a: { a: { a: { b(): unknown } } } } } } } } } }) =>
        item.a.a.a.a.a.a.a.a.a.b(),
    ]
    const loose = map as unknown as (list: object, step: (item: never) => unknown) => unknown
    for (const step of refused) expect(() => loose(list, step), String(step)).toThrow(TypeError)
    let late: { name(): unknown } | undefined
    await map(list, (item) => {
      late = item
      return item.name()
    })
    expect(() => late?.name()).toThrow(/only within the callback/)
    expect(sent.client.ops().filter((op) => op === OP.map)).toEqual([OP.map])
  })
})

test('an answer of data in an argument of a CALL leaves what stands behind it as it is', async () => {
  const { shop } = await world(undefined)
  const words = shop.words()
  expect(await shop.echo({ words, behind: [1, 'two', new Uint8Array(0)], last: words })).toEqual({
    words: 'not a list',
    behind: [1, 'two', new Uint8Array(0)],
    last: 'not a list',
  })
})

describe('failures', () => {
  test('off unless allowed', async () => {
    const { shop, events } = await world(undefined)
    await expect(map(shop.items(3), (item) => item.name())).rejects.toMatchObject({
      code: 'rpc/unimplemented',
      mayHaveRun: false,
      message: expect.stringContaining('option map of service.offer'),
    })
    const list = shop.items(3)
    await list
    await expect(map(list, (item) => item.name())).rejects.toMatchObject({ code: 'rpc/unimplemented' })
    expect(events.calls).toBe(0)
  })

  test('elements times steps beyond the budget', async () => {
    const { shop, events } = await world(10)
    const two = (item: { name(): Promise<string>; price(by: number): Promise<number> }) => [
      item.name(),
      item.price(1),
    ]
    expect(await map(shop.items(5), two)).toHaveLength(5)
    expect(events.calls).toBe(10)
    await expect(map(shop.items(6), two)).rejects.toMatchObject({
      code: 'rpc/resource_exhausted',
      mayHaveRun: false,
    })
    expect(events.calls).toBe(10)
  })

  test('the first failing element fails the map; others are canceled', async () => {
    const { shop, events } = await world(1_024)
    const mapped = map(shop.items(5), (item) => [item.wait(), item.fail(3)])
    await expect(mapped).rejects.toMatchObject({ code: 'rpc/not_found', mayHaveRun: true })
    expect(events.aborted).toBeGreaterThan(0)
    expect(events.aborted).toBe(events.running)
    expect(events.waiting.length).toBe(4) // the fifth was not begun
    for (const go of events.waiting.splice(0)) go()
    await settled()
    expect(await shop.words()).toBe('not a list')
  })

  test('a failing list, no list, an unknown method, streams, errors of handlers', async () => {
    const { shop, errors } = await world(1_024)
    await expect(map(shop.refused(), (item) => item.name())).rejects.toMatchObject({
      code: 'rpc/unavailable',
      mayHaveRun: false,
    })
    const words = shop.words() as unknown as ReturnType<typeof shop.items>
    await expect(map(words, (item) => item.name())).rejects.toMatchObject({ code: 'rpc/failed_precondition' })
    await expect(
      map(shop.items(1), (item) => (item as unknown as { nothing(): Promise<void> }).nothing()),
    ).rejects.toMatchObject({ code: 'rpc/unimplemented', mayHaveRun: false })
    await expect(map(shop.items(1), (item) => item.ticks())).rejects.toMatchObject({
      code: 'rpc/unimplemented',
    })
    const broken = map(shop.items(1), (item) => item.broken())
    await expect(broken).rejects.toMatchObject({ code: 'rpc/internal', mayHaveRun: true })
    const { errorId } = (await broken.catch((error: unknown) => error)) as { errorId: string }
    expect(errors).toEqual([expect.objectContaining({ method: 'broken', errorId })])
  })

  test('canceled and too late: handlers are told, the rest is not begun', async () => {
    const { shop, events, service } = await world(1_024, { maxCallsInFlight: 4 })
    const controller = new AbortController()
    const canceled = map(shop.items(50), (item) => item.wait(), { signal: controller.signal })
    await settled()
    controller.abort()
    await expect(canceled).rejects.toMatchObject({ code: 'rpc/canceled' })
    await settled()
    expect(events.aborted).toBe(events.running)
    for (const go of events.waiting.splice(0)) go()
    await settled()
    expect(events.calls).toBeLessThanOrEqual(4)
    expect(service.servedCalls).toBe(0)
    const late = map(shop.items(1), (item) => item.wait(), { timeoutMs: 20 })
    await expect(late).rejects.toMatchObject({ code: 'rpc/deadline_exceeded' })
    await expect.poll(() => events.aborted).toBe(events.calls)
  })
})

describe('as if the client had sent the calls', () => {
  test('never more handlers at once than the budget of calls in flight, and other calls go on', async () => {
    const { shop, events } = await world(CALLS_IN_FLIGHT_MAX, { maxCallsInFlight: 8 })
    const waited = map(shop.items(40), (item) => item.wait())
    await settled()
    expect(events.running).toBeGreaterThan(1)
    expect(await shop.words()).toBe('not a list')
    for (let i = 0; i < 40; i++) {
      for (const go of events.waiting.splice(0)) go()
      await settled(2)
    }
    expect(await waited).toHaveLength(40)
    expect(events.most).toBeLessThanOrEqual(8)
  })

  test('authorised one by one: a caveat methods holds for every element', async () => {
    const { shop, events } = await world(1_024, {}, ['echo'])
    const list = shop.echo([shop]) as Promise<readonly (typeof shop)[]>
    const denied = { code: 'rpc/permission_denied', mayHaveRun: false }
    await expect(map(list, (same) => same.words())).rejects.toMatchObject(denied)
    await list
    await expect(map(list, (same) => same.words())).rejects.toMatchObject(denied)
    expect(await map(list, (same) => same.echo('x'))).toEqual(['x'])
    expect(events.calls).toBe(0)
  })

  test('the end of the capability breaks a map off', async () => {
    const { shop, service, authority, events } = await world(1_024)
    const waited = map(shop.items(3), (item) => item.wait())
    waited.catch(() => {})
    await settled()
    authority.isLive = false
    service.breakAuthority(authority, 'revoked')
    await expect(waited).rejects.toMatchObject({ code: 'rpc/permission_denied', mayHaveRun: true })
    expect(events.aborted).toBe(3)
  })

  test('calls of one element keep their order, behind one that waits for a result', async () => {
    const { shop, events } = await world(1_024)
    const order: string[] = []
    const mine = reference(Pen, {
      note: (text: string) => {
        order.push(text)
        return text
      },
    })
    const mapped = map(shop.items(1), (item) => {
      const waited = item.wait()
      item.tell({ to: mine, text: waited as unknown as string })
      return item.tell({ to: mine, text: 'second' })
    })
    await settled()
    expect(order).toEqual([])
    for (const go of events.waiting.splice(0)) go()
    await mapped
    expect(order).toEqual(['0: waited 0', '0: second'])
  })

  test('a list whose references stand on several capabilities is refused', async () => {
    const { shop, client, exports, events, presented } = await world(1_024)
    const { object } = shopOf(events)
    const second = exportOf(new MappingAuthority(1_024), object)
    presented.made = () => exports.add(second)
    const other = createStub<typeof shop>(Shop, await client.present(PRESENTATION))
    const list = shop.echo([shop, other]) as Promise<readonly (typeof shop)[]>
    await list
    await expect(map(list, (each) => each.words())).rejects.toMatchObject({
      code: 'rpc/failed_precondition',
      mayHaveRun: false,
    })
  })
})
