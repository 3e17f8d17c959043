// What must and must not compile with methods and streams: inputs, outputs, items, errors, handlers, narrowed capabilities.
// No `any` reaches the user. References are in references.test-d.ts.
import { describe, expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import {
  byteStream,
  bytes,
  type CallContext,
  type CallOptions,
  type Calls,
  type Capability,
  type Handlers,
  iface,
  method,
  type OrAnswer,
  type ReceivedStream,
  type Reference,
  type Service,
  type StreamSource,
  stream,
  streamOf,
} from '../../src/index.js'

const Bytes = streamOf(bytes)
const Lengths = streamOf(z.string().transform(Number))
const Files = iface('Files', {
  count: method<void, number>(),
  stamp: method(z.object({ at: z.coerce.date() }), z.string().transform(Number), {
    errors: { full: z.object({ max: z.number() }), late: z.coerce.date() },
  }),
  find: method(z.string().optional(), z.union([z.string(), z.null()])),
  never: method<void, never>(),
  tail: stream(z.object({ from: z.number() }), z.string().transform(Number), {
    errors: { gone: z.object({ since: z.number() }) },
  }),
  all: stream<void, { name: string }>(),
  download: stream(z.string(), bytes),
  upload: method(
    z.object({ name: z.string(), data: z.custom<StreamSource<Uint8Array>>() }),
    z.object({ size: z.number() }),
  ),
  sum: method(Lengths, z.number()),
  put: method(
    z.object({ of: z.custom<StreamSource<Uint8Array>>(Bytes.is).transform(Bytes.receive) }),
    Lengths,
  ),
})
type Declared = (typeof Files)['declared']
type FilesCalls = Calls<Declared>
type Served = Handlers<Declared, CallContext>
declare const files: Reference<typeof Files>
declare const capability: Capability<FilesCalls>
declare const service: Service

describe('inputs', () => {
  test('are what the schema takes, or the answer of another call', () => {
    expectTypeOf(files.stamp).parameter(0).toEqualTypeOf<OrAnswer<{ at: unknown }>>()
    expectTypeOf(files.tail).parameter(0).toEqualTypeOf<OrAnswer<{ from: number }>>()
    expectTypeOf(files.tail).parameter(0).not.toBeAny()
    expectTypeOf(files.count).parameter(1).toEqualTypeOf<CallOptions | undefined>()
    void (() => files.download(Promise.resolve('name')))
    // @ts-expect-error a promise of something else
    void (() => files.download(files.count()))
  })

  test('may be left out where they are void or optional, and then be promises as well', () => {
    void (() => [files.count(), files.count(undefined, { timeoutMs: 5 }), files.all(), files.find()])
    void (() => files.find('name'))
    void (() => files.find(Promise.resolve('name')))
    // @ts-expect-error void takes nothing
    void (() => files.count(5))
    // @ts-expect-error not what is optional there
    void (() => files.find(5))
    // @ts-expect-error a stream needs its input as well
    void (() => files.tail())
    // @ts-expect-error a wrong input of a stream
    void (() => files.tail({ from: 'start' }))
    // @ts-expect-error a third argument
    void (() => files.count(undefined, {}, 1))
    // @ts-expect-error no such option
    void (() => files.count(undefined, { retries: 3 }))
  })
})

describe('outputs', () => {
  test('are what the schema gives', () => {
    expectTypeOf(files.count()).toEqualTypeOf<Promise<number>>()
    expectTypeOf(files.stamp({ at: 0 })).toEqualTypeOf<Promise<number>>()
    expectTypeOf(files.find()).toEqualTypeOf<Promise<string | null>>()
    expectTypeOf(files.never()).toEqualTypeOf<Promise<never>>()
    expectTypeOf(files.stamp({ at: 0 })).resolves.not.toBeAny()
  })

  test('of streams are received streams of items, or of bytes', () => {
    expectTypeOf(files.tail({ from: 0 })).toEqualTypeOf<ReceivedStream<number>>()
    expectTypeOf(files.all()).toEqualTypeOf<ReceivedStream<{ name: string }>>()
    expectTypeOf(files.download('a')).toEqualTypeOf<ReceivedStream<Uint8Array>>()
    expectTypeOf(files.download('a').readable()).toEqualTypeOf<ReadableStream<Uint8Array>>()
    expectTypeOf(files.all().next()).resolves.toEqualTypeOf<IteratorResult<{ name: string }, undefined>>()
    expectTypeOf(files.tail({ from: 0 })).not.toBeAny()
    // @ts-expect-error a stream is no promise
    void (() => files.all().then())
    void (async () => {
      for await (const item of files.tail({ from: 0 })) {
        expectTypeOf(item).toEqualTypeOf<number>()
        expectTypeOf(item).not.toBeAny()
      }
    })
  })

  test('streams are sent as iterables, Web Streams, bytes, and what another call gives', () => {
    const generate = async function* () {
      yield new Uint8Array(1)
    }
    void (() => files.upload({ name: 'a', data: generate() }))
    void (() => files.upload({ name: 'a', data: new ReadableStream<Uint8Array>() }))
    void (() => files.upload({ name: 'a', data: byteStream(generate()) }))
    void (() => files.upload({ name: 'a', data: files.download('b') }))
    // @ts-expect-error items of another type
    void (() => files.upload({ name: 'a', data: files.all() }))
    // @ts-expect-error no stream
    void (() => files.upload({ name: 'a', data: [new Uint8Array(1)] }))
  })
})

describe('declared errors', () => {
  test('narrow, for streams as well, and name no error that is not declared', () => {
    const error: unknown = undefined
    if (Files.isFailure(error, 'tail', 'gone')) {
      expectTypeOf(error.data).toEqualTypeOf<{ since: number }>()
      expectTypeOf(error.data).not.toBeAny()
      expectTypeOf(error.code).not.toBeAny()
    }
    if (Files.isFailure(error, 'stamp', 'late')) expectTypeOf(error.data).toEqualTypeOf<Date>()
    void (() => Files.failure('tail', 'gone', { since: 1 }))
    // @ts-expect-error declared by another method
    void (() => Files.isFailure(error, 'tail', 'full'))
    // @ts-expect-error the method declares none
    void (() => Files.isFailure(error, 'count', 'full'))
    // @ts-expect-error wrong data
    void (() => Files.failure('tail', 'gone', { since: 'yesterday' }))
  })
})

describe('handlers', () => {
  const good: Served = {
    count: () => 1,
    stamp: async ({ at }) => String(at.getTime()),
    find: (name) => name ?? null,
    never: () => {
      throw new Error('always')
    },
    async *tail({ from }) {
      yield String(from)
    },
    all: async () => new ReadableStream<{ name: string }>(),
    download: () => files.download('b'),
    upload: ({ data }) => ({ size: Symbol.asyncIterator in data ? 1 : 0 }),
    sum: async (lengths) => (await lengths.next()).value ?? 0,
    put: async function* ({ of }) {
      for await (const piece of of) yield String(piece.length)
    },
  }

  test('are sync, async, generators and Web Streams, and get what the schema gives', () => {
    expectTypeOf<Parameters<Served['stamp']>>().toEqualTypeOf<[input: { at: Date }, context: CallContext]>()
    expectTypeOf<Parameters<Served['tail']>>().toEqualTypeOf<
      [input: { from: number }, context: CallContext]
    >()
    expectTypeOf<Parameters<Served['find']>[0]>().toEqualTypeOf<string | undefined>()
    expectTypeOf<ReturnType<Served['stamp']>>().toEqualTypeOf<string | Promise<string>>()
    expectTypeOf<ReturnType<Served['tail']>>().toEqualTypeOf<
      StreamSource<string> | Promise<StreamSource<string>>
    >()
    expectTypeOf<Parameters<Served['all']>[1]>().not.toBeAny()
  })

  test('get checked streams, and callers give sources of what the items are made of', () => {
    expectTypeOf<Parameters<Served['sum']>[0]>().toEqualTypeOf<ReceivedStream<number>>()
    expectTypeOf<Parameters<Served['put']>[0]>().toEqualTypeOf<{ of: ReceivedStream<Uint8Array> }>()
    expectTypeOf(files.sum).parameter(0).toEqualTypeOf<OrAnswer<StreamSource<string>>>()
    expectTypeOf(files.put).parameter(0).toEqualTypeOf<OrAnswer<{ of: StreamSource<Uint8Array> }>>()
    expectTypeOf<Awaited<ReturnType<typeof files.put>>>().toEqualTypeOf<ReceivedStream<number>>()
    // @ts-expect-error a stream of something else
    void (() => files.sum(new ReadableStream<number>()))
  })

  test('that are wrong do not compile', () => {
    const { count: _, ...missing } = good
    // @ts-expect-error a method is missing
    void ((): Served => missing)
    // @ts-expect-error a method too many
    void ((): Served => ({ ...good, other: () => 1 }))
    // @ts-expect-error a wrong input
    void ((): Served => ({ ...good, stamp: ({ at }: { at: string }) => at }))
    // @ts-expect-error a wrong result
    void ((): Served => ({ ...good, count: () => 'one' }))
    // @ts-expect-error a wrong result that comes later
    void ((): Served => ({ ...good, count: async () => 'one' }))
    // biome-ignore format: the error stands in the line after the directive
    // @ts-expect-error a wrong item
    void ((): Served => ({ ...good, async *tail() { yield 5 } }))
    // @ts-expect-error no stream
    void ((): Served => ({ ...good, all: () => [{ name: 'a' }] }))
    // @ts-expect-error a stream of something else than bytes
    void ((): Served => ({ ...good, download: () => new ReadableStream<string>() }))
  })

  test('of an offer are checked in its factory, whose parameters come from the path', () => {
    void (() =>
      service.offer('/files/:owner', Files, ({ params }) => {
        expectTypeOf(params).toEqualTypeOf<{ readonly owner: string }>()
        return { ...good, [Symbol.dispose]() {} }
      }))
    // @ts-expect-error a method is missing
    void (() => service.offer('/files', Files, () => ({ count: () => 1 })))
  })
})

describe('a narrowed capability', () => {
  test('has the named methods, streams among them, and no others', () => {
    expectTypeOf(capability.attenuate({ methods: ['tail', 'count'] })).toEqualTypeOf<
      Capability<Pick<FilesCalls, 'tail' | 'count'>>
    >()
    const reader = capability.attenuate({ methods: ['tail'] })
    // @ts-expect-error narrowed away: a stream method
    void (() => reader.attenuate({ methods: ['download'] }))
    // @ts-expect-error no such method
    void (() => capability.attenuate({ methods: ['tail', 'remove'] }))
  })

  test('is minted by an offer', () => {
    void ((handlers: Served) => {
      const offer = service.offer('/files/:owner', Files, () => handlers)
      expectTypeOf(offer.mint({ owner: 'a' })).toEqualTypeOf<Capability<FilesCalls>>()
      expectTypeOf(offer.mint({ owner: 'a' }, { methods: ['tail'] })).toEqualTypeOf<
        Capability<Pick<FilesCalls, 'tail'>>
      >()
      // @ts-expect-error no such method
      offer.mint({ owner: 'a' }, { methods: ['remove'] })
      // @ts-expect-error no such parameter
      offer.mint({ user: 'a' }, { methods: ['tail'] })
    })
  })
})

test('what is no method in a declaration has no type that could be called or served', () => {
  // The declaration itself compiles, since its getters must not be looked at there; `iface` refuses it at run time.
  const wrong = () => iface('Wrong', { size: 5, count: method<void, number>() })
  expectTypeOf<Reference<ReturnType<typeof wrong>>['size']>().toBeNever()
  expectTypeOf<Handlers<ReturnType<typeof wrong>['declared'], CallContext>['size']>().toBeNever()
})
