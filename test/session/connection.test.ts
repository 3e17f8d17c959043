// One open session over one pipe: the ways it ends, and its deadlines. Ticks are given by hand, so no test waits for one.
import { describe, expect, test } from 'vitest'
import { DEFAULT_TIMES } from '../../src/session/index.js'
import { memoryPair } from '../../src/transport/index.js'
import { listen, openPair } from './parties.js'

const hi = Uint8Array.of(0, 1, 2)
const inMs = (ms: number) => performance.now() + ms

describe('Connection', () => {
  test.each(['length', 'message'] as const)('records cross both ways over %s framing', async (framing) => {
    const { client, service } = await openPair({ framing })
    const [atClient, atService] = [listen(client), listen(service)]
    client.send(hi)
    service.send(Uint8Array.of(2, 9))
    await expect.poll(() => atService.records).toEqual([hi])
    await expect.poll(() => atClient.records).toEqual([Uint8Array.of(2, 9)])
    expect(atService.confirmed).toBe(1)
  })

  test('the keepalive of the client confirms the session once and delivers nothing', async () => {
    const { client, service } = await openPair()
    const atService = listen(service)
    listen(client)
    await expect.poll(() => atService.confirmed).toBe(1)
    client.sendKeepalive()
    client.send(hi)
    await expect.poll(() => atService.records.length).toBe(1)
    expect(atService.confirmed).toBe(1)
  })

  test('close is told to the peer with its reason', async () => {
    const { client, service } = await openPair()
    const [atClient, atService] = [listen(client), listen(service)]
    client.close('going_away')
    expect(client.isOpen).toBe(false)
    expect(await atService.outcome).toMatchObject({ reason: 'going_away', by: 'peer', error: undefined })
    expect(await atClient.outcome).toMatchObject({ reason: 'going_away', by: 'us', error: undefined })
  })

  test('end of stream without a close record is truncated, never a normal end', async () => {
    const { client, service, pipes } = await openPair()
    listen(client)
    const atService = listen(service)
    pipes.client.end()
    const outcome = await atService.outcome
    expect(outcome).toMatchObject({ reason: 'truncated', by: 'peer' })
    expect(outcome.error?.code).toBe('session/truncated')
  })

  test('a lost connection is truncated too', async () => {
    const { client, service, pipes } = await openPair()
    listen(client)
    const atService = listen(service)
    pipes.client.destroy()
    expect((await atService.outcome).reason).toBe('truncated')
  })

  test('bytes behind a close record are ignored, in whatever pieces they come', async () => {
    const { client, service, pipes } = await openPair()
    const atService = listen(service)
    listen(client)
    const close = client.session.close('done', 'length')
    pipes.client.write(Buffer.concat([close, Buffer.alloc(40)]))
    for (let i = 0; i < 5; i++) pipes.client.write(new Uint8Array(7))
    pipes.client.end()
    expect(await atService.outcome).toMatchObject({ reason: 'done', by: 'peer' })
    expect(atService.records).toEqual([])
  })

  test('what arrives before start is delivered at start, in order', async () => {
    const { client, service } = await openPair()
    listen(client)
    for (let i = 0; i < 5; i++) client.send(Uint8Array.of(0, i))
    await new Promise((resolve) => setImmediate(resolve))
    await new Promise((resolve) => setImmediate(resolve))
    const atService = listen(service)
    await expect.poll(() => atService.records.map((record) => record[1])).toEqual([0, 1, 2, 3, 4])
  })

  test('a connection lost before start says so after start', async () => {
    const { client, service, pipes } = await openPair()
    listen(client)
    pipes.server.destroy()
    await new Promise((resolve) => setImmediate(resolve))
    expect((await listen(service).outcome).reason).toBe('truncated')
  })

  test('a connection closed before start lets go of its pipe', async () => {
    const { client, service } = await openPair()
    const atService = listen(service)
    client.close('done')
    expect((await atService.outcome).reason).toBe('done')
  })

  test('send after close throws session/closed', async () => {
    const { client } = await openPair()
    listen(client)
    client.close()
    expect(() => client.send(hi)).toThrow(expect.objectContaining({ code: 'session/closed' }))
  })
})

describe('deadlines', () => {
  test('a keepalive goes out after a while without sending, and is no record to the peer', async () => {
    const { client, service, pipes } = await openPair()
    const atService = listen(service)
    listen(client)
    const sent: number[] = []
    const write = pipes.client.write.bind(pipes.client)
    pipes.client.write = (bytes) => {
      sent.push(bytes.length)
      return write(bytes)
    }
    client.tick(inMs(0)) // what was sent before counts from here
    client.tick(inMs(DEFAULT_TIMES.keepaliveIntervalMs - 5_000))
    expect(sent).toEqual([])
    client.tick(inMs(DEFAULT_TIMES.keepaliveIntervalMs + 1_000))
    expect(sent).toEqual([2 + 16])
    expect(atService.records).toEqual([])
  })

  test('a peer that sends nothing is closed as idle', async () => {
    const { client, service } = await openPair()
    const atClient = listen(client)
    const atService = listen(service)
    service.tick(inMs(0))
    service.tick(inMs(DEFAULT_TIMES.idleDeadlineMs + 1_000))
    expect(await atClient.outcome).toMatchObject({ reason: 'idle', by: 'peer' })
    expect(await atService.outcome).toMatchObject({ reason: 'idle', by: 'us' })
  })

  test('a session ends after its lifetime', async () => {
    const { client, service } = await openPair({ times: { idleDeadlineMs: 1e12 } })
    const atClient = listen(client)
    listen(service)
    service.tick(inMs(DEFAULT_TIMES.sessionMaxMs + 1))
    expect(await atClient.outcome).toMatchObject({ reason: 'lifetime', by: 'peer' })
  })

  test('a record that does not get complete in time ends the session as limit', async () => {
    const { client, service, pipes } = await openPair()
    listen(client)
    const atService = listen(service)
    await expect.poll(() => atService.confirmed).toBe(1)
    pipes.client.write(Uint8Array.of(0, 40, 1, 2, 3))
    await new Promise((resolve) => setImmediate(resolve))
    await new Promise((resolve) => setImmediate(resolve))
    service.tick(inMs(DEFAULT_TIMES.frameDeadlineMs - 5_000))
    expect(service.isOpen).toBe(true)
    service.tick(inMs(DEFAULT_TIMES.frameDeadlineMs + 1))
    const outcome = await atService.outcome
    expect(outcome).toMatchObject({ reason: 'failed', by: 'us' })
    expect(outcome.error?.code).toBe('session/limit')
  })

  test('a pipe that lingers after close is destroyed', async () => {
    const pipes = memoryPair()
    const { client, service } = await openPair({ pipes })
    const atClient = listen(client)
    listen(service)
    pipes.server.pause()
    client.close()
    client.tick(inMs(60_000))
    expect(await atClient.outcome).toMatchObject({ reason: 'done', by: 'us' })
  })
})
