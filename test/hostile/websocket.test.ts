// Hostile peers over real WebSockets (spec/session.md §12): they break the rules of frames, of pipes and of sessions, read
// nothing, or pile up. Each is dropped, the others go on, and nothing is kept of strangers beyond the limits.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { MESSAGE_OVERHEAD_BYTES, MESSAGE_WINDOW_BYTES } from '../../src/limits.js'
import {
  Admission,
  acceptSession,
  type Connection,
  DEFAULT_LIMITS,
  initiateSession,
} from '../../src/session/index.js'
import type { Listener, Pipe } from '../../src/transport/index.js'
import { dialWebSocket as dialNative } from '../../src/transport/websocket.js'
import { dialWebSocket } from '../../src/transport/websocket-node.js'
import { listenWebSocket } from '../../src/transport/websocket-server.js'
import { wsPipe } from '../../src/transport/ws-link.js'
import { clientOf, flipped, listen, Shop } from '../session/parties.js'
import { piece, turns, watch } from '../transport/conformance.js'
import { Crowd, heldBytes } from './door.js'

const LOCATION = 'ws://127.0.0.1:0/noisecap'
const signal = () => AbortSignal.timeout(20_000)
const UPGRADE =
  'GET /noisecap HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n'

/** A client's frame, masked with zeros, so as it is. */
function frame(payload: Uint8Array, { opcode = 2, fin = true, announced = payload.length } = {}): Buffer {
  const head = Buffer.alloc(8)
  head[0] = (fin ? 0x80 : 0) | opcode
  head[1] = 0x80 | 126
  head.writeUInt16BE(announced, 2)
  return Buffer.concat([head, payload])
}

describe('at a pipe', () => {
  let listener: Listener
  let server: Pipe
  let atServer: ReturnType<typeof watch>
  let errors: (Error | undefined)[]

  beforeEach(async () => {
    errors = []
    listener = await listenWebSocket(LOCATION, (pipe) => {
      server = pipe
      const start = pipe.start.bind(pipe)
      pipe.start = (events) =>
        start({
          ...events,
          closed: (error) => {
            errors.push(error)
            events.closed(error)
          },
        })
      atServer = watch(pipe)
    })
  })
  afterEach(() => listener.close())

  async function client(): Promise<WebSocket> {
    const webSocket = new WebSocket(listener.location)
    webSocket.on('error', () => {})
    await once(webSocket, 'open')
    return webSocket
  }
  const credit = (weight: number): Buffer => {
    const message = Buffer.alloc(4)
    message.writeUInt32BE(weight)
    return message
  }

  const offences: [string, (webSocket: WebSocket) => void, RegExp][] = [
    ['a text', (it) => it.send('hello'), /a text/],
    ['an empty text', (it) => it.send(''), /a text/],
    ...[1, 3, 5, 15].map((length): [string, (webSocket: WebSocket) => void, RegExp] => [
      `${length} bytes`,
      (it) => it.send(new Uint8Array(length)),
      /shorter than a record/,
    ]),
    ['65,536 bytes', (it) => it.send(new Uint8Array(65_536)), /Max payload/],
    ['room for nothing', (it) => it.send(credit(0)), /more room/],
    ['room for what was not sent', (it) => it.send(credit(1)), /more room/],
    ['room for all that there is', (it) => it.send(credit(0xffff_ffff)), /more room/],
    [
      'a record behind the end',
      (it) => {
        it.send(new Uint8Array(0))
        it.send(new Uint8Array(16))
      },
      /behind the end/,
    ],
    [
      'a second end',
      (it) => {
        it.send(new Uint8Array(0))
        it.send(new Uint8Array(0))
      },
      /behind the end/,
    ],
    [
      'a message in 65 pieces',
      (it) => {
        for (let i = 0; i < 65; i++) it.send(new Uint8Array(16), { fin: false })
      },
      /fragments/,
    ],
    ['a close instead of an end', (it) => it.close(1000), /connection lost/],
  ]
  test.each(offences)('%s drops the connection, and delivers nothing of it', async (_, offend, message) => {
    const webSocket = await client()
    const gone = once(webSocket, 'close')
    offend(webSocket)
    await gone
    await expect.poll(() => atServer.events.at(-1)).toBe('closed')
    expect(atServer.bytes).toEqual([])
    expect(errors[0]?.message).toMatch(message)
  })

  test('a reader that pauses holds up no more than the window; who sends beyond it is dropped', async () => {
    const webSocket = await client()
    await expect.poll(() => atServer).toBeDefined()
    server.pause()
    const record = new Uint8Array(65_535)
    const fits = Math.floor(MESSAGE_WINDOW_BYTES / (record.length + MESSAGE_OVERHEAD_BYTES))
    const before = await heldBytes()
    for (let i = 0; i < fits; i++) webSocket.send(record)
    await expect.poll(() => webSocket.bufferedAmount).toBe(0)
    await turns()
    expect(errors).toEqual([])
    expect((await heldBytes()) - before).toBeLessThan(2 * MESSAGE_WINDOW_BYTES)
    const gone = once(webSocket, 'close')
    webSocket.send(record)
    await gone
    await expect.poll(() => errors[0]?.message).toMatch(/more than there was room for/)
    expect(atServer.bytes).toEqual([])
  })

  test('of the tiniest records a paused reader holds fewer than 14,000', async () => {
    const webSocket = await client()
    server.pause()
    const gone = once(webSocket, 'close')
    for (let i = 0; i < 14_000; i++) webSocket.send(new Uint8Array(16))
    await gone
    await expect.poll(() => errors[0]?.message).toMatch(/more than there was room for/)
  })

  test('a writer whose peer reads nothing keeps what waits, no more, and goes on with the others', async () => {
    const slow = await client()
    slow.pause()
    let written = 0
    // Whoever heeds `write` stops at the window, what the system takes, and one write beyond the mark.
    for (let room = true; room && written < 64 * MESSAGE_WINDOW_BYTES; ) {
      room = server.write(new Uint8Array(32_768))
      written += 32_768
      await turns(1)
    }
    expect(written).toBeLessThan(2 * MESSAGE_WINDOW_BYTES)
    expect(server.waitingBytes).toBeLessThan(4 * 65_536)
    const atSlow = server
    const other = await dialWebSocket(listener.location, signal())
    const atOther = watch(other)
    await expect.poll(() => server !== atSlow).toBe(true)
    server.write(piece(3))
    await expect.poll(() => atOther.bytes.length).toBe(16)
    other.destroy()
    slow.terminate()
  })

  test.each([
    ['of the package', dialWebSocket],
    ['of the platform', dialNative],
  ])('a client %s drops a server that sends a text, too', async (_, dial) => {
    // A server of our own that speaks otherwise: the same library without our pipe.
    const other = new WebSocketServer({ port: 0, host: '127.0.0.1' })
    other.on('connection', (webSocket) => webSocket.send('hello'))
    await once(other, 'listening')
    const { port } = other.address() as { port: number }
    const pipe = await dial(`ws://127.0.0.1:${port}/`, signal())
    const heard = watch(pipe)
    await expect.poll(() => heard.events).toEqual(['closed'])
    other.close()
  })
})

describe('at a service', () => {
  let shop: Shop
  let listener: Listener
  let admission: Admission
  let opened: { connection: Connection; heard: ReturnType<typeof listen> }[]
  let sockets: Socket[]
  let crowd: Crowd

  beforeAll(async () => {
    crowd = await Crowd.start()
  })
  afterAll(() => crowd.stop())

  beforeEach(async () => {
    shop = new Shop()
    admission = new Admission()
    opened = []
    sockets = []
    listener = await listenWebSocket(LOCATION, (pipe) => {
      acceptSession(pipe, {
        services: [shop.identity],
        verifier: shop.verifier,
        admission,
        accepted: ({ connection }) => opened.push({ connection, heard: listen(connection) }),
        handshakeDeadlineMs: 600_000,
      })
    })
  })
  afterEach(async () => {
    for (const socket of sockets) socket.destroy()
    for (const { connection } of opened) connection.close()
    await crowd.order({ do: 'drop' })
    await expect.poll(() => admission.unproven).toBe(0)
    await listener.close()
  })

  /** A genuine session, and the WebSocket below it. */
  async function session(): Promise<{ connection: Connection; webSocket: WebSocket }> {
    const webSocket = new WebSocket(listener.location)
    const upgraded = once(webSocket, 'upgrade')
    await once(webSocket, 'open')
    const [response] = (await upgraded) as [{ socket: Socket }]
    const { pipe } = wsPipe(webSocket, response.socket)
    const client = { capability: shop.capability(), pattern: 'NK' as const, limits: DEFAULT_LIMITS }
    const { connection } = await initiateSession(pipe, client, signal())
    listen(connection)
    await expect.poll(() => opened[0]?.heard.confirmed).toBe(1)
    return { connection, webSocket }
  }

  test.each<[string, Uint8Array | string, string]>([
    ['5 bytes', new Uint8Array(5), 'truncated'],
    ['15 bytes', new Uint8Array(15), 'truncated'],
    ['a text', 'hello', 'truncated'],
    ['a bare tag that is none', new Uint8Array(16), 'failed'],
    ['65,535 bytes that are no record', new Uint8Array(65_535), 'failed'],
    ['an end without a close record', new Uint8Array(0), 'truncated'],
  ])('%s in an open session ends it', async (_, message, reason) => {
    const { webSocket } = await session()
    webSocket.send(message)
    expect((await opened[0]!.heard.outcome).reason).toBe(reason)
  })

  test('a session that is closed in the open says so, over WebSockets as over any pipe', async () => {
    const { connection } = await session()
    connection.close()
    expect(await opened[0]!.heard.outcome).toMatchObject({ reason: 'done', by: 'peer' })
  })

  const hello = (): Buffer => frame(clientOf(shop.capability()).hello)
  const bogus = (): Buffer => {
    const genuine = clientOf(shop.capability()).hello
    return frame(flipped(genuine, genuine.length - 1, 0))
  }
  /** [what they send behind the upgrade, whether they are still there after it] */
  const strangers: [string, () => Uint8Array, boolean][] = [
    ['nothing', () => new Uint8Array(0), true],
    ['a bogus hello', bogus, true],
    ['half a hello', () => frame(new Uint8Array(2_000), { announced: 4_000 }), true],
    ['the head of a message of 65,535 bytes', () => frame(new Uint8Array(0), { announced: 65_535 }), true],
    ['60 pieces of 16 bytes', () => pieces(60), true],
    ['half a message of 65,535 bytes', () => frame(new Uint8Array(30_000), { announced: 65_535 }), false],
    ['a hello and half a record', () => Buffer.concat([bogus(), new Uint8Array(30_000)]), false],
    ['1,000 pings', () => Buffer.concat(Array(1_000).fill(frame(new Uint8Array(0), { opcode: 9 }))), false],
  ]
  const pieces = (count: number): Buffer =>
    Buffer.concat(
      Array.from({ length: count }, (_, i) => frame(piece(i), { opcode: i === 0 ? 2 : 0, fin: false })),
    )

  test.each(strangers)(
    '500 strangers who send %s hold at most 16 KiB each, or are dropped',
    async (_, bytes, stay) => {
      const COUNT = 500
      const before = await heldBytes()
      const all = Buffer.concat([Buffer.from(UPGRADE), bytes()])
      const { port } = new URL(listener.location)
      const order = { port: Number(port), count: COUNT, bytes: all.toString('base64') }
      expect(await crowd.order({ do: 'stall', ...order })).toMatchObject({ failed: 0 })
      await expect.poll(() => admission.unproven).toBe(stay ? COUNT : 0)
      await turns(50)
      expect((await heldBytes()) - before).toBeLessThan(COUNT * 16_384)
      await session()
    },
    120_000,
  )

  test('a stranger may not pile up pieces of one byte: all that is not answered counts', async () => {
    const socket = connect(Number(new URL(listener.location).port), '127.0.0.1')
    sockets.push(socket)
    socket.on('error', () => {})
    const closed = once(socket, 'close')
    socket.write(UPGRADE)
    await once(socket, 'data')
    socket.write(frame(new Uint8Array(0), { announced: 4_096 }))
    let sent = 0
    // Each waits for the one before to be read, so that none joins the next.
    while (!socket.destroyed && sent < 4_096) {
      socket.write(Uint8Array.of(1))
      sent += 1
      await turns(4)
    }
    await closed
    expect(sent).toBeLessThan(4_096)
  })

  test('a genuine hello by a client that writes frames of its own is answered in one message', async () => {
    const socket = connect(Number(new URL(listener.location).port), '127.0.0.1')
    sockets.push(socket)
    socket.write(UPGRADE)
    await once(socket, 'data')
    socket.write(hello())
    const [answer] = (await once(socket, 'data')) as [Buffer]
    // A binary frame, final, not masked, its length in two bytes.
    expect([answer[0], answer[1], answer.readUInt16BE(2), answer.length]).toEqual([0x82, 126, 304, 308])
  })
})
