// What every transport must do; each transport's own test runs this suite with a way to make two joined pipes.
import { createHash, randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Pipe } from '../../src/transport/index.js'

/** Two ends of one connection, and what to clean up. */
export interface Ends {
  readonly client: Pipe
  readonly server: Pipe
  close(): Promise<void>
}

/** What a transport may accept for a peer that reads nothing: its own buffers and those of the system, bytes. */
const ACCEPTED_UNREAD_MAX_BYTES = 32 * 1_048_576
/** One write; fits a message. */
const CHUNK_BYTES = 32_768
/** What whoever heeds `write` may have waiting: the mark, and one write beyond it. */
const WAITING_MAX_BYTES = 65_536 + CHUNK_BYTES
/** The shortest write that every pipe takes: a pipe of messages carries records, the shortest of which is a tag. */
const PIECE_BYTES = 16
const BULK_BYTES = 64 * 1_048_576
/** Everything that happened on a pipe, in order.
 * @param lent - is told of bytes that were lent, which are else taken as those that are handed over. */
export function watch(
  pipe: Pipe,
  lent?: (bytes: Uint8Array) => void,
): { readonly bytes: number[]; readonly events: string[] } {
  const heard = { bytes: [] as number[], events: [] as string[] }
  const data = (bytes: Uint8Array): void => {
    for (const byte of bytes) heard.bytes.push(byte)
    if (heard.events.at(-1) !== 'data') heard.events.push('data')
  }
  pipe.start({
    data,
    ...(lent === undefined
      ? {}
      : {
          lent(bytes) {
            lent(bytes)
            data(bytes)
          },
        }),
    drain: () => heard.events.push('drain'),
    end: () => heard.events.push('end'),
    closed: () => heard.events.push('closed'),
  })
  return heard
}

/** Events by name; data counts and is hashed. Writing resumes by itself where `onDrain` says so. */
function hashing(pipe: Pipe, onDrain: () => void = () => {}) {
  const hash = createHash('sha256')
  const heard = { received: 0, events: [] as string[], digest: '' }
  pipe.start({
    data: (bytes) => {
      heard.received += bytes.length
      hash.update(bytes)
    },
    drain: onDrain,
    end: () => {
      heard.digest = hash.digest('hex')
      heard.events.push('end')
    },
    closed: () => heard.events.push('closed'),
  })
  return heard
}

/** Turns of the event loop, for what must not happen to have its chance. */
export async function turns(count = 20): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve))
}

/** A sender of `total` bytes that waits for `drain` when told to, then ends; and the hash of what it sent. */
function bulkSender(pipe: Pipe, total: number) {
  const hash = createHash('sha256')
  const block = randomBytes(CHUNK_BYTES)
  const sender = { sent: 0, digest: '', waitingMax: 0, resume: () => {} }
  sender.resume = (): void => {
    while (sender.sent < total) {
      block.writeUInt32BE(sender.sent / CHUNK_BYTES)
      const chunk = Uint8Array.from(block) // handed over, so a fresh one each time
      hash.update(chunk)
      sender.sent += chunk.length
      const goOn = pipe.write(chunk)
      sender.waitingMax = Math.max(sender.waitingMax, pipe.waitingBytes)
      if (!goOn) return
    }
    if (sender.digest !== '') return
    sender.digest = hash.digest('hex')
    pipe.end()
  }
  return sender
}

/** A write of 16 bytes, all of them `value`. */
export function piece(value: number): Uint8Array {
  return new Uint8Array(PIECE_BYTES).fill(value)
}

/** What arrives when `values` were written as pieces. */
export function pieces(...values: number[]): number[] {
  return values.flatMap((value) => [...piece(value)])
}

/** Write `bytes` in chunks. */
function writeAll(pipe: Pipe, bytes: Uint8Array): void {
  for (let i = 0; i < bytes.length; i += CHUNK_BYTES) pipe.write(bytes.slice(i, i + CHUNK_BYTES))
}

export function conformance(name: string, connect: () => Promise<Ends>): void {
  describe(`${name} as a pipe`, () => {
    let ends: Ends

    beforeEach(async () => {
      ends = await connect()
    })

    afterEach(async () => {
      ends.client.destroy()
      ends.server.destroy()
      await ends.close()
    })

    test('bytes arrive in order, both ways', async () => {
      const [atClient, atServer] = [watch(ends.client), watch(ends.server)]
      for (let i = 0; i < 50; i++) {
        ends.client.write(new Uint8Array(2 * PIECE_BYTES).fill(i))
        ends.server.write(piece(i))
      }
      await expect.poll(() => atServer.bytes.length).toBe(50 * 2 * PIECE_BYTES)
      await expect.poll(() => atClient.bytes.length).toBe(50 * PIECE_BYTES)
      const counted = Array.from({ length: 50 }, (_, i) => i)
      expect(atServer.bytes).toEqual(pieces(...counted.flatMap((i) => [i, i])))
      expect(atClient.bytes).toEqual(pieces(...counted))
    })

    test('what was written before start is not lost', async () => {
      watch(ends.client)
      ends.client.write(piece(3))
      await turns()
      ends.server.pause()
      ends.server.resume() // before anybody listens
      await turns()
      const atServer = watch(ends.server)
      await expect.poll(() => atServer.bytes).toEqual(pieces(3))
    })

    test('a receiver may alter what it got without touching what others hold', async () => {
      const sent = piece(3)
      watch(ends.client)
      const got: Uint8Array[] = []
      ends.server.start({
        data: (bytes) => {
          got.push(Uint8Array.from(bytes))
          bytes.fill(0)
        },
        drain: () => {},
        end: () => {},
        closed: () => {},
      })
      ends.client.write(sent)
      await expect.poll(() => got.length).toBe(1)
      expect(sent).toEqual(piece(3))
    })

    test('the shortest writes, 10,000 of them, arrive whole and in order', async () => {
      watch(ends.client)
      const atServer = watch(ends.server)
      // A pipe of bytes takes single ones.
      const length = ends.client.framing === 'length' ? 1 : PIECE_BYTES
      for (let i = 0; i < 10_000; i++) {
        ends.client.write(piece(i & 0xff).subarray(0, length))
        if (i % 997 === 0) await turns(1)
      }
      await expect.poll(() => atServer.bytes.length).toBe(10_000 * length)
      expect(atServer.bytes.every((byte, i) => byte === (Math.floor(i / length) & 0xff))).toBe(true)
    })

    test('many writes of mixed length arrive as they were, while both sides write', async () => {
      const [atClient, atServer] = [hashing(ends.client), hashing(ends.server)]
      const sent = { client: createHash('sha256'), server: createHash('sha256') }
      for (let i = 0; i < 3_000; i++) {
        for (const side of ['client', 'server'] as const) {
          const bytes = Uint8Array.from(randomBytes(PIECE_BYTES + ((i * 37) % 700)))
          sent[side].update(bytes)
          ends[side].write(bytes)
        }
        if (i % 500 === 0) await turns(1)
      }
      ends.client.end()
      ends.server.end()
      await expect.poll(() => atServer.events.length).toBe(2)
      await expect.poll(() => atClient.events.length).toBe(2)
      expect([atServer.digest, atClient.digest]).toEqual([
        sent.client.digest('hex'),
        sent.server.digest('hex'),
      ])
    })

    test('64 MiB both ways at once arrive intact, with little waiting in between', async () => {
      const fromClient = bulkSender(ends.client, BULK_BYTES)
      const fromServer = bulkSender(ends.server, BULK_BYTES)
      const atClient = hashing(ends.client, fromClient.resume)
      const atServer = hashing(ends.server, fromServer.resume)
      fromClient.resume()
      fromServer.resume()
      await expect.poll(() => atServer.events, { timeout: 60_000 }).toEqual(['end', 'closed'])
      await expect.poll(() => atClient.events, { timeout: 60_000 }).toEqual(['end', 'closed'])
      expect([atServer.received, atClient.received]).toEqual([BULK_BYTES, BULK_BYTES])
      expect([atServer.digest, atClient.digest]).toEqual([fromClient.digest, fromServer.digest])
      expect(Math.max(fromClient.waitingMax, fromServer.waitingMax)).toBeLessThanOrEqual(WAITING_MAX_BYTES)
    }, 90_000)

    test('write returns false while the peer is paused, and drain comes after it resumed', async () => {
      const atClient = watch(ends.client)
      const atServer = hashing(ends.server)
      ends.server.pause()
      const chunk = () => new Uint8Array(CHUNK_BYTES)
      let sent = 0
      let refused = 0
      // Bytes that wait for three turns have met the reader, not just a busy loop.
      while (refused < 3 && sent < 2 * ACCEPTED_UNREAD_MAX_BYTES) {
        if (ends.client.waitingBytes === 0) {
          refused = 0
          ends.client.write(chunk())
          sent += CHUNK_BYTES
        } else refused += 1
        await turns(3)
      }
      while (ends.client.write(chunk())) sent += CHUNK_BYTES
      sent += CHUNK_BYTES
      expect(sent).toBeLessThan(ACCEPTED_UNREAD_MAX_BYTES)
      expect(ends.client.waitingBytes).toBeGreaterThan(0)
      expect(atServer.received).toBe(0)
      const drainsBefore = atClient.events.filter((event) => event === 'drain').length
      ends.server.resume()
      await expect.poll(() => atServer.received).toBe(sent)
      await expect
        .poll(() => atClient.events.filter((event) => event === 'drain').length)
        .toBeGreaterThan(drainsBefore)
      expect(ends.client.waitingBytes).toBe(0)
    })

    test('a reader that pauses after each piece gets nothing while paused, and everything in the end', async () => {
      watch(ends.client)
      let paused = false
      let early = 0
      let received = 0
      ends.server.start({
        data: (bytes) => {
          if (paused) early += 1
          received += bytes.length
          paused = true
          ends.server.pause()
          setImmediate(() =>
            setImmediate(() => {
              paused = false
              ends.server.resume()
            }),
          )
        },
        drain: () => {},
        end: () => {},
        closed: () => {},
      })
      for (let i = 0; i < 200; i++) {
        ends.client.write(new Uint8Array(5_000))
        if (i % 10 === 0) await turns(1)
      }
      await expect.poll(() => received).toBe(1_000_000)
      expect(early).toBe(0)
    })

    test('a half-open pipe still carries the other direction', async () => {
      const [atClient, atServer] = [watch(ends.client), watch(ends.server)]
      ends.client.write(piece(1))
      ends.client.end()
      await expect.poll(() => atServer.events).toEqual(['data', 'end'])
      ends.server.write(piece(2))
      await expect.poll(() => atClient.bytes).toEqual(pieces(2))
      expect(atClient.events).not.toContain('closed')
      ends.server.end()
      await expect.poll(() => atClient.events).toEqual(['data', 'end', 'closed'])
      await expect.poll(() => atServer.events).toEqual(['data', 'end', 'closed'])
    })

    test('both sides may end at the same time', async () => {
      const [atClient, atServer] = [watch(ends.client), watch(ends.server)]
      ends.client.end()
      ends.server.end()
      await expect.poll(() => atClient.events).toEqual(['end', 'closed'])
      await expect.poll(() => atServer.events).toEqual(['end', 'closed'])
    })

    test('end delivers first what was queued; write after end does nothing', async () => {
      const atServer = watch(ends.server)
      watch(ends.client)
      writeAll(ends.client, new Uint8Array(200_000).fill(7))
      ends.client.end()
      ends.client.end()
      expect(ends.client.write(piece(9))).toBe(true)
      await expect.poll(() => atServer.events.at(-1)).toBe('end')
      expect(atServer.bytes.length).toBe(200_000)
      expect(atServer.bytes.at(-1)).toBe(7)
    })

    test('what a sender writes once it may again, and ends behind, is delivered before the end', async () => {
      const atServer = watch(ends.server)
      let drains = 0
      ends.client.start({
        data: () => {},
        drain: () => {
          drains += 1
          if (drains > 1) return
          writeAll(ends.client, new Uint8Array(70_000).fill(2))
          ends.client.end()
        },
        end: () => {},
        closed: () => {},
      })
      ends.server.pause()
      let sent = 0
      while (ends.client.write(new Uint8Array(CHUNK_BYTES).fill(1))) {
        sent += CHUNK_BYTES
        await turns(3)
      }
      sent += CHUNK_BYTES
      ends.server.resume()
      await expect.poll(() => atServer.events.at(-1)).toBe('end')
      expect(atServer.bytes).toHaveLength(sent + 70_000)
      expect(atServer.bytes.at(-1)).toBe(2)
    })

    test('destroy closes this end once and ends the other', async () => {
      const [atClient, atServer] = [watch(ends.client), watch(ends.server)]
      ends.client.destroy()
      ends.client.destroy()
      await expect.poll(() => atClient.events).toEqual(['closed'])
      await expect.poll(() => atServer.events.length).toBeGreaterThan(0)
      expect(['end', 'closed']).toContain(atServer.events[0])
      expect(ends.client.write(piece(1))).toBe(true)
      expect(atServer.bytes).toEqual([])
    })

    test('destroy in the middle of data cuts the stream: the peer has a beginning of it, and is told', async () => {
      watch(ends.client)
      const atServer = watch(ends.server)
      const sent = Array.from({ length: 400_000 }, (_, i) => (i * 7) & 0xff)
      writeAll(ends.client, Uint8Array.from(sent.slice(0, 200_000)))
      await turns(2)
      writeAll(ends.client, Uint8Array.from(sent.slice(200_000)))
      ends.client.destroy()
      await expect.poll(() => atServer.events.filter((event) => event !== 'data').length).toBeGreaterThan(0)
      expect(atServer.bytes.length).toBeLessThanOrEqual(sent.length)
      expect(atServer.bytes.every((byte, i) => byte === sent[i])).toBe(true)
      ends.server.end()
      await expect.poll(() => atServer.events.at(-1)).toBe('closed')
    })

    test('nothing comes after closed, whatever was on its way', async () => {
      const [atClient, atServer] = [watch(ends.client), watch(ends.server)]
      for (let i = 0; i < 50; i++) {
        ends.client.write(new Uint8Array(20_000))
        ends.server.write(new Uint8Array(20_000))
      }
      await turns(2)
      ends.client.destroy()
      await expect.poll(() => atClient.events.at(-1)).toBe('closed')
      const before = { events: [...atClient.events], bytes: atClient.bytes.length }
      ends.server.write(new Uint8Array(100))
      ends.server.end()
      ends.client.pause()
      ends.client.resume()
      ends.client.end()
      ends.client.destroy()
      await expect.poll(() => atServer.events.at(-1)).toBe('closed')
      await turns()
      expect({ events: atClient.events, bytes: atClient.bytes.length }).toEqual(before)
      expect(atClient.events.filter((event) => event === 'closed').length).toBe(1)
      expect(atServer.events.filter((event) => event === 'closed').length).toBe(1)
    })

    test('a pipe destroyed before start tells so after it', async () => {
      ends.client.destroy()
      await turns()
      const atClient = watch(ends.client)
      await expect.poll(() => atClient.events).toEqual(['closed'])
    })
  })
}
