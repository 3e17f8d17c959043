// Map bombs, written by hand: refused before anything runs, while the session goes on.
import { afterEach, describe, expect, test } from 'vitest'
import { concat } from '../../src/bytes.js'
import type { ByteSink } from '../../src/rpc/byte-sink.js'
import { FAILURE_CODES } from '../../src/rpc/failure.js'
import { iface, method, type Reference, reference } from '../../src/rpc/index.js'
import { writeStepHead } from '../../src/rpc/map-plan.js'
import type { PathKey } from '../../src/rpc/value-links.js'
import { encodeValue } from '../../src/rpc/values.js'
import { CALL_FLAG, OP, writeByte, writeBytes, writeVarint } from '../../src/rpc/wire.js'
import { MappingAuthority } from '../rpc/mapping.js'
import { batch, bytesOf, call, message, serve } from '../rpc/scripted.js'

const Item = iface('Item', { echo: method<unknown, unknown>(), big: method<void, string>() })
const List = iface('List', {
  items: method<number, Reference<typeof Item>[]>(),
  text: method<void, string>(),
})

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

async function served() {
  let calls = 0
  const item = {
    echo: (value: unknown) => {
      calls += 1
      return value
    },
    big: () => {
      calls += 1
      return 'x'.repeat(65_536)
    },
  }
  const object = {
    items: (length: number) => Array.from({ length }, () => reference(Item, item)),
    text: () => 'no list',
  }
  const world = await serve(List, object, { authority: new MappingAuthority(1_024) })
  closers.push(world.close)
  return { ...world, calls: () => calls }
}

/** Tag 51891: an answer, or within a map an element or a result. */
function answer(id: number, ...path: readonly string[]): Uint8Array {
  const head = Uint8Array.of(0xd9, 0xca, 0xb3, 0x80 + 1 + path.length)
  return concat(head, encodeValue(id), ...path.map((key) => encodeValue(key)))
}

interface Step {
  on?: number
  path?: readonly PathKey[]
  name?: string
  args?: Uint8Array
}

function mapOf(
  id: number,
  steps: readonly Step[],
  { source = answer(0), result = answer(1), count = steps.length, flags = CALL_FLAG.want as number } = {},
): Uint8Array {
  const counted = (sink: ByteSink, bytes: Uint8Array) => {
    writeVarint(sink, bytes.length)
    writeBytes(sink, bytes)
  }
  return bytesOf((sink) => {
    writeByte(sink, OP.map)
    writeVarint(sink, id)
    writeByte(sink, flags)
    counted(sink, source)
    writeVarint(sink, count)
    for (const { on = 0, path = [], name = 'echo', args = encodeValue(1) } of steps) {
      writeStepHead(sink, on, path, name)
      counted(sink, args)
    }
    writeBytes(sink, result)
  })
}

const keep = CALL_FLAG.want | CALL_FLAG.keep
const items = (length: number) => call(0, 'items', length, { flags: keep })
const steps = (length: number, step: Step = {}) => Array.from({ length }, () => step)

describe('refused with nothing run', () => {
  const {
    resource_exhausted: exhausted,
    invalid_argument: invalid,
    failed_precondition: failed,
  } = FAILURE_CODES
  const bombs: [string, number, Uint8Array, Uint8Array?][] = [
    ['65 steps', exhausted, mapOf(1, steps(65))],
    ['4 billion steps in a short message', exhausted, mapOf(1, [], { count: 0xffff_ffff })],
    ['no steps', exhausted, mapOf(1, [])],
    ['more elements times steps than allowed', exhausted, mapOf(1, steps(64)), items(17)],
    [
      'more bytes of arguments than may be read',
      exhausted,
      mapOf(1, [{ args: encodeValue('x'.repeat(9_000)) }]),
      items(500),
    ],
    [
      'more bytes of results than may leave',
      exhausted,
      mapOf(1, steps(1), { result: encodeValue('x'.repeat(3_000)) }),
      items(400),
    ],
    ['a step on itself', invalid, mapOf(1, [{ on: 1 }])],
    ['a step on a later one', invalid, mapOf(1, [{ on: 2 }, {}])],
    ['a step whose arguments are its own result', invalid, mapOf(1, [{ args: answer(1) }])],
    ['arguments of a later result', invalid, mapOf(1, [{ args: answer(2) }, {}])],
    ['arguments of a step that is no step', invalid, mapOf(1, [{ args: answer(0x7fff_ffff) }])],
    ['a result that no step has', invalid, mapOf(1, steps(1), { result: answer(2) })],
    ['a path of 9 keys to a target', invalid, mapOf(1, [{ path: Array<string>(9).fill('a') }])],
    [
      'a path of 9 keys in arguments',
      invalid,
      mapOf(1, [{ args: answer(0, ...Array<string>(9).fill('a')) }]),
    ],
    ['a stream in arguments', invalid, mapOf(1, [{ args: Uint8Array.of(0xd9, 0xca, 0xb4, 0x82, 0, 0) }])],
    ['its own answer as source', failed, mapOf(1, steps(1), { source: answer(1) })],
    ['a source that is text', failed, mapOf(1, steps(1)), call(0, 'text', undefined, { flags: keep })],
    ['a source that is a number', failed, mapOf(1, steps(1), { source: encodeValue(7) })],
    ['a list of data alone', failed, mapOf(1, steps(1), { source: encodeValue([1, 2, 3]) })],
    [
      'a source nested in an array',
      failed,
      mapOf(1, steps(1), { source: concat(Uint8Array.of(0x81), answer(0)) }),
    ],
    [
      'objects of the client as source',
      invalid,
      mapOf(1, steps(1), { source: Uint8Array.of(0x81, 0xd9, 0xca, 0xb1, 0) }),
    ],
    [
      'references that are not there',
      invalid,
      mapOf(1, steps(1), { source: Uint8Array.of(0x81, 0xd9, 0xca, 0xb2, 9) }),
    ],
    ['no want', FAILURE_CODES.unimplemented, mapOf(1, steps(1), { flags: 0 })],
    [
      'one-way',
      FAILURE_CODES.unimplemented,
      mapOf(1, steps(1), { flags: CALL_FLAG.want | CALL_FLAG.oneWay }),
    ],
  ]
  test.each(bombs)('%s', async (_what, code, map, list = items(2)) => {
    const world = await served()
    world.send(batch(list))
    world.send(batch(map))
    await expect.poll(() => world.answers()).toContainEqual({ op: OP.fail, id: 1, code })
    expect(world.calls()).toBe(0)
    expect(world.peer.servedCalls).toBe(0)
    world.send(batch(call(2, 'text')))
    await expect.poll(() => world.answers()).toContainEqual({ op: OP.return, id: 2 })
  })
})

test('a map that is cut short ends the session', async () => {
  for (const length of [2, 3, 6, 9, 12]) {
    const world = await served()
    world.send(batch(items(1)))
    world.send(batch(mapOf(1, steps(1), { result: new Uint8Array(0) }).subarray(0, length)))
    expect(await world.outcome, `${length} bytes`).toMatchObject({ reason: 'protocol' })
    expect(world.calls()).toBe(0)
  }
})

test('results that grow with each step are not copied without end', async () => {
  const world = await served()
  world.send(batch(items(10)))
  const growing: Step[] = [{ name: 'big', args: encodeValue(undefined) }, ...steps(63, { args: answer(1) })]
  world.send(batch(mapOf(1, growing)))
  const exhausted = { op: OP.fail, id: 1, code: FAILURE_CODES.resource_exhausted }
  await expect.poll(() => world.answers()).toContainEqual(exhausted)
  // One message that says the same large result again and again.
  const result = concat(Uint8Array.of(0x98, 40), ...Array.from({ length: 40 }, () => answer(1)))
  world.send(batch(mapOf(2, [{ name: 'big', args: encodeValue(undefined) }], { result })))
  await expect.poll(() => world.answers()).toContainEqual({ ...exhausted, id: 2 })
  expect(world.peer.servedCalls).toBe(0)
})

test('a client that lets go of the list while it is mapped takes nothing from the map', async () => {
  const world = await served()
  world.send(batch(items(3), mapOf(1, steps(2)), message(OP.finish, 0), message(OP.release, 1, 3)))
  await expect.poll(() => world.answers()).toContainEqual({ op: OP.return, id: 1 })
  expect(world.calls()).toBe(6)
})
