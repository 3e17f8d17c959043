// A stub has the methods of its interface, the dispose symbols, and nothing else.
import { expect, test } from 'vitest'
import { type Calls, createStub, iface, method } from '../../src/rpc/index.js'

const Notes = iface('Notes', { list: method<void, string[]>(), add: method<string, number>() })
type NotesCalls = Calls<(typeof Notes)['declared']>

function stubbed() {
  const calls: unknown[] = []
  let disposed = 0
  const stub = createStub<NotesCalls>(Notes, {
    call: async (definition, input, options) => {
      calls.push([definition.name, input, options])
      return 1
    },
    retain: () => {},
    release: () => {
      disposed += 1
    },
  })
  return { stub, calls, disposed: () => disposed }
}

test('methods forward their name, input and options', async () => {
  const { stub, calls } = stubbed()
  expect(await stub.add('a', { timeoutMs: 5 })).toBe(1)
  await stub.list()
  expect(calls).toEqual([
    ['add', 'a', { timeoutMs: 5 }],
    ['list', undefined, undefined],
  ])
})

test.each(['then', 'toString', 'constructor', 'valueOf', 'hasOwnProperty', '__proto__', 'toJSON', 'other'])(
  'a stub has no %s',
  (name) => {
    expect((stubbed().stub as unknown as Record<string, unknown>)[name]).toBeUndefined()
  },
)

test('a stub can be awaited without being called', async () => {
  const { stub, calls } = stubbed()
  expect(await Promise.resolve(stub)).toBe(stub)
  expect(calls).toEqual([])
})

test.each([Symbol.dispose, Symbol.asyncDispose] as const)(
  '%s releases it, once, and it cannot be called any more',
  async (name) => {
    const { stub, calls, disposed } = stubbed()
    await stub[name]()
    await stub[name]()
    expect(disposed()).toBe(1)
    await expect(stub.list()).rejects.toMatchObject({ code: 'rpc/failed_precondition', mayHaveRun: false })
    expect(calls).toEqual([])
  },
)

test('the prototype is frozen, and its methods work on stubs only', () => {
  const { stub } = stubbed()
  expect(Object.isFrozen(Object.getPrototypeOf(stub))).toBe(true)
  expect(() => stub.list.call({})).toThrow(TypeError)
})
