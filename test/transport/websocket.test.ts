// Real WebSockets pass the conformance suite: those of the package `ws`, and those of the platform. Then what is theirs alone:
// paths of servers that are there, origins, signs of life, and what the handshake of HTTP may not bring in.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { type AddressInfo, connect as connectSocket } from 'node:net'
import express from 'express'
import fastify from 'fastify'
import { afterEach, describe, expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { isPublicAddress } from '../../src/resolve/reach.js'
import type { Pipe } from '../../src/transport/index.js'
import { dialWebSocket as dialNative } from '../../src/transport/websocket.js'
import { dialWebSocket } from '../../src/transport/websocket-node.js'
import {
  attachWebSocket,
  listenWebSocket,
  type WebSocketOptions,
} from '../../src/transport/websocket-server.js'
import { conformance, piece, pieces, watch } from './conformance.js'
import { socketConformance, socketEnds } from './sockets.js'

const LOCATION = 'ws://127.0.0.1:0/noisecap'
const signal = () => AbortSignal.timeout(20_000)

conformance('WebSocket', () => socketEnds(listenWebSocket, dialWebSocket, LOCATION))
// vitest.config.ts switches it on where Node has it behind a flag.
conformance('WebSocket of the platform', () => socketEnds(listenWebSocket, dialNative, LOCATION))
socketConformance('WebSocket', { listen: listenWebSocket, dial: dialWebSocket }, () => LOCATION)
socketConformance('WebSocket of the platform', { listen: listenWebSocket, dial: dialNative }, () => LOCATION)

const opened: { close(): unknown }[] = []
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close()
})

/** The port at which `server` listens, which is closed after the test with all that is open there. */
async function portOf(server: Server): Promise<number> {
  if (!server.listening) await once(server.listen(0, '127.0.0.1'), 'listening')
  opened.push({
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  })
  return (server.address() as AddressInfo).port
}

/** Echo what comes, and end when the peer does. */
function echo(pipe: Pipe): void {
  opened.push({ close: () => pipe.destroy() })
  pipe.start({
    data: (bytes) => void pipe.write(bytes),
    drain() {},
    end: () => pipe.end(),
    closed() {},
  })
}

async function echoes(location: string): Promise<number[]> {
  const pipe = await dialWebSocket(location, signal())
  const heard = watch(pipe)
  pipe.write(piece(7))
  await expect.poll(() => heard.bytes.length).toBeGreaterThan(0)
  pipe.end()
  await expect.poll(() => heard.events.at(-1)).toBe('closed')
  return heard.bytes
}

/** How a server answers the upgrade of a client with these headers: 101, or a refusal. */
function statusFor(port: number, path: string, headers: Record<string, string> = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    const client = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers })
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

describe('attachWebSocket', () => {
  test('at a path of an http.Server that answers requests beside it; a query is ignored', async () => {
    const server = createServer((_request, response) => response.end('page'))
    const port = await portOf(server)
    await attachWebSocket(server, '/noisecap', echo)
    expect(await (await fetch(`http://127.0.0.1:${port}/noisecap`)).text()).toBe('page')
    expect(await echoes(`ws://127.0.0.1:${port}/noisecap`)).toEqual(pieces(7))
    expect(await statusFor(port, '/noisecap?a=b')).toBe(101)
  })

  test('at a path of Express', async () => {
    const app = express()
    app.get('/hello', (_request, response) => void response.send('from express'))
    const server = app.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const port = await portOf(server)
    await attachWebSocket(server, '/live/noisecap', echo)
    expect(await (await fetch(`http://127.0.0.1:${port}/hello`)).text()).toBe('from express')
    expect(await echoes(`ws://127.0.0.1:${port}/live/noisecap`)).toEqual(pieces(7))
  })

  test('at a path of Fastify', async () => {
    const app = fastify()
    app.get('/hello', () => 'from fastify')
    await attachWebSocket(app.server, '/noisecap', echo)
    await app.listen({ port: 0, host: '127.0.0.1' })
    opened.push(app)
    const { port } = app.server.address() as AddressInfo
    expect(await (await fetch(`http://127.0.0.1:${port}/hello`)).text()).toBe('from fastify')
    expect(await echoes(`ws://127.0.0.1:${port}/noisecap`)).toEqual(pieces(7))
  })

  test('answers 404 at other paths if nobody else takes upgrades, and leaves them to others if somebody does', async () => {
    const server = createServer()
    const port = await portOf(server)
    await attachWebSocket(server, '/noisecap', echo)
    expect(await statusFor(port, '/other')).toBe(404)
    expect(await statusFor(port, '/noisecap/deeper')).toBe(404)
    const other = new WebSocketServer({ noServer: true })
    server.on('upgrade', (request, socket, head) => {
      if (request.url === '/other') other.handleUpgrade(request, socket, head, () => {})
    })
    expect(await statusFor(port, '/other')).toBe(101)
    expect(await statusFor(port, '/noisecap')).toBe(101)
  })

  test('takes no more once closed, and leaves open pipes alone', async () => {
    const server = createServer((_request, response) => response.end('page'))
    const port = await portOf(server)
    const attached = await attachWebSocket(server, '/noisecap', echo)
    const pipe = await dialWebSocket(`ws://127.0.0.1:${port}/noisecap`, signal())
    const heard = watch(pipe)
    attached.close()
    pipe.write(piece(1))
    await expect.poll(() => heard.bytes).toEqual(pieces(1))
    pipe.destroy()
    await expect(dialWebSocket(`ws://127.0.0.1:${port}/noisecap`, signal())).rejects.toMatchObject({
      code: 'transport/unreachable',
    })
  })

  test('a path without a slash is refused', async () => {
    await expect(attachWebSocket(createServer(), 'noisecap', echo)).rejects.toThrow(RangeError)
  })
})

describe('origins', () => {
  const statusOf = async (origin: string | undefined, options: WebSocketOptions = {}, host?: string) => {
    const server = createServer()
    const port = await portOf(server)
    await attachWebSocket(server, '/noisecap', echo, options)
    const headers = {
      ...(origin === undefined ? {} : { origin: origin.replace('PORT', String(port)) }),
      ...(host === undefined ? {} : { host }),
    }
    return statusFor(port, '/noisecap', headers)
  }
  const judge: WebSocketOptions = { origins: (origin) => origin.endsWith('.example') }
  const listed: WebSocketOptions = { origins: ['https://app.example', 'null'] }

  test.each<[string, string | undefined, WebSocketOptions, string | undefined, number]>([
    ['no browser', undefined, {}, undefined, 101],
    ['a page of the same host and port', 'http://127.0.0.1:PORT', {}, undefined, 101],
    ['a page behind a proxy that keeps the host', 'https://notes.example', {}, 'notes.example', 101],
    ['a page of another port', 'http://127.0.0.1:1', {}, undefined, 403],
    ['a page of another host', 'https://evil.example', {}, undefined, 403],
    ['a page that ends alike', 'http://x127.0.0.1:PORT', {}, undefined, 403],
    ['a sandboxed page', 'null', {}, undefined, 403],
    ['an extension', 'chrome-extension://127.0.0.1:PORT', {}, undefined, 403],
    ['an empty origin', '', {}, undefined, 403],
    ['a listed page', 'https://app.example', listed, undefined, 101],
    ['a sandboxed page that is listed', 'null', listed, undefined, 101],
    ['a page of the same host that is not listed', 'http://127.0.0.1:PORT', listed, undefined, 403],
    ['a listed page in capitals', 'https://APP.example', listed, undefined, 403],
    ['no browser, before a list', undefined, listed, undefined, 101],
    ['any page, before an empty list', 'http://127.0.0.1:PORT', { origins: [] }, undefined, 403],
    ['a page that a judge takes', 'https://a.example', judge, undefined, 101],
    ['a page that a judge refuses', 'https://a.test', judge, undefined, 403],
  ])('%s (%s)', async (_, origin, options, host, status) => {
    expect(await statusOf(origin, options, host)).toBe(status)
  })
})

describe('the upgrade', () => {
  test('neither compression nor a subprotocol is agreed on, whatever a client offers', async () => {
    const listener = await listenWebSocket(LOCATION, echo)
    opened.push(listener)
    const client = new WebSocket(listener.location, ['noisecap', 'chat'], { perMessageDeflate: true })
    // The client gives up, since it asked for one of its subprotocols: what was answered counts.
    client.on('error', () => {})
    const [response] = (await once(client, 'upgrade')) as [IncomingMessage]
    expect(response.headers['sec-websocket-extensions']).toBeUndefined()
    expect(response.headers['sec-websocket-protocol']).toBeUndefined()
    client.terminate()
  })

  test('a request that is no upgrade is answered 426', async () => {
    const listener = await listenWebSocket(LOCATION, echo)
    opened.push(listener)
    const response = await fetch(listener.location.replace('ws:', 'http:'))
    expect(response.status).toBe(426)
  })

  test('the address of a client behind a proxy is what the option says', async () => {
    const pipes: Pipe[] = []
    const listener = await listenWebSocket(LOCATION, (pipe) => pipes.push(pipe), {
      remoteAddress: ({ headers }) => headers['x-real-ip'] as string | undefined,
    })
    opened.push(listener)
    const { port } = new URL(listener.location)
    expect(await statusFor(Number(port), '/noisecap', { 'x-real-ip': '203.0.113.9' })).toBe(101)
    expect(await statusFor(Number(port), '/noisecap')).toBe(101)
    expect(pipes.map(({ remoteAddress, isLocal }) => [remoteAddress, isLocal])).toEqual([
      ['203.0.113.9', false],
      ['127.0.0.1', true],
    ])
    for (const pipe of pipes) pipe.destroy()
  })
})

describe('signs of life', () => {
  /** A client that has opened a WebSocket and says nothing more, not even a pong. */
  async function mute(location: string) {
    const socket = connectSocket(Number(new URL(location).port), '127.0.0.1')
    opened.push({ close: () => socket.destroy() })
    socket.write(
      'GET /noisecap HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
    )
    await once(socket, 'data')
    return socket
  }

  test('a peer that vanished is dropped, with an error, and one that answers is not', async () => {
    const ends: Pipe[] = []
    const listener = await listenWebSocket(LOCATION, (pipe) => ends.push(pipe), { pingIntervalMs: 100 })
    opened.push(listener)
    await mute(listener.location)
    const alive = await dialWebSocket(listener.location, signal())
    await expect.poll(() => ends.length).toBe(2)
    const [errors, closed] = [[] as (Error | undefined)[], [] as number[]]
    for (const [i, pipe] of ends.entries()) {
      const closing = (error: Error | undefined): void => {
        errors.push(error)
        closed.push(i)
      }
      pipe.start({ data() {}, drain() {}, end() {}, closed: closing })
    }
    await expect.poll(() => closed).toEqual([0])
    expect(errors[0]).toBeInstanceOf(Error)
    const heard = watch(alive)
    ends[1]?.write(piece(1))
    await expect.poll(() => heard.bytes).toEqual(pieces(1))
    alive.destroy()
    ends[1]?.destroy()
  })
})

describe('dialling', () => {
  test.each(['tcp://127.0.0.1:1', 'ws://127.0.0.1:0/', 'ws://127.0.0.1:1/a?b', 'http://127.0.0.1:1/'])(
    '%s is not a location of WebSockets',
    async (location) => {
      const refused = expect.objectContaining({ code: 'transport/bad_location' })
      await expect(dialWebSocket(location, signal())).rejects.toEqual(refused)
    },
  )

  test('wss: cannot be listened at, and the error says what to do', async () => {
    await expect(listenWebSocket('wss://127.0.0.1:0/', echo)).rejects.toMatchObject({
      code: 'transport/bad_location',
      hint: expect.stringContaining('attachWebSocket'),
    })
  })

  test('nobody listening, a server that is no WebSocket, and a port that is taken, are transport/unreachable', async () => {
    const server = createServer((_request, response) => response.end('page'))
    const port = await portOf(server)
    const unreachable = { code: 'transport/unreachable' }
    for (const dial of [dialWebSocket, dialNative]) {
      await expect(dial(`ws://127.0.0.1:${port}/`, signal())).rejects.toMatchObject(unreachable)
      await expect(dial('ws://127.0.0.1:9/', signal())).rejects.toMatchObject(unreachable)
    }
    await expect(listenWebSocket(`ws://127.0.0.1:${port}/`, echo)).rejects.toMatchObject(unreachable)
    await expect(dialWebSocket(`ws://127.0.0.1:${port}/`, signal())).rejects.toThrow(/200 instead/)
  })

  test.each(['ws://127.0.0.1:9/', 'ws://localhost:9/', 'ws://[::1]:9/'])(
    'an address that is not allowed is not dialled: %s',
    async (location) => {
      for (const dial of [dialWebSocket, dialNative]) {
        await expect(dial(location, signal(), isPublicAddress)).rejects.toMatchObject({
          code: 'transport/unreachable',
          message: expect.stringMatching(/EACCES|public internet/),
        })
      }
    },
  )

  test('a dial that is aborted while the server is silent rejects with the reason, and lets go', async () => {
    const server = createServer()
    server.on('upgrade', () => {}) // takes it, and never answers
    const port = await portOf(server)
    const reason = new Error('stop')
    for (const dial of [dialWebSocket, dialNative]) {
      const controller = new AbortController()
      const dialling = dial(`ws://127.0.0.1:${port}/`, controller.signal)
      const settled = expect(dialling).rejects.toBe(reason)
      await once(server, 'upgrade')
      controller.abort(reason)
      await settled
    }
  })
})
