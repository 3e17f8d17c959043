// `wss:` over real TLS: a WebSocket behind a path of an HTTPS server, with a certificate made for this run. A client that does
// not know who signed it is refused; one that was told by NODE_EXTRA_CA_CERTS, which only a process of its own can be, calls.
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connect } from '../../src/index.js'
import { attachWebSocket } from '../../src/transport/websocket-server.js'
import { type Certificate, makeCertificate, noOpenssl } from './certificate.js'
import { Notes, startNotes, type World } from './notes.js'

describe.skipIf(noOpenssl)('wss://', () => {
  let certificate: Certificate
  let world: World
  let server: Server
  let text: string

  beforeAll(async () => {
    certificate = makeCertificate()
    world = await startNotes()
    server = createServer({ key: certificate.key, cert: certificate.cert }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    await attachWebSocket(server, '/live', (pipe) => world.service.accept(pipe))
    const { port } = server.address() as AddressInfo // TCP, so not a pipe's name
    text = world.notes.mint({ owner: 'ada' }, { at: [`wss://127.0.0.1:${port}/live`] }).export()
  })
  afterAll(async () => {
    server?.closeAllConnections()
    server?.close()
    await world?.close()
    certificate?.[Symbol.dispose]()
  })

  test('a certificate that nobody vouches for is transport/unreachable', async () => {
    await expect(connect(text, Notes, { resolvers: [] })).rejects.toMatchObject({
      code: 'transport/unreachable',
      cause: { cause: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' } },
    })
    expect(world.service.openSessions).toBe(0)
  })

  test('calls of a client that trusts it, big ones too', async () => {
    const script = fileURLToPath(new URL('./websocket-tls-child.ts', import.meta.url))
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: certificate.file }
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', script, text], { env })
    expect(JSON.parse(stdout)).toEqual({ whoami: 'anonymous', echoed: 300_000 })
  })
})
