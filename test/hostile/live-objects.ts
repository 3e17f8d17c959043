// A service of live objects for scripted peers, and what must hold after each attack on it: another session is served, no
// rejection goes unhandled, and no table of the attacked session has grown.
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import type { CallContext } from '../../src/rpc/index.js'
import { Failure, iface, method, reference, stream } from '../../src/rpc/index.js'
import { OP } from '../../src/rpc/wire.js'
import { settled } from '../rpc/conversation.js'
import { batch, call, message, serve } from '../rpc/scripted.js'

const Cell = iface('Cell', { read: method<void, number>(), take: method<unknown, unknown>() })
/** Takes whatever comes. */
const nothing = {
  '~standard': { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }) },
} as const

const Root = iface('Root', {
  cell: method(nothing, Cell),
  deep: method<void, unknown>(),
  echo: method<unknown, unknown>(),
  hang: method<unknown, void>(),
  thrown: method<number, unknown>(),
  given: method<number, unknown>(),
  items: stream<number, unknown>(),
  drain: method<unknown, unknown>(),
  hold: method<unknown, unknown>(),
})

/** Lets every `hang` go. */
export const hanging: (() => void)[] = []
/** Signals that handlers got. */
export const signals: AbortSignal[] = []
/** What is thrown, given and streamed next. */
export const next: {
  thrown: unknown
  given: () => unknown
  source: () => AsyncIterable<unknown>
  read: unknown[]
  pulls: number
} = { thrown: undefined, given: () => undefined, source: numbers, read: [], pulls: 0 }

async function* numbers(): AsyncGenerator<number> {
  for (let n = 0; ; n++) {
    next.pulls = n + 1
    yield n
  }
}

const cell = () => ({ read: () => 7, take: (value: unknown) => value, hidden: () => 'not declared' })

const object = {
  cell,
  deep: () => ({ list: [{ cell: reference(Cell, cell()) }] }),
  echo: (value: unknown) => value,
  hang: () => new Promise<void>((resolve) => hanging.push(resolve)),
  thrown: async () => {
    throw next.thrown
  },
  given: () => next.given(),
  items: (_: unknown, context: CallContext) => {
    signals.push(context.signal)
    return next.source()
  },
  drain: async (value: { readonly of: AsyncIterable<unknown> }, context: CallContext) => {
    signals.push(context.signal)
    try {
      for await (const item of value.of) next.read.push(item)
    } catch {
      throw new Failure('aborted', 'the stream failed')
    }
    return next.read.length
  },
  /** Reads nothing and never ends of its own accord. */
  hold: (_: unknown, context: CallContext) =>
    new Promise((_resolve, reject) => {
      context.signal.addEventListener('abort', () => reject(new Failure('canceled', 'held')))
    }),
}

type World = Awaited<ReturnType<typeof serve>>
const worlds: World[] = []
const rejections: unknown[] = []
const onRejection = (reason: unknown): void => {
  rejections.push(reason)
}
let bystander: World

/** A session of a scripted client with the service. */
export async function attacked(options: Parameters<typeof serve>[2] = {}): Promise<World> {
  const world = await serve(Root, object, options)
  worlds.push(world)
  return world
}

/** No table of the session holds anything but the root. */
export async function expectNoGrowth({ peer, exports }: World, { exported = 1 } = {}): Promise<void> {
  await settled()
  expect({
    exports: exports.size,
    imports: peer.openReferences,
    served: peer.servedCalls,
    asked: peer.openCalls,
    streams: peer.openStreams,
  }).toEqual({ exports: exported, imports: 0, served: 0, asked: 0, streams: 0 })
}

/** The session of the attack itself goes on. */
export async function expectServed({ send, answers }: World, id: number): Promise<void> {
  send(batch(call(id, 'echo', 1)))
  await expect.poll(answers).toContainEqual({ op: OP.return, id })
}

/** RELEASE of an export. */
export const release = (id: number, count = 1): Uint8Array => message(OP.release, id, count)

/** To be called once by each file of attacks. */
export function watchOverOthers(): void {
  beforeAll(async () => {
    process.on('unhandledRejection', onRejection)
    bystander = await serve(Root, object)
  })
  afterEach(async () => {
    for (const resolve of hanging.splice(0)) resolve()
    for (const { close } of worlds.splice(0)) close()
    Object.assign(next, { thrown: undefined, given: () => undefined, source: numbers, read: [], pulls: 0 })
    signals.length = 0
    await settled()
    bystander.records.length = 0
    bystander.send(batch(call(0, 'echo', 'still here')))
    await expect.poll(bystander.answers).toEqual([{ op: OP.return, id: 0 }])
    await expectNoGrowth(bystander)
    expect(rejections).toEqual([])
  })
  afterAll(() => {
    bystander.close()
    process.off('unhandledRejection', onRejection)
  })
}
