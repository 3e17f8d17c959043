// A service over WebSockets: listening on its own, found through the registry, and behind a path of an HTTP server.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
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
