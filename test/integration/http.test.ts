// Calls over HTTP to real services: two POSTs a batch, whatever is behind `Request` and `Response`; and what is refused.
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { connect, generateKeyPair } from '../../src/index.js'
import { HTTP_BATCH_WAIT_MS } from '../../src/limits.js'
import { MemoryContactBook } from '../../src/session/index.js'
import {
  type HttpHandler,
  type HttpOptions,
  httpHandler,
  nodeListener,
} from '../../src/transport/http-handler.js'
import { clientOf, flipped } from '../session/parties.js'
import { codeOf, Notes, startNotes, type World } from './notes.js'

let world: World
let servers: Server[]
/** Bodies of the requests that arrived, in order. */
let posts: Uint8Array[]

beforeEach(async () => {
  world = await startNotes({ contacts: new MemoryContactBook() })
  servers = []
  posts = []
})
afterEach(async () => {
  for (const server of servers) {
    server.closeAllConnections()
    server.close()
  }
  await world.close()
})

/** Sees every request before the handler does. */
function watched(handler: HttpHandler): HttpHandler {
  return async (request, client) => {
    const body = new Uint8Array(await request.clone().arrayBuffer())
    if (request.method === 'POST') posts.push(body)
    return handler(request, client)
  }
}

async function serve(options: HttpOptions = {}): Promise<string> {
  const handler = watched(httpHandler((pipe) => world.service.accept(pipe), options))
  const server = createServer(nodeListener(handler)).listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/fn`
}
const capabilityAt = (at: string) => world.notes.mint({ owner: 'ada' }, { at: [at] })
const post = (at: string, body: Uint8Array, headers: Record<string, string> = {}) =>
  fetch(at, {
    method: 'POST',
    body: Buffer.from(body),
    headers: { 'content-type': 'application/octet-stream', ...headers },
  })
const helloBody = (hello: Uint8Array) =>
  Buffer.concat([Uint8Array.of(1, hello.length >> 8, hello.length & 0xff), hello])

describe('calls', () => {
  test.each(['NK', 'IK', 'KK'] as const)(
    'over %s: a batch of one turn is one POST behind that of the hello',
    async (pattern) => {
      const at = await serve()
      const key = pattern === 'NK' ? undefined : generateKeyPair()
      const capability = capabilityAt(at)
      if (pattern === 'KK' && key !== undefined) {
        await world.service.contacts?.add({
          client: key.publicKey,
          contactKey: capability.keys().contactKey(),
        })
      }
      await using notes = await connect(capability, { key, ...(key && { pattern }) })
      expect(posts).toHaveLength(1)
      const answers = await Promise.all([
        notes.add({ text: 'a' }),
        notes.add({ text: 'b' }),
        notes.list(),
        notes.whoami(),
      ])
      expect(answers).toEqual([1, 2, ['a', 'b'], key === undefined ? 'anonymous' : 'client of 32 bytes'])
      expect(posts.map(([kind]) => kind)).toEqual([1, 2])
      // A later turn is another exchange; the object is made anew for it.
      expect(await Promise.all([notes.whoami(), notes.list()])).toEqual([answers[3], []])
      expect(posts.map(([kind]) => kind)).toEqual([1, 2, 1, 2])
      await expect.poll(() => world.service.openSessions).toBe(0)
    },
  )

  test('declared errors, big values and slow answers come back as over any pipe', async () => {
    const at = await serve()
    await using notes = await connect(capabilityAt(at), Notes)
    const big = 'x'.repeat(900_000)
    const [echoed, wrong] = await Promise.all([notes.echo(big), codeOf(notes.add({ text: 'y'.repeat(100) }))])
    expect([echoed === big, wrong]).toEqual([true, 'rpc/invalid_argument'])
    expect(await codeOf(notes.crash())).toBe('rpc/internal')
  })

  test('by fetch alone: Request in, Response out, no server of Node', async () => {
    const handler = httpHandler((pipe) => world.service.accept(pipe))
    const real = globalThis.fetch
    globalThis.fetch = (input, init) => handler(new Request(input as string, init))
    try {
      await using notes = await connect(capabilityAt('https://fn.example/notes'), Notes)
      expect(await notes.whoami()).toBe('anonymous')
    } finally {
      globalThis.fetch = real
    }
  })

  test('what is called long after connect opens a handshake of its own', async () => {
    const at = await serve()
    await using notes = await connect(capabilityAt(at), Notes)
    await new Promise((resolve) => setTimeout(resolve, HTTP_BATCH_WAIT_MS + 200))
    expect(await notes.whoami()).toBe('anonymous')
    expect(posts.map(([kind]) => kind)).toEqual([1, 1, 2])
  })

  test('behind a path of Express', async () => {
    const app = express()
    app.post('/fn', nodeListener(httpHandler((pipe) => world.service.accept(pipe))))
    const server = app.listen(0, '127.0.0.1')
    servers.push(server)
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    await using notes = await connect(capabilityAt(`http://127.0.0.1:${port}/fn`))
    expect(await notes.whoami()).toBe('anonymous')
  })

  test('XK is refused before anything is sent, and the error says what to use', async () => {
    const at = await serve()
    const error = await connect(capabilityAt(at), {
      key: generateKeyPair(),
      pattern: 'XK',
      resolvers: [],
    }).catch((e: unknown) => e)
    expect(error).toMatchObject({
      code: 'transport/unreachable',
      cause: { hint: expect.stringContaining('IK') },
    })
    expect(posts).toEqual([])
  })

  test('a revoked capability learns so from the answer to its hello', async () => {
    const at = await serve()
    const capability = capabilityAt(at)
    await world.service.revoke(capability)
    expect(await codeOf(connect(capability, { resolvers: [] }))).toBe('session/revoked')
    expect(posts).toHaveLength(1)
  })

  test('a call that takes longer than the service allows is cut off, and its handler aborted', async () => {
    const at = await serve({ timeoutMs: 100 })
    await using notes = await connect(capabilityAt(at), Notes)
    expect(await codeOf(notes.wait())).toBe('rpc/disconnected')
    await expect.poll(() => world.objects.some(({ aborted }) => aborted === 1)).toBe(true)
  })

  test('an answer longer than allowed is not sent, and the call breaks', async () => {
    const at = await serve({ maxAnswerBytes: 10_000 })
    await using notes = await connect(capabilityAt(at), Notes)
    expect(await codeOf(notes.echo('x'.repeat(20_000)))).toBe('rpc/disconnected')
    expect(await notes.whoami()).toBe('anonymous')
  })

  test('a request longer than allowed is answered 413', async () => {
    const at = await serve({ maxRequestBytes: 10_000 })
    await using notes = await connect(capabilityAt(at), Notes)
    expect(await codeOf(notes.echo('x'.repeat(20_000)))).toBe('rpc/disconnected')
  })

  test('a server that is away, and one that has no handler, are unreachable', async () => {
    const away = await serve()
    servers[0]?.close()
    servers[0]?.closeAllConnections()
    const error = await connect(capabilityAt(away), { resolvers: [] }).catch((e: unknown) => e)
    expect(error).toMatchObject({
      code: 'transport/unreachable',
      message: expect.stringContaining('unreachable'),
    })
  })
})

describe('hostile requests', () => {
  const hello = () => clientOf(world.notes.mint({ owner: 'ada' }) as never).hello

  test('a batch that is sent again finds nothing: nothing runs twice, nothing is encrypted twice', async () => {
    const at = await serve()
    await using notes = await connect(capabilityAt(at), Notes)
    expect(await notes.add({ text: 'once' })).toBe(1)
    const answers = await Promise.all([post(at, posts[1]!), post(at, posts[1]!)])
    expect(answers.map(({ status }) => status)).toEqual([410, 410])
    expect(world.objects).toHaveLength(1)
    expect(world.objects[0]?.texts).toEqual(['once'])
  })

  test('two copies of a batch at the same time: one is read', async () => {
    const at = await serve()
    let copy: Promise<Response> | undefined
    const real = globalThis.fetch
    globalThis.fetch = (input, init) => {
      const body = init?.body as Uint8Array
      if (body[0] === 2) copy = real(input, init)
      return real(input, init)
    }
    try {
      await using notes = await connect(capabilityAt(at), Notes)
      await notes.add({ text: 'once' }).catch(() => {})
      await copy
    } finally {
      globalThis.fetch = real
    }
    expect(world.objects.flatMap(({ texts }) => texts)).toEqual(['once'])
  })

  test('a hello that is sent again is answered as any stranger', async () => {
    const at = await serve()
    const body = helloBody(hello())
    const statuses = [(await post(at, body)).status, (await post(at, body)).status]
    expect(statuses).toEqual([200, 404])
  })

  test('what is wrong with a hello does not show: one status, no body, no headers of its own', async () => {
    const at = await serve()
    const wrong = [
      flipped(hello(), hello().length - 1, 0),
      flipped(hello(), 40, 0),
      hello().subarray(0, 300),
      new Uint8Array(400),
      Buffer.concat([hello(), new Uint8Array(1)]),
    ].map(helloBody)
    wrong.push(Buffer.concat([helloBody(hello()), new Uint8Array(3)]), Buffer.from([1]))
    const answers = await Promise.all(
      wrong.map(async (body) => {
        const response = await post(at, body)
        const { date: _, ...headers } = Object.fromEntries(response.headers)
        return JSON.stringify([response.status, (await response.arrayBuffer()).byteLength, headers])
      }),
    )
    expect(new Set(answers).size).toBe(1)
    expect(answers[0]).toContain('[404,0,')
    expect(world.service.openSessions).toBe(0)
  })

  test.each<[string, Uint8Array, Record<string, string>, number]>([
    ['an empty body', new Uint8Array(0), {}, 400],
    ['an unknown kind', Uint8Array.of(3, 1, 2), {}, 400],
    ['a hello of 5,000 bytes', new Uint8Array(5_000).fill(1), {}, 413],
    ['5 MiB', new Uint8Array(5 * 1_048_576).fill(2), {}, 413],
    ['a batch without a handshake', new Uint8Array(40).fill(2), {}, 410],
    ['a batch shorter than an id', Uint8Array.of(2, 1), {}, 410],
    ['text', Uint8Array.of(1), { 'content-type': 'text/plain' }, 415],
    ['a page of another origin', Uint8Array.of(1), { origin: 'https://evil.example' }, 403],
  ])('%s', async (_, body, headers, status) => {
    expect((await post(await serve(), body, headers)).status).toBe(status)
  })

  test('a listed page is told that it may, before and with the answer', async () => {
    const at = await serve({ origins: ['https://app.example'] })
    const origin = 'https://app.example'
    const asked = await fetch(at, { method: 'OPTIONS', headers: { origin } })
    expect([asked.status, asked.headers.get('access-control-allow-origin')]).toEqual([204, origin])
    const answer = await post(at, helloBody(hello()), { origin })
    expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([200, origin])
    expect((await fetch(at)).status).toBe(405)
  })

  test('a batch that is not of the session that its id names runs nothing', async () => {
    const at = await serve()
    const answer = new Uint8Array(await (await post(at, helloBody(hello()))).arrayBuffer())
    const forged = Buffer.concat([
      Uint8Array.of(2),
      answer.subarray(0, 16),
      Uint8Array.of(0, 40),
      new Uint8Array(40),
    ])
    expect((await post(at, forged)).status).toBe(502)
    expect((await post(at, forged)).status).toBe(410)
    expect(world.objects).toEqual([])
    expect(world.service.openSessions).toBe(0)
  })
})
