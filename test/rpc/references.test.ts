// Live objects by reference, both ways: calls on them, pipelining through any depth, who lets go of what and when.
import { expect, test, vi } from 'vitest'
import { z } from 'zod'
import {
  CallError,
  iface,
  keep,
  method,
  pipelined,
  type Reference,
  reference,
  stream,
} from '../../src/rpc/index.js'
import { converse, settled } from './conversation.js'

const Counter = iface('Counter', {
  add: method(z.number(), z.number()),
  get next() {
    return method(z.void(), Counter)
  },
  fail: method<void, void>(),
})
const Listener = iface('Listener', { notify: method(z.string(), z.void()) })
const Shelf = z.object({
  items: z.array(z.object({ counter: z.custom<Reference<typeof Counter>>(Counter.accepts) })),
})

const Root = iface('Root', {
  counter: method(z.number(), Counter),
  slow: method(z.number(), Counter),
  shelf: method(z.void(), Shelf),
  sum: method(
    z.object({ a: z.custom<Reference<typeof Counter>>(Counter.accepts), b: z.number() }),
    z.number(),
  ),
  bump: method(Counter, z.number()),
  echo: method(Counter, Counter),
  double: method(z.number(), z.number()),
  watch: method(Listener, z.void()),
  ring: method(z.string(), z.void()),
  counters: stream(z.void(), Counter),
})

class CounterOf {
  static disposed = 0
  /** Of the world that runs: those of earlier ones are collected at any time. */
  static world = 0
  readonly #world = CounterOf.world
  #value: number
  constructor(value: number) {
    this.#value = value
  }
  add(by: number): number {
    this.#value += by
    return this.#value
  }
  next(): CounterOf {
    return new CounterOf(this.#value + 100)
  }
  fail(): void {
    throw new Error('secret')
  }
  [Symbol.dispose](): void {
    if (this.#world === CounterOf.world) CounterOf.disposed += 1
  }
}

type Kept = Reference<typeof Listener>

function world() {
  const kept: Kept[] = []
  CounterOf.disposed = 0
  CounterOf.world += 1
  return converse(Root, {
    counter: (start) => new CounterOf(start),
    slow: async (start) => {
      await settled(3)
      return new CounterOf(start)
    },
    shelf: () => ({
      items: [1, 2].map((start) => ({ counter: reference(Counter, new CounterOf(start)) })),
    }),
    sum: async ({ a, b }) => (await a.add(0)) + b,
    bump: (counter) => counter.add(1),
    echo: (counter) => counter,
    double: (value) => 2 * value,
    async *counters() {
      for (let start = 1; start <= 3; start++) yield new CounterOf(start)
    },
    watch: (listener) => {
      kept.push(keep(listener))
    },
    ring: async (text) => {
      for (const listener of kept) await listener.notify(text)
    },
  })
}

test('a method returns an object that can be called, and disposing it frees its export and the object', async () => {
  const { root, exports, close } = await world()
  {
    using counter = await root.counter(5)
    expect(await counter.add(2)).toBe(7)
    expect(await counter.add(2)).toBe(9)
    expect(exports.size).toBe(2)
  }
  await settled()
  expect(exports.size).toBe(1)
  expect(CounterOf.disposed).toBe(1)
  close()
})

test('calls on an answer that is not there yet are one round trip, through any depth', async () => {
  const { root, exports, errors, close } = await world()
  expect(await root.slow(1).next().next().add(1)).toBe(202)
  expect(await root.sum({ a: await root.counter(4), b: 3 })).toBe(7)
  await settled()
  expect(errors).toEqual([])
  close()
  await settled()
  expect(CounterOf.disposed).toBe(4)
  expect(exports.size).toBe(2) // the awaited one was never disposed, and went with the session
})

test('an answer stands as an argument, a reference or data, before it is there', async () => {
  const { root, close } = await world()
  expect(await root.bump(root.slow(7))).toBe(8)
  expect(await root.double(root.double(root.double(1)))).toBe(8)
  expect(await root.bump(root.counter(7).next())).toBe(108)
  close()
})

test('what is nested in an answer is called by its path', async () => {
  const { root, close } = await world()
  const shelf = pipelined(root.shelf())
  expect(await shelf.items[1]!.counter.add(5)).toBe(7)
  expect(await root.bump(shelf.items[1]!.counter)).toBe(8)
  expect(await root.bump(pipelined(root.shelf()).items[0]!.counter)).toBe(2)
  await expect(pipelined(root.shelf()).items[7]!.counter.add(1)).rejects.toMatchObject({
    code: 'rpc/failed_precondition',
    mayHaveRun: false,
  })
  close()
})

test('a failure of what is built on is the failure of what builds on it', async () => {
  const { root, close, errors } = await world()
  const error = await root.bump(root.counter(1).fail() as never).catch((reason: unknown) => reason)
  expect(error).toMatchObject({ code: 'rpc/internal', mayHaveRun: false })
  expect(errors).toHaveLength(1)
  close()
})

test('an object of the client is called by the service, as long as the service keeps it', async () => {
  const { root, client, close } = await world()
  const heard: string[] = []
  await root.watch({ notify: (text) => void heard.push(text) })
  await root.ring('a')
  await root.ring('b')
  expect(heard).toEqual(['a', 'b'])
  void client
  close()
})

test('an argument that nobody keeps is let go with its call', async () => {
  const { root, close } = await world()
  const disposed = vi.fn()
  class Own extends CounterOf {
    override [Symbol.dispose](): void {
      disposed()
    }
  }
  expect(await root.bump(new Own(1))).toBe(2)
  await settled()
  expect(disposed).toHaveBeenCalledTimes(1)
  close()
})

test('an object of the client that comes back is called right here', async () => {
  const { root, close } = await world()
  const own = reference(Counter, new CounterOf(40))
  using back = await root.echo(own)
  expect(await back.add(2)).toBe(42)
  expect(await own.add(0)).toBe(42)
  close()
})

test('a reference of one session is passed on in another', async () => {
  const [one, two] = await Promise.all([world(), world()])
  using counter = await one.root.counter(1)
  expect(await two.root.bump(counter)).toBe(2)
  expect(await counter.add(0)).toBe(2)
  one.close()
  await settled()
  await expect(two.root.bump(counter)).rejects.toMatchObject({ code: expect.stringMatching(/^rpc\//) })
  two.close()
})

test('ten thousand references that are disposed leave no export behind', async () => {
  const { root, client, exports, close } = await world()
  for (let i = 0; i < 100; i++) {
    const all = await Promise.all(Array.from({ length: 100 }, async (_, k) => await root.counter(k)))
    for (const counter of all) counter[Symbol.dispose]()
  }
  await settled()
  expect(exports.size).toBe(1)
  expect(client.openCalls).toBe(0)
  close()
})

test('intermediate answers that nobody asks for do not pile up', async () => {
  const { root, client, exports, close } = await world()
  for (let i = 0; i < 3_000; i++) await root.counter(i).add(1)
  expect(client.openCalls).toBeLessThan(200)
  expect(exports.size).toBe(1)
  close()
})

test("objects that a producer yields arrive as references, each its reader's; those nobody read are let go", async () => {
  const { root, exports, close } = await world()
  const counters = root.counters()
  for await (const counter of counters) {
    using own = counter
    expect(await own.add(1)).toBe(2)
    break
  }
  await settled()
  expect(exports.size).toBe(1)
  expect(CounterOf.disposed).toBe(3)
  close()
})

test('a call on what will be a reference of somebody else lets go of it afterwards', async () => {
  const [one, two] = await Promise.all([world(), world()])
  const counter = await one.root.counter(1)
  expect(await two.root.echo(counter).add(1)).toBe(2)
  expect(one.exports.size).toBe(2)
  counter[Symbol.dispose]()
  await settled(40)
  // The answer itself is let go once nobody can build on it any more.
  for (let i = 0; i < 200; i++) await two.root.counter(i).add(1)
  await settled(40)
  expect(one.exports.size).toBe(1)
  one.close()
  two.close()
})

test.each(['answer', 'reference'])(
  'later calls on an object stay behind one whose arguments are still to come, by its %s too',
  async (by) => {
    const { root, close } = await world()
    const counter = root.counter(0)
    // An answer that is kept is called by its number even when it is there.
    const held = by === 'answer' ? counter : await counter
    if (by === 'answer') await settled()
    const sums = [counter.add(root.slow(10).add(0)), held.add(1), counter.add(2)]
    expect(await Promise.all(sums)).toEqual([10, 11, 13])
    close()
  },
)

test('an answer that is let go while a call on it waits for its arguments is there when they come', async () => {
  const { root, close } = await world()
  const counter = root.counter(1)
  const sum = counter.add(root.slow(3).add(1))
  counter[Symbol.dispose]()
  expect(await sum).toBe(5)
  close()
})

test('beyond its exports a service says resource_exhausted, and the session goes on', async () => {
  const { root, errors, close } = await converse(
    Root,
    { counter: (start: number) => new CounterOf(start), double: (value: number) => 2 * value } as never,
    { service: { maxExports: 3 } },
  )
  const [first, second] = [await root.counter(1), await root.counter(2)]
  await expect(root.counter(3)).rejects.toMatchObject({
    code: 'rpc/resource_exhausted',
    message: expect.stringContaining('Cannot send references: the session has as many as it may'),
  })
  expect(errors).toEqual([])
  first[Symbol.dispose]()
  await settled()
  expect(await (await root.counter(4)).add(0)).toBe(4)
  expect(await second.add(0)).toBe(2)
  close()
})

test('beyond its own exports a client is told which call failed and what to do, and nothing is sent', async () => {
  const bumped = vi.fn((_counter: unknown) => 0)
  const { root, close } = await converse(
    Root,
    {
      bump: (counter: Reference<typeof Counter>) => bumped(keep(counter)),
      double: (value: number) => value,
    } as never,
    { client: { maxExports: 1 } },
  )
  await root.bump(new CounterOf(1))
  await expect(root.bump(new CounterOf(2))).rejects.toMatchObject({
    code: 'rpc/resource_exhausted',
    method: 'bump',
    mayHaveRun: false,
    hint: expect.stringContaining('Dispose references'),
  })
  expect(bumped).toHaveBeenCalledTimes(1)
  expect(await root.double(3)).toBe(3)
  close()
})

test('an error of somebody else that says resource_exhausted does not cross with its text', async () => {
  const { root, errors, close } = await converse(Root, {
    double: () => {
      throw new CallError('rpc/resource_exhausted', 'secret of another', { method: '', mayHaveRun: true })
    },
  } as never)
  const error = (await root.double(1).catch((reason: unknown) => reason)) as CallError
  expect(error).toMatchObject({ code: 'rpc/internal' })
  expect(error.message).not.toContain('secret')
  expect(errors).toHaveLength(1)
  close()
})
