// `noisecap revoke`: ids, capabilities as they are found, final ones, made-up ones, and how far up.
import { readFile, stat, writeFile } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readServiceKey } from '../../src/capability/files.js'
import { linkIds } from '../../src/capability/index.js'
import { Capability } from '../../src/index.js'
import { madeUp } from '../capability/made-up.js'
import { Desk, expectNoSecret, expectOneError, type Outcome } from './cli.js'

let desk: Desk
/** Minted with two caveats: links 0, 1 and 2. */
let text: string
let ids: readonly string[]

beforeEach(async () => {
  desk = await Desk.create()
  await desk.run(['keygen', desk.path('s.key')])
  const argv = ['mint', '--key', desk.path('s.key'), '--object', 'notes/ada', '--methods', 'list']
  text = (await desk.run([...argv, '--via', 'bob'])).stdout.trim()
  using key = await readServiceKey(desk.path('s.key'))
  ids = linkIds(Capability.parse(text), key.authority())
})

afterEach(async () => {
  await desk.remove()
})

const withKey = (...options: string[]) => ['revoke', '--key', desk.path('s.key'), '--create', ...options]
const final = () => Capability.parse(text).finalize().export()

async function revokedIds(): Promise<readonly string[]> {
  const log = await readFile(desk.path('s.key.revoked'), 'utf8').catch(() => '')
  return [...log.matchAll(/^([0-9a-f]{32}) /gm)].map(([, id]) => String(id))
}

function expectRefused(outcome: Outcome, exitCode: 1 | 2, message: string): void {
  expectOneError(outcome)
  expect(outcome.exitCode).toBe(exitCode)
  expect(outcome.stderr).toContain(message)
  expectNoSecret(outcome, text)
}

describe('what is revoked', () => {
  test('an id and a capability: its last id, on disk', async () => {
    const file = desk.path('r')
    const made = await desk.run(['revoke', '--revocations', file, '--create', '--json'], { stdin: text })
    expect(JSON.parse(made.stdout)).toEqual({
      revoked: ids[2],
      file,
      already: false,
      link: 2,
      links: 3,
      around: 0,
    })
    expect(await readFile(file, 'utf8')).toContain(ids[2])
    const other = '00112233445566778899AABBCCDDEEFF'
    const byId = await desk.run(['revoke', other, '--revocations', file])
    expect(byId).toMatchObject({ exitCode: 0, stdout: `${other.toLowerCase()}\n` })
    expect(await readFile(file, 'utf8')).toContain(other.toLowerCase())
  })

  test('a final capability, with the key of the service: its last link, which it shares with its parent', async () => {
    const outcome = await desk.run(withKey(), { stdin: final() })
    expect(outcome).toMatchObject({ exitCode: 0, stdout: `${ids[2]}\n` })
    expect(outcome.stderr).toContain('it ends this capability, the one that it was made final of, and all')
    expect(outcome.stderr).not.toContain('not checked')
    expect(await revokedIds()).toEqual([ids[2]])
  })

  test('a final capability without the key: says what it takes', async () => {
    const argv = ['revoke', '--revocations', desk.path('r'), '--create']
    expectRefused(await desk.run(argv, { stdin: final() }), 2, 'a final capability does not tell its ids')
    await expect(stat(desk.path('r'))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test.each([
    [['--grant'], 0, 'every capability of this grant of notes/ada'],
    [['--link', '0'], 0, 'every capability of this grant of notes/ada'],
    [['--link', '1'], 1, 'the one that link 1 made, and all others narrowed from that; link 0 and'],
    [['--link', '2'], 2, 'links 0 to 1 and what else was narrowed from there live on'],
  ])('%j: link %i, and says what else ends', async (options, link, words) => {
    const outcome = await desk.run(withKey(...options), { stdin: final() })
    expect(outcome).toMatchObject({ exitCode: 0, stdout: `${ids[link]}\n` })
    expect(outcome.stderr).toContain(words)
    expect(await revokedIds()).toEqual([ids[link]])
  })

  test('--link with an id of the chain: that one; with a stranger: exit code 2', async () => {
    const outcome = await desk.run(withKey('--link', String(ids[1]).toUpperCase()), { stdin: text })
    expect(outcome.stdout).toBe(`${ids[1]}\n`)
    for (const link of ['0'.repeat(32), '3', '-1', 'last']) {
      const refused = await desk.run(withKey(`--link=${link}`), { stdin: text })
      expectRefused(refused, 2, 'expected a link from 0 to 2')
    }
  })

  test('--grant without the key: says that only the service can tell', async () => {
    const argv = ['revoke', '--grant', '--revocations', desk.path('r'), '--create']
    expectRefused(await desk.run(argv, { stdin: text }), 2, 'only the service can tell the id of link 0')
  })

  test('again, and below what was revoked: succeeds, changes nothing, and says so', async () => {
    await desk.run(withKey('--link', '1'), { stdin: text })
    const again = await desk.run(withKey('--link', '1'), { stdin: text })
    expect(again).toMatchObject({ exitCode: 0, stdout: `${ids[1]}\n` })
    expect(again.stderr).toMatch(/^it was revoked in .* before, nothing changed$/m)
    expect(await revokedIds()).toEqual([ids[1]])
    const below = await desk.run(withKey(), { stdin: text })
    expect(below.stderr).toContain('link 1 above it was revoked before')
    const json = await desk.run(withKey('--json'), { stdin: text })
    expect(JSON.parse(json.stdout)).toMatchObject({ already: true, genuine: true, link: 2 })
  })

  test('a pair registered by hand: by the ids that it tells, unchecked', async () => {
    const { publicKey } = Capability.parse(text)
    const pair = Capability.fromPair(publicKey, new Uint8Array(32).fill(7))
    const narrowed = pair.attenuate({ via: 'bob' }).finalize().export()
    const outcome = await desk.run(withKey('--grant'), { stdin: narrowed })
    expect(outcome).toMatchObject({ exitCode: 0, stdout: `${pair.ids()[0]}\n` })
    expect(outcome.stderr).toContain('not checked: its pair was registered by hand')
  })
})

describe('what is not', () => {
  test.each([false, true])('a made-up secret, final %s: refused, save with --force', async (isFinal) => {
    const forged = madeUp(text, isFinal)
    const refused = await desk.run(withKey(), { stdin: forged })
    expectRefused(refused, 1, 'a secret that does not belong to its locator')
    expect(await revokedIds()).toEqual([])
    const forced = await desk.run(withKey('--force'), { stdin: forged })
    expect(forced).toMatchObject({ exitCode: 0, stdout: `${ids[2]}\n` })
    expect(forced.stderr).toContain('the genuine capability in its place was revoked')
  })

  test('a capability of another service: exit code 1, and nothing is written', async () => {
    await desk.run(['keygen', desk.path('other.key')])
    const argv = ['mint', '--key', desk.path('other.key'), '--object', 'notes/ada']
    const { stdout } = await desk.run(argv)
    for (const options of [[], ['--force'], ['--grant']]) {
      const outcome = await desk.run(withKey(...options), { stdin: stdout })
      expectRefused(outcome, 1, 'expected one of this service, got one of another')
    }
    expect(await revokedIds()).toEqual([])
  })

  test('neither a key nor a revocation file, and options that exclude one another: exit code 2', async () => {
    expectRefused(await desk.run(['revoke'], { stdin: text }), 2, 'expected --key or --revocations')
    const both = await desk.run(withKey('--grant', '--link', '1'), { stdin: text })
    expectRefused(both, 2, 'expected --link or --grant, got both')
    const id = await desk.run(withKey('--grant', String(ids[0])))
    expectRefused(id, 2, 'expected a capability with --link')
  })

  test('a missing revocation file: exit code 2, and none is created', async () => {
    const outcome = await desk.run(['revoke', '--key', desk.path('s.key')], { stdin: text })
    expectRefused(outcome, 2, '--create makes a new one')
    await expect(stat(desk.path('s.key.revoked'))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('a damaged revocation file: exit code 2, and it stays as it was', async () => {
    await writeFile(desk.path('s.key.revoked'), 'something else\n')
    const outcome = await desk.run(withKey(), { stdin: text })
    expectOneError(outcome)
    expect(outcome.exitCode).toBe(2)
    expect(await readFile(desk.path('s.key.revoked'), 'utf8')).toBe('something else\n')
  })

  test('what is neither an id nor a capability: exit code 2', async () => {
    expectRefused(await desk.run(withKey('abc')), 2, 'got 3 other characters')
  })
})

describe('pasted text', () => {
  test.each([
    ['a line of a log', (cap: string) => `2030-01-31 12:00 ERROR dial <${cap}>: refused\n`],
    ['a chat', (cap: string) => `hi! use ${cap}, it is good for a day.`],
    ['mark-up', (cap: string) => `look: _${cap}_ and again *${cap}*`],
    ['JSON', (cap: string) => JSON.stringify({ env: { NOISECAP: cap } })],
    ['a line before and after', (cap: string) => `----\n${cap}\n----`],
  ])('%s: the capability is found, and that is said', async (_name, around) => {
    const outcome = await desk.run(withKey(), { stdin: around(text) })
    expect(outcome).toMatchObject({ exitCode: 0, stdout: `${ids[2]}\n` })
    expect(outcome.stderr).toMatch(/^found one capability, among \d+ other characters$/m)
    expectNoSecret(outcome, text)
  })

  test('broken into lines, as a terminal does: put together', async () => {
    const broken = text.replaceAll(/.{80}/g, '$&\n')
    const outcome = await desk.run(withKey(), { stdin: broken })
    expect(outcome).toMatchObject({ exitCode: 0, stdout: `${ids[2]}\n` })
  })

  test('as an argument: works, with the warning', async () => {
    const outcome = await desk.run(withKey(`the leaked one is ${text}`))
    expect(outcome.stdout).toBe(`${ids[2]}\n`)
    expect(outcome.stderr).toMatch(/^warning: the capability is an argument/)
    expectNoSecret(outcome, text)
  })

  test('from a file and from NOISECAP', async () => {
    await writeFile(desk.path('log'), `a ${text} b`)
    const fromFile = await desk.run(withKey('--capability-file', desk.path('log')))
    expect(fromFile.stdout).toBe(`${ids[2]}\n`)
    const fromVariable = await desk.run(withKey('--grant'), { env: { NOISECAP: text } })
    expect(fromVariable.stdout).toBe(`${ids[0]}\n`)
  })

  test.each([
    ['two of them', (cap: string) => `${cap} ${madeUp(cap)}`, 'got 2 different ones'],
    [
      'the redacted form',
      (cap: string) => `${cap.slice(0, cap.indexOf('#'))}#[redacted]`,
      'the form that is shown',
    ],
    ['one without its end', (cap: string) => `x ${cap.slice(0, 90)}`, 'got only a part of it'],
    ['one with a typing error', (cap: string) => `x ${cap.slice(0, -9)}A${cap.slice(-8)} y`, 'checksum'],
    ['too much', (cap: string) => `${cap}${' '.repeat(70_000)}`, 'expected at most 65536 bytes'],
  ])('%s: exit code 2, and nothing is revoked', async (_name, damage, message) => {
    expectRefused(await desk.run(withKey(), { stdin: damage(text) }), 2, message)
    expect(await revokedIds()).toEqual([])
  })
})
