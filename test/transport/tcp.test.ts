// Real TCP passes the conformance suite; locations that are none are refused.
import { describe, expect, test } from 'vitest'
import type { Pipe } from '../../src/transport/index.js'
import { dialTcp, listenTcp } from '../../src/transport/tcp.js'
import { conformance } from './conformance.js'

conformance('TCP', async () => {
  let accept: (pipe: Pipe) => void = () => {}
  const accepted = new Promise<Pipe>((resolve) => {
    accept = resolve
  })
  const listener = await listenTcp('tcp://127.0.0.1:0', (pipe) => accept(pipe))
  const client = await dialTcp(listener.location, AbortSignal.timeout(5_000))
  return { client, server: await accepted, close: () => listener.close() }
})

describe('locations', () => {
  test.each([
    'tcp://127.0.0.1',
    'tcp://:7000',
    'tcp://127.0.0.1:65536',
    'tcp://[127.0.0.1]:7000',
    'tcp://[::1:7000',
    'tcp://a/b:7000',
    'http://127.0.0.1:7000',
    `tcp://${'a'.repeat(255)}:1`,
  ])('%s is not a location of TCP', (location) => {
    const code = { code: 'transport/bad_location' }
    expect(() => dialTcp(location, AbortSignal.timeout(1_000))).toThrow(expect.objectContaining(code))
    expect(() => listenTcp(location, () => {})).toThrow(expect.objectContaining(code))
  })

  test('nobody listening is transport/unreachable with the reason of the system', async () => {
    const listener = await listenTcp('tcp://127.0.0.1:0', (pipe) => pipe.destroy())
    await listener.close()
    const error = await dialTcp(listener.location, AbortSignal.timeout(5_000)).catch((e: unknown) => e)
    expect(error).toMatchObject({ code: 'transport/unreachable' })
    expect((error as Error).message).toContain('ECONNREFUSED')
  })

  test('a port that is taken is transport/unreachable', async () => {
    const listener = await listenTcp('tcp://127.0.0.1:0', (pipe) => pipe.destroy())
    const error = await listenTcp(listener.location, () => {}).catch((e: unknown) => e)
    expect(error).toMatchObject({ code: 'transport/unreachable' })
    await listener.close()
  })

  test('an aborted signal rejects with its reason', async () => {
    const reason = new Error('stop')
    await expect(dialTcp('tcp://127.0.0.1:9', AbortSignal.abort(reason))).rejects.toBe(reason)
  })

  test('peers on this machine are local', async () => {
    const pipes: Pipe[] = []
    const listener = await listenTcp('tcp://127.0.0.1:0', (pipe) => pipes.push(pipe))
    const client = await dialTcp(listener.location, AbortSignal.timeout(5_000))
    await expect.poll(() => pipes[0]?.isLocal).toBe(true)
    client.destroy()
    pipes[0]?.destroy()
    await listener.close()
  })
})
