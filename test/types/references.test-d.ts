// What must and must not compile with references: as input, as output, within objects, ahead of their answer; interfaces
// that name themselves and each other. No `any` reaches the user.
import { describe, expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import {
  type CallContext,
  type Capability,
  type Handlers,
  iface,
  keep,
  method,
  onBroken,
  pipelined,
  type Reference,
  type ReferencePromise,
  reference,
  type Stub,
  stream,
} from '../../src/index.js'
import type { Calls, PipelinedReference } from '../../src/rpc/index.js'

const Listener = iface('Listener', { heard: method(z.string(), z.void()), seen: method<void, number>() })
const Link = iface('Link', {
  value: method<void, number>(),
  get next() {
    return method(z.void(), Link)
  },
  get join() {
    return method(Link, z.boolean())
  },
  get walk() {
    return stream(z.void(), Link)
  },
})
const Cat = iface('Cat', {
  lives: method<void, 9>(),
  get prey() {
    return method(z.void(), Mouse)
  },
})
const Mouse = iface('Mouse', {
  hide: method<void, string>(),
  get hunter() {
    return method(z.void(), Cat)
  },
})
const Room = iface('Room', {
  listen: method(Listener, z.void()),
  open: method(z.string(), Link),
  enter: method(
    z.object({ name: z.string(), listener: z.custom<Reference<typeof Listener>>(Listener.accepts) }),
    z.object({
      at: z.date(),
      title: z.string(),
      links: z.array(z.object({ id: z.string(), link: z.custom<Reference<typeof Link>>(Link.accepts) })),
      first: z.custom<Reference<typeof Link>>(Link.accepts).optional(),
    }),
  ),
  note: method(z.object({ title: z.string(), at: z.date() }), z.void()),
  owner: method<void, Capability<Calls<(typeof Link)['declared']>>>(),
})
type Methods<I extends { readonly declared: unknown }> = I['declared']
type RoomHandlers = Handlers<Methods<typeof Room>, CallContext>
declare const room: Reference<typeof Room>
declare const link: Reference<typeof Link>
declare const listener: Reference<typeof Listener>
declare const cat: Reference<typeof Cat>

describe('a reference as input', () => {
  test('may be a stub, a promise of one, what an answer will hold, or an object with the methods', () => {
    void (() => room.listen(listener))
    void (() => room.listen(Promise.resolve(listener)))
    void (() =>
      room.listen({ heard: (text) => void expectTypeOf(text).toEqualTypeOf<string>(), seen: () => 1 }))
    void (() => room.listen({ heard: async () => {}, seen: async () => 1, [Symbol.dispose]() {} }))
    void (() => link.join(link.next()))
    void (() => link.join(pipelined(room.enter({ name: '', listener })).links[0].link))
  })

  test('anything else does not compile', () => {
    // @ts-expect-error a method is missing
    void (() => room.listen({ heard: () => {} }))
    // @ts-expect-error a method gives the wrong type
    void (() => room.listen({ heard: () => {}, seen: () => 'one' }))
    // @ts-expect-error a method takes the wrong type
    void (() => room.listen({ heard: (_text: number) => {}, seen: () => 1 }))
    // @ts-expect-error the interface has no such method
    void (() => room.listen({ heard: () => {}, seen: () => 1, other: () => 2 }))
    // @ts-expect-error a reference of another interface
    void (() => room.listen(link))
    // @ts-expect-error a promise of another interface
    void (() => room.listen(link.next()))
    // @ts-expect-error no reference
    void (() => room.listen('listener'))
  })

  test('arrives as a stub', () => {
    type Input = Parameters<RoomHandlers['listen']>[0]
    expectTypeOf<Input>().toEqualTypeOf<Reference<typeof Listener>>()
    expectTypeOf<Input>().not.toBeAny()
    expectTypeOf<Parameters<RoomHandlers['enter']>[0]['listener']>().toEqualTypeOf<
      Reference<typeof Listener>
    >()
  })
})

describe('a reference as output', () => {
  test('is a promise whose methods can be called at once', () => {
    expectTypeOf(room.open('x')).toEqualTypeOf<ReferencePromise<Calls<Methods<typeof Link>>>>()
    expectTypeOf(room.open('x')).not.toBeAny()
    expectTypeOf(room.open('x').value()).toEqualTypeOf<Promise<number>>()
    expectTypeOf<Awaited<ReturnType<typeof room.open>>>().toEqualTypeOf<Reference<typeof Link>>()
    // @ts-expect-error no such method
    void (() => room.open('x').remove())
  })

  test('a handler gives an object, a stub or a promise of either', () => {
    type Output = ReturnType<RoomHandlers['open']>
    expectTypeOf<Output>().not.toBeAny()
    expectTypeOf<Reference<typeof Link>>().toExtend<Output>()
    expectTypeOf<Promise<Reference<typeof Link>>>().toExtend<Output>()
    expectTypeOf<Handlers<Methods<typeof Link>, CallContext>>().toExtend<Output>()
    expectTypeOf<Reference<typeof Listener>>().not.toExtend<Output>()
    expectTypeOf<string>().not.toExtend<Output>()
  })
})

describe('interfaces by getters', () => {
  test('one that names itself goes to any depth', () => {
    expectTypeOf(link.next().next().next().value()).toEqualTypeOf<Promise<number>>()
    expectTypeOf(link.next().next).not.toBeAny()
    expectTypeOf(link.join).returns.toEqualTypeOf<Promise<boolean>>()
    expectTypeOf(link.walk().next()).resolves.toEqualTypeOf<
      IteratorResult<Reference<typeof Link>, undefined>
    >()
    // @ts-expect-error no such method, three steps away
    void (() => link.next().next().next().remove())
  })

  test('two that name each other do as well', () => {
    expectTypeOf(cat.prey().hunter().prey().hide()).toEqualTypeOf<Promise<string>>()
    expectTypeOf(cat.prey().hunter().lives()).toEqualTypeOf<Promise<9>>()
    // @ts-expect-error a method of the other one
    void (() => cat.prey().lives())
  })
})

describe('pipelined', () => {
  const later = pipelined(room.enter({ name: '', listener }))

  test('references in an answer can be called, whether or not they will be there', () => {
    expectTypeOf(later.links[0].link.value()).toEqualTypeOf<Promise<number>>()
    expectTypeOf(later.links[0].link.next().value()).toEqualTypeOf<Promise<number>>()
    expectTypeOf(later.first.value()).toEqualTypeOf<Promise<number>>()
    expectTypeOf(later.first).toEqualTypeOf<PipelinedReference<Calls<Methods<typeof Link>>>>()
    expectTypeOf(later).not.toBeAny()
    expectTypeOf(later.links).not.toBeAny()
    expectTypeOf(later.links[0].link).not.toBeAny()
    expectTypeOf(pipelined(room.open('x')).value()).toEqualTypeOf<Promise<number>>()
  })

  test('data of an answer can be passed on, and nothing else', () => {
    expectTypeOf(later.title).toBeNever()
    expectTypeOf(later.at).toBeNever()
    expectTypeOf(pipelined(room.owner())).toBeNever()
    void (() => room.note({ title: later.title, at: later.at }))
    // @ts-expect-error the text is not there yet
    void (() => later.title.length)
  })

  test('a member that the answer lacks does not compile', () => {
    // @ts-expect-error no such member
    void (() => later.other)
    // @ts-expect-error no such method
    void (() => later.first.remove())
    // @ts-expect-error nothing to dispose: the answer is its call's
    void (() => later.first[Symbol.dispose]())
  })
})

test('reference takes what implements the interface and gives a stub', () => {
  const made = reference(Listener, {
    heard: (text) => void expectTypeOf(text).toEqualTypeOf<string>(),
    seen: () => 1,
    [Symbol.asyncDispose]: async () => {},
  })
  expectTypeOf(made).toEqualTypeOf<Reference<typeof Listener>>()
  expectTypeOf(made).toExtend<Disposable & AsyncDisposable>()
  // @ts-expect-error a method is missing
  void (() => reference(Listener, { seen: () => 1 }))
  // @ts-expect-error a wrong result
  void (() => reference(Listener, { heard: () => {}, seen: () => '1' }))
})

test('keep and onBroken take references alone, and keep gives the same type', () => {
  expectTypeOf(keep(listener)).toEqualTypeOf<Reference<typeof Listener>>()
  expectTypeOf(onBroken).parameter(1).not.toBeAny()
  onBroken(listener, (error) => expectTypeOf(error.code).toExtend<string>())
})

test('Reference is the stub of an interface, and nothing of anything else', () => {
  expectTypeOf<Reference<typeof Listener>>().toEqualTypeOf<Stub<Calls<Methods<typeof Listener>>>>()
  expectTypeOf<Reference<string>>().toBeNever()
  expectTypeOf<Reference<typeof Listener>>().not.toExtend<Reference<typeof Link>>()
})
