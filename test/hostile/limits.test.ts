// Every limit before a session is open, one test a rule, on real sockets (spec/session.md §5, §9). Loopback is made to look like
// another machine where a rule goes by address. What one connection costs in memory is memory.test.ts.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { Capability } from '../../src/capability/index.js'
import {
  HANDSHAKE_DEADLINE_MS,
  HANDSHAKES_COMPUTING_MAX,
  HELLO_MAX_BYTES,
  SOCKETS_UNPROVEN_MAX,
  UNPROVEN_HELLOS_BURST,
  UNPROVEN_HELLOS_PER_SECOND,
} from '../../src/limits.js'
import type { Verdict } from '../../src/session/verifier.js'
import { dialUnix, listenUnix } from '../../src/transport/unix.js'
import { clientOf, flipped, greeting } from '../session/parties.js'
import { turns } from '../transport/conformance.js'
import { Door, type DoorOptions, framed, type Stranger } from './door.js'

/** Nothing comes back to a bucket while a test runs. */
const NO_REFILL = 1e-9
/** Long enough for any handshake here, short enough to wait for. */
const SOON_MS = 400

let door: Door // undefined until a test opens one

afterEach(() => door?.close())

async function open(options: DoorOptions = {}): Promise<Door> {
  door = await Door.open(options)
  return door
}

const genuine = (): Uint8Array => framed(clientOf(door.shop.capability()).hello)
/** Right public key, so a valid mac1, but a secret that the service never made. */
const unproven = (): Uint8Array =>
  framed(clientOf(Capability.fromPair(door.shop.key.publicKey, new Uint8Array(32))).hello)
const wrongMac1 = (): Uint8Array => {
  const hello = genuine()
  return flipped(hello, hello.length - 1, 0)
}

/** Send hellos one after the other, each on a socket of its own, and wait until the service has read it. */
async function greet(hellos: readonly Uint8Array[]): Promise<void> {
  for (const hello of hellos) {
    const before = door.chunks
    const stranger = door.stranger(hello)
    await expect.poll(() => door.chunks).toBeGreaterThan(before)
    expect(stranger.received).toEqual([])
    stranger.socket.destroy()
  }
}

/** What the service says to a hello: bytes of the answer, or silence until it hangs up at the deadline. */
async function answerTo(hello: Uint8Array): Promise<'answered' | 'silence'> {
  const stranger = door.stranger(hello)
  await expect.poll(() => stranger.received.length > 0 || stranger.closed).toBe(true)
  const answered = stranger.received.length > 0
  stranger.socket.destroy()
  return answered ? 'answered' : 'silence'
}

test('the limits are those of the specification', () => {
  expect([HANDSHAKE_DEADLINE_MS, HELLO_MAX_BYTES, HANDSHAKES_COMPUTING_MAX, SOCKETS_UNPROVEN_MAX]).toEqual([
    5_000, 4_096, 1_024, 16_384,
  ])
  expect([UNPROVEN_HELLOS_PER_SECOND, UNPROVEN_HELLOS_BURST]).toEqual([20, 5])
})

describe('tokens of an address', () => {
  const strict = { hellosPerSecond: NO_REFILL, hellosBurst: 5 }

  test('five unproven hellos are read, the sixth is not, nor is a genuine one after them', async () => {
    await open({ limits: strict, from: () => '192.0.2.7', deadlineMs: SOON_MS })
    await greet(Array.from({ length: 8 }, unproven))
    expect(door.questions).toBe(5)
    expect(await answerTo(genuine())).toBe('silence')
    expect(door.questions).toBe(5)
  })

  test('another address has tokens of its own; one /64 of IPv6 shares them', async () => {
    let from = '2001:db8::1'
    await open({ limits: { ...strict, hellosBurst: 1 }, from: () => from, deadlineMs: SOON_MS })
    await greet([unproven()])
    from = '2001:db8::ffff'
    expect(await answerTo(genuine())).toBe('silence')
    from = '2001:db8:0:1::1'
    expect(await answerTo(genuine())).toBe('answered')
  })

  test('loopback is exempt', async () => {
    await open({ limits: { ...strict, hellosBurst: 1 } })
    await greet(Array.from({ length: 8 }, unproven))
    expect(door.questions).toBe(8)
    expect(await answerTo(genuine())).toBe('answered')
  })

  test('unix sockets are exempt', async () => {
    await open({ limits: { ...strict, hellosBurst: 1 }, deadlineMs: SOON_MS })
    const directory = await mkdtemp(join(tmpdir(), 'noisecap-test-'))
    const listener = await listenUnix(`unix:${join(directory, 's')}`, (pipe) => door.accept(pipe))
    for (let i = 0; i < 4; i++) {
      const pipe = await dialUnix(listener.location, AbortSignal.timeout(20_000))
      let closed = false
      pipe.start({ data() {}, drain() {}, end: () => pipe.end(), closed: () => (closed = true) })
      pipe.write(unproven())
      pipe.end()
      await expect.poll(() => closed).toBe(true)
    }
    expect(door.questions).toBe(4)
    await listener.close()
    await rm(directory, { recursive: true })
  })

  test('a wrong mac1 takes no token, since it costs no DH', async () => {
    await open({ limits: { ...strict, hellosBurst: 1 }, from: () => '192.0.2.7' })
    await greet(Array.from({ length: 20 }, wrongMac1))
    expect(door.questions).toBe(0)
    expect(await answerTo(genuine())).toBe('answered')
  })

  test('a replay takes a token and does not give it back', async () => {
    await open({ limits: { ...strict, hellosBurst: 2 }, from: () => '192.0.2.7', deadlineMs: SOON_MS })
    const hello = genuine()
    expect(await answerTo(hello)).toBe('answered')
    await greet([hello, hello])
    expect(door.questions).toBe(1)
    expect(await answerTo(genuine())).toBe('silence')
  })

  test('a proven hello gives its token back, whatever its status', async () => {
    await open({ limits: { ...strict, hellosBurst: 1 }, from: () => '192.0.2.7' })
    for (let i = 0; i < 10; i++) await door.honest(i % 2 === 0 ? 'NK' : 'IK')
    const expired = door.shop.capability({ expiresAt: new Date(1_000_000) })
    for (let i = 0; i < 3; i++) expect(await answerTo(framed(clientOf(expired).hello))).toBe('answered')
    await door.honest('XK')
    expect(door.opened.length).toBe(11)
  })
})

describe('slots', () => {
  /** An XK client that has its message 2 and keeps the service waiting for message 3. */
  async function heldSlot(capability?: Capability) {
    const client = greeting('XK', door.shop, capability)
    const stranger = door.stranger(framed(client.hello))
    await expect.poll(() => stranger.received.length).toBe(2 + 48)
    return { client, stranger, message2: Uint8Array.from(stranger.received.slice(2)) }
  }

  test('the 1,025th handshake is told overloaded, and the first to vanish makes room', async () => {
    await open({ deadlineMs: 600_000 })
    const held = Array.from({ length: HANDSHAKES_COMPUTING_MAX }, () =>
      door.stranger(framed(greeting('XK', door.shop).hello)),
    )
    await expect.poll(() => door.admission.computing).toBe(1_024)
    const refused = expect.objectContaining({ code: 'session/overloaded' })
    for (const pattern of ['NK', 'XK', 'IK', 'KK'] as const) {
      await expect(door.honest(pattern)).rejects.toEqual(refused)
    }
    held[0]?.socket.destroy()
    await expect.poll(() => door.admission.computing).toBe(1_023)
    await door.honest('XK')
  }, 120_000)

  test('is free again once the session is open', async () => {
    await open({ limits: { handshakesComputingMax: 1 } })
    for (const pattern of ['NK', 'XK', 'IK', 'KK'] as const) await door.honest(pattern)
    expect(door.admission.computing).toBe(0)
  })

  test('is free again once a holder was refused, though he keeps the connection', async () => {
    await open({ limits: { handshakesComputingMax: 1 } })
    const expired = door.shop.capability({ expiresAt: new Date(1_000_000) })
    const refused = door.stranger(framed(clientOf(expired).hello))
    refused.keepsOpen = true
    await expect.poll(() => refused.ended).toBe(true)
    expect(refused.received.length).toBe(2 + 304)
    const { client, stranger, message2 } = await heldSlot(expired)
    const step = client.receive(message2)
    if (!('reply' in step)) throw new Error('expected message 3')
    stranger.send(framed(step.reply))
    await expect.poll(() => stranger.received.length).toBeGreaterThan(2 + 48)
    await door.honest()
    expect([refused.closed, door.admission.computing]).toEqual([false, 0])
  })

  test('is free again after a bad message 3, though the connection stays until the deadline', async () => {
    await open({ limits: { handshakesComputingMax: 1 } })
    const { stranger } = await heldSlot()
    stranger.send(framed(new Uint8Array(400)))
    await expect.poll(() => door.admission.computing).toBe(0)
    await door.honest()
    expect(stranger.closed).toBe(false)
  })

  test('is free again at the deadline, whatever trickles', async () => {
    await open({ limits: { handshakesComputingMax: 1 }, deadlineMs: SOON_MS })
    const { stranger } = await heldSlot()
    const trickle = setInterval(() => stranger.send(Uint8Array.of(1)), 20)
    await expect.poll(() => stranger.closed).toBe(true)
    clearInterval(trickle)
    expect(door.admission.computing).toBe(0)
    await door.honest()
  })

  test('is free again when the same hello was proven elsewhere meanwhile', async () => {
    await open({ limits: { handshakesComputingMax: 2 } })
    const decided: (() => void)[] = []
    door.verifier = (question) =>
      new Promise((resolve) => decided.push(() => resolve(door.shop.verifier(question))))
    const hello = genuine()
    const racers = [door.stranger(hello), door.stranger(hello)]
    await expect.poll(() => decided.length).toBe(2)
    for (const decide of decided) decide()
    await expect.poll(() => racers.filter(({ received }) => received.length > 0).length).toBe(1)
    await turns()
    expect(racers.filter(({ received }) => received.length > 0).length).toBe(1)
    expect(door.admission.computing).toBe(0)
  })

  test('is not taken by a client that vanished while its hello was judged, and its PSK is wiped', async () => {
    await open()
    let verdict: Verdict | undefined
    let decide = (): void => {}
    door.verifier = (question) =>
      new Promise((resolve) => {
        decide = () => {
          verdict = door.shop.verifier(question)
          resolve(verdict)
        }
      })
    const stranger = door.stranger(genuine())
    await expect.poll(() => door.questions).toBe(1)
    stranger.socket.destroy()
    await expect.poll(() => door.admission.unproven).toBe(0)
    decide()
    await turns()
    expect(verdict?.answer.psk).toEqual(new Uint8Array(32))
    expect([door.admission.computing, door.opened.length]).toEqual([0, 0])
  })

  test('a verifier that throws means silence, and the service lives on', async () => {
    await open({ deadlineMs: SOON_MS })
    door.verifier = () => {
      throw new Error('out of order')
    }
    expect(await answerTo(genuine())).toBe('silence')
    door.verifier = door.shop.verifier
    await door.honest()
  })
})

describe('sockets that have proven nothing', () => {
  test('the oldest is evicted, a confirmed session is not, nor does it count', async () => {
    await open({ limits: { socketsUnprovenMax: 2 } })
    const session = await door.honest()
    await expect.poll(() => door.admission.unproven).toBe(0)
    const strangers: Stranger[] = []
    for (let i = 1; i <= 3; i++) {
      strangers.push(door.stranger())
      await expect.poll(() => door.admission.unproven).toBe(Math.min(i, 2))
    }
    await expect.poll(() => strangers[0]?.ended).toBe(true)
    expect(strangers.map(({ ended }) => ended)).toEqual([true, false, false])
    expect([session.isOpen, door.opened[0]?.session.connection.isOpen]).toEqual([true, true])
    await door.honest() // which evicts the next
    await expect.poll(() => strangers.map(({ ended }) => ended)).toEqual([true, true, false])
  })

  test.each([
    ['before its hello', () => []],
    ['within its hello', () => [genuine().slice(0, 100)]],
  ] as const)('one that ends its side %s is let go at once, without a byte', async (_name, chunks) => {
    await open({ deadlineMs: 600_000 })
    const stranger = door.stranger(...chunks())
    stranger.socket.end()
    await expect.poll(() => stranger.closed).toBe(true)
    expect([stranger.received.length, door.admission.unproven]).toEqual([0, 0])
  })

  test.each([
    ['a hello with a wrong mac1', wrongMac1],
    ['an unproven hello', unproven],
    ['a length that is too long', () => Uint8Array.of(0xff, 0xff, 1)],
  ] as [string, () => Uint8Array][])(
    'one that ends its side behind %s meets silence until the deadline',
    async (_name, helloOf) => {
      // When we let go must not tell what we computed.
      await open({ deadlineMs: SOON_MS })
      const opened = performance.now()
      const stranger = door.stranger(helloOf())
      stranger.socket.end()
      await expect.poll(() => door.ends).toBe(1)
      expect([stranger.closed, door.admission.unproven]).toEqual([false, 1])
      await expect.poll(() => stranger.closed).toBe(true)
      expect(performance.now() - opened).toBeGreaterThanOrEqual(SOON_MS - 20)
      expect([stranger.received.length, door.admission.unproven]).toEqual([0, 0])
    },
  )

  test('a hello that trickles dies at the deadline, however steadily it comes', async () => {
    await open({ deadlineMs: SOON_MS })
    const hello = genuine()
    const stranger = door.stranger()
    let sent = 0
    const trickle = setInterval(() => stranger.send(hello.subarray(sent, ++sent)), 20)
    await expect.poll(() => stranger.closed).toBe(true)
    clearInterval(trickle)
    expect(sent).toBeLessThan(hello.length)
    expect([stranger.received.length, door.questions]).toEqual([0, 0])
  })

  test('a session whose client says nothing after message 2 dies at the deadline; one that speaks lives on', async () => {
    await open({ deadlineMs: SOON_MS })
    const speaking = await door.honest()
    const mute = door.stranger(genuine())
    await expect.poll(() => mute.received.length).toBeGreaterThan(0)
    expect(door.opened.length).toBe(2)
    expect(await door.opened[1]?.heard.outcome).toMatchObject({ reason: 'truncated' })
    await expect.poll(() => mute.closed).toBe(true)
    await expect.poll(() => door.admission.unproven).toBe(0)
    expect([speaking.isOpen, door.opened[0]?.session.connection.isOpen]).toEqual([true, true])
  })
})

describe('a record that does not end', () => {
  test.each([
    ['one byte of its length', Uint8Array.of(0)],
    ['its length', Uint8Array.of(0x10, 0)],
  ])('dies at the frame deadline when %s is there and the rest trickles', async (_name, begin) => {
    await open({ times: { frameDeadlineMs: SOON_MS } })
    const handshake = clientOf(door.shop.capability())
    const client = door.stranger(framed(handshake.hello))
    await expect.poll(() => client.received.length).toBe(2 + 304)
    const step = handshake.receive(Uint8Array.from(client.received.slice(2)))
    if (!('session' in step)) throw new Error('expected a session')
    client.send(step.session.seal(new Uint8Array(0), 'length'))
    await expect.poll(() => door.opened[0]?.session.connection.isConfirmed).toBe(true)
    client.send(begin)
    const trickle = setInterval(
      () => client.send(begin.length === 1 ? new Uint8Array(0) : Uint8Array.of(7)),
      50,
    )
    const outcome = await door.opened[0]?.heard.outcome
    clearInterval(trickle)
    expect(outcome?.error).toMatchObject({ code: 'session/limit' })
  })
})
