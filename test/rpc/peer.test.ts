// One end of a conversation against a script: ids, cancel, deadlines, waiting for the budget, the end.
import { afterEach, describe, expect, test } from 'vitest'
import { CallError, iface, method, Peer } from '../../src/rpc/index.js'
import { OP } from '../../src/rpc/wire.js'
import { DEFAULT_LIMITS } from '../../src/session/index.js'
import { openPair } from '../session/parties.js'
import { batch, call, callFrom, message, returned, serve } from './scripted.js'

const Echo = iface('Echo', { echo: method<unknown, unknown>(), wait: method<void, string>() })
const echo = Echo.methods.get('echo')!
const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

async function calling(remote: Parameters<typeof callFrom>[0] = {}) {
  const world = await callFrom(remote)
  closers.push(world.close)
  return world
}
const errorOf = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  )

describe('calls', () => {
  test('ids are dense and used again after the answer', async () => {
    const { peer, send, received } = await calling()
    const first = [peer.root().call(echo, 'a', undefined), peer.root().call(echo, 'b', undefined)]
    await expect.poll(received).toEqual([
      { op: OP.call, id: 0 },
      { op: OP.call, id: 1 },
    ])
    send(batch(returned(0, 'A'), returned(1, 'B')))
    expect(await Promise.all(first)).toEqual(['A', 'B'])
    void errorOf(peer.root().call(echo, 'c', undefined))
    await expect.poll(() => received().at(-1)?.id).toBe(1)
    expect(peer.openCalls).toBe(1)
  })

  test('calls beyond the budget of the service wait here', async () => {
    const { peer, send, received } = await calling({ maxCallsInFlight: 1 })
    const answers = Promise.all([1, 2, 3].map((n) => peer.root().call(echo, n, undefined)))
    for (let i = 1; i <= 3; i++) {
      await expect.poll(() => received().length).toBe(i)
      expect(peer.openCalls).toBe(4 - i)
      send(batch(returned(0, i)))
    }
    expect(await answers).toEqual([1, 2, 3])
  })

  test('a waiting call that cannot be written lets the next one go', async () => {
    const { peer, send, received } = await calling({ maxCallsInFlight: 1 })
    const first = peer.root().call(echo, 1, undefined)
    const bad = errorOf(peer.root().call(echo, () => {}, undefined))
    const last = peer.root().call(echo, 3, undefined)
    await expect.poll(received).toHaveLength(1)
    send(batch(returned(0, 'first')))
    expect(await first).toBe('first')
    expect(await bad).toMatchObject({ code: 'rpc/bad_value' })
    await expect.poll(received).toHaveLength(2)
    send(batch(returned(0, 'last')))
    expect(await last).toBe('last')
  })

  test('a waiting call that was canceled is never sent', async () => {
    const { peer, send, received } = await calling({ maxCallsInFlight: 1 })
    const first = peer.root().call(echo, 1, undefined)
    const controller = new AbortController()
    const canceled = errorOf(peer.root().call(echo, 2, { signal: controller.signal }))
    controller.abort()
    expect(await canceled).toMatchObject({ code: 'rpc/canceled', mayHaveRun: false })
    await expect.poll(received).toHaveLength(1)
    send(batch(returned(0, 'first')))
    await first
    expect(peer.openCalls).toBe(0)
    expect(received()).toHaveLength(1)
  })

  test('a canceled call rejects at once, sends CANCEL, and its id is free only after the answer', async () => {
    const { peer, send, received } = await calling()
    const controller = new AbortController()
    const canceled = errorOf(peer.root().call(echo, 1, { signal: controller.signal }))
    await expect.poll(received).toHaveLength(1)
    controller.abort(new Error('enough'))
    expect(await canceled).toMatchObject({ code: 'rpc/canceled', mayHaveRun: true })
    void errorOf(peer.root().call(echo, 2, undefined))
    await expect.poll(received).toEqual([
      { op: OP.call, id: 0 },
      { op: OP.cancel, id: 0 },
      { op: OP.call, id: 1 },
    ])
    send(batch(returned(0, 'too late')))
    await expect.poll(() => peer.openCalls).toBe(1)
  })

  test('an aborted signal sends nothing', async () => {
    const { peer, received } = await calling()
    const error = await errorOf(peer.root().call(echo, 1, { signal: AbortSignal.abort() }))
    expect(error).toBeInstanceOf(CallError)
    expect(error).toMatchObject({ code: 'rpc/canceled', mayHaveRun: false })
    expect(received()).toEqual([])
  })

  test('a deadline rejects, sends CANCEL and travels as remaining ms', async () => {
    const { peer, received } = await calling()
    const error = await errorOf(peer.root().call(echo, 1, { timeoutMs: 20 }))
    expect(error).toMatchObject({ code: 'rpc/deadline_exceeded', mayHaveRun: true })
    await expect.poll(() => received().map(({ op }) => op)).toEqual([OP.call, OP.cancel])
  })

  test('an input larger than the service takes is refused here', async () => {
    const { peer, received } = await calling({ maxMessageBytes: 1_000 })
    const error = await errorOf(peer.root().call(echo, new Uint8Array(1_000), undefined))
    expect(error).toMatchObject({ code: 'rpc/resource_exhausted', mayHaveRun: false })
    expect(received()).toEqual([])
  })
})

describe('the end', () => {
  test('sent calls fail with mayHaveRun, waiting ones without, later ones at once', async () => {
    const { peer, received, close } = await calling({ maxCallsInFlight: 1 })
    const sent = errorOf(peer.root().call(echo, 1, undefined))
    const waiting = errorOf(peer.root().call(echo, 2, undefined))
    await expect.poll(received).toHaveLength(1)
    close()
    expect(await sent).toMatchObject({ code: 'rpc/disconnected', mayHaveRun: true })
    expect(await waiting).toMatchObject({ code: 'rpc/disconnected', mayHaveRun: false })
    expect(await errorOf(peer.root().call(echo, 3, undefined))).toMatchObject({ mayHaveRun: false })
    await expect(peer.ping()).rejects.toMatchObject({ code: 'session/closed' })
  })

  test('ping measures a round trip between two peers', async () => {
    const { client, service } = await openPair()
    const limits = { remoteLimits: DEFAULT_LIMITS, localLimits: DEFAULT_LIMITS }
    const [a, b] = [new Peer(client, limits), new Peer(service, limits)]
    a.start()
    b.start()
    expect(await a.ping()).toBeGreaterThanOrEqual(0)
    a.close()
  })

  test('GOAWAY is told to who calls', async () => {
    const { client, service } = await openPair()
    let told = 0
    const limits = { remoteLimits: DEFAULT_LIMITS, localLimits: DEFAULT_LIMITS }
    const caller = new Peer(client, { ...limits, goingAway: () => (told += 1) })
    const server = new Peer(service, limits)
    caller.start()
    server.start()
    server.goAway(100)
    await expect.poll(() => told).toBe(1)
    caller.close()
  })
})

describe('serving', () => {
  test('CANCEL aborts the signal of the handler, and the call is answered canceled', async () => {
    let reason: unknown
    const world = await serve(Echo, {
      wait: (_input: unknown, { signal }: { signal: AbortSignal }) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            reason = signal.reason
            resolve('stopped')
          })
        }),
    })
    closers.push(world.close)
    world.send(batch(call(4, 'wait')))
    await expect.poll(() => world.peer.servedCalls).toBe(1)
    world.send(batch(message(OP.cancel, 4)))
    await expect.poll(world.answers).toEqual([{ op: OP.fail, id: 4, code: 1 }])
    expect((reason as Error).name).toBe('AbortError')
    expect(world.peer.servedCalls).toBe(0)
  })

  test('handlers run at the same time, answers come as they are ready', async () => {
    const releases: (() => void)[] = []
    const world = await serve(Echo, {
      wait: () => new Promise<string>((resolve) => releases.push(() => resolve('x'))),
    })
    closers.push(world.close)
    world.send(batch(call(0, 'wait'), call(1, 'wait')))
    await expect.poll(() => releases.length).toBe(2)
    releases[1]?.()
    await expect.poll(world.answers).toEqual([{ op: OP.return, id: 1 }])
    releases[0]?.()
    await expect.poll(() => world.answers().length).toBe(2)
  })
})
