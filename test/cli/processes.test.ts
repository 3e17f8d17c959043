// The command as users run it: a service in one process, calls in others, found through the registry.
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Capability } from '../../src/index.js'
import { Desk, firstLine, NOTES_MODULE } from './cli.js'

let desk: Desk
let service: ChildProcess
let location: string
let log = ''

beforeAll(async () => {
  desk = await Desk.create()
  expect((await desk.runChild(['keygen', desk.path('s.key')])).exitCode).toBe(0)
  service = desk.spawn(['serve', NOTES_MODULE, '--key', desk.path('s.key')])
  service.stderr?.on('data', (chunk) => {
    log += String(chunk)
  })
  location = await firstLine(service)
})

afterAll(async () => {
  if (service.exitCode === null && service.signalCode === null) {
    service.kill('SIGKILL')
    await once(service, 'close')
  }
  await desk.remove()
})

async function mint(...options: string[]): Promise<string> {
  const argv = ['mint', '--key', desk.path('s.key'), '--object', 'notes/ada', ...options]
  return (await desk.run(argv)).stdout.trim()
}

test('serve and call: a round trip between processes, found by key hash', async () => {
  const text = await mint()
  expect(location).toMatch(/^tcp:\/\/127\.0\.0\.1:\d+$/)
  const added = await desk.runChild(['call', 'add', '{"text":"hello"}'], { stdin: text })
  expect(added).toEqual({ exitCode: 0, stdout: '1\n', stderr: '' })
  const listed = await desk.runChild(['call', 'list', '--json'], { env: { NOISECAP: text } })
  expect(listed).toEqual({ exitCode: 0, stdout: '{"result":["hello"]}\n', stderr: '' })
  expect((await desk.runChild(['resolve'], { stdin: text })).stdout).toBe(`${location}\n`)
})

test('call: values that JSON lacks make the round trip', async () => {
  const text = await mint()
  const value = '{"bytes":{"$bytes":"AQL_"},"big":{"$bigint":"7"},"set":{"$set":[1]}}'
  const { stdout } = await desk.run(['call', 'echo', value, '--json'], { stdin: text })
  expect(stdout).toBe(`{"result":${value}}\n`)
  expect(await desk.run(['call', 'forget'], { stdin: text })).toEqual({ exitCode: 0, stdout: '', stderr: '' })
})

test('call --pattern and --befriend: XK logs in, and KK works once the service was asked to remember the key', async () => {
  const file = desk.path('friend.key')
  await desk.run(['keygen', '--client', file])
  const text = await mint()
  const call = (...options: string[]) =>
    desk.run(['call', 'whoami', '--key', file, '--timeout', '2s', ...options], { stdin: text })
  expect(await call('--pattern', 'KK')).toMatchObject({ exitCode: 1, stdout: '' })
  expect(await call('--pattern', 'XK', '--befriend')).toMatchObject({ exitCode: 0, stderr: '' })
  expect(await call('--pattern', 'KK')).toMatchObject({ exitCode: 0, stderr: '' })
  const anonymous = await desk.run(['call', 'whoami', '--befriend'], { stdin: text })
  expect(anonymous).toMatchObject({ exitCode: 2, stdout: '' })
  expect(anonymous.stderr).toContain('--befriend')
  const typo = await desk.run(['call', 'whoami', '--pattern', 'KX'], { stdin: text })
  expect(typo).toMatchObject({ exitCode: 2, stdout: '' })
})

test('call --key: the service sees the client key, and a holder caveat demands it', async () => {
  const made = await desk.run(['keygen', '--client', desk.path('c.key'), '--json'])
  const { publicKey } = JSON.parse(made.stdout) as { publicKey: string }
  const text = await mint('--holder', publicKey)
  const known = await desk.run(['call', 'whoami', '--key', desk.path('c.key'), '--json'], { stdin: text })
  expect(known.stdout).toBe(`{"result":{"$bytes":"${publicKey}"}}\n`)
  const anonymous = await desk.run(['call', 'whoami'], { stdin: text })
  expect(anonymous.exitCode).toBe(1)
  expect(anonymous.stderr).toContain('caveat holder')
  expect(anonymous.stderr).toContain('hint: Name the file of that key with --key')
})

test('a read-only capability: other methods are refused by caveat, exit code 1', async () => {
  const text = await mint('--methods', 'list')
  const refused = await desk.runChild(['call', 'add', '{"text":"no"}'], { stdin: text })
  expect(refused.exitCode).toBe(1)
  expect(refused.stdout).toBe('')
  expect(refused.stderr).toContain('caveat methods')
  const json = await desk.run(['call', 'add', 'null', '--json'], { stdin: text })
  expect(JSON.parse(json.stderr)).toMatchObject({ error: { code: 'rpc/permission_denied', method: 'add' } })
  expect((await desk.run(['call', 'list'], { stdin: text })).exitCode).toBe(0)
})

test('an expired capability: denied by caveat, exit code 1', async () => {
  const text = Capability.parse(await mint())
    .attenuate({ expiresAt: new Date(0) })
    .export()
  const { exitCode, stderr } = await desk.run(['call', 'list'], { stdin: text })
  expect(exitCode).toBe(1)
  expect(stderr).toContain('expire')
})

test('a handler that throws: the caller gets an id, the log of the service the error', async () => {
  const { exitCode, stderr } = await desk.run(['call', 'crash', '--json'], { stdin: await mint() })
  expect(exitCode).toBe(1)
  expect(stderr).not.toContain('inside of the service')
  const { error } = JSON.parse(stderr) as { error: { errorId: string } }
  expect(error.errorId).not.toBe('')
  await expect.poll(() => log).toContain(`error ${error.errorId} in crash: Error: inside of the service`)
})

test('input that is no JSON: exit code 2 before anything is sent', async () => {
  const { exitCode, stderr } = await desk.run(['call', 'echo', '{text:1}'], { stdin: await mint() })
  expect(exitCode).toBe(2)
  expect(stderr).toContain('expected JSON')
})

test('revoke, then call: the running service takes it in, exit code 1', async () => {
  const text = await mint()
  const narrowed = Capability.parse(text)
    .attenuate({ methods: ['list'] })
    .export()
  const argv = ['revoke', '--revocations', `${desk.path('s.key')}.revoked`]
  const revoked = await desk.runChild(argv, { stdin: text })
  expect(revoked).toMatchObject({ exitCode: 0, stdout: `${Capability.parse(text).ids().at(-1)}\n` })
  for (const each of [text, narrowed]) {
    const call = () => desk.run(['call', 'list'], { stdin: each })
    await expect.poll(async () => (await call()).exitCode, { timeout: 15_000 }).toBe(1)
    expect((await call()).stderr).toContain('revoked')
  }
  expect((await desk.run(['call', 'list'], { stdin: await mint() })).exitCode).toBe(0)
})

test('doctor: a forced provider is named as such, an unknown one is exit code 2', async () => {
  const forced = await desk.runChild(['doctor'], { env: { NOISECAP_CRYPTO: 'noble' } })
  expect(forced.exitCode).toBe(0)
  expect(forced.stdout).toMatch(/^25519 +noble +forced by NOISECAP_CRYPTO$/m)
  const unknown = await desk.runChild(['doctor'], { env: { NOISECAP_CRYPTO: 'openssl' } })
  expect(unknown.exitCode).toBe(2)
  expect(unknown.stderr).toContain('Cannot choose crypto')
})

test('SIGTERM: serve withdraws and ends with 0; a call then names what was tried', async () => {
  const closed = once(service, 'close')
  service.kill('SIGTERM')
  expect(await closed).toEqual([0, null])
  expect(log).toContain('closing')
  const [name] = await readdir(desk.registry)
  expect(await readdir(`${desk.registry}/${name}`)).toEqual([])
  const text = await mint('--at', location)
  const dead = await desk.runChild(['call', 'list'], { stdin: text })
  expect(dead.exitCode).toBe(1)
  expect(dead.stderr).toContain(`tried ${location} (ECONNREFUSED)`)
})

test('a reader that goes away, as head does: no failure and no noise', async () => {
  const child = desk.spawn(['completion', 'zsh'])
  let errors = ''
  child.stderr?.on('data', (chunk) => {
    errors += String(chunk)
  })
  const closed = once(child, 'close')
  child.stdout?.destroy()
  expect({ closed: await closed, errors }).toEqual({ closed: [0, null], errors: '' })
})

test('Ctrl-C: serve ends with 0', async () => {
  const other = desk.spawn(['serve', NOTES_MODULE, '--key', desk.path('s.key')])
  const closed = once(other, 'close')
  await firstLine(other)
  other.kill('SIGINT')
  expect(await closed).toEqual([0, null])
})

test('main: begins with the line that makes it executable', async () => {
  const source = await readFile(new URL('../../src/cli/main.ts', import.meta.url), 'utf8')
  expect(source.startsWith('#!/usr/bin/env node\n')).toBe(true)
})
