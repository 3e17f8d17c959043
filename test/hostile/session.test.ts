// Scripted strangers against a real listener over TCP: whoever proves nothing gets not one byte until the deadline.
import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { concat } from '../../src/bytes.js'
import { Capability } from '../../src/capability/index.js'
import { encodeHello, u16 } from '../../src/session/hello.js'
import {
  Admission,
  type AdmissionLimits,
  acceptSession,
  type Connection,
  DEFAULT_LIMITS,
  initiateSession,
} from '../../src/session/index.js'
import type { Verdict } from '../../src/session/verifier.js'
import { type Listener, memoryPair, type Pipe } from '../../src/transport/index.js'
import { dialTcp, listenTcp } from '../../src/transport/tcp.js'
import { clientOf, flipped, listen, openPair, Shop } from '../session/parties.js'

const DEADLINE_MS = 250

let shop: Shop
let listener: Listener
let admission: Admission
let opened: Connection[]
let verifier: (
  question: Parameters<Shop['verifier']>[0],
) => Verdict | undefined | Promise<Verdict | undefined>

beforeEach(async () => {
  shop = new Shop()
  admission = new Admission()
  opened = []
  verifier = shop.verifier
  listener = await listenTcp('tcp://127.0.0.1:0', (pipe) => {
    acceptSession(pipe, {
      services: [shop.identity],
      verifier: (question) => verifier(question),
      admission,
      accepted: ({ connection }) => {
        opened.push(connection)
        listen(connection)
      },
      handshakeDeadlineMs: DEADLINE_MS,
    })
  })
})

afterEach(async () => {
  for (const connection of opened) connection.close()
  await listener.close()
})

const framed = (hello: Uint8Array) => concat(u16(hello.length), hello)

function dial(): Socket {
  const socket = connect({
    port: Number(new URL(listener.location).port),
    host: '127.0.0.1',
    allowHalfOpen: true,
  })
  socket.on('error', () => {})
  return socket
}

/** Send chunks, then count what comes back until the service hangs up. */
function bytesFor(...chunks: readonly Uint8Array[]): Promise<number> {
  return new Promise((resolve) => {
    const socket = dial()
    let received = 0
    socket.on('data', (bytes) => {
      received += bytes.length
    })
    socket.on('end', () => socket.end())
    socket.on('close', () => resolve(received))
    for (const chunk of chunks) socket.write(chunk)
  })
}

/** How many bytes the service answers first; the socket is dropped then. */
function firstAnswer(bytes: Uint8Array): Promise<number> {
  return new Promise((resolve) => {
    const socket = dial()
    socket.on('data', (answer) => {
      socket.destroy()
      resolve(answer.length)
    })
    socket.on('end', () => resolve(0))
    socket.write(bytes)
  })
}

describe('silence until the deadline, and zero bytes', () => {
  const genuine = () => clientOf(shop.capability()).hello
  const stranger = () => clientOf(Capability.fromPair(shop.key.publicKey, new Uint8Array(32))).hello
  const cases: [string, () => Uint8Array][] = [
    ['nothing', () => new Uint8Array(0)],
    ['noise of the length of a hello', () => framed(new Uint8Array(genuine().length).fill(0x5a))],
    ['HTTP', () => Buffer.from('GET / HTTP/1.1\r\nHost: example\r\n\r\n'.padEnd(2_000, ' '))],
    ['a wrong mac1', () => framed(flipped(genuine(), genuine().length - 1, 0))],
    ['an empty frame', () => Uint8Array.of(0, 0)],
    ['a hello of one byte', () => Uint8Array.of(0, 1, 1)],
    ['a hello longer than 4,096 bytes', () => framed(new Uint8Array(4_097))],
    ['a length of 65,535', () => Uint8Array.of(0xff, 0xff)],
    ['half a hello', () => framed(genuine()).slice(0, 200)],
    ['another service', () => framed(clientOf(new Shop().capability()).hello)],
    ['an unknown pair under the right public key', () => framed(stranger())],
    [
      'a bad ciphertext behind a good mac1',
      () => {
        const bad = flipped(genuine(), 60, 0)
        return framed(encodeHello(bad.subarray(0, 3), bad.subarray(3, -16), shop.identity.mac1Key))
      },
    ],
  ]
  test.each(cases)('%s', async (_name, bytes) => {
    expect(await bytesFor(bytes())).toBe(0)
    expect(opened).toEqual([])
  })

  test('a bad proof', async () => {
    verifier = (question) => shop.verifier({ ...question, proof: flipped(question.proof, 3, 3) })
    expect(await bytesFor(framed(genuine()))).toBe(0)
  })

  test('a verifier that fails or never answers', async () => {
    verifier = () => Promise.reject(new Error('the other process is away'))
    expect(await bytesFor(framed(genuine()))).toBe(0)
    verifier = () => new Promise(() => {})
    expect(await bytesFor(framed(genuine()))).toBe(0)
  })

  test('a replay of a whole recorded hello', async () => {
    const hello = framed(genuine())
    expect(await firstAnswer(hello)).toBeGreaterThan(0)
    expect(await bytesFor(hello)).toBe(0)
  })

  test('a stranger who goes on sending is read and discarded, not answered', async () => {
    expect(
      await bytesFor(framed(stranger()), ...Array.from({ length: 20 }, () => new Uint8Array(5_000))),
    ).toBe(0)
  })
})

describe('genuine holders', () => {
  test('a hello trickled byte by byte is answered', async () => {
    const { client, server } = memoryPair()
    const got: number[] = []
    acceptSession(server, {
      services: [shop.identity],
      verifier: shop.verifier,
      admission,
      accepted: ({ connection }) => opened.push(connection),
    })
    client.start({ data: (bytes) => got.push(...bytes), drain() {}, end() {}, closed() {} })
    for (const byte of framed(clientOf(shop.capability()).hello)) client.write(Uint8Array.of(byte))
    await expect.poll(() => opened.length).toBe(1)
    await expect.poll(() => got.length).toBe(2 + 32 + 256 + 16)
  })

  test('an answer that comes later opens the session as well', async () => {
    verifier = async (question) => {
      await new Promise((resolve) => setImmediate(resolve))
      return shop.verifier(question)
    }
    expect(await firstAnswer(framed(clientOf(shop.capability()).hello))).toBeGreaterThan(0)
    expect(opened.length).toBe(1)
  })

  test.each([
    ['expired', { expiresAt: new Date(1_000_000) }],
    ['not yet valid', { notBefore: new Date(4e12) }],
  ])('one that is %s gets message 2 with its status, and no session', async (_name, restrictions) => {
    const { hello } = clientOf(shop.capability(restrictions))
    expect(await bytesFor(framed(hello))).toBe(2 + 32 + 256 + 16)
    expect(opened).toEqual([])
  })
})

describe('admission at the socket', () => {
  /** Accept a pipe that claims to come from elsewhere: loopback is exempt from buckets. */
  function acceptRemote(limits: Admission): { client: Pipe; got: number[] } {
    const { client, server } = memoryPair()
    const remote: Pipe = new Proxy(server, {
      get(target, name) {
        if (name === 'isLocal') return false
        if (name === 'remoteAddress') return '192.0.2.7'
        const value: unknown = Reflect.get(target, name, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    const got: number[] = []
    acceptSession(remote, {
      services: [shop.identity],
      verifier: shop.verifier,
      admission: limits,
      accepted: ({ connection }) => opened.push(connection),
    })
    client.start({ data: (bytes) => got.push(...bytes), drain() {}, end() {}, closed() {} })
    return { client, got }
  }
  const admissionOf = (limits: AdmissionLimits) => new Admission(limits)

  test('an unproven hello costs its address a token, a proven one gives it back', async () => {
    const limits = admissionOf({ hellosPerSecond: 1e-9, hellosBurst: 1 })
    for (let i = 0; i < 3; i++) {
      acceptRemote(limits).client.write(framed(clientOf(shop.capability()).hello))
      await expect.poll(() => opened.length).toBe(i + 1)
    }
    const unproven = Capability.fromPair(shop.key.publicKey, new Uint8Array(32))
    acceptRemote(limits).client.write(framed(clientOf(unproven).hello))
    await expect.poll(() => limits.takeToken('192.0.2.7', 0)).toBe(false)
    const { client, got } = acceptRemote(limits)
    client.write(framed(clientOf(shop.capability()).hello))
    for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve))
    expect([got.length, opened.length]).toEqual([0, 3])
  })

  test('without a free slot a genuine holder is told overloaded', async () => {
    const limits = admissionOf({ handshakesComputingMax: 0 })
    const handshake = clientOf(shop.capability())
    const { client, got } = acceptRemote(limits)
    client.write(framed(handshake.hello))
    await expect.poll(() => got.length).toBeGreaterThan(0)
    expect(() => handshake.receive(Uint8Array.from(got.slice(2)))).toThrow(
      expect.objectContaining({ code: 'session/overloaded' }),
    )
    expect(opened).toEqual([])
  })

  test('the oldest unproven socket is evicted, an open session is not', async () => {
    admission = new Admission({ socketsUnprovenMax: 2 })
    const pipe = await dialTcp(listener.location, AbortSignal.timeout(20_000))
    const client = { capability: shop.capability(), pattern: 'NK', limits: DEFAULT_LIMITS } as const
    const { connection } = await initiateSession(pipe, client, AbortSignal.timeout(20_000))
    listen(connection)
    await expect.poll(() => opened[0]?.isConfirmed).toBe(true)
    const closed: number[] = []
    const sockets: Socket[] = []
    for (let i = 0; i < 3; i++) {
      const socket = dial()
      sockets.push(socket)
      socket.on('end', () => closed.push(i))
      await new Promise((resolve) => socket.once('connect', resolve))
    }
    await expect.poll(() => closed[0]).toBe(0)
    expect(opened[0]?.isOpen).toBe(true)
    connection.close()
    for (const socket of sockets) socket.destroy()
  })
})

describe('an open session', () => {
  test('own records reflected by the peer end it', async () => {
    const { client, service, pipes } = await openPair()
    listen(service)
    const write = pipes.client.write.bind(pipes.client)
    const sent: Uint8Array[] = []
    pipes.client.write = (bytes) => {
      sent.push(Uint8Array.from(bytes))
      return write(bytes)
    }
    const atClient = listen(client)
    client.send(Uint8Array.of(0))
    pipes.server.write(sent[0]!)
    const outcome = await atClient.outcome
    expect(outcome).toMatchObject({ reason: 'failed', by: 'us' })
    expect(outcome.error?.code).toBe('session/protocol')
  })

  test.each([0, 15])('a record of %i bytes ends it', async (length) => {
    const { client, service, pipes } = await openPair()
    listen(client)
    const atService = listen(service)
    pipes.client.write(framed(new Uint8Array(length)))
    expect((await atService.outcome).error?.code).toBe('session/protocol')
  })

  test('a record flipped on the way ends it without a further byte to the peer', async () => {
    const { client, service, pipes } = await openPair()
    const atService = listen(service)
    listen(client)
    let sent = 0
    pipes.server.write = (bytes) => {
      sent += bytes.length
      return true
    }
    pipes.client.write(flipped(client.session.seal(Uint8Array.of(0, 1), 'length'), 5, 1))
    expect((await atService.outcome).error?.code).toBe('session/protocol')
    expect(sent).toBe(0)
  })
})
