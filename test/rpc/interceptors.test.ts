// Interceptors over a real service and a real connection: order, options, retries, streams, references, errors, limits of time.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import {
  CallError,
  type CallInterceptor,
  connect,
  Failure,
  type InternalError,
  iface,
  method,
  reference,
  Service,
  type ServiceInterceptor,
  type ServiceOptions,
  stream,
} from '../../src/index.js'

const Note = iface('Note', { text: method<void, string>() })
const Book = iface('Book', {
  add: method(z.number(), z.number()),
  trace: method<void, string>(),
  open: method(z.string(), Note),
  tail: stream(
    z.number(),
    z.string().transform((text) => `<${text}>`),
    { errors: { gone: z.object({ at: z.number() }) } },
  ),
  hang: method<void, string>(),
  flaky: method<void, number>(),
})

let log: string[]
let calls: number
let service: Service
let errors: InternalError[]

function start(options: ServiceOptions = {}) {
  service = Service.create(undefined, {
    announcers: [],
    onInternalError: (report) => errors.push(report),
    ...options,
  })
  const offer = service.offer('book/:name', Book, () => ({
    add: (count) => count + 1,
    trace: (_input, { metadata }) => metadata['trace'] ?? 'none',
    open: (name) => reference(Note, { text: () => `text of ${name}` }),
    async *tail(count) {
      for (let i = 0; i < count; i++) yield `${i}`
      throw Book.failure('tail', 'gone', { at: count })
    },
    hang: (_input, { signal }) =>
      new Promise((resolve) => signal.addEventListener('abort', () => resolve('late'))),
    flaky: () => {
      calls += 1
      if (calls < 3) throw new Failure('unavailable', 'busy')
      return calls
    },
  }))
  return {
    open: async (interceptors?: readonly CallInterceptor[]) => {
      const location = await service.listen('tcp://127.0.0.1:0')
      return connect(offer.mint({ name: 'a' }, { at: [location] }), { resolvers: [], interceptors })
    },
  }
}

const noting =
  (name: string): CallInterceptor =>
  async (call, next) => {
    log.push(`${name} ${call.interface}.${call.method}`)
    const result = await next()
    log.push(`${name} done`)
    return result
  }

const errorOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(String, (error: unknown) => error)

beforeEach(() => {
  log = []
  errors = []
  calls = 0
})

afterEach(() => service.close(0))

describe('of a client', () => {
  test('the first given is outermost, and each sees what goes in and comes out', async () => {
    await using book = await start().open([noting('a'), noting('b')])
    expect(await book.add(1)).toBe(2)
    expect(log).toEqual(['a Book.add', 'b Book.add', 'b done', 'a done'])
  })

  test('one adds metadata for those behind it and for the handler', async () => {
    const seen: unknown[] = []
    await using book = await start().open([
      (call, next) => next({ ...call.options, metadata: { trace: '7' } }),
      (call, next) => {
        seen.push(call.options.metadata, call.input)
        return next()
      },
    ])
    expect(await book.trace()).toBe('7')
    expect(seen).toEqual([{ trace: '7' }, undefined])
  })

  test('one calls again, one gives another answer, one refuses', async () => {
    const retry: CallInterceptor = async (_call, next) => {
      for (;;) {
        try {
          return await next()
        } catch (error) {
          if (!(error instanceof CallError) || error.code !== 'rpc/unavailable') throw error
        }
      }
    }
    const cache: CallInterceptor = async (call, next) => (call.method === 'add' ? 42 : next())
    const refuse: CallInterceptor = async (call, next) => {
      if (call.method === 'trace') throw new RangeError('not today')
      return next()
    }
    await using book = await start().open([refuse, cache, retry])
    expect(await book.flaky()).toBe(3)
    expect(await book.add(1)).toBe(42)
    expect(await errorOf(book.trace())).toEqual(new RangeError('not today'))
  })

  test('the caller’s deadline holds for all attempts together, and is not extended', async () => {
    let attempts = 0
    const retry: CallInterceptor = async (call, next) => {
      for (;;) {
        attempts += 1
        const error = await errorOf(next({ ...call.options, timeoutMs: 60_000 }))
        if (attempts >= 3) throw error
      }
    }
    await using book = await start().open([retry])
    expect(await errorOf(book.hang(undefined, { timeoutMs: 30 }))).toMatchObject({
      code: 'rpc/deadline_exceeded',
      mayHaveRun: false,
    })
    expect(attempts).toBe(3)
  })

  test('a reference is called before it is there, and has the same interceptors; what it gives is the caller’s', async () => {
    await using book = await start().open([noting('a')])
    expect(await book.open('x').text()).toBe('text of x')
    expect(log).toEqual(['a Book.open', 'a done', 'a Note.text', 'a done'])
    const opening = book.open('y')
    using note = await opening
    opening[Symbol.dispose]()
    expect(await note.text()).toBe('text of y')
  })

  test('what builds on a refused call was not made', async () => {
    await using book = await start().open([
      async (call, next) => {
        if (call.method === 'open') await Promise.reject(new Failure('aborted', 'no'))
        return next()
      },
    ])
    const error = await errorOf(book.open('x').text())
    expect(error).toMatchObject({ code: 'rpc/aborted', method: 'text', mayHaveRun: false })
  })

  test('a stream is seen and may be replaced; items are validated once; its declared error narrows', async () => {
    const items: unknown[] = []
    const tap: CallInterceptor = async (call, next) => {
      const result = await next()
      if (call.method !== 'tail') return result
      const source = result as AsyncIterable<unknown>
      return (async function* () {
        for await (const item of source) {
          items.push(item)
          yield item
        }
      })()
    }
    await using book = await start().open([tap])
    const got: string[] = []
    const read = async () => {
      for await (const item of book.tail(2)) got.push(item)
    }
    const error = await errorOf(read())
    expect(got).toEqual(['<0>', '<1>'])
    expect(items).toEqual(got)
    expect(Book.isFailure(error, 'tail', 'gone') && error.data.at).toBe(2)
  })

  test('canceling and leaving reach a stream through interceptors', async () => {
    await using book = await start().open([noting('a')])
    const controller = new AbortController()
    const tail = book.tail(10_000_000, { signal: controller.signal })
    expect(await tail.next()).toMatchObject({ done: false })
    controller.abort()
    const rest = async () => {
      for await (const _item of tail);
    }
    expect(await errorOf(rest())).toMatchObject({ code: 'rpc/canceled' })
  })
})

describe('of a service', () => {
  test('the first given is outermost, behind validation; they know the call, its object and its grant', async () => {
    const seen: unknown[] = []
    const note =
      (name: string): ServiceInterceptor =>
      async ({ interface: of, method: called, input, object, grantId, context }, next) => {
        seen.push([name, of, called, input, object, grantId?.length, context.metadata['trace']])
        const result = await next()
        seen.push([name, result])
        return result
      }
    await using book = await start({ interceptors: [note('a'), note('b')] }).open()
    expect(await book.add(1, { metadata: { trace: '7' } })).toBe(2)
    expect(seen).toEqual([
      ['a', 'Book', 'add', 1, 'book/a', 32, '7'],
      ['b', 'Book', 'add', 1, 'book/a', 32, '7'],
      ['b', 2],
      ['a', 2],
    ])
    seen.length = 0
    expect(await errorOf(book.add('x' as never))).toMatchObject({ code: 'rpc/invalid_argument' })
    expect(seen).toEqual([])
    await book.open('x').text()
    expect(seen.map((entry) => (entry as unknown[])[2])).toContain('text')
  })

  test('what one throws crosses as what a handler throws', async () => {
    const guard: ServiceInterceptor = ({ method: called }, next) => {
      if (called === 'add') throw new Failure('unauthenticated', 'log in first')
      if (called === 'trace') throw new Error('secret inside of the service')
      return next()
    }
    await using book = await start({ interceptors: [guard] }).open()
    expect(await errorOf(book.add(1))).toMatchObject({ code: 'rpc/unauthenticated' })
    const error = await errorOf(book.trace())
    expect(error).toMatchObject({ code: 'rpc/internal', errorId: errors[0]?.errorId })
    expect(String(error)).not.toContain('secret')
    expect(await book.open('x').text()).toBe('text of x')
  })
})

describe('maxTimeoutMs', () => {
  test.each([
    ['a call without deadline', undefined],
    ['a longer deadline', 60_000],
  ])('%s gets the service’s', async (_name, timeoutMs) => {
    const left: number[] = []
    const look: ServiceInterceptor = ({ context }, next) => {
      left.push(context.remainingMs)
      return next()
    }
    await using book = await start({ maxTimeoutMs: 40, interceptors: [look] }).open()
    expect(await errorOf(book.hang(undefined, { timeoutMs }))).toMatchObject({
      code: 'rpc/deadline_exceeded',
      mayHaveRun: true,
    })
    expect(left[0]).toBeLessThanOrEqual(40)
  })

  test('a shorter deadline stays; nonsense is refused', async () => {
    let left = 0
    const look: ServiceInterceptor = ({ context }, next) => {
      left = context.remainingMs
      return next()
    }
    await using book = await start({ maxTimeoutMs: 60_000, interceptors: [look] }).open()
    await book.add(1, { timeoutMs: 5_000 })
    expect(left).toBeLessThanOrEqual(5_000)
    for (const maxTimeoutMs of [0, -1, Number.NaN])
      expect(() => Service.create(undefined, { maxTimeoutMs })).toThrow(RangeError)
  })
})
