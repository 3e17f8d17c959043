// The mailbox on the command line as users run it: a relay in one process, senders and a recipient in others.
import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Desk, expectNoSecret, expectOneError, firstLine } from './cli.js'

let desk: Desk
let relay: ChildProcess
let opener: string
let boxes = 0

beforeAll(async () => {
  desk = await Desk.create()
  relay = desk.spawn(['relay', '--state', desk.path('relay')])
  opener = await firstLine(relay)
  await desk.run(['keygen', '--client', desk.path('ada.key')])
})

afterAll(async () => {
  if (relay.exitCode === null && relay.signalCode === null) {
    relay.kill('SIGKILL')
    await once(relay, 'close')
  }
  await desk.remove()
})

/** A box for ada, as files. */
async function box(...options: string[]): Promise<{ deposit: string; collect: string; notify: string }> {
  const prefix = desk.path(`box-${boxes++}`)
  const argv = ['box', 'create', '--key', desk.path('ada.key'), '-o', prefix, ...options]
  expect(await desk.run(argv, { stdin: opener })).toMatchObject({ exitCode: 0, stderr: '' })
  return { deposit: `${prefix}.deposit`, collect: `${prefix}.collect`, notify: `${prefix}.notify` }
}
const send = (deposit: string, text: string | Uint8Array, ...options: string[]) =>
  desk.run(['send', '--capability-file', deposit, ...options], { stdin: text, stop: never() })
const receive = (collect: string, ...options: string[]) =>
  desk.run(['receive', '--key', desk.path('ada.key'), '--capability-file', collect, ...options], {
    stop: never(),
  })
/** What `receive` writes as bytes. */
const bodiesIn = async (collect: string) => {
  expect(await receive(collect)).toMatchObject({ exitCode: 0, stderr: 'took 1 message\n' })
  return desk.bytes.toString()
}
/** Nobody asks to stop. */
const never = () => new AbortController().signal
const statOf = async (collect: string) =>
  JSON.parse((await desk.run(['box', 'stat', '--capability-file', collect, '--json'])).stdout) as {
    messages: number
    deadLetters: number
  }

test('relay: its directory and what lies there are for its owner alone', async () => {
  const modes = async (name: string) => ((await stat(desk.path(name))).mode & 0o777).toString(8)
  expect(await modes('relay')).toBe('700')
  expect(await modes('relay/relay.key')).toBe('600')
  expect(await modes('relay/relay.cap')).toBe('600')
  expect(await modes('relay/boxes')).toBe('700')
  expect((await readFile(desk.path('relay/relay.cap'), 'utf8')).trim()).toBe(opener)
})

test('send and receive in processes of their own: bytes arrive as they were sent, and the box is empty', async () => {
  const { deposit, collect } = await box()
  const address = (await readFile(deposit, 'utf8')).trim()
  const sent = await desk.runChild(['send'], { stdin: 'hello ada\n', env: { NOISECAP: address } })
  expect(sent).toMatchObject({ exitCode: 0, stderr: '' })
  expect(sent.stdout).toMatch(/^[0-9a-f]{32}\n$/)
  expect(await statOf(collect)).toMatchObject({ messages: 1 })
  const argv = ['receive', '--key', desk.path('ada.key'), '--capability-file', collect]
  expect(await desk.runChild(argv)).toEqual({
    exitCode: 0,
    stdout: 'hello ada\n',
    stderr: 'took 1 message\n',
  })
  expect(await statOf(collect)).toMatchObject({ messages: 0 })
})

test('a large file: whole in the directory of the recipient, named by its id', async () => {
  const { deposit, collect } = await box()
  const content = randomBytes(3_000_001)
  await writeFile(desk.path('film'), content)
  const sent = await desk.run(
    ['send', desk.path('film'), '--capability-file', deposit, '--type', 'video/mp4'],
    {
      stop: never(),
    },
  )
  expect(sent).toMatchObject({ exitCode: 0, stderr: '' })
  const { exitCode, stdout } = await receive(collect, '-o', desk.path('in'))
  const file = `${desk.path('in')}/${sent.stdout.trim()}`
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: `${file}\n` })
  expect((await readFile(file)).equals(content)).toBe(true)
  expect(await readdir(desk.path('in'))).toHaveLength(1)
})

test('receive --json: what the sender said, and who it is', async () => {
  const { deposit, collect } = await box()
  const made = await desk.run(['keygen', '--client', desk.path('bob.key'), '--json'])
  const { publicKey } = JSON.parse(made.stdout) as { publicKey: string }
  const options = [
    '--key',
    desk.path('bob.key'),
    '--type',
    'text/plain',
    '--header',
    'subject=a=b',
    '--reply',
    deposit,
  ]
  await send(deposit, 'hi', ...options)
  const { stdout } = await receive(collect, '--json', '--writer', publicKey)
  expect(JSON.parse(stdout)).toMatchObject({
    from: publicKey,
    pattern: 'X',
    contentType: 'text/plain',
    headers: { subject: 'a=b' },
    reply: (await readFile(deposit, 'utf8')).trim(),
    text: 'hi',
  })
})

test('receive --exec: exit code 0 acknowledges, another gives back', async () => {
  const { deposit, collect } = await box()
  await send(deposit, 'work', '--type', 'text/x-job')
  const failed = await receive(collect, '--exec', 'exit 3')
  expect(failed.exitCode).toBe(1)
  expect(failed.stderr).toContain('the command ended with 3')
  expect(await statOf(collect)).toMatchObject({ messages: 1 })
  const other = await box()
  await send(other.deposit, 'work', '--type', 'text/x-job')
  const out = desk.path('exec.out')
  const done = await receive(other.collect, '--exec', `(cat; echo " $NOISECAP_MESSAGE_TYPE") > ${out}`)
  expect(done).toMatchObject({ exitCode: 0 })
  expect(await readFile(out, 'utf8')).toBe('work text/x-job\n')
  expect(await statOf(other.collect)).toMatchObject({ messages: 0 })
})

test('receive --follow: takes what comes, until SIGTERM', async () => {
  const { deposit, collect } = await box()
  const child = desk.spawn([
    'receive',
    '--key',
    desk.path('ada.key'),
    '--capability-file',
    collect,
    '--follow',
    '--json',
  ])
  const closed = once(child, 'close')
  await send(deposit, 'one')
  expect(JSON.parse(await firstLine(child))).toMatchObject({ text: 'one' })
  await expect.poll(async () => (await statOf(collect)).messages).toBe(0)
  child.kill('SIGTERM')
  expect(await closed).toEqual([0, null])
})

test('send --outbox: what the relay did not take waits there, and goes with the next', async () => {
  const { deposit, collect } = await box('--max-messages', '1')
  const outbox = ['--outbox', desk.path('out'), '--timeout', '2s']
  expect((await send(deposit, 'first\n', ...outbox)).exitCode).toBe(0)
  const late = await send(deposit, 'second\n', ...outbox)
  expect(late.exitCode).toBe(1)
  expect(late.stderr).toContain(`it waits in ${desk.path('out')}`)
  expect(await bodiesIn(collect)).toBe('first\n')
  const next = await send(deposit, 'third\n', ...outbox)
  expect(next.stderr).toContain('it waits in')
  expect(await bodiesIn(collect)).toBe('second\n')
}, 60_000)

test('box drop: it is gone, and senders are told', async () => {
  const { deposit, collect } = await box()
  expect((await desk.run(['box', 'drop', '--capability-file', collect])).exitCode).toBe(0)
  const refused = await send(deposit, 'late')
  expectOneError(refused)
  expect(refused.exitCode).toBe(1)
})

describe('what is wrong is said, and what to do', () => {
  test('an address of another kind', async () => {
    const { deposit, collect, notify } = await box()
    const cases: [Promise<{ exitCode: number | null; stdout: string; stderr: string }>, string][] = [
      [send(collect, 'x'), 'expected a deposit address, got a collect address'],
      [send(notify, 'x'), 'expected a deposit address, got a capability'],
      [receive(deposit), 'expected a collect address, got a deposit address'],
      [desk.run(['box', 'stat'], { stdin: opener }), 'expected a collect address, got a capability'],
      [
        desk.run(['box', 'create', '--key', desk.path('ada.key'), '--capability-file', notify]),
        'expected the capability of a relay, got a capability to notify notify',
      ],
      [desk.run(['box', 'stat'], { stdin: 'nonsense' }), 'got 8 other characters'],
    ]
    for (const [outcome, message] of cases) {
      const { exitCode, stdout, stderr } = await outcome
      expectOneError({ exitCode, stdout, stderr })
      expect(exitCode).toBe(2)
      expect(stderr).toContain(message)
      expect(stderr).toContain('hint: ')
      expectNoSecret({ exitCode, stdout, stderr }, (await readFile(deposit, 'utf8')).trim())
    }
  })

  test.each([
    [['box', 'crate'], 'create, stat, drop'],
    [['box', 'create'], 'expected a recipient, got none'],
    [['box', 'create', '--to', 'short'], '--to'],
    [['box', 'create', '--to', 'x', '--key', 'y'], 'got both'],
    [['send'], 'expected a deposit address, got none'],
    [['send', 'nothing.txt', '--capability-file', 'x'], 'nothing.txt'],
    [['send', '--capability-file', 'nothing.cap'], 'no such file'],
    [['send', '--capability-file', 'x', '--ttl', 'soon'], '--ttl'],
    [['send', '--capability-file', 'x', '--header', 'subject'], 'name=value'],
    [['receive'], "required option '--key <file>'"],
    [['receive', '--key', 'nothing.key'], 'nothing.key'],
    [['receive', '--key', 'x', '--exec', 'cat', '-o', 'y'], 'got both'],
    [['relay', '--postgres', 'mysql://x', '--state', 'ST'], 'expected postgres://'],
    [['relay', '--max-bytes', 'much'], '--max-bytes'],
    [['recieve'], 'Did you mean receive?'],
  ])('%j', async (argv, message) => {
    const outcome = await desk.run(argv.map((each) => (each === 'ST' ? desk.path('other') : each)))
    expectOneError(outcome)
    expect(outcome.exitCode).toBe(2)
    expect(outcome.stderr).toContain(message)
  })
})

test('Ctrl-C: the relay ends with 0, and another start has the same boxes', async () => {
  const { deposit, collect } = await box()
  await send(deposit, 'kept\n')
  const closed = once(relay, 'close')
  relay.kill('SIGINT')
  expect(await closed).toEqual([0, null])
  relay = desk.spawn(['relay', '--state', desk.path('relay')])
  await firstLine(relay)
  expect(await bodiesIn(collect)).toBe('kept\n')
})
