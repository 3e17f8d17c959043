// The client's first record: what its user sends at once, or a keepalive where nothing is sent.
import { describe, expect, test } from 'vitest'
import {
  type AcceptedSession,
  Admission,
  acceptSession,
  DEFAULT_LIMITS,
  initiateSession,
  type ServiceIdentity,
} from '../../src/session/index.js'
import { memoryPair } from '../../src/transport/index.js'
import { ALL, listen, prepared, Shop } from './parties.js'

describe.each(ALL)('initiateSession, %s', (pattern) => {
  /** The two ends of a session, and how often the client writes from now on. */
  async function open() {
    const shop = new Shop()
    const pipes = memoryPair('length')
    const heard = new Promise<ReturnType<typeof listen>>((resolve) => {
      acceptSession(pipes.server, {
        services: [shop.identity],
        verifier: shop.verifier,
        admission: new Admission(),
        accepted: ({ connection }: AcceptedSession<ServiceIdentity>) => resolve(listen(connection)),
      })
    })
    const { connection } = await initiateSession(
      pipes.client,
      { ...prepared(pattern, shop), pattern, limits: DEFAULT_LIMITS },
      AbortSignal.timeout(20_000),
    )
    const writes: number[] = []
    const { write } = pipes.client
    pipes.client.write = (bytes) => {
      writes.push(bytes.length)
      return write.call(pipes.client, bytes)
    }
    return { connection, heard, writes }
  }

  test('what is sent in the turn in which the session opens is the first record', async () => {
    const { connection, heard, writes } = await open()
    connection.send(Uint8Array.of(0, 1, 2))
    const service = await heard
    await expect.poll(() => service.records).toEqual([Uint8Array.of(0, 1, 2)])
    expect(service.confirmed).toBe(1)
    expect(writes).toEqual([2 + 3 + 16])
    connection.close()
  })

  test('a client that sends nothing confirms the session by a keepalive', async () => {
    const { connection, heard, writes } = await open()
    const service = await heard
    await expect.poll(() => service.confirmed).toBe(1)
    expect(service.records).toEqual([])
    expect(writes).toEqual([2 + 16])
    connection.close()
  })
})
