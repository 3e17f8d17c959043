// A service over WebSockets: listening on its own, found through the registry, and behind a path of an HTTP server.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { connectIn } from '../../src/connect.js'
import { connect, generateKeyPair } from '../../src/index.js'
import { nodeEnvironment } from '../../src/node-environment.js'
import { dialWebSocket as dialNative } from '../../src/transport/websocket.js'
import { attachWebSocket } from '../../src/transport/websocket-server.js'
import { codeOf, Notes, startNotes } from './notes.js'

test('a service listens at ws:// beside TCP, is announced there, and answers every pattern', async () => {
  const world = await startNotes()
  try {
    const location = await world.service.listen('ws://127.0.0.1:0/notes')
    expect(location).toMatch(/^ws:\/\/127\.0\.0\.1:\d+\/notes$/)
    const { keyHash, key } = world.service
    const announced = await world.registry.resolve(keyHash, { publicKey: key.publicKey })
    expect(announced.map(({ uri }) => uri).sort()).toEqual([world.location, location].sort())
    const capability = world.notes.mint({ owner: 'ada' }, { at: [location] })
    const client = generateKeyPair()
    for (const options of [{}, { key: client }, { key: client, pattern: 'XK' as const }]) {
      await using ada = await connect(capability, {
        ...options,
        resolvers: [],
        partition: String(options.key),
      })
      expect(await ada.whoami()).toBe(options.key === undefined ? 'anonymous' : 'client of 32 bytes')
      expect(await ada.echo({ text: 'x'.repeat(300_000) })).toEqual({ text: 'x'.repeat(300_000) })
    }
    await expect.poll(() => world.service.openSessions).toBe(0)
  } finally {
    await world.close()
  }
})

test('listen with origins: a page of a listed one is let in, of another 403, and what is no page needs none', async () => {
  const world = await startNotes()
  try {
    const listed = await world.service.listen('ws://127.0.0.1:0/', { origins: ['https://app.example'] })
    const own = await world.service.listen('ws://127.0.0.1:0/')
    expect(await statusFor(listed, 'https://app.example')).toBe(101)
    expect(await statusFor(listed, undefined)).toBe(101)
    for (const origin of [
      'https://app.example.evil',
      'http://app.example',
      listed.replace('ws:', 'http:'),
      'null',
    ])
      expect(await statusFor(listed, origin)).toBe(403)
    expect(await statusFor(own, new URL(own.replace('ws:', 'http:')).origin)).toBe(101)
    expect(await statusFor(own, 'https://app.example')).toBe(403)
    await expect(
      world.service.listen('tcp://127.0.0.1:0', { origins: ['https://app.example'] }),
    ).rejects.toThrow(TypeError)
  } finally {
    await world.close()
  }
})

/** How a client that says it is a page of `origin` is answered. */
function statusFor(location: string, origin: string | undefined): Promise<number> {
  return new Promise((resolve, reject) => {
    const client = new WebSocket(location, origin === undefined ? {} : { origin })
    client.on('error', reject)
    client.on('unexpected-response', (request, response) => {
      request.destroy()
      resolve(response.statusCode ?? 0)
    })
    client.on('open', () => {
      client.terminate()
      resolve(101)
    })
  })
}

test('a capability as text opens a service behind a path of an HTTP server, with the WebSocket of the platform', async () => {
  const world = await startNotes()
  const server = createServer((_request, response) => response.end('page')).listen(0, '127.0.0.1')
  try {
    await once(server, 'listening')
    await attachWebSocket(server, '/live', (pipe) => world.service.accept(pipe))
    const { port } = server.address() as AddressInfo
    const text = world.notes.mint({ owner: 'ada' }, { at: [`ws://127.0.0.1:${port}/live`] }).export()
    const transports = new Map([['ws', { dial: dialNative }]])
    const inBrowser = connectIn({ ...nodeEnvironment, transports, resolvers: () => [] })
    await using ada = await inBrowser(text, Notes)
    expect(await ada.add({ text: 'one' })).toBe(1)
    const waiting = codeOf(ada.wait())
    await expect.poll(() => world.objects[0]?.waiting).toBe(1)
    await world.service.close(0)
    expect(await waiting).toBe('rpc/disconnected')
  } finally {
    server.close()
    await world.close()
  }
})
