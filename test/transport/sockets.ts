// What TCP and unix sockets must do alike beyond the conformance suite: real listeners, real processes.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import type { Dial, Listen, Pipe } from '../../src/transport/index.js'
import { type Ends, piece, pieces, turns, watch } from './conformance.js'

/** Length of one of 64 pieces that are lent. */
const LENT_BYTES = 100_000

/** Two ends of a socket at a location of the transport. */
export async function socketEnds(listen: Listen, dial: Dial, location: string): Promise<Ends> {
  let accept: (pipe: Pipe) => void = () => {}
  const accepted = new Promise<Pipe>((resolve) => {
    accept = resolve
  })
  const listener = await listen(location, (pipe) => accept(pipe))
  const client = await dial(listener.location, AbortSignal.timeout(20_000))
  return { client, server: await accepted, close: () => listener.close() }
}

export function socketConformance(name: string, transport: { listen: Listen; dial: Dial }, at: () => string) {
  const { listen, dial } = transport

  describe(`${name} between processes`, () => {
    test('a peer that is killed ends its pipe, and what it sent before is a beginning of what it meant', async () => {
      const pipes: Pipe[] = []
      const listener = await listen(at(), (pipe) => pipes.push(pipe))
      const script = fileURLToPath(new URL('./send-forever.ts', import.meta.url))
      const child = spawn(process.execPath, ['--import', 'tsx', script, listener.location], {
        stdio: ['ignore', 'ignore', 'inherit'],
      })
      const exited = once(child, 'exit')
      await expect.poll(() => pipes.length).toBe(1)
      const pipe = pipes[0]!
      const heard = watch(pipe)
      await expect.poll(() => heard.bytes.length).toBeGreaterThan(100_000)
      child.kill('SIGKILL')
      await exited
      await expect.poll(() => heard.events.filter((event) => event !== 'data').length).toBeGreaterThan(0)
      expect(heard.bytes.every((byte, i) => byte === i % 251)).toBe(true)
      pipe.write(new Uint8Array(16)) // nobody is there: at most an error of the pipe's own
      pipe.end()
      await expect.poll(() => heard.events.at(-1)).toBe('closed')
      await listener.close()
    })

    test('a listener that closes accepts nothing more, and leaves open pipes alone', async () => {
      const ends = await socketEnds(listen, dial, at())
      const atServer = watch(ends.server)
      const atClient = watch(ends.client)
      const closed = ends.close()
      ends.client.write(piece(1))
      await expect.poll(() => atServer.bytes).toEqual(pieces(1))
      ends.client.end()
      ends.server.end()
      await closed
      await expect.poll(() => atClient.events.at(-1)).toBe('closed')
    })

    test('an aborted signal rejects a dial with its reason', async () => {
      const listener = await listen(at(), (pipe) => pipe.destroy())
      const reason = new Error('stop')
      await expect(dial(listener.location, AbortSignal.abort(reason))).rejects.toBe(reason)
      await listener.close()
    })

    test('peers on this machine are local', async () => {
      const ends = await socketEnds(listen, dial, at())
      expect([ends.client.isLocal, ends.server.isLocal]).toEqual([true, true])
      ends.client.destroy()
      ends.server.destroy()
      await ends.close()
    })
  })
}

/** Of transports that tell when they no longer hold what they were lent. */
export function lendingConformance(
  name: string,
  { listen, dial }: { listen: Listen; dial: Dial },
  at: () => string,
) {
  describe(`${name} and memory that is lent`, () => {
    test('bytes that were lent come back once each when they have left, and what is done with them then changes nothing', async () => {
      const ends = await socketEnds(listen, dial, at())
      watch(ends.client)
      let received = 0
      let wrong = 0
      ends.server.start({
        data(bytes) {
          for (const byte of bytes) if (byte !== Math.floor(received++ / LENT_BYTES)) wrong += 1
        },
        drain: () => {},
        end: () => {},
        closed: () => {},
      })
      ends.server.pause()
      const blocks = Array.from({ length: 64 }, (_, i) => new Uint8Array(LENT_BYTES).fill(i))
      const back: number[] = []
      for (const [i, block] of blocks.entries()) {
        ends.client.lend!(block, () => {
          back.push(i)
          block.fill(255)
        })
      }
      await turns()
      expect(back.length).toBeLessThan(blocks.length) // the reader takes none, and no buffer between holds 6 MB
      ends.server.resume()
      await expect.poll(() => received, { timeout: 20_000 }).toBe(64 * LENT_BYTES)
      expect(wrong).toBe(0)
      expect(back).toEqual(blocks.map((_, i) => i))
      ends.client.destroy()
      ends.server.destroy()
      await ends.close()
    }, 30_000)

    test.skipIf(process.platform === 'win32')(
      'what arrives at whoever dialled lies in one memory, and is copied for those who keep it',
      async () => {
        const [lending, handing] = [
          await socketEnds(listen, dial, at()),
          await socketEnds(listen, dial, at()),
        ]
        const lent: Uint8Array[] = []
        const atLending = watch(lending.client, (bytes) => lent.push(bytes))
        const kept: Uint8Array[] = []
        handing.client.start({ data: (bytes) => kept.push(bytes), drain() {}, end() {}, closed() {} })
        for (const i of [1, 2, 3]) {
          for (const { server } of [lending, handing]) server.write(new Uint8Array(20).fill(i))
          await expect.poll(() => [atLending.bytes.length, kept.length]).toEqual([20 * i, i])
        }
        expect(new Set(lent.map(({ buffer }) => buffer)).size).toBe(1)
        expect(atLending.bytes.filter((_, i) => i % 20 === 0)).toEqual([1, 2, 3])
        expect(kept).toEqual([1, 2, 3].map((i) => new Uint8Array(20).fill(i)))
        for (const ends of [lending, handing]) {
          ends.client.destroy()
          ends.server.destroy()
          await ends.close()
        }
      },
    )

    test('bytes that were lent to a pipe that is destroyed come back once at most, and none to one that is gone', async () => {
      const ends = await socketEnds(listen, dial, at())
      watch(ends.client)
      watch(ends.server)
      ends.server.pause()
      const back: number[] = []
      for (let i = 0; i < 64; i++) ends.client.lend!(new Uint8Array(100_000), () => back.push(i))
      await turns()
      ends.client.destroy()
      ends.server.destroy()
      await ends.close()
      await turns()
      expect(new Set(back).size).toBe(back.length)
      expect(ends.client.lend!(new Uint8Array(1), () => back.push(64))).toBe(true)
      await turns()
      expect(back).not.toContain(64)
    })
  })
}
