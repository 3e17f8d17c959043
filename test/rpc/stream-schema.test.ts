// Streams in inputs and results whose items a schema checks: what a reader gets, what a bad item does, and that all ends.
import { expect, test } from 'vitest'
import { z } from 'zod'
import {
  byteStream,
  bytes,
  CallError,
  Failure,
  iface,
  method,
  reference,
  type StreamSource,
  stream,
  streamOf,
} from '../../src/rpc/index.js'
import { converse, settled } from './conversation.js'

const Cell = iface('Cell', { read: method(z.void(), z.number()) })
const Numbers = streamOf(z.number().max(100))
const Bytes = streamOf(bytes)
/** Its schema answers later, and gives something else than it got. */
const Texts = streamOf(z.string().transform(async (text) => text.length))

const Root = iface('Root', {
  sum: method(Numbers, z.number()),
  upload: method(
    z.object({
      name: z.string(),
      data: z.custom<StreamSource<Uint8Array>>(Bytes.is).transform(Bytes.receive),
    }),
    z.string(),
  ),
  lengths: stream(Texts, z.number()),
  first: method(Numbers, z.number()),
  caught: method(Numbers, z.string()),
  cells: method(streamOf(Cell), z.number()),
  loose: method<void, unknown>(),
  numbers: method(z.unknown(), Numbers),
})

/** A source, and what was done to it. */
function feed(items: readonly unknown[]) {
  const seen = { pulls: 0, ended: 0 }
  async function* pieces() {
    try {
      for (const item of items) {
        seen.pulls += 1
        yield item as never
      }
    } finally {
      seen.ended += 1
    }
  }
  return { seen, source: pieces() }
}

async function world() {
  const talk = await converse(
    Root,
    {
      sum: async (numbers) => {
        let sum = 0
        for await (const n of numbers) sum += n
        return sum
      },
      upload: async ({ name, data }) => `${name}: ${await new Response(data.readable()).text()}`,
      async *lengths(texts) {
        yield* texts
      },
      first: async (numbers) => {
        for await (const n of numbers) return n
        return -1
      },
      caught: async (numbers) => {
        const [first, ...later] = await Promise.allSettled([numbers.next(), numbers.next(), numbers.next()])
        expect(first).toMatchObject({ value: { done: false, value: 1 } })
        return later
          .map((result) => (result.status === 'rejected' ? String(result.reason) : `${result.value.done}`))
          .join('; ')
      },
      cells: async (cells) => {
        let sum = 0
        for await (const cell of cells) sum += await cell.read()
        return sum
      },
      loose: () => undefined,
      numbers: (given) => feed(given as unknown[]).source,
    },
    { service: { initialStreamBytes: 4_096 } },
  )
  return {
    ...talk,
    async expectEmpty() {
      await settled()
      expect(talk.client.openStreams + talk.service.openStreams).toBe(0)
      expect(talk.client.openCalls + talk.service.servedCalls).toBe(0)
      expect(talk.errors).toEqual([])
      talk.close()
    },
  }
}

const reasonOf = (promise: PromiseLike<unknown>): Promise<unknown> =>
  Promise.resolve(promise).then(
    () => 'none',
    (error) => error,
  )

test('a stream is the whole input, and its items are checked', async () => {
  const talk = await world()
  const { seen, source } = feed([1, 2, 3])
  expect(await talk.root.sum(source)).toBe(6)
  expect(seen).toEqual({ pulls: 3, ended: 1 })
  const web = new ReadableStream<number>({
    start(controller) {
      controller.enqueue(40)
      controller.enqueue(2)
      controller.close()
    },
  })
  expect(await talk.root.sum(web)).toBe(42)
  await talk.expectEmpty()
})

test('a stream of bytes is a field of another library’s schema', async () => {
  const talk = await world()
  const data = byteStream(new Blob(['some bytes']).stream())
  expect(await talk.root.upload({ name: 'a', data })).toBe('a: some bytes')
  const error = await reasonOf(talk.root.upload({ name: 'a', data: feed(['text']).source }))
  expect(error).toMatchObject({ code: 'rpc/invalid_argument' })
  expect(await reasonOf(talk.root.upload({ name: 'a', data: 'no stream' as never }))).toMatchObject({
    code: 'rpc/invalid_argument',
    mayHaveRun: false,
  })
  await talk.expectEmpty()
})

test('items are what their schema makes of them, also later; both ways', async () => {
  const talk = await world()
  const lengths: number[] = []
  for await (const length of talk.root.lengths(feed(['a', '', 'ccc']).source)) lengths.push(length)
  expect(lengths).toEqual([1, 0, 3])
  await talk.expectEmpty()
})

test('an item that does not fit fails the call of a handler that lets it through, and stops the sender', async () => {
  const talk = await world()
  const { seen, source } = feed([1, 'two', ...Array.from({ length: 10_000 }, () => 3)])
  const error = await reasonOf(talk.root.sum(source))
  expect(error).toBeInstanceOf(CallError)
  expect(error).toMatchObject({ code: 'rpc/invalid_argument', mayHaveRun: true })
  expect(String(error)).toContain('an item of the stream: ')
  await settled()
  expect(seen.ended).toBe(1)
  expect(seen.pulls).toBeLessThan(10_000)
  await talk.expectEmpty()
})

test('it is thrown once, then the stream is over', async () => {
  const talk = await world()
  const told = await talk.root.caught(feed([1, 101, 3]).source)
  expect(told).toMatch(/^Failure: an item of the stream: [^;]+; (true|false)$/)
  await talk.expectEmpty()
})

test('what is no stream is refused before the handler runs', async () => {
  const talk = await world()
  for (const wrong of [undefined, null, 1, 'text', [1, 2], {}]) {
    expect(await reasonOf(talk.root.sum(wrong as never))).toMatchObject({
      code: 'rpc/invalid_argument',
      mayHaveRun: false,
      message: expect.stringContaining('expected a stream'),
    })
  }
  await talk.expectEmpty()
})

test('a reader that leaves stops the sender', async () => {
  const talk = await world()
  const { seen, source } = feed(Array.from({ length: 10_000 }, (_, n) => n % 100))
  expect(await talk.root.first(source)).toBe(0)
  await settled()
  expect(seen.ended).toBe(1)
  await talk.expectEmpty()
})

test('references are items', async () => {
  const talk = await world()
  const cells = feed([1, 2].map((n) => reference(Cell, { read: () => n })))
  expect(await talk.root.cells(cells.source)).toBe(3)
  await talk.expectEmpty()
})

test('a result holds a stream: its reader gets what fits, and learns what does not', async () => {
  const talk = await world()
  const good = await talk.root.numbers([1, 2])
  for (const value of [1, 2]) expect(await good.next()).toEqual({ done: false, value })
  expect(await good.next()).toEqual({ done: true, value: undefined })
  const bad = await talk.root.numbers([1, 'two', 3])
  expect(await bad.next()).toEqual({ done: false, value: 1 })
  const error = await reasonOf(bad.next())
  expect(error).toBeInstanceOf(Failure)
  expect(error).toMatchObject({ reason: 'invalid_argument' })
  expect(await bad.next()).toEqual({ done: true, value: undefined })
  await talk.expectEmpty()
})
