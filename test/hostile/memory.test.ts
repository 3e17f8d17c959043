// What a connection that has proven nothing makes the service keep (spec/session.md §9): lengths are refused before memory is
// taken, what strangers send is let go at once, and nothing piles up while a hello is judged. Strangers are another process.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { HELLO_MAX_BYTES, NOISE_MESSAGE_MAX_BYTES } from '../../src/limits.js'
import { FrameReader, FrameTooLongError } from '../../src/session/framing.js'
import { clientOf, flipped } from '../session/parties.js'
import { turns } from '../transport/conformance.js'
import { Crowd, Door, framed, heldBytes } from './door.js'

/** DESIGN's bound for one connection that has proven nothing, all objects of Node and ours included; bytes. */
const CONNECTION_MAX_BYTES = 16_384
const CONNECTIONS = 1_000
/** Two bytes short of what Node reads in one go: one chunk, unless the system cuts it. */
const CHUNK_BYTES = 65_534

describe('a frame reader', () => {
  const READERS = 2_000

  test.each([HELLO_MAX_BYTES + 1, NOISE_MESSAGE_MAX_BYTES])(
    'that is announced %i bytes refuses before it takes memory',
    async (length) => {
      const readers = Array.from({ length: READERS }, () => new FrameReader('length', HELLO_MAX_BYTES))
      const before = await heldBytes()
      for (const reader of readers) {
        reader.push(Uint8Array.of(length >> 8, length & 0xff, 1))
        expect(() => reader.next()).toThrow(FrameTooLongError)
        reader.clear()
      }
      expect((await heldBytes()) - before).toBeLessThan(READERS * 512)
      expect(readers.every((reader) => !reader.isMidFrame && !reader.hasRest)).toBe(true)
    },
  )

  test('takes no more than the frame that it is in the middle of, whatever it was given', async () => {
    const readers = Array.from({ length: READERS }, () => new FrameReader('length', HELLO_MAX_BYTES))
    const before = await heldBytes()
    for (const reader of readers) {
      // A whole frame, then the beginning of one of the longest.
      const chunk = new Uint8Array(30_000)
      for (let at = 0; at + 3_002 <= chunk.length; at += 3_002) chunk.set([3_000 >> 8, 3_000 & 0xff], at)
      reader.push(chunk.slice(0, 27_018))
      for (let frame = reader.next(); frame !== undefined; frame = reader.next());
      reader.push(Uint8Array.of(0x10, 0x00, 1))
      expect(reader.next()).toBeUndefined()
    }
    const growth = (await heldBytes()) - before
    expect(growth).toBeGreaterThan(READERS * HELLO_MAX_BYTES) // else the measure is blind
    expect(growth).toBeLessThan(READERS * (HELLO_MAX_BYTES + 1_024))
    expect(readers.every((reader) => reader.isMidFrame)).toBe(true)
  })
})

describe('1,000 connections that have proven nothing', () => {
  let door: Door
  let crowd: Crowd

  beforeAll(async () => {
    crowd = await Crowd.start()
  })
  afterAll(() => crowd.stop())

  beforeEach(async () => {
    door = await Door.open({ deadlineMs: 600_000 })
  })
  afterEach(async () => {
    await crowd.order({ do: 'drop' })
    await door.close()
  })

  const whole = (): Uint8Array => {
    const hello = framed(clientOf(door.shop.capability()).hello)
    return flipped(hello, hello.length - 1, 0)
  }
  const filled = (head: Uint8Array): Uint8Array => {
    const bytes = new Uint8Array(CHUNK_BYTES).fill(0x5a)
    bytes.set(head)
    return bytes
  }
  const cases: [string, () => Uint8Array][] = [
    ['are silent', () => new Uint8Array(0)],
    ['announce 65,535 bytes', () => Uint8Array.of(0xff, 0xff, 1)],
    ['stop in the middle of the longest hello', () => Uint8Array.of(0x10, 0x00, 1, 1, 1)],
    ['send a bogus hello', whole],
    ['send a bogus hello and 64 KiB behind it', () => filled(whole())],
    ['send 64 KiB behind a length that is too long', () => filled(Uint8Array.of(0xff, 0xff))],
    ['send 64 KiB, the longest hello first', () => filled(Uint8Array.of(0x10, 0x00))],
  ]

  test.each(cases)(
    'and %s: at most 16 KiB each',
    async (_name, bytes) => {
      const before = await heldBytes()
      const order = { port: door.port, count: CONNECTIONS, bytes: Buffer.from(bytes()).toString('base64') }
      const report = await crowd.order({ do: 'stall', ...order })
      expect(report).toMatchObject({ sent: CONNECTIONS, failed: 0 })
      await expect.poll(() => door.admission.unproven).toBe(CONNECTIONS)
      await turns(50)
      const growth = (await heldBytes()) - before
      expect(growth).toBeLessThan(CONNECTIONS * CONNECTION_MAX_BYTES)
      expect(await crowd.order({ do: 'report' })).toMatchObject({ open: CONNECTIONS, received: 0 })
      await door.honest()
      // What they held comes back: once they are gone, so is nearly all of the memory.
      await crowd.order({ do: 'drop' })
      door.drop() // whoever sent a whole hello is kept until the deadline, gone or not
      await expect.poll(() => door.admission.unproven).toBe(0)
      expect((await heldBytes()) - before).toBeLessThan(CONNECTIONS * 1_024)
    },
    120_000,
  )
})

describe('while a hello is judged', () => {
  let door: Door

  beforeEach(async () => {
    door = await Door.open({ deadlineMs: 600_000 })
  })
  afterEach(() => door.close())

  const genuine = (): Uint8Array => framed(clientOf(door.shop.capability()).hello)

  test('what follows means silence, is discarded, and the verdict changes nothing', async () => {
    let decide = (): void => {}
    door.verifier = (question) =>
      new Promise((resolve) => {
        decide = () => resolve(door.shop.verifier(question))
      })
    const stranger = door.stranger(genuine())
    await expect.poll(() => door.questions).toBe(1)
    const before = await heldBytes()
    let flushed = false
    stranger.socket.write(new Uint8Array(32 * 1_048_576), () => {
      flushed = true
    })
    await expect.poll(() => flushed).toBe(true)
    expect((await heldBytes()) - before).toBeLessThan(2 * 1_048_576)
    decide()
    await turns()
    expect([stranger.received.length, door.opened.length, door.admission.computing]).toEqual([0, 0, 0])
  })

  test.each([1, 2, 5_000])('%i bytes that came together with the hello mean silence', async (count) => {
    const stranger = door.stranger(Buffer.concat([genuine(), new Uint8Array(count)]))
    const patient = door.stranger(genuine())
    await expect.poll(() => patient.received.length).toBe(2 + 304)
    // In one chunk they end in silence before the verifier is asked; cut by the system, after message 2: as a bad record.
    await expect.poll(() => stranger.received.length === 0 || stranger.closed).toBe(true)
    if (stranger.received.length === 0) expect(door.questions).toBe(1)
  })

  test('a silent connection is read and discarded without end, and nothing is kept', async () => {
    const stranger = door.stranger(flipped(genuine(), 100, 1))
    const before = await heldBytes()
    for (let i = 0; i < 4; i++) {
      let flushed = false
      stranger.socket.write(new Uint8Array(16 * 1_048_576), () => {
        flushed = true
      })
      await expect.poll(() => flushed).toBe(true)
    }
    expect((await heldBytes()) - before).toBeLessThan(2 * 1_048_576)
    expect([stranger.received.length, stranger.closed, door.questions]).toEqual([0, false, 0])
  })
})
