// What every transport must do; each transport's own test runs this suite with a way to make two joined pipes.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Pipe } from '../../src/transport/index.js'

/** Two ends of one connection, and what to clean up. */
export interface Ends {
  readonly client: Pipe
  readonly server: Pipe
  close(): Promise<void>
}

/** Everything that happened on a pipe, in order. */
export function watch(pipe: Pipe): { readonly bytes: number[]; readonly events: string[] } {
  const heard = { bytes: [] as number[], events: [] as string[] }
  pipe.start({
    data: (bytes) => {
      for (const byte of bytes) heard.bytes.push(byte)
      if (heard.events.at(-1) !== 'data') heard.events.push('data')
    },
    drain: () => heard.events.push('drain'),
    end: () => heard.events.push('end'),
    closed: () => heard.events.push('closed'),
  })
  return heard
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
        ends.client.write(Uint8Array.of(i, i))
        ends.server.write(Uint8Array.of(i))
      }
      await expect.poll(() => atServer.bytes.length).toBe(100)
      await expect.poll(() => atClient.bytes.length).toBe(50)
      expect(atServer.bytes).toEqual(Array.from({ length: 100 }, (_, i) => i >> 1))
      expect(atClient.bytes).toEqual(Array.from({ length: 50 }, (_, i) => i))
    })

    test('what was written before start is not lost', async () => {
      watch(ends.client)
      ends.client.write(Uint8Array.of(1, 2, 3))
      await new Promise((resolve) => setImmediate(resolve))
      const atServer = watch(ends.server)
      await expect.poll(() => atServer.bytes).toEqual([1, 2, 3])
    })

    test('a receiver may alter what it got without touching what others hold', async () => {
      const sent = Uint8Array.of(1, 2, 3)
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
      expect(sent).toEqual(Uint8Array.of(1, 2, 3))
    })

    test('write returns false while the peer is paused, and drain comes after it resumed', async () => {
      const atClient = watch(ends.client)
      const atServer = watch(ends.server)
      ends.server.pause()
      const chunk = new Uint8Array(65_536)
      let chunks = 0
      while (chunks < 1_000 && (ends.client.waitingBytes === 0 || chunks < 2)) {
        ends.client.write(chunk)
        chunks += 1
        await new Promise((resolve) => setImmediate(resolve))
      }
      expect(ends.client.write(chunk)).toBe(false)
      expect(ends.client.waitingBytes).toBeGreaterThan(0)
      expect(atServer.bytes.length).toBeLessThan((chunks + 1) * chunk.length)
      const drainsBefore = atClient.events.filter((event) => event === 'drain').length
      ends.server.resume()
      await expect.poll(() => atServer.bytes.length).toBe((chunks + 1) * chunk.length)
      await expect
        .poll(() => atClient.events.filter((event) => event === 'drain').length)
        .toBeGreaterThan(drainsBefore)
      expect(ends.client.waitingBytes).toBe(0)
    })

    test('a half-open pipe still carries the other direction', async () => {
      const [atClient, atServer] = [watch(ends.client), watch(ends.server)]
      ends.client.write(Uint8Array.of(1))
      ends.client.end()
      await expect.poll(() => atServer.events).toEqual(['data', 'end'])
      ends.server.write(Uint8Array.of(2))
      await expect.poll(() => atClient.bytes).toEqual([2])
      expect(atClient.events).not.toContain('closed')
      ends.server.end()
      await expect.poll(() => atClient.events).toEqual(['data', 'end', 'closed'])
      await expect.poll(() => atServer.events).toEqual(['data', 'end', 'closed'])
    })

    test('end delivers first what was queued; write after end does nothing', async () => {
      const atServer = watch(ends.server)
      watch(ends.client)
      ends.client.write(new Uint8Array(200_000).fill(7))
      ends.client.end()
      ends.client.end()
      ends.client.write(Uint8Array.of(9))
      await expect.poll(() => atServer.events.at(-1)).toBe('end')
      expect(atServer.bytes.length).toBe(200_000)
      expect(atServer.bytes.at(-1)).toBe(7)
    })

    test('destroy closes this end once and ends the other', async () => {
      const [atClient, atServer] = [watch(ends.client), watch(ends.server)]
      ends.client.destroy()
      ends.client.destroy()
      await expect.poll(() => atClient.events).toEqual(['closed'])
      await expect.poll(() => atServer.events.length).toBeGreaterThan(0)
      expect(['end', 'closed']).toContain(atServer.events[0])
      expect(ends.client.write(Uint8Array.of(1))).toBe(true)
      expect(atServer.bytes).toEqual([])
    })
  })
}
