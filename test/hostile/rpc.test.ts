// Scripted peers inside a genuine session: what breaks the wire format ends it, what is not built is refused, and no
// name of JavaScript's own objects is reachable.
import { inspect } from 'node:util'
import { afterEach, describe, expect, test } from 'vitest'
import { concat, utf8 } from '../../src/bytes.js'
import { BAD_RELEASES_MAX, FRAGMENT_MAX_BYTES } from '../../src/limits.js'
import { FAILURE_CODES } from '../../src/rpc/failure.js'
import { CallError, iface, method } from '../../src/rpc/index.js'
import { encodeValue } from '../../src/rpc/values.js'
import { CALL_FLAG, FRAME, OP, writeByte, writeBytes, writeVarint } from '../../src/rpc/wire.js'
import { batch, bytesOf, call, callFrom, message, returned, serve } from '../rpc/scripted.js'

const Echo = iface('Echo', {
  echo: method<unknown, unknown>(),
  hang: method<void, void>(),
  leak: method<void, void>(),
})
const echo = Echo.methods.get('echo')!
const hanging: ((value: undefined) => void)[] = []
const object = {
  echo: (value: unknown) => value,
  hang: () => new Promise<undefined>((resolve) => hanging.push(resolve)),
  leak: () => {
    throw new Error('password is hunter2')
  },
  hidden: () => 'not declared',
}

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
  hanging.length = 0
})

async function served(options: Parameters<typeof serve>[2] = {}) {
  const world = await serve(Echo, object, options)
  closers.push(world.close)
  return world
}

async function calling(remote: Parameters<typeof callFrom>[0] = {}) {
  const world = await callFrom(remote)
  closers.push(world.close)
  return world
}

const fragment = (id: number, last: number, body: Uint8Array) =>
  bytesOf((sink) => {
    writeByte(sink, FRAME.fragment)
    writeVarint(sink, id)
    writeByte(sink, last)
    writeBytes(sink, body)
  })

describe('what ends the session as protocol', () => {
  const cases: [string, Uint8Array[]][] = [
    ['an unknown kind of frame', [Uint8Array.of(9, 0)]],
    ['a stream frame', [Uint8Array.of(FRAME.stream, 0, 1)]],
    ['an unknown op below 0x80', [batch(message(21))]],
    ['PRESENT with a locator of 2,561 bytes', [batch(message(OP.present, 0, 2_561))]],
    ['PRESENT cut short', [batch(message(OP.present, 0, 3, 1, 2, 3))]],
    [
      'PRESENT with 17 salts',
      [batch(concat(message(OP.present, 0, 0), new Uint8Array(32), Uint8Array.of(17)))],
    ],
    ['BEFRIEND without an export', [batch(message(OP.befriend, 0))]],
    ['RELEASE without a count', [batch(message(OP.release, 0))]],
    ['CLOSE inside a batch', [batch(message(OP.close, 0))]],
    ['RESOLVE', [batch(message(OP.resolve, 0))]],
    ['an empty message', [Uint8Array.of(0, 0)]],
    ['a message longer than its batch', [Uint8Array.of(0, 5, OP.ping)]],
    ['a varint of more than 32 bits', [Uint8Array.of(0, 0xff, 0xff, 0xff, 0xff, 0x7f)]],
    ['a varint without end', [Uint8Array.of(0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)]],
    ['a CALL that stops behind its id', [batch(message(OP.call, 1))]],
    ['a method name of 128 bytes', [batch(call(0, 'x'.repeat(128)))]],
    ['a method name that is not UTF-8', [batch(Uint8Array.of(OP.call, 0, 1, 0, 1, 0xff, 0xf6))]],
    ['a PING of 7 bytes', [batch(Uint8Array.of(OP.ping, 0, 0, 0, 0, 0, 0, 0))]],
    ['a PONG to no PING', [batch(message(OP.pong))]],
    ['a RETURN to no call', [batch(returned(0, 1))]],
    ['a FAIL to no call', [batch(message(OP.fail, 7, 2, 0))]],
    ['a call id in use', [batch(call(3, 'hang'), call(3, 'hang'))]],
    ['an empty fragment', [fragment(0, 1, new Uint8Array(0))]],
    ['a fragment that is too long', [fragment(0, 0, new Uint8Array(FRAGMENT_MAX_BYTES + 1))]],
    ['a fragment with a strange mark', [fragment(0, 2, new Uint8Array(1))]],
    [
      'fragments of two messages mixed',
      [fragment(0, 0, new Uint8Array(9)), fragment(1, 0, new Uint8Array(9))],
    ],
  ]
  test.each(cases)('%s', async (_name, frames) => {
    const { send, outcome } = await served()
    send(...frames)
    expect(await outcome).toMatchObject({ reason: 'protocol', by: 'peer' })
  })

  test('fragments beyond the budget of one message, before the message is whole', async () => {
    const { send, outcome } = await served({ limits: { maxMessageBytes: 40_000 } })
    const part = new Uint8Array(FRAGMENT_MAX_BYTES)
    send(fragment(0, 0, part), fragment(0, 0, part), fragment(0, 0, part))
    expect((await outcome).reason).toBe('protocol')
  })

  test('a RETURN twice to one call', async () => {
    const { peer, send, received, outcome } = await calling()
    const promise = peer.root().call(echo, 1, undefined)
    await expect.poll(received).toHaveLength(1)
    send(batch(returned(0, 'a'), returned(0, 'b')))
    expect(await promise).toBe('a')
    expect((await outcome).reason).toBe('protocol')
  })

  test('a FAIL that stops in the middle fails its call and hangs nobody', async () => {
    const { peer, send, received, outcome } = await calling()
    const both = Promise.allSettled([
      peer.root().call(echo, 1, undefined),
      peer.root().call(echo, 2, undefined),
    ])
    await expect.poll(received).toHaveLength(2)
    send(batch(message(OP.fail, 0)))
    for (const result of await both) {
      expect(result).toMatchObject({
        status: 'rejected',
        reason: { code: 'rpc/disconnected', mayHaveRun: true },
      })
    }
    expect((await outcome).reason).toBe('protocol')
  })
})

describe('what is skipped or refused without harm', () => {
  test('an op from 0x80 on is skipped', async () => {
    const { send, answers } = await served()
    send(batch(message(0x80, 1, 2, 3), message(0xff), call(0, 'echo', 'still here')))
    await expect.poll(answers).toEqual([{ op: OP.return, id: 0 }])
  })

  test.each([
    ['MAP', message(OP.map, 5, 0)],
    ['a one-way CALL', call(5, 'echo', 1, { flags: CALL_FLAG.oneWay })],
    ['a CALL with a trace', call(5, 'echo', 1, { flags: CALL_FLAG.want | CALL_FLAG.trace })],
  ])('%s is answered unimplemented', async (_name, bytes) => {
    const { send, answers } = await served()
    send(batch(bytes))
    await expect.poll(answers).toEqual([{ op: OP.fail, id: 5, code: FAILURE_CODES.unimplemented }])
  })

  const presented = (id: number) =>
    bytesOf((sink) => {
      writeByte(sink, OP.present)
      for (const field of [id, 0]) writeVarint(sink, field)
      writeBytes(sink, new Uint8Array(33))
    })

  test.each([
    ['PRESENT', presented(9)],
    ['BEFRIEND', message(OP.befriend, 9, 0)],
  ])('%s is answered unimplemented by a client, which offers nothing', async (_name, bytes) => {
    const { send, received } = await calling()
    send(batch(bytes))
    await expect.poll(received).toEqual([{ op: OP.fail, id: 9, code: FAILURE_CODES.unimplemented }])
  })

  test('CALL finds nothing at a client, which has sent no reference', async () => {
    const { send, received } = await calling()
    send(batch(call(9, 'echo')))
    await expect.poll(received).toEqual([{ op: OP.fail, id: 9, code: FAILURE_CODES.not_found }])
  })

  test.each([
    ['PRESENT', presented(9)],
    ['BEFRIEND', message(OP.befriend, 9, 0)],
  ])('%s is answered unimplemented by a service that has no use for it', async (_name, bytes) => {
    const { send, answers } = await served()
    send(batch(bytes))
    await expect.poll(answers).toEqual([{ op: OP.fail, id: 9, code: FAILURE_CODES.unimplemented }])
  })

  test.each([1, 77, 0x7fff_ffff])('a CALL on export %i, which is not there, is not_found', async (id) => {
    const { send, answers } = await served()
    send(batch(call(5, 'echo', 1, { target: 2 * id })))
    await expect.poll(answers).toEqual([{ op: OP.fail, id: 5, code: FAILURE_CODES.not_found }])
  })

  test('BROKEN of a reference that is not held is ignored', async () => {
    const { send, peer } = await calling()
    send(batch(message(OP.broken, 5, 4)))
    const answer = peer.root().call(echo, 1, undefined)
    send(batch(returned(0, 1)))
    expect(await answer).toBe(1)
  })

  test.each(['constructor', 'toString', '__proto__', 'then', 'hasOwnProperty', 'hidden', 'valueOf', ''])(
    'the method %j is not reachable',
    async (name) => {
      const { send, answers, errors } = await served()
      send(batch(call(1, name)))
      await expect.poll(answers).toEqual([{ op: OP.fail, id: 1, code: FAILURE_CODES.unimplemented }])
      expect(errors).toEqual([])
    },
  )

  test('a bad value fails its call, never the session', async () => {
    const { send, answers } = await served()
    send(batch(Uint8Array.of(OP.call, 0, 1, 0, 4, 0x65, 0x63, 0x68, 0x6f, 0x5f), call(1, 'echo', 1)))
    await expect.poll(answers).toEqual([
      { op: OP.fail, id: 0, code: FAILURE_CODES.invalid_argument },
      { op: OP.return, id: 1 },
    ])
  })

  test('what the capability does not allow is denied before the value is read', async () => {
    const { send, answers } = await served({ authorize: () => 'denied' })
    send(batch(Uint8Array.of(OP.call, 0, 1, 0, 4, 0x65, 0x63, 0x68, 0x6f, 0x5f)))
    await expect.poll(answers).toEqual([{ op: OP.fail, id: 0, code: FAILURE_CODES.permission_denied }])
  })

  test('CANCEL of no call does nothing', async () => {
    const { send, answers } = await served()
    send(batch(message(OP.cancel, 77), call(0, 'echo')))
    await expect.poll(answers).toEqual([{ op: OP.return, id: 0 }])
  })
})

describe('answers', () => {
  const onAnswer = (id: number, parent: number, ...path: number[]) =>
    bytesOf((sink) => {
      writeByte(sink, OP.call)
      for (const field of [id, CALL_FLAG.want, parent * 2 + 1, ...path, 4]) writeVarint(sink, field)
      writeBytes(sink, utf8('echo'))
      writeBytes(sink, encodeValue(1))
    })

  test.each([
    ['that nobody asked for', 7],
    ['of itself', 5],
  ])('a CALL on an answer %s is failed_precondition', async (_name, parent) => {
    const { send, answers } = await served()
    send(batch(onAnswer(5, parent, 0)))
    await expect.poll(answers).toEqual([{ op: OP.fail, id: 5, code: FAILURE_CODES.failed_precondition }])
  })

  test('a path of more than eight steps ends the session', async () => {
    const { send, outcome } = await served()
    send(batch(onAnswer(5, 4, 9)))
    expect(await outcome).toMatchObject({ reason: 'protocol', by: 'peer' })
  })

  test('PULL and FINISH of what was never called are stray', async () => {
    const { send, answers } = await served()
    send(batch(message(OP.pull, 5), message(OP.finish, 6), call(0, 'echo')))
    await expect.poll(answers).toEqual([{ op: OP.return, id: 0 }])
  })
})

describe('budgets', () => {
  test('a call beyond the budget is resource_exhausted, and the budget is free again after an answer', async () => {
    const { send, answers } = await served({ limits: { maxCallsInFlight: 3 } })
    send(batch(call(0, 'hang'), call(1, 'hang'), call(2, 'hang'), call(3, 'echo')))
    await expect.poll(answers).toEqual([{ op: OP.fail, id: 3, code: FAILURE_CODES.resource_exhausted }])
    hanging[0]?.(undefined)
    await expect.poll(answers).toHaveLength(2)
    send(batch(call(3, 'echo')))
    await expect.poll(answers).toContainEqual({ op: OP.return, id: 3 })
  })

  test('twice the budget ends the session', async () => {
    const { send, outcome } = await served({ limits: { maxCallsInFlight: 4 } })
    send(batch(...Array.from({ length: 8 }, (_, i) => call(i, 'hang'))))
    expect(await outcome).toMatchObject({ reason: 'limit', by: 'peer' })
  })

  test('one less than twice the budget does not', async () => {
    const { send, answers } = await served({ limits: { maxCallsInFlight: 4 } })
    send(batch(...Array.from({ length: 7 }, (_, i) => call(i, 'hang'))))
    await expect.poll(answers).toHaveLength(3)
    hanging[0]?.(undefined)
    await expect.poll(answers).toHaveLength(4)
  })

  test('more than 100 stray releases end the session, 100 do not', async () => {
    const { send, answers, outcome } = await served()
    send(batch(...Array.from({ length: BAD_RELEASES_MAX }, (_, i) => message(OP.release, i + 1, 1))))
    send(batch(call(0, 'echo')))
    await expect.poll(answers).toEqual([{ op: OP.return, id: 0 }])
    send(batch(message(OP.finish, 0)))
    expect((await outcome).reason).toBe('limit')
  })
})

describe('results of a peer', () => {
  test('a result with a then is data: never called, never awaited', async () => {
    const data = Object.fromEntries([['then', 'not a method']])
    const { peer, send, received } = await calling()
    const promise = peer.root().call(echo, 1, undefined)
    await expect.poll(received).toHaveLength(1)
    send(batch(returned(0, data)))
    expect(await promise).toEqual(data)
  })

  test('a then that a schema makes callable is refused instead of called', async () => {
    let called = 0
    const then = () => {
      called += 1
    }
    const evil = iface('Evil', {
      get: method<void, void, unknown, unknown>(
        { '~standard': { version: 1, vendor: 'test', validate: () => ({ value: undefined }) } },
        { '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value: { then, value } }) } },
      ),
    })
    const { peer, send, received } = await calling()
    const promise = peer
      .root()
      .call(evil.methods.get('get')!, undefined, undefined)
      .catch((error: unknown) => error)
    await expect.poll(received).toHaveLength(1)
    send(batch(returned(0, 1)))
    expect(await promise).toMatchObject({ code: 'rpc/bad_value', mayHaveRun: true })
    expect(called).toBe(0)
  })

  test('a result that is no value fails its call, never the session', async () => {
    const { peer, send, received } = await calling()
    const bad = peer
      .root()
      .call(echo, 1, undefined)
      .catch((error: unknown) => error)
    await expect.poll(received).toHaveLength(1)
    send(batch(Uint8Array.of(OP.return, 0, 0x5f)))
    expect(await bad).toMatchObject({ code: 'rpc/bad_value', mayHaveRun: true })
    const good = peer.root().call(echo, 1, undefined)
    await expect.poll(received).toHaveLength(2)
    send(batch(returned(0, 'good')))
    expect(await good).toBe('good')
  })

  test('an unknown failure code is rpc/unknown', async () => {
    const { peer, send, received } = await calling()
    const failed = peer
      .root()
      .call(echo, 1, undefined)
      .catch((error: unknown) => error)
    await expect.poll(received).toHaveLength(1)
    send(batch(message(OP.fail, 0, 99, 0)))
    expect(await failed).toMatchObject({ code: 'rpc/unknown', mayHaveRun: false })
  })
})

describe('secrets', () => {
  test('an error of a handler crosses as internal: neither its message nor its stack', async () => {
    const { send, answers, errors } = await served()
    send(batch(call(0, 'leak')))
    await expect.poll(answers).toEqual([{ op: OP.fail, id: 0, code: FAILURE_CODES.internal }])
    expect(errors).toMatchObject([{ method: 'leak', error: { message: 'password is hunter2' } }])
  })

  test('a refused input is named by its path, its content stands in no error', async () => {
    const { peer } = await calling()
    const secret = 'hunter2'
    const error = await peer
      .root()
      .call(echo, { deep: [{ secret, fn: () => secret }] }, undefined)
      .catch((e: unknown) => e)
    expect(error).toMatchObject({ code: 'rpc/bad_value' })
    expect(inspect(error, { depth: 9 }).replaceAll(/\s+at .*/g, '')).not.toContain(secret)
  })

  test('a CallError of another session that a handler throws on becomes internal', async () => {
    const relay = iface('Relay', { get: method<void, void>() })
    const { send, answers, close } = await serve(relay, {
      get: () => {
        throw new CallError('rpc/not_found', 'secret of the third party', { method: 'x', mayHaveRun: true })
      },
    })
    closers.push(close)
    send(batch(call(0, 'get')))
    await expect.poll(answers).toEqual([{ op: OP.fail, id: 0, code: FAILURE_CODES.internal }])
  })
})
