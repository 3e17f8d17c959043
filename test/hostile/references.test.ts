// Attacks on live objects by a peer inside a genuine session: names, numbers that it does not hold, pipelines, and whatever a
// handler may throw or give because of it (spec/rpc.md §4, §5, §8).
import { describe, expect, test } from 'vitest'
import { PIPELINE_DEPTH_MAX, VALUE_MAX_DEPTH } from '../../src/limits.js'
import { FAILURE_CODES, Failure } from '../../src/rpc/failure.js'
import { iface, method } from '../../src/rpc/index.js'
import { CALL_FLAG, OP } from '../../src/rpc/wire.js'
import { settled } from '../rpc/conversation.js'
import { batch, call, callAnswer, callFrom, link, message, returned } from '../rpc/scripted.js'
import {
  attacked,
  expectNoGrowth,
  expectServed,
  hanging,
  next,
  release,
  watchOverOthers,
} from './live-objects.js'

watchOverOthers()

const failed = (id: number, reason: keyof typeof FAILURE_CODES) => ({
  op: OP.fail,
  id,
  code: FAILURE_CODES[reason],
})
const finish = (id: number): Uint8Array => message(OP.finish, id)
const HUGE = 0xffff_ffff
const NAMES = [
  ...['constructor', '__proto__', 'then', 'hasOwnProperty', 'toString', 'valueOf', 'isPrototypeOf'],
  ...['Symbol(Symbol.dispose)', 'Symbol.asyncDispose', '@@dispose', '__defineGetter__', 'hidden', ''],
]

describe('a name that the interface does not declare', () => {
  test.each(NAMES)('%j is reachable on no root, no derived reference and no answer', async (name) => {
    const world = await attacked()
    world.send(
      batch(
        call(0, 'cell'),
        call(1, name),
        call(2, name, undefined, { target: 2 }),
        call(3, 'cell', undefined, { flags: CALL_FLAG.keep }),
        callAnswer(4, 3, [], name),
        callAnswer(5, 3, [name], 'read'),
      ),
    )
    await expect.poll(world.answers).toHaveLength(5)
    expect(world.answers().slice(1)).toEqual([
      failed(1, 'unimplemented'),
      failed(2, 'unimplemented'),
      failed(4, 'unimplemented'),
      failed(5, 'failed_precondition'),
    ])
    expect(world.errors).toEqual([])
    world.send(batch(finish(0), finish(3), release(1)))
    await expectNoGrowth(world)
  })

  test.each(NAMES)('%j in a path leads nowhere in plain data', async (name) => {
    const world = await attacked()
    world.send(
      batch(
        call(0, 'deep', undefined, { flags: CALL_FLAG.keep }),
        callAnswer(1, 0, [name], 'read'),
        callAnswer(2, 0, ['list', name], 'read'),
        callAnswer(3, 0, ['list', 0, 'cell', name], 'read'),
        callAnswer(4, 0, ['list', 0, 'cell'], 'read'),
      ),
    )
    await expect.poll(world.answers).toHaveLength(4)
    expect(world.answers()).toEqual([
      ...[1, 2, 3].map((id) => failed(id, 'failed_precondition')),
      { op: OP.return, id: 4 },
    ])
    world.send(batch(finish(0)))
    await expectNoGrowth(world)
  })
})

describe('releases', () => {
  test.each([
    ['unknown', release(9)],
    ['of nothing', release(1, 0)],
    ['of more than is held', release(1, 2)],
    ['of as good as less than nothing', release(1, HUGE)],
    ['with the highest number', release(HUGE, HUGE)],
  ])('%s: the reference stays, and a hundred more are the end', async (_name, bytes) => {
    const world = await attacked()
    world.send(batch(call(0, 'cell'), finish(0), bytes))
    world.send(batch(call(1, 'read', undefined, { target: 2 })))
    await expect.poll(world.answers).toContainEqual({ op: OP.return, id: 1 })
    world.send(batch(...Array.from({ length: 100 }, () => bytes)))
    expect(await world.outcome).toMatchObject({ reason: 'limit', by: 'peer' })
  })

  test('twice of one reference is stray once, and its number reaches nothing', async () => {
    const world = await attacked()
    world.send(batch(call(0, 'cell'), finish(0), release(1), release(1)))
    world.send(batch(call(1, 'read', undefined, { target: 2 })))
    await expect.poll(world.answers).toContainEqual(failed(1, 'not_found'))
    await expectNoGrowth(world)
  })

  test('of the root leaves a session without a root', async () => {
    const world = await attacked()
    world.send(batch(release(0), call(0, 'echo')))
    await expect.poll(world.answers).toEqual([failed(0, 'not_found')])
    await expectNoGrowth(world, { exported: 0 })
  })
})

describe('references of other sessions', () => {
  test('a number of another session is not there in this one', async () => {
    const [one, two] = [await attacked(), await attacked()]
    one.send(batch(call(0, 'cell'), finish(0)))
    await expect.poll(one.answers).toHaveLength(1)
    two.send(batch(call(0, 'echo', link.yours(1)), call(1, 'read', undefined, { target: 2 })))
    await expect.poll(two.answers).toEqual([failed(0, 'invalid_argument'), failed(1, 'not_found')])
    await expectNoGrowth(two)
  })

  test('an own export that comes back is called by the rules of the one who brought it', async () => {
    const world = await attacked({ authorize: (name) => (name === 'echo' ? 'ok' : 'denied') })
    world.send(batch(call(0, 'echo', { root: link.yours(0) })))
    await expect.poll(world.answers).toEqual([{ op: OP.return, id: 0 }])
    world.send(batch(finish(0), callAnswer(1, 0, ['root'], 'cell'), call(2, 'cell')))
    await expect.poll(world.answers).toHaveLength(3)
    expect(world.answers().slice(1)).toEqual([
      failed(1, 'failed_precondition'),
      failed(2, 'permission_denied'),
    ])
  })

  test('more references than the client announced make the value bad', async () => {
    const world = await attacked()
    const many = Array.from({ length: 5_000 }, (_, id) => link.mine(id))
    world.send(batch(call(0, 'hang', many.slice(0, 2_000)), call(1, 'hang', many.slice(2_000, 4_500))))
    await expect.poll(world.answers).toContainEqual(failed(1, 'invalid_argument'))
    for (const resolve of hanging.splice(0)) resolve()
    await expectServed(world, 2)
    await expectNoGrowth(world)
  })

  test('references that nobody keeps are released with their call, also one that never ran', async () => {
    const world = await attacked({ authorize: (name) => (name === 'drain' ? 'denied' : 'ok') })
    for (const [id, name] of ['hang', 'drain', 'nothing', 'thrown'].entries())
      world.send(batch(call(id, name, [link.mine(2 * id), { deep: link.mine(2 * id + 1) }])))
    await expect.poll(() => hanging.length).toBe(1)
    hanging[0]?.()
    await expect.poll(() => world.answers().filter(({ op }) => op === OP.release).length).toBe(8)
    await expectNoGrowth(world)
  })
})

describe('pipelines', () => {
  test('onto itself, and onto one that comes later, fail at once', async () => {
    const world = await attacked()
    world.send(
      batch(
        callAnswer(0, 0, [], 'read'),
        call(1, 'echo', link.answer(1)),
        call(2, 'echo', link.answer(3)),
        call(3, 'echo', link.answer(2)),
      ),
    )
    await expect.poll(world.answers).toHaveLength(4)
    expect(world.answers().map(({ op }) => op)).toEqual([OP.fail, OP.fail, OP.fail, OP.fail])
    await expectNoGrowth(world)
  })

  test.each([
    ['on what it gives', (id: number) => callAnswer(id, id - 1, [], 'cell')],
    ['in its arguments', (id: number) => call(id, 'echo', link.answer(id - 1), { flags: 33 })],
  ])('deeper than 64 %s is refused, 64 are not', async (_name, step) => {
    const world = await attacked()
    world.send(batch(call(0, 'hang')))
    world.send(batch(...Array.from({ length: PIPELINE_DEPTH_MAX + 1 }, (_, i) => step(i + 1))))
    await expect.poll(world.answers).toEqual([failed(PIPELINE_DEPTH_MAX + 1, 'resource_exhausted')])
    hanging[0]?.()
    await expect.poll(world.answers).toHaveLength(PIPELINE_DEPTH_MAX + 2)
  })

  test('arguments of more than 4 MiB that wait are refused, and make room when they go', async () => {
    const world = await attacked()
    const megabyte = 'x'.repeat(1_000_000)
    const park = (id: number) => callAnswer(id, 0, [], 'take', megabyte)
    world.send(batch(call(0, 'hang')))
    for (let id = 1; id <= 5; id++) for (const frame of fragments(id, park(id))) world.send(frame)
    await expect.poll(world.answers).toEqual([failed(5, 'resource_exhausted')])
    hanging[0]?.()
    await expect.poll(world.answers).toHaveLength(6)
    await expectServed(world, 9)
    await expectNoGrowth(world)
  })

  test('a message that names one large answer again and again is refused, and copies little', async () => {
    const world = await attacked()
    next.given = () => 'x'.repeat(500_000)
    world.send(batch(call(0, 'given', undefined, { flags: 0 })))
    await settled()
    const before = process.memoryUsage().rss
    world.send(
      batch(
        call(
          1,
          'echo',
          Array.from({ length: 5_000 }, () => link.answer(0)),
        ),
      ),
    )
    await expect.poll(world.answers).toContainEqual(failed(1, 'invalid_argument'))
    // All of them would be 2.5 GB.
    expect(process.memoryUsage().rss - before).toBeLessThan(100_000_000)
    world.send(batch(call(1, 'hold', [link.answer(0), link.answer(0)]), message(OP.cancel, 1)))
    await expect.poll(world.answers).toContainEqual(failed(1, 'canceled'))
    world.send(batch(finish(0)))
    await expectServed(world, 2)
    await expectNoGrowth(world)
  })

  test('answers that are let go while their handlers run do not buy more handlers than the budget', async () => {
    const world = await attacked({ limits: { maxCallsInFlight: 8 } })
    for (let i = 0; i < 12; i++) {
      world.send(batch(call(0, 'hang', undefined, { flags: 0 }), finish(0)))
      await settled(2)
    }
    expect(hanging.length).toBe(8)
    for (const resolve of hanging.splice(0)) resolve()
    await settled()
    await expectServed(world, 1)
    await expectNoGrowth(world)
  })

  test('a thousand answers that are kept and let go leave nothing behind', async () => {
    const world = await attacked()
    for (let i = 0; i < 1_000; i++) {
      const id = 2 * (i % 100)
      world.send(
        batch(
          call(id, 'cell', undefined, { flags: 0 }),
          callAnswer(id + 1, id, [], 'read', [link.mine(id), link.answer(id)]),
          finish(id),
        ),
      )
    }
    await expect.poll(() => world.answers().filter(({ op }) => op === OP.return).length).toBe(1_000)
    await expectNoGrowth(world)
  })
})

function fragments(id: number, bytes: Uint8Array): Uint8Array[] {
  const frames: Uint8Array[] = []
  for (let at = 0; at < bytes.length; at += 16_384) {
    const part = bytes.subarray(at, at + 16_384)
    frames.push(Uint8Array.of(1, id, at + 16_384 >= bytes.length ? 1 : 0, ...part))
  }
  return frames
}

describe('answers and values', () => {
  test.each([
    ['RETURN', returned(3, link.mine(1))],
    ['FAIL', message(OP.fail, 3, 1, 0)],
  ])('a %s that nobody asked for ends the session', async (_name, bytes) => {
    const world = await attacked()
    world.send(batch(bytes))
    expect(await world.outcome).toMatchObject({ reason: 'protocol', by: 'peer' })
    await expectNoGrowth(world)
  })

  test('links in the data of an error are refused at its caller', async () => {
    const Root = iface('Root', { get: method<void, void>() })
    const { peer, send, received, close } = await callFrom()
    const answer = peer
      .root()
      .call(Root.methods.get('get')!, undefined, undefined)
      .catch((error) => error)
    await expect.poll(received).toHaveLength(1)
    const data = returned(0, link.mine(4)).subarray(2)
    send(batch(Uint8Array.of(OP.fail, 0, FAILURE_CODES.declared, 32, ...data)))
    expect(await answer).toMatchObject({ code: 'rpc/bad_value' })
    expect(peer.openReferences).toBe(1)
    close()
  })

  test('more references in a result than the service announced make it bad, and release what came', async () => {
    const Root = iface('Root', { get: method<void, unknown>() })
    const { peer, send, received, close } = await callFrom({ maxExports: 5 })
    const answer = peer
      .root()
      .call(Root.methods.get('get')!, undefined, undefined)
      .catch((error) => error)
    await expect.poll(received).toHaveLength(1)
    send(
      batch(
        returned(
          0,
          [1, 2, 3, 4, 5, 6].map((id) => link.mine(id)),
        ),
      ),
    )
    expect(await answer).toMatchObject({ code: 'rpc/bad_value', mayHaveRun: true })
    await expect.poll(() => received().filter(({ op }) => op === OP.release).length).toBe(4)
    expect(peer.openReferences).toBe(1)
    close()
  })

  test('deep and huge values with links are judged before anything is built', async () => {
    const world = await attacked()
    let deep: unknown = link.mine(1)
    for (let i = 0; i < VALUE_MAX_DEPTH - 1; i++) deep = [deep]
    const wide = Array.from({ length: 65_535 }, (_, id) => link.mine(id % 4_000))
    world.send(batch(call(0, 'echo', [deep])))
    const bytes = call(1, 'echo', wide)
    for (const frame of fragments(0, bytes)) world.send(frame)
    const cut = call(2, 'echo', [link.mine(1), 1])
    world.send(batch(cut.subarray(0, cut.length - 1)))
    await expect.poll(world.answers).toContainEqual(failed(2, 'invalid_argument'))
    await settled()
    for (const { op, id } of world.answers()) if (op === OP.return) world.send(batch(finish(id)))
    await expectNoGrowth(world)
  })

  test('a capability that is none makes its value bad', async () => {
    const world = await attacked()
    world.send(batch(call(0, 'echo', link.capability('noisecap:nonsense'))))
    await expect.poll(world.answers).toEqual([failed(0, 'invalid_argument')])
    await expectNoGrowth(world)
  })
})

const revoked = (): object => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}
const trap = (): never => {
  throw new Error('hunter2')
}
const bristling = (target: object): object =>
  new Proxy(target, {
    get: trap,
    has: trap,
    getPrototypeOf: trap,
    ownKeys: trap,
    getOwnPropertyDescriptor: trap,
  })
const THROWN: [string, () => unknown][] = [
  ['undefined', () => undefined],
  ['a symbol', () => Symbol('hunter2')],
  ['a function', () => trap],
  ['a Proxy whose every trap throws', () => bristling({})],
  ['a revoked Proxy', revoked],
  ['a Proxy of a Failure', () => bristling(new Failure('not_found', 'hunter2'))],
  [
    'a Failure with a getter that throws',
    () => Object.defineProperty(new Failure('aborted', ''), 'message', { get: trap }),
  ],
  [
    'a Failure whose message is no text',
    () => Object.assign(new Failure('aborted', ''), { message: Symbol('x') }),
  ],
  [
    'a declared Failure whose data throws',
    () => new Failure('declared', '', { name: 'X', data: bristling({}) }),
  ],
  ['an object with a then that throws', () => Object.defineProperty({}, 'then', { get: trap })],
]

// biome-ignore-start lint/suspicious/noThenProperty: what a handler may give
describe('a handler that throws', () => {
  test.each(THROWN)('%s is answered, once, and tells nothing', async (_name, make) => {
    const world = await attacked()
    next.thrown = make()
    next.given = () => {
      throw next.thrown
    }
    world.send(batch(call(0, 'thrown'), call(1, 'given')))
    await expect.poll(world.answers).toHaveLength(2)
    for (const { op } of world.answers()) expect(op).toBe(OP.fail)
    expect(Buffer.concat(world.records).includes('hunter2')).toBe(false)
    await expectServed(world, 2)
    await expectNoGrowth(world)
  })

  const GIVEN: [string, () => unknown][] = [
    [
      'a rejected thenable',
      () => ({ then: (_: unknown, reject: (error: unknown) => void) => reject(undefined) }),
    ],
    ['a thenable that throws', () => ({ then: trap })],
    [
      'a thenable that answers twice',
      () => ({ then: (resolve: (n: number) => void) => [resolve(1), resolve(2)] }),
    ],
    ['a promise that is rejected with a revoked Proxy', () => Promise.reject(revoked())],
    ['an object that holds a revoked Proxy', () => ({ x: revoked() })],
    ['a promise of an object that holds a revoked Proxy', async () => ({ x: revoked() })],
    [
      'an object with a getter that throws',
      () => Object.defineProperty({}, 'x', { get: trap, enumerable: true }),
    ],
    ['a promise of that', async () => Object.defineProperty({}, 'x', { get: trap, enumerable: true })],
    ['a promise of a list with a bristling Proxy', async () => [bristling({})]],
  ]
  test.each(GIVEN)('or gives %s is answered, once', async (_name, give) => {
    const world = await attacked()
    next.given = give
    world.send(batch(call(0, 'given'), call(1, 'given', undefined, { flags: 0 }), message(OP.pull, 1)))
    await expect.poll(world.answers).toHaveLength(2)
    await settled()
    expect(world.answers()).toHaveLength(2)
    await expectServed(world, 2)
    await expectNoGrowth(world)
  })

  test('a thousand times leaves nothing behind', async () => {
    const world = await attacked()
    next.thrown = bristling({})
    next.given = async () => ({ x: revoked() })
    for (let i = 0; i < 500; i++) world.send(batch(call(2 * i, 'thrown'), call(2 * i + 1, 'given')))
    await expect.poll(world.answers).toHaveLength(1_000)
    expect(world.errors).toHaveLength(1_000)
    await expectServed(world, 1_023)
    await expectNoGrowth(world)
  })
})
// biome-ignore-end lint/suspicious/noThenProperty: as above
