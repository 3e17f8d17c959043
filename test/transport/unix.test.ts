// Real unix sockets pass the conformance suite; and whose path is taken, when, and with which mode.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, symlink, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Listener, Pipe } from '../../src/transport/index.js'
import { dialUnix, listenUnix } from '../../src/transport/unix.js'
import { conformance, watch } from './conformance.js'
import { lendingConformance, socketConformance, socketEnds } from './sockets.js'

let directory: string
let count = 0
const open: Listener[] = []

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'noisecap-unix-'))
})

afterEach(async () => {
  for (const listener of open.splice(0)) await listener.close()
})

afterAll(() => rm(directory, { recursive: true, force: true }))

/** A path that nothing stands at. */
function fresh(): string {
  count += 1
  return join(directory, `${count}.sock`)
}

const drop = (pipe: Pipe): void => pipe.destroy()
const soon = () => AbortSignal.timeout(20_000)

async function listenAt(path: string, options?: { mode?: number }): Promise<Listener> {
  const listener = await listenUnix(`unix:${path}`, drop, options)
  open.push(listener)
  return listener
}

/** The error of listening there. */
async function refusal(path: string): Promise<unknown> {
  const listener = await listenUnix(`unix:${path}`, drop).catch((error: unknown) => error)
  if (listener instanceof Error) return listener
  await (listener as Listener).close()
  throw new Error('expected an error, got a listener')
}

const unreachable = (message: string) =>
  expect.objectContaining({ code: 'transport/unreachable', message: expect.stringContaining(message) })

/** Leave a socket behind as a process does that is killed. */
async function leaveStale(path: string): Promise<void> {
  const script = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => console.log('ready'))`
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await exited
  expect(lstatSync(path).isSocket()).toBe(true)
}

conformance('a unix socket', () => socketEnds(listenUnix, dialUnix, `unix:${fresh()}`))
socketConformance('a unix socket', { listen: listenUnix, dial: dialUnix }, () => `unix:${fresh()}`)
lendingConformance('a unix socket', { listen: listenUnix, dial: dialUnix }, () => `unix:${fresh()}`)

describe('the file of a listening socket', () => {
  test('has mode 0600 unless told otherwise, stands alone in its directory, and goes with the listener', async () => {
    const home = join(directory, 'alone')
    await mkdir(home)
    const path = join(home, 's.sock')
    const listener = await listenUnix(`unix://${path}`, drop)
    expect(listener.location).toBe(`unix:${path}`)
    expect(lstatSync(path).mode & 0o777).toBe(0o600)
    expect(readdirSync(home)).toEqual(['s.sock'])
    await listener.close()
    expect(readdirSync(home)).toEqual([])
    await listenAt(path, { mode: 0o660 })
    expect(lstatSync(path).mode & 0o777).toBe(0o660)
  })

  test('left by a dead process is replaced, and the new one answers', async () => {
    const path = fresh()
    await leaveStale(path)
    await expect(dialUnix(`unix:${path}`, soon())).rejects.toEqual(unreachable('ECONNREFUSED'))
    await listenAt(path)
    const heard = watch(await dialUnix(`unix:${path}`, soon()))
    await expect.poll(() => heard.events[0]).toBeDefined()
    expect(lstatSync(path).mode & 0o777).toBe(0o600)
  })

  test('of a living process is left alone, and the process goes on serving', async () => {
    const path = fresh()
    const accepted: Pipe[] = []
    open.push(await listenUnix(`unix:${path}`, (pipe) => accepted.push(pipe)))
    const before = lstatSync(path).ino
    expect(await refusal(path)).toEqual(unreachable('expected a free path, got a socket in use'))
    expect(lstatSync(path).ino).toBe(before)
    const seen = accepted.length
    const client = await dialUnix(`unix:${path}`, soon())
    await expect.poll(() => accepted.length).toBe(seen + 1)
    client.destroy()
    for (const pipe of accepted) pipe.destroy()
  })

  test.each([
    ['a file', (path: string) => writeFile(path, 'precious')],
    ['a directory', (path: string) => mkdir(path)],
    ['a link to a file', (path: string) => symlink('/etc/hostname', path)],
    ['a link to nothing', (path: string) => symlink('/nonexistent/x', path)],
  ])('%s at the path is never removed', async (_name, make) => {
    const path = fresh()
    await make(path)
    const before = lstatSync(path)
    expect(await refusal(path)).toEqual(unreachable('something that is no socket'))
    expect(lstatSync(path).ino).toBe(before.ino)
    if (before.isFile()) expect(readFileSync(path, 'utf8')).toBe('precious')
  })

  test('that somebody put in the place of ours is not removed when we close', async () => {
    const path = fresh()
    const listener = await listenUnix(`unix:${path}`, drop)
    await unlink(path)
    await writeFile(path, 'of others')
    await listener.close()
    expect(readFileSync(path, 'utf8')).toBe('of others')
  })

  test('is taken by one of several that want it at the same time, stale or not', async () => {
    for (const stale of [false, true]) {
      const path = fresh()
      if (stale) await leaveStale(path)
      const results = await Promise.allSettled(
        Array.from({ length: 4 }, () => listenUnix(`unix:${path}`, drop)),
      )
      const won = results.filter((result) => result.status === 'fulfilled')
      expect(won.length).toBe(1)
      for (const { value } of won) await value.close()
      expect(existsSync(path)).toBe(false)
    }
  })
})

describe('locations', () => {
  test.each(['unix:relative', 'unix:', 'unix:/a/../b', `unix:/${'a'.repeat(103)}`, 'tcp://127.0.0.1:7'])(
    '%s is not a location of a unix socket',
    (location) => {
      const code = { code: 'transport/bad_location' }
      expect(() => dialUnix(location, soon())).toThrow(expect.objectContaining(code))
      expect(() => listenUnix(location, drop)).toThrow(expect.objectContaining(code))
    },
  )

  test('a directory that is too long for a socket is said to be so', async () => {
    const path = `${join('/tmp', 'd'.repeat(90))}/s`
    expect(await refusal(path)).toMatchObject({
      code: 'transport/bad_location',
      message: expect.stringContaining('a directory of at most 90 characters, got 95'),
    })
  })

  test('the longest directory allowed can be listened in', async () => {
    const home = join(directory, 'l'.repeat(90 - directory.length - 1))
    expect(home.length).toBe(90)
    await mkdir(home)
    const path = join(home, 'twelve.chars')
    expect(path.length).toBe(103)
    await listenAt(path)
    const client = await dialUnix(`unix:${path}`, soon())
    client.destroy()
  })

  test('a directory that is missing is said to be so', async () => {
    const error = await refusal(join(directory, 'missing', 'x.sock'))
    expect(error).toEqual(unreachable('expected a directory that exists, got none'))
    expect(error).toMatchObject({ hint: 'Make the directory of the socket first' })
    await writeFile(join(directory, 'plain'), '')
    expect(await refusal(join(directory, 'plain', 'x.sock'))).toEqual(unreachable('a directory that exists'))
  })

  test('nobody listening is transport/unreachable with the reason of the system', async () => {
    await expect(dialUnix(`unix:${fresh()}`, soon())).rejects.toEqual(unreachable('ENOENT'))
  })
})
