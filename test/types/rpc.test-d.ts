// What must and must not compile: inputs, results, narrowed capabilities, declared errors. No `any` leaks.
import { expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import { type Capability, connect, iface, map, method, type Reference, type Stub } from '../../src/index.js'
import type { CallContext, Calls, Handlers } from '../../src/rpc/index.js'

const Notes = iface('Notes', {
  add: method(z.object({ text: z.string(), at: z.coerce.date() }), z.number(), {
    errors: { full: z.object({ max: z.number() }) },
  }),
  list: method<void, string[]>(),
})
type NotesCalls = Calls<(typeof Notes)['declared']>
declare const capability: Capability<NotesCalls>
declare const stub: Stub<NotesCalls>

test('inputs and results', () => {
  expectTypeOf(stub.list()).toEqualTypeOf<Promise<string[]>>()
  expectTypeOf(stub.add).returns.toEqualTypeOf<Promise<number>>()
  expectTypeOf(stub.add).returns.resolves.not.toBeAny()
  // @ts-expect-error the input is missing
  void (() => stub.add())
  // @ts-expect-error a wrong input type
  void (() => stub.add({ text: 1, at: 'now' }))
  // @ts-expect-error no such method
  void (() => stub.remove())
})

test('a capability narrowed to list has no add', async () => {
  const narrowed = capability.attenuate({ methods: ['list'] })
  expectTypeOf(narrowed).not.toBeAny()
  const reader = (): Promise<Stub<Pick<NotesCalls, 'list'>>> => connect(narrowed)
  type Reader = Awaited<ReturnType<typeof reader>>
  expectTypeOf<Reader>().toHaveProperty('list')
  expectTypeOf<Reader>().not.toHaveProperty('add')
  // @ts-expect-error the interface has no such method
  void (() => capability.attenuate({ methods: ['remove'] }))
})

test('handlers get what the schema gives, and must give what it takes', () => {
  type Served = Handlers<(typeof Notes)['declared'], CallContext>
  expectTypeOf<Parameters<Served['add']>[0]>().toEqualTypeOf<{ text: string; at: Date }>()
  expectTypeOf<Parameters<Served['add']>[0]>().not.toBeAny()
  expectTypeOf<ReturnType<Served['list']>>().toEqualTypeOf<string[] | Promise<string[]>>()
})

test('isFailure narrows the data of a declared error', () => {
  const error: unknown = undefined
  if (Notes.isFailure(error, 'add', 'full')) expectTypeOf(error.data).toEqualTypeOf<{ max: number }>()
  // @ts-expect-error the method declares no such error
  Notes.isFailure(error, 'add', 'other')
  // @ts-expect-error wrong data
  void (() => Notes.failure('add', 'full', { max: 'three' }))
})

test('map: the callback sees the element, the result is what it gives', () => {
  const Item = iface('Item', {
    name: method<void, string>(),
    price: method<{ factor: number }, number>(),
    get twin() {
      return method(z.void(), Item)
    },
  })
  type ItemOf = Reference<typeof Item>
  const list = undefined as unknown as Promise<ItemOf[]>
  expectTypeOf(map(list, (item) => item.name())).toEqualTypeOf<Promise<string[]>>()
  const mapped = map(list, (item) => ({
    name: item.name(),
    twin: item.twin(),
    prices: [item.price({ factor: 2 })],
  }))
  expectTypeOf(mapped).resolves.items.toHaveProperty('name').toEqualTypeOf<string>()
  expectTypeOf(mapped).resolves.items.toHaveProperty('prices').toEqualTypeOf<number[]>()
  expectTypeOf(mapped).resolves.items.toHaveProperty('twin').not.toBeAny()
  expectTypeOf(map(list, (item) => item.twin().name())).toEqualTypeOf<Promise<string[]>>()
  const nested = undefined as unknown as Promise<{ item: ItemOf }[]>
  expectTypeOf(map(nested, ({ item }) => item.price({ factor: 1 }))).toEqualTypeOf<Promise<number[]>>()
  // @ts-expect-error no such method
  void (() => map(list, (item) => item.weight()))
  // @ts-expect-error a wrong input type
  void (() => map(list, (item) => item.price({ factor: 'two' })))
  // @ts-expect-error not a list
  void (() => map(Promise.resolve(7), (item) => item))
})
