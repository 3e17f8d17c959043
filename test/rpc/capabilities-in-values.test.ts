// Capabilities as values: they arrive as capabilities, show nothing, and a malformed one fails its call alone. SAVE by hand.
import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { Capability, mint, ServiceKey } from '../../src/capability/index.js'
import { ByteSink } from '../../src/rpc/byte-sink.js'
import { iface, method, stream } from '../../src/rpc/index.js'
import { ItemWriter } from '../../src/rpc/item-writer.js'
import { writeCapability } from '../../src/rpc/value-links.js'
import { encodeValue } from '../../src/rpc/values.js'
import { OP, writeBytes } from '../../src/rpc/wire.js'
import { converse } from './conversation.js'
import { batch, bytesOf, call, message, serve } from './scripted.js'

const key = ServiceKey.generate()
const newCapability = () => mint(key, { object: 'notes/ada' }, { via: 'test' })
const Box = iface('Box', {
  echo: method<unknown, unknown>(),
  items: stream<void, unknown>(),
  strict: method(
    z.object({ capability: z.custom<Capability>((value) => value === 'never', 'not this one') }),
    z.void(),
  ),
  loose: method(
    z
      .unknown()
      .refine(() => false, { error: ({ input }) => `got ${String(input)} ${JSON.stringify(input)}` }),
    z.void(),
  ),
})
const box = (items: unknown[] = []) => ({
  echo: (value: unknown) => value,
  async *items() {
    yield* items
  },
  strict: () => {},
  loose: () => {},
})

/** Everything that prints `value`. */
const shown = (value: unknown) =>
  [inspect(value, { depth: 9 }), JSON.stringify(value), String(value)].join(' ')

test('a capability arrives as one, alone, in objects, lists, Maps and items, and prints redacted', async () => {
  const sent = newCapability()
  const secret = sent.export().split('#')[1]!
  const { root, close } = await converse(Box, box([sent, { deep: [sent] }]))
  const alone = await root.echo(sent)
  const object = (await root.echo({ a: { b: [sent] } })) as { a: { b: Capability[] } }
  const map = (await root.echo(new Map([['k', sent]]))) as Map<string, Capability>
  const items: unknown[] = []
  for await (const item of root.items()) items.push(item)
  const received = [alone, object.a.b[0], map.get('k'), items[0], (items[1] as { deep: unknown[] }).deep[0]]
  for (const each of received) {
    expect(each).toBeInstanceOf(Capability)
    expect((each as Capability).equals(sent)).toBe(true)
    expect((each as Capability).export()).toBe(sent.export())
  }
  for (const value of [alone, object, map, items]) expect(shown(value)).not.toContain(secret.slice(0, 40))
  expect(shown(object)).toContain('[redacted]')
  close()
})

test('what a schema says of a capability holds no secret', async () => {
  const { root, close, errors } = await converse(Box, box())
  const sent = newCapability()
  const secret = sent.export().split('#')[1]!
  for (const failing of [root.strict({ capability: sent }), root.loose(sent)]) {
    const error = await failing.catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'rpc/invalid_argument' })
    expect(shown(error)).not.toContain(secret.slice(0, 40))
  }
  expect(errors).toEqual([])
  close()
})

test.each([
  ['a whole one (which does not)', 'whole'],
  ['no capability', 'hello'],
  ['one that was altered', 'altered'],
  ['one that is cut', 'cut'],
])('%s fails the call only, and is not repeated', async (_name, kind) => {
  const text = newCapability().export()
  const middle = text.length - 60
  const flipped = text[middle] === 'A' ? 'B' : 'A'
  const whole = text
  const sent = {
    whole,
    hello: 'hello',
    cut: text.slice(0, -9),
    altered: text.slice(0, middle) + flipped + text.slice(middle + 1),
  }
  const service = await serve(Box, box())
  const args = new ByteSink()
  const writer = new ItemWriter()
  writer.begin(args)
  writeCapability(writer, sent[kind as keyof typeof sent])
  writer.commit()
  const head = call(0, 'echo')
  const bad = bytesOf((sink) => {
    writeBytes(sink, head.subarray(0, head.length - 1)) // without its undefined
    writeBytes(sink, args.bytes.slice(0, args.length))
  })
  service.send(batch(bad, call(1, 'echo', 1)))
  await expect
    .poll(() => service.answers())
    .toEqual([
      kind === 'whole' ? { op: OP.return, id: 0 } : { op: OP.fail, id: 0, code: 3 },
      { op: OP.return, id: 1 },
    ])
  expect(service.errors).toEqual([])
  service.close()
})

/** A SAVE. */
const save = (id: number, exportId: number, restrictions: unknown) =>
  bytesOf((sink) => {
    writeBytes(sink, message(OP.save, id, exportId))
    writeBytes(sink, encodeValue(restrictions))
  })

test('SAVE of an export that is not there, and of a side that names nothing, fails alone', async () => {
  const service = await serve(Box, box())
  service.send(batch(save(0, 7, {}), save(1, 0, {}), call(2, 'echo', 1)))
  await expect
    .poll(() => service.answers())
    .toEqual([
      { op: OP.fail, id: 0, code: 5 },
      { op: OP.fail, id: 1, code: 9 },
      { op: OP.return, id: 2 },
    ])
  service.close()
})

test('SAVE with restrictions that are unknown or of another kind is refused, never passed over', async () => {
  const asked: unknown[] = []
  const give = (_exported: unknown, restrictions: unknown) => {
    asked.push(restrictions)
    return newCapability()
  }
  const service = await serve(Box, box(), { save: give })
  const bad = [
    7,
    null,
    [],
    { unknown: 1 },
    { methods: 'add' },
    { expiresIn: -1 },
    { expiresIn: '1h' },
    { holder: new Uint8Array(31) },
  ]
  const more = [{ patterns: ['NN'] }, { expiresAt: 5 }, { claims: [] }, { via: 1 }]
  for (const [i, restrictions] of [...bad, ...more].entries()) service.send(batch(save(i, 0, restrictions)))
  await expect.poll(() => service.answers().length).toBe(12)
  expect(service.answers().every(({ op, code }) => op === OP.fail && code === 3)).toBe(true)
  expect(asked).toEqual([])
  service.send(batch(save(20, 0, { methods: ['add'], expiresIn: 5, via: 'x', claims: { a: 1 } })))
  await expect.poll(() => service.answers().at(-1)).toEqual({ op: OP.return, id: 20 })
  expect(asked).toHaveLength(1)
  service.close()
})
