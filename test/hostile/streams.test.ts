// Attacks on streams by a peer inside a genuine session: credit, numbers of streams, and sources that throw anything
// (spec/rpc.md §4, §8).
import { describe, expect, test } from 'vitest'
import { FAILURE_CODES } from '../../src/rpc/failure.js'
import { OP } from '../../src/rpc/wire.js'
import { settled } from '../rpc/conversation.js'
import { batch, call, callAnswer, item, link, message, piece } from '../rpc/scripted.js'
import { attacked, expectNoGrowth, expectServed, next, signals, watchOverOthers } from './live-objects.js'

watchOverOthers()

const drain = (isBytes: boolean): Uint8Array => batch(call(0, 'drain', { of: link.stream(0, isBytes) }))

describe('what ends the session as protocol', () => {
  test.each([
    ['items without credit', false, Array.from({ length: 30 }, () => batch(item(0, 'x'.repeat(12_000))))],
    ['bytes without credit', true, Array.from({ length: 30 }, () => piece(0, 16_000))],
    ['a frame of 32,769 bytes', true, [piece(0, 32_769)]],
    ['bytes in a stream of items', false, [piece(0, 1)]],
    ['an item in a stream of bytes', true, [batch(item(0, 1))]],
    ['bytes of no stream', true, [piece(9, 1)]],
  ])('%s', async (_name, isBytes, frames) => {
    const world = await attacked()
    // Nobody reads it, so nothing is granted beyond the window.
    world.send(batch(call(0, 'hold', { of: link.stream(0, isBytes) })), ...frames)
    expect(await world.outcome).toMatchObject({ reason: 'protocol', by: 'peer' })
    await expectNoGrowth(world)
  })

  test('more credit than can be counted', async () => {
    const world = await attacked()
    world.send(batch(call(0, 'items', 0), message(OP.credit, 0, 0xffff_ffff)))
    expect(await world.outcome).toMatchObject({ reason: 'protocol', by: 'peer' })
    await expect.poll(() => signals.every(({ aborted }) => aborted)).toBe(true)
    await expectNoGrowth(world)
  })
})

test.each([
  ['ITEM', item(9, 1)],
  ['END', message(OP.end, 9, 0)],
  ['CREDIT', message(OP.credit, 9, 1)],
  ['STOP', message(OP.stop, 9)],
])(
  '%s of a stream that is not there is stray: a hundred do nothing, one more is the end',
  async (_name, bytes) => {
    const world = await attacked()
    world.send(batch(...Array.from({ length: 100 }, () => bytes)))
    await expectServed(world, 0)
    await expectNoGrowth(world)
    world.send(batch(bytes))
    expect(await world.outcome).toMatchObject({ reason: 'limit', by: 'peer' })
  },
)

test('a client that grants no credit makes the source give no more than the first window holds', async () => {
  const world = await attacked()
  next.source = async function* () {
    for (next.pulls = 1; ; next.pulls++) yield 'x'.repeat(1_000)
  }
  world.send(batch(call(0, 'items', 0)))
  await settled()
  expect(next.pulls).toBeLessThan(270) // 262,144 bytes of credit
  world.send(batch(message(OP.stop, 0)))
  await expectServed(world, 1)
  await expectNoGrowth(world)
})

test('an item that is no value ends its stream alone, once, and is delivered to nobody', async () => {
  const world = await attacked()
  const bad = item(0, 1)
  bad[bad.length - 1] = 0x5f
  world.send(drain(false), batch(item(0, 'first'), bad, item(0, 'late'), message(OP.end, 0, 0)))
  await expect.poll(world.answers).toContainEqual({ op: OP.fail, id: 0, code: FAILURE_CODES.aborted })
  expect(next.read).toEqual(['first'])
  expect(world.answers().filter(({ op }) => op === OP.stop)).toHaveLength(1)
  await expectServed(world, 1)
  await expectNoGrowth(world)
})

test('a connection that is gone ends open streams on both sides', async () => {
  const world = await attacked()
  world.send(drain(false), batch(call(1, 'items', 0)))
  await expect.poll(() => signals.length).toBe(2)
  world.close()
  await expect.poll(() => signals.every(({ aborted }) => aborted)).toBe(true)
  await expectNoGrowth(world)
})

describe('a client that sends nothing more, without a close record', () => {
  const hangsUp: [string, (world: Awaited<ReturnType<typeof attacked>>) => void][] = [
    ['while calls run', ({ send }) => send(batch(call(1, 'hold', 0), call(2, 'hang')))],
    ['while a stream flows to it', ({ send }) => send(batch(call(1, 'items', 0)))],
    ['while its own stream is read', ({ send }) => send(drain(false), batch(item(0, 'first')))],
    [
      'while a call waits for an answer',
      ({ send }) => send(batch(call(1, 'hold', 0), callAnswer(2, 1, [], 'read'))),
    ],
    ['in the middle of a record', ({ sendRaw }) => sendRaw(Uint8Array.of(0, 200, 1, 2, 3))],
    ['in the middle of a length', ({ sendRaw }) => sendRaw(Uint8Array.of(0))],
  ]

  test.each(hangsUp)('%s', async (_when, prepare) => {
    const world = await attacked()
    prepare(world)
    await settled()
    world.endSending()
    expect(await world.outcome).toMatchObject({ reason: 'truncated' })
    expect(signals.every(({ aborted }) => aborted)).toBe(true)
    await expectNoGrowth(world)
  })
})

test('a thousand streams, stopped or refused, leave nothing behind', async () => {
  const world = await attacked()
  next.source = async function* () {
    yield 1
  }
  for (let i = 0; i < 500; i++) {
    world.send(batch(call(0, 'items', 0), call(1, 'nothing', link.stream(0)), message(OP.end, 0, 0)))
    await settled(3)
    world.send(batch(message(OP.stop, 0)))
  }
  await expectServed(world, 2)
  await expectNoGrowth(world)
})

const trap = (): never => {
  throw new Error('hunter2')
}
test.each([
  ['throws undefined', () => ({ next: () => Promise.reject(undefined) })],
  ['throws at once', () => ({ next: trap })],
  ['gives no result', () => ({ next: () => undefined })],
  [
    'rejects with a Proxy that throws',
    () => ({ next: () => Promise.reject(new Proxy({}, { get: trap, getPrototypeOf: trap })) }),
  ],
  ['gives no iterator', trap],
])('a source that %s fails its stream alone', async (_name, iterator) => {
  const world = await attacked()
  next.source = () => ({ [Symbol.asyncIterator]: iterator }) as never
  world.send(batch(call(0, 'items', 0)))
  await expect.poll(() => world.answers().filter(({ op }) => op === OP.end)).toHaveLength(1)
  expect(Buffer.concat(world.records).includes('hunter2')).toBe(false)
  world.send(batch(message(OP.stop, 0)))
  await expectServed(world, 1)
  await expectNoGrowth(world)
})

test('a frame of 32,768 bytes is read', async () => {
  const world = await attacked()
  world.send(drain(true), piece(0, 32_768), batch(message(OP.end, 0, 0)))
  await expect.poll(world.answers).toContainEqual({ op: OP.return, id: 0 })
  expect(next.read.map((bytes) => (bytes as Uint8Array).length)).toEqual([32_768])
  await expectNoGrowth(world)
})
