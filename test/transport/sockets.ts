// What TCP and unix sockets must do alike beyond the conformance suite: real listeners, real processes.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import type { Dial, Listen, Pipe } from '../../src/transport/index.js'
import { type Ends, piece, pieces, watch } from './conformance.js'

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
