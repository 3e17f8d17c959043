// Metadata of calls: as it leaves, as handlers see it, and what a hostile peer may send in its place.
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { utf8 } from '../../src/bytes.js'
import { type CallContext, type CallOptions, iface, method, reference } from '../../src/rpc/index.js'
import { encodeValue } from '../../src/rpc/values.js'
import { CALL_FLAG, OP, writeByte, writeBytes, writeVarint } from '../../src/rpc/wire.js'
import { converse } from './conversation.js'
import { batch, bytesOf, call, serve } from './scripted.js'

const Echo = iface('Echo', { metadata: method<void, Record<string, string>>() })
const Nest = iface('Nest', { echo: method(z.void(), Echo) })

const echo = { metadata: (_input: unknown, context: CallContext) => ({ ...context.metadata }) }

const INVALID_ARGUMENT = 3

describe('between peers', () => {
  test('the handler sees it; another call has none', async () => {
    const { root, close } = await converse(Echo, echo)
    expect(await root.metadata(undefined, { metadata: { trace: '7', ключ: 'ü' } })).toEqual({
      trace: '7',
      ключ: 'ü',
    })
    expect(await root.metadata()).toEqual({})
    expect(await root.metadata(undefined, { metadata: {} })).toEqual({})
    close()
  })

  test('it is frozen, and has no name that nobody sent', async () => {
    let seen: CallContext | undefined
    const { root, close } = await converse(Echo, {
      metadata: (_input, context) => {
        seen = context
        return {}
      },
    })
    await root.metadata(undefined, { metadata: { trace: '7' } })
    expect(Object.isFrozen(seen?.metadata)).toBe(true)
    expect(seen?.metadata['constructor']).toBeUndefined()
    await root.metadata()
    expect(Object.isFrozen(seen?.metadata)).toBe(true)
    expect(seen?.metadata['constructor']).toBeUndefined()
    close()
  })

  test('a pipelined call carries it, with a deadline before it', async () => {
    const { root, close } = await converse(Nest, { echo: () => reference(Echo, echo) })
    const options = { metadata: { trace: '7' }, timeoutMs: 60_000 }
    expect(await root.echo().metadata(undefined, options)).toEqual({ trace: '7' })
    close()
  })

  test('an object of this process sees it as well', async () => {
    using local = reference(Echo, echo)
    expect(await local.metadata(undefined, { metadata: { trace: '7' } })).toEqual({ trace: '7' })
    expect(await local.metadata()).toEqual({})
  })
})

describe('what cannot be sent fails its call, with none of its text in the error', () => {
  const many = Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`k${i}`, '']))
  const cases: [string, unknown, typeof TypeError | typeof RangeError][] = [
    ['a number as member', { secret: 1 }, TypeError],
    ['a list', ['secret'], TypeError],
    ['a Map', new Map([['secret', 'x']]), TypeError],
    ['text', 'secret', TypeError],
    ['33 names', many, RangeError],
    ['more than 4,096 bytes', { secret: 'x'.repeat(4_096) }, RangeError],
  ]
  test.each(cases)('%s', async (_name, metadata, kind) => {
    let ran = 0
    const { root, close } = await converse(Echo, {
      metadata: () => {
        ran += 1
        return {}
      },
    })
    const options = { metadata } as CallOptions
    const error = await root.metadata(undefined, options).then(
      () => undefined,
      (reason: unknown) => reason,
    )
    expect(error).toBeInstanceOf(kind)
    expect(String(error)).not.toContain('secret')
    expect(ran).toBe(0)
    await root.metadata()
    expect(ran).toBe(1)
    close()
  })

  test('32 names and 4,096 bytes are as much as may be', async () => {
    const { root, close } = await converse(Echo, echo)
    const names = Object.fromEntries(Array.from({ length: 32 }, (_, i) => [`k${i}`, 'v']))
    expect(await root.metadata(undefined, { metadata: names })).toEqual(names)
    // A map of one: head, name, and text with a head of three bytes.
    const full = { a: 'x'.repeat(4_096 - 1 - 2 - 3) }
    expect(encodeValue(full)).toHaveLength(4_096)
    expect(await root.metadata(undefined, { metadata: full })).toEqual(full)
    close()
  })
})

/** A CALL whose metadata is these bytes. */
const callWith = (id: number, metadata: Uint8Array, length = metadata.length): Uint8Array =>
  bytesOf((sink) => {
    writeByte(sink, OP.call)
    writeVarint(sink, id)
    writeByte(sink, CALL_FLAG.want | CALL_FLAG.metadata)
    writeVarint(sink, 0)
    writeVarint(sink, 8)
    writeBytes(sink, utf8('metadata'))
    writeVarint(sink, length)
    writeBytes(sink, metadata)
    writeBytes(sink, encodeValue(undefined))
  })

describe('malformed metadata fails its call, never the session', () => {
  const objectOf = (length: number) => Object.fromEntries(Array.from({ length }, (_, i) => [`k${i}`, '']))
  const cases: [string, Uint8Array][] = [
    ['nothing', new Uint8Array(0)],
    ['no value', Uint8Array.of(0xff)],
    ['a value cut off', encodeValue({ a: 'b' }).slice(0, -1)],
    ['bytes behind the value', Uint8Array.of(...encodeValue({ a: 'b' }), 0)],
    ['a number as member', encodeValue({ a: 1 })],
    ['an object as member', encodeValue({ a: {} })],
    ['a list', encodeValue(['a'])],
    ['a Map', encodeValue(new Map([['a', 'b']]))],
    ['text', encodeValue('a')],
    ['33 names', encodeValue(objectOf(33))],
    ['__proto__', Uint8Array.of(0xa1, 0x69, ...utf8('__proto__'), 0x61, 0x62)],
    ['a reference', Uint8Array.of(0xa1, 0x61, 0x61, 0xd9, 0xca, 0xb1, 0)],
    ['4,097 bytes', encodeValue({ a: 'x'.repeat(4_091) })],
  ]
  test.each(cases)('%s', async (_name, metadata) => {
    let ran = 0
    const service = await serve(Echo, { metadata: () => ++ran })
    service.send(batch(callWith(0, metadata), call(1, 'metadata')))
    await expect.poll(() => service.answers()).toHaveLength(2)
    expect(service.answers()).toEqual([
      { op: OP.fail, id: 0, code: INVALID_ARGUMENT },
      { op: OP.return, id: 1 },
    ])
    expect(ran).toBe(1)
    service.close()
  })

  test('a length beyond its message ends the session', async () => {
    const service = await serve(Echo, { metadata: () => 1 })
    service.send(batch(callWith(0, encodeValue({ a: 'b' }), 100)))
    expect(await service.outcome).toMatchObject({ reason: 'protocol' })
  })

  test('it is judged after the right to call', async () => {
    const service = await serve(Echo, { metadata: () => 1 }, { authorize: () => 'denied' })
    service.send(batch(callWith(0, Uint8Array.of(0xff))))
    await expect.poll(() => service.answers()).toEqual([{ op: OP.fail, id: 0, code: 7 }])
    service.close()
  })
})
