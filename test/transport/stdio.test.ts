// Real pipes of the system pass the conformance suite, with processes between both ends; a real child serves its parent.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { connect } from '../../src/index.js'
import { childPipe, streamPipe } from '../../src/transport/stdio.js'
import { Notes } from '../integration/notes.js'
import { conformance, type Ends } from './conformance.js'

/** Two children that copy: what one end writes, the other reads, through the pipes of the system. */
async function crossed(): Promise<Ends> {
  const child = spawn('sh', ['-c', 'cat <&3 3<&- 4>&- & exec 3<&-; exec cat >&4 4>&-'], {
    stdio: ['pipe', 'pipe', 'inherit', 'pipe', 'pipe'],
  })
  const exited = once(child, 'exit')
  const server = streamPipe(child.stdio[4] as Readable, child.stdio[3] as Writable)
  return {
    client: childPipe(child),
    server,
    close: async () => {
      child.kill()
      await exited
    },
  }
}

conformance('stdio', crossed)

describe('a child process', () => {
  const start = () => {
    const script = fileURLToPath(new URL('./notes-child.ts', import.meta.url))
    return spawn(process.execPath, ['--import', 'tsx', script], { stdio: ['pipe', 'pipe', 'pipe'] })
  }

  test('serves its parent over stdin and stdout, logs to stderr, and ends with the session', async () => {
    const child = start()
    const exited = once(child, 'exit')
    const [text] = (await once(child.stderr, 'data')) as [Buffer]
    const notes = await connect(text.toString().trim(), Notes, { via: () => childPipe(child) })
    expect(await notes.whoami()).toBe('anonymous')
    expect(await notes.echo('x'.repeat(900_000))).toBe('x'.repeat(900_000))
    await notes[Symbol.asyncDispose]()
    expect(await exited).toEqual([0, null])
  })

  test('that is killed in the middle of a call breaks it', async () => {
    const child = start()
    const [text] = (await once(child.stderr, 'data')) as [Buffer]
    await using notes = await connect(text.toString().trim(), Notes, { via: () => childPipe(child) })
    const waiting = notes.wait().catch((error: unknown) => error)
    await notes.whoami()
    child.kill('SIGKILL')
    expect(await waiting).toMatchObject({ code: 'rpc/disconnected' })
  })

  test('without pipes is refused, and the error says how to spawn it', () => {
    expect(() => childPipe({ stdin: null, stdout: null })).toThrow(/'pipe', 'pipe'/)
  })

  test('whose parent is gone ends, too', async () => {
    const child = start()
    const exited = once(child, 'exit')
    await once(child.stderr, 'data')
    child.stdin.destroy()
    child.stdout.destroy()
    await exited
  })
})
