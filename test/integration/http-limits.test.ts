// HTTP as clients and strangers really send it: bodies that do not end, requests behind each other on one connection and side
// by side on many, and what one request and its answer cannot carry.
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect as connectSocket, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { bytes, connect, generateKeyPair, iface, method, Service, stream } from '../../src/index.js'
import type { StreamSource } from '../../src/rpc/index.js'
import { httpHandler, nodeListener } from '../../src/transport/http-handler.js'
import { clientOf } from '../session/parties.js'
import { codeOf, startNotes, type World } from './notes.js'

const Feed = iface('Feed', {
  count: stream<number, number>(),
  download: stream(z.number(), bytes),
  sum: method<StreamSource<number>, number>(),
})

let world: World
let server: Server
let port: number
let ended: number
let feed: Service

beforeEach(async () => {
  world = await startNotes()
  feed = Service.create(undefined, { announcers: [] })
  ended = 0
  const notes = nodeListener(httpHandler((pipe) => world.service.accept(pipe)))
  const feeds = nodeListener(httpHandler((pipe) => feed.accept(pipe)))
  server = createServer((request, response) =>
    request.url === '/feed' ? feeds(request, response) : notes(request, response),
  ).listen(0, '127.0.0.1')
  await once(server, 'listening')
  port = (server.address() as AddressInfo).port
})
afterEach(async () => {
  server.closeAllConnections()
  server.close()
  await feed.close(0)
  await world.close()
})

const head = (length: number | 'chunked'): string =>
  `POST /fn HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/octet-stream\r\n${
    length === 'chunked' ? 'Transfer-Encoding: chunked' : `Content-Length: ${length}`
  }\r\n\r\n`

/** The status lines of what `socket` is answered, as they come. */
function statusesOf(socket: Socket): number[] {
  const statuses: number[] = []
  let text = ''
  socket.on('error', () => {})
  socket.on('data', (bytes: Buffer) => {
    text += bytes.toString('latin1')
    statuses.splice(
      0,
      statuses.length,
      ...[...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, code]) => Number(code)),
    )
  })
  return statuses
}

describe('a body that does not end in time', () => {
  test('one that stops and one that trickles are answered 408, and reach no service', async () => {
    const stopped = connectSocket(port, '127.0.0.1')
    stopped.write(`${head(100)}x`)
    const trickling = connectSocket(port, '127.0.0.1')
    trickling.write(head('chunked'))
    const drops = setInterval(() => trickling.write('1\r\nx\r\n'), 500)
    try {
      const statuses = [statusesOf(stopped), statusesOf(trickling)]
      await expect.poll(() => statuses).toEqual([[408], [408]])
      await expect.poll(() => [stopped.readableEnded, trickling.readableEnded]).toEqual([true, true])
      expect(world.service.openSessions).toBe(0)
    } finally {
      clearInterval(drops)
      stopped.destroy()
      trickling.destroy()
    }
  })
})

describe('several requests', () => {
  test('two hellos pipelined on one connection are answered one behind the other', async () => {
    const socket = connectSocket(port, '127.0.0.1')
    const statuses = statusesOf(socket)
    try {
      const requests = [1, 2].map(() => {
        const { hello } = clientOf(world.notes.mint({ owner: 'ada' }) as never)
        const body = Buffer.concat([Uint8Array.of(1, hello.length >> 8, hello.length & 0xff), hello])
        return Buffer.concat([Buffer.from(head(body.length)), body])
      })
      socket.write(Buffer.concat(requests))
      await expect.poll(() => statuses).toEqual([200, 200])
    } finally {
      socket.destroy()
    }
  })

  test('twenty clients side by side, each with a batch of its own, get their own answers', async () => {
    const at = `http://127.0.0.1:${port}/fn`
    const clients = Array.from({ length: 20 }, async (_, index) => {
      const capability = world.notes.mint({ owner: `owner-${index}` }, { at: [at] })
      await using notes = await connect(capability, { key: generateKeyPair(), resolvers: [] })
      return await Promise.all([notes.add({ text: `of ${index}` }), notes.list(), notes.echo(index)])
    })
    expect(await Promise.all(clients)).toEqual(
      Array.from({ length: 20 }, (_, index) => [1, [`of ${index}`], index]),
    )
  })

  test('batches of one client at the same time take requests of their own, and none is lost', async () => {
    const capability = world.notes.mint({ owner: 'ada' }, { at: [`http://127.0.0.1:${port}/fn`] })
    await using notes = await connect(capability, { resolvers: [] })
    const later = async (turns: number): Promise<unknown> => {
      for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve))
      return notes.echo(turns)
    }
    expect(await Promise.all([0, 3, 6, 9, 12].map(later))).toEqual([0, 3, 6, 9, 12])
  })
})

describe('streams', () => {
  const feedOf = () => {
    const offer = feed.offer('feed', Feed, () => ({
      async *count(to) {
        try {
          for (let i = 0; i < to; i++) yield i
        } finally {
          ended += 1
        }
      },
      async *download(pieces) {
        for (let i = 0; i < pieces; i++) yield new Uint8Array(50_000)
      },
      sum: async (numbers) => {
        let sum = 0
        for await (const number of numbers) sum += number
        return sum
      },
    }))
    return connect(offer.mint({}, { at: [`http://127.0.0.1:${port}/feed`] }), { resolvers: [] })
  }

  test('a short one comes whole; a long one fails with what to use instead, and its source ends', async () => {
    await using feeds = await feedOf()
    const items: number[] = []
    for await (const item of feeds.count(3)) items.push(item)
    expect(items).toEqual([0, 1, 2])
    const error = await (async () => {
      for await (const item of feeds.count(100_000)) items.push(item)
    })().catch((caught: unknown) => caught)
    expect(error).toMatchObject({ code: 'rpc/resource_exhausted', message: expect.stringContaining('ws:') })
    expect(items.length).toBeGreaterThan(1_000) // the first credit of a stream came all the same
    await expect.poll(() => ended).toBe(2)
  })

  test('bytes: what fits comes whole, more fails as items do', async () => {
    await using feeds = await feedOf()
    const lengthOf = async (pieces: number): Promise<number> => {
      let length = 0
      for await (const part of feeds.download(pieces)) length += part.length
      return length
    }
    expect(await lengthOf(5)).toBe(250_000)
    expect(await codeOf(lengthOf(6))).toBe('rpc/resource_exhausted')
  })

  test('one in an argument is refused before anything is sent, with what to use instead', async () => {
    await using feeds = await feedOf()
    const numbers = async function* (): AsyncGenerator<number> {
      yield 1
    }
    await expect(feeds.sum(numbers())).rejects.toMatchObject({
      code: 'rpc/bad_value',
      hint: expect.stringContaining('ws:'),
    })
    expect(await codeOf(feeds.sum(numbers()))).toBe('rpc/bad_value')
  })
})
