// Streams both ways between real peers: what arrives, who stops whom, and how much a sender takes from its source.
import { expect, test } from 'vitest'
import { z } from 'zod'
import { STREAMS_MAX } from '../../src/limits.js'
import {
  byteStream,
  bytes,
  type CallContext,
  Failure,
  iface,
  keep,
  method,
  type Reference,
  reference,
  type StreamSource,
  stream,
} from '../../src/rpc/index.js'
import { converse, settled } from './conversation.js'

const Cell = iface('Cell', { read: method(z.void(), z.number()) })
const Cells = z.object({ cell: z.custom<Reference<typeof Cell>>(Cell.accepts) })
const Numbers = z.custom<AsyncIterable<number>>()
const Bytes = z.custom<AsyncIterable<Uint8Array>>()

const Root = iface('Root', {
  items: stream(z.number(), z.unknown()),
  strict: stream(z.void(), z.number()),
  blob: stream(z.number(), bytes),
  cells: stream(z.number(), Cells),
  sum: method(z.object({ of: Numbers }), z.number()),
  size: method(z.object({ of: Bytes }), z.number()),
  double: stream(z.object({ of: Numbers }), z.number()),
  first: method(z.object({ of: Numbers }), z.number()),
  refuse: method(z.object({ of: z.unknown(), n: z.string() }), z.void()),
  ping: method(z.number(), z.number()),
})

/** What a source did. */
class Source {
  pulls = 0
  ended = 0
  failure: unknown
  signal: AbortSignal | undefined
  /** What each pull gives; the source fails with `failure` behind the last. */
  async *feed(count: number, make: (n: number) => unknown = (n) => n): AsyncGenerator<unknown> {
    try {
      for (let n = 0; n < count; n++) {
        this.pulls += 1
        yield make(n)
      }
      if (this.failure !== undefined) throw this.failure
    } finally {
      this.ended += 1
    }
  }
}

type Limits = NonNullable<Parameters<typeof converse>[2]>

async function world(limits: Limits = {}, make?: (n: number) => unknown) {
  const source = new Source()
  const heard: unknown[] = []
  let disposed = 0
  const disposedOne = () => {
    disposed += 1
  }
  const talk = await converse(
    Root,
    {
      items: (count, context: CallContext) => {
        source.signal = context.signal
        return source.feed(count, make)
      },
      strict: () => source.feed(2, (n) => (n === 0 ? 1 : 'text')) as StreamSource<number>,
      blob: (count) => source.feed(count, make ?? (() => new Uint8Array(1_000).fill(7))) as never,
      cells: (count) =>
        source.feed(count, (n) => ({
          cell: reference(Cell, {
            read: () => n,
            ...{ [Symbol.dispose]: disposedOne },
          }),
        })) as never,
      sum: async ({ of }) => {
        let sum = 0
        try {
          for await (const n of of) sum += n
        } catch (error) {
          heard.push(error)
          throw new Failure('aborted', 'the source failed')
        }
        return sum
      },
      size: async ({ of }) => {
        let size = 0
        for await (const piece of of) size += piece.length
        return size
      },
      double: async function* ({ of }) {
        try {
          for await (const n of of) yield 2 * n
        } finally {
          heard.push('double is over')
        }
      },
      first: async ({ of }) => {
        for await (const n of of) return n
        return -1
      },
      refuse: () => {},
      ping: (n) => n,
    },
    limits,
  )
  return { ...talk, source, heard, disposed: () => disposed }
}

const caught = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'none',
    (error) => error,
  )

async function all(items: AsyncIterable<unknown>): Promise<unknown[]> {
  const found: unknown[] = []
  for await (const item of items) found.push(item)
  return found
}

/** Both tables are empty once everything has arrived. */
async function expectEmpty(talk: Awaited<ReturnType<typeof world>>): Promise<void> {
  await settled()
  expect(talk.client.openStreams).toBe(0)
  expect(talk.service.openStreams).toBe(0)
  expect(talk.client.openCalls).toBe(0)
  expect(talk.service.servedCalls).toBe(0)
}

test('a stream of items arrives in order and whole, and its source is run to its end', async () => {
  const talk = await world()
  expect(await all(talk.root.items(1_000))).toEqual(Array.from({ length: 1_000 }, (_, n) => n))
  expect(talk.source.ended).toBe(1)
  await expectEmpty(talk)
  talk.close()
})

test('a stream of bytes arrives whole through a window that is smaller than it', async () => {
  const talk = await world({ client: { initialStreamBytes: 4_096 } })
  const pieces = (await all(talk.root.blob(100))) as Uint8Array[]
  expect(pieces.reduce((size, piece) => size + piece.length, 0)).toBe(100_000)
  expect(pieces.every((piece) => piece.every((byte) => byte === 7))).toBe(true)
  await expectEmpty(talk)
  talk.close()
})

test('an async iterable, a Web Stream and a stream of bytes are arguments', async () => {
  const talk = await world()
  const { root } = talk
  async function* numbers() {
    yield* [1, 2, 3]
  }
  const web = new ReadableStream<number>({
    start(controller) {
      for (const n of [4, 5]) controller.enqueue(n)
      controller.close()
    },
  })
  async function* pieces() {
    for (let i = 0; i < 10; i++) yield new Uint8Array(50_000)
  }
  expect(await root.sum({ of: numbers() })).toBe(6)
  expect(await root.sum({ of: web as never })).toBe(9)
  expect(await root.size({ of: byteStream(pieces()) as never })).toBe(500_000)
  await expectEmpty(talk)
  talk.close()
})

test('a two-way stream answers while its argument is still being sent', async () => {
  const talk = await world()
  const waiting: (() => void)[] = []
  async function* steps() {
    for (let n = 0; n < 3; n++) {
      yield n
      await new Promise<void>((resolve) => waiting.push(resolve))
    }
  }
  const answers = talk.root.double({ of: steps() })
  for (let n = 0; n < 3; n++) {
    expect(await answers.next()).toEqual({ done: false, value: 2 * n })
    await expect.poll(() => waiting.length).toBe(n + 1)
    waiting[n]?.()
  }
  expect(await answers.next()).toEqual({ done: true, value: undefined })
  await expectEmpty(talk)
  talk.close()
})

test('leaving early stops the producer: its finally runs, and its signal is aborted', async () => {
  const talk = await world({ client: { initialStreamBytes: 100 } })
  for await (const item of talk.root.items(1_000_000)) if (item === 3) break
  await expect.poll(() => talk.source.ended).toBe(1)
  expect(talk.source.signal?.aborted).toBe(true)
  expect(talk.source.pulls).toBeLessThan(200)
  await expectEmpty(talk)
  talk.close()
})

test('a handler that leaves its argument early stops the source of the caller', async () => {
  const talk = await world({ service: { initialStreamBytes: 100 } })
  const own = new Source()
  expect(await talk.root.first({ of: own.feed(1_000_000) as AsyncIterable<number> })).toBe(0)
  await expect.poll(() => own.ended).toBe(1)
  await expectEmpty(talk)
  talk.close()
})

test('an early return of a two-way stream ends both of its sources', async () => {
  const talk = await world({ service: { initialStreamBytes: 100 } })
  const own = new Source()
  const answers = talk.root.double({ of: own.feed(1_000_000) as AsyncIterable<number> })
  expect(await answers.next()).toEqual({ done: false, value: 0 })
  await answers.return()
  await expect.poll(() => own.ended).toBe(1)
  await expect.poll(() => talk.heard).toEqual(['double is over'])
  await expectEmpty(talk)
  talk.close()
})

test('what a source fails with reaches the reader behind the items: a Failure as it is, else an id alone', async () => {
  const talk = await world()
  for (const [failure, expected] of [
    [new Failure('out_of_range', 'no more'), { code: 'rpc/out_of_range', method: 'items' }],
    [
      new Failure('declared', 'Full', { name: 'Full', data: { left: 0 } }),
      // The interface does not declare it, so nothing says what its data may be.
      { code: 'rpc/declared', failureName: 'Full', data: undefined },
    ],
    [new Error('hunter2'), { code: 'rpc/internal', errorId: expect.stringMatching(/^[0-9a-f]{16}$/) }],
  ] as const) {
    talk.source.failure = failure
    const items = talk.root.items(2)
    expect(await items.next()).toEqual({ done: false, value: 0 })
    expect(await items.next()).toEqual({ done: false, value: 1 })
    const error = await caught(items.next())
    expect(error).toMatchObject(expected)
    expect(String((error as Error).message)).not.toContain('hunter2')
    expect(await items.next()).toEqual({ done: true, value: undefined })
  }
  expect(talk.errors).toMatchObject([{ error: { message: 'hunter2' } }])
  await expectEmpty(talk)
  talk.close()
})

test('a source of the caller that fails is told to the handler without its message', async () => {
  const talk = await world()
  const own = new Source()
  own.failure = new Failure('data_loss', 'told')
  expect(await caught(talk.root.sum({ of: own.feed(2) as AsyncIterable<number> }))).toMatchObject({
    code: 'rpc/aborted',
  })
  expect(talk.heard).toMatchObject([{ code: 'rpc/data_loss' }])
  await expectEmpty(talk)
  talk.close()
})

test('an item that cannot be sent fails the stream, and its source is ended', async () => {
  const talk = await world({}, (n) => (n === 1 ? () => 'no value' : n))
  const items = talk.root.items(5)
  expect(await items.next()).toEqual({ done: false, value: 0 })
  expect(await caught(items.next())).toMatchObject({ code: 'rpc/internal' })
  await expect.poll(() => talk.source.ended).toBe(1)
  await expectEmpty(talk)
  talk.close()
})

test('a piece of a stream of bytes that is no bytes fails it, and its source is ended', async () => {
  const talk = await world({}, (n) => (n === 1 ? 'text' : new Uint8Array(3)))
  expect(await caught(all(talk.root.blob(5)))).toMatchObject({ code: 'rpc/internal' })
  await expect.poll(() => talk.source.ended).toBe(1)
  await expectEmpty(talk)
  talk.close()
})

test('an item that the schema of its method refuses is rpc/bad_value at the reader, and stops the producer', async () => {
  const talk = await world()
  const items = talk.root.strict()
  expect(await items.next()).toEqual({ done: false, value: 1 })
  expect(await caught(items.next())).toMatchObject({ code: 'rpc/bad_value', method: 'strict' })
  await expect.poll(() => talk.source.ended).toBe(1)
  await expectEmpty(talk)
  talk.close()
})

test('a deadline ends both sides, however far the stream has come', async () => {
  const talk = await world({ client: { initialStreamBytes: 100 } })
  const items = talk.root.items(1_000_000, { timeoutMs: 50 })
  expect(await items.next()).toEqual({ done: false, value: 0 })
  await expect.poll(() => talk.source.ended).toBe(1)
  expect(talk.source.signal?.aborted).toBe(true)
  expect(await caught(all(items))).toMatchObject({ code: 'rpc/deadline_exceeded', method: 'items' })
  await expectEmpty(talk)
  talk.close()
})

test('an AbortSignal ends both sides', async () => {
  const talk = await world({ client: { initialStreamBytes: 100 } })
  const aborter = new AbortController()
  const items = talk.root.items(1_000_000, { signal: aborter.signal })
  expect(await items.next()).toEqual({ done: false, value: 0 })
  aborter.abort()
  expect(await caught(all(items))).toMatchObject({ code: 'rpc/canceled', method: 'items' })
  await expect.poll(() => talk.source.ended).toBe(1)
  expect(talk.source.signal?.aborted).toBe(true)
  await expectEmpty(talk)
  talk.close()
})

test('a reader that takes nothing makes the sender take no more from its source than the window holds', async () => {
  const item = 'x'.repeat(95)
  const talk = await world({ client: { initialStreamBytes: 1_000 } }, () => item)
  const items = talk.root.items(1_000)
  await settled()
  expect(talk.source.pulls).toBe(11) // each ITEM is 99 bytes: the eleventh leaves with 10 of credit
  expect(await items.next()).toEqual({ done: false, value: item })
  await settled()
  expect(talk.source.pulls).toBe(11) // less than half a window was read
  for (let i = 0; i < 5; i++) await items.next()
  await settled()
  expect(talk.source.pulls).toBe(17)
  await items.return()
  await expectEmpty(talk)
  talk.close()
})

test('a reader of bytes that takes nothing holds the sender back at its window', async () => {
  const talk = await world({ client: { initialStreamBytes: 5_000 } })
  const pieces = talk.root.blob(1_000)
  await settled()
  expect(talk.source.pulls).toBe(5)
  await pieces.return()
  await expectEmpty(talk)
  talk.close()
})

test('an item that is larger than the window passes, alone', async () => {
  const talk = await world({ client: { initialStreamBytes: 1_000 } }, (n) => 'x'.repeat(20_000 + n))
  const items = talk.root.items(3)
  await settled()
  expect(talk.source.pulls).toBe(1)
  expect((await all(items)).map((item) => (item as string).length)).toEqual([20_000, 20_001, 20_002])
  await expectEmpty(talk)
  talk.close()
})

test('an item beyond the largest message fails its stream, never the session', async () => {
  const talk = await world({ client: { maxMessageBytes: 50_000 } }, () => 'x'.repeat(60_000))
  expect(await caught(all(talk.root.items(3)))).toMatchObject({ code: 'rpc/resource_exhausted' })
  await expect.poll(() => talk.source.ended).toBe(1)
  expect(await talk.root.ping(4)).toBe(4)
  await expectEmpty(talk)
  talk.close()
})

test('the end of the session ends both sides', async () => {
  const talk = await world({ client: { initialStreamBytes: 100 }, service: { initialStreamBytes: 100 } })
  const own = new Source()
  const items = talk.root.items(1_000_000)
  const sum = caught(talk.root.sum({ of: own.feed(1_000_000) as AsyncIterable<number> }))
  expect(await items.next()).toEqual({ done: false, value: 0 })
  talk.close()
  expect(await caught(all(items))).toMatchObject({ code: 'rpc/disconnected', method: 'items' })
  expect(await sum).toMatchObject({ code: 'rpc/disconnected', mayHaveRun: true })
  await expect.poll(() => [talk.source.ended, own.ended]).toEqual([1, 1])
  await expect.poll(() => talk.heard).toMatchObject([{ code: 'rpc/disconnected' }])
  expect(talk.source.signal?.aborted).toBe(true)
  await expectEmpty(talk)
})

test('readable() gives the same items as a Web Stream, and canceling it stops the producer', async () => {
  const talk = await world({ client: { initialStreamBytes: 100 } })
  const reader = talk.root.items(1_000_000).readable().getReader()
  expect(await reader.read()).toEqual({ done: false, value: 0 })
  expect(await reader.read()).toEqual({ done: false, value: 1 })
  await reader.cancel()
  await expect.poll(() => talk.source.ended).toBe(1)
  await expectEmpty(talk)
  talk.close()
})

test('references in items are called, and disposed by their reader', async () => {
  const talk = await world()
  const found: number[] = []
  for await (const { cell } of talk.root.cells(20)) {
    using held = cell
    found.push(await held.read())
  }
  expect(found).toEqual(Array.from({ length: 20 }, (_, n) => n))
  await settled()
  expect(talk.exports.size).toBe(1)
  expect(talk.disposed()).toBe(20)
  await expectEmpty(talk)
  talk.close()
})

test('references in items that nobody read are let go with their stream', async () => {
  const talk = await world()
  const cells = talk.root.cells(20)
  const { value } = await cells.next()
  const held = keep(value!.cell)
  await settled()
  expect(talk.exports.size).toBe(21)
  await cells.return()
  value!.cell[Symbol.dispose]()
  await settled()
  expect(await held.read()).toBe(0)
  expect(talk.exports.size).toBe(2)
  held[Symbol.dispose]()
  await settled()
  expect(talk.disposed()).toBe(20)
  await expectEmpty(talk)
  talk.close()
})

test('a stream in the arguments of a call that is refused ends without harm to its session', async () => {
  const talk = await world()
  const own = new Source()
  for (let i = 0; i < 20; i++)
    expect(await caught(talk.root.refuse({ of: own.feed(300), n: 5 as never }))).toMatchObject({
      code: 'rpc/invalid_argument',
    })
  await expect.poll(() => own.ended).toBe(20)
  expect(await talk.root.ping(3)).toBe(3)
  await expectEmpty(talk)
  talk.close()
})

test('one stream more than a side may feed is refused at the call, and one that ends makes room', async () => {
  const talk = await world()
  let ended = 0
  const hang = (): AsyncIterable<number> => ({
    [Symbol.asyncIterator]: () => ({
      next: () => new Promise(() => {}),
      return: () => {
        ended += 1
        return Promise.resolve({ done: true, value: undefined })
      },
    }),
  })
  const aborter = new AbortController()
  const open = Array.from({ length: STREAMS_MAX - 1 }, () =>
    caught(talk.root.sum({ of: hang() }, { signal: aborter.signal })),
  )
  const more = caught(talk.root.size({ of: { a: hang(), b: hang() } as never }))
  expect(await more).toMatchObject({ code: 'rpc/resource_exhausted', mayHaveRun: false })
  expect(talk.client.openStreams).toBe(STREAMS_MAX - 1)
  aborter.abort()
  await Promise.all(open)
  await expect.poll(() => ended).toBe(STREAMS_MAX - 1)
  await settled()
  expect(await talk.root.first({ of: new Source().feed(3) as AsyncIterable<number> })).toBe(0)
  await expectEmpty(talk)
  talk.close()
})

test('a small call is answered while a stream of bytes runs', async () => {
  const talk = await world({}, () => new Uint8Array(65_536))
  let got = 0
  const pieces = talk.root.blob(400)
  const reading = (async () => {
    for await (const piece of pieces) got += piece.length
  })()
  await expect.poll(() => got).toBeGreaterThan(0)
  for (let n = 0; n < 20; n++) expect(await talk.root.ping(n)).toBe(n)
  expect(got).toBeLessThan(400 * 65_536)
  await reading
  expect(got).toBe(400 * 65_536)
  await expectEmpty(talk)
  talk.close()
})
