// `noisecap inspect`: the chain as people see it, what the service's files add, and colour.
import { writeFile } from 'node:fs/promises'
import { stripVTControlCharacters } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { paint, styled, wantsColour } from '../../src/cli/colour.js'
import { linksOf } from '../../src/cli/links.js'
import { Capability, generateKeyPair } from '../../src/index.js'
import { madeUp } from '../capability/made-up.js'
import { Desk, expectNoSecret } from './cli.js'

let desk: Desk

beforeEach(async () => {
  desk = await Desk.create()
  await desk.run(['keygen', desk.path('s.key')])
})

afterEach(async () => {
  await desk.remove()
})

async function mint(...options: string[]): Promise<string> {
  const argv = ['mint', '--key', desk.path('s.key'), '--object', 'notes/ada', ...options]
  return (await desk.run(argv)).stdout.trim()
}

interface Inspected {
  readonly ids: readonly string[]
  readonly genuine?: boolean
  readonly links: readonly { type: string; id?: string; revoked?: boolean; denies: boolean }[]
}

async function inspectJson(text: string, ...options: string[]): Promise<Inspected> {
  const outcome = await desk.run(['inspect', '--json', ...options], { stdin: text })
  expect(outcome).toMatchObject({ exitCode: 0, stderr: '' })
  return JSON.parse(outcome.stdout) as Inspected
}

describe('as a holder', () => {
  test('the chain from the grant down, with the one id that a holder knows', async () => {
    const text = await mint('--methods', 'list,add', '--claim', 'tier=gold', '--at', 'tcp://127.0.0.1:1')
    const { keyHash, publicKey } = Capability.parse(text)
    const outcome = await desk.run(['inspect'], { stdin: text })
    expect(outcome).toEqual({
      exitCode: 0,
      stderr: '',
      stdout: [
        `service     ${keyHash}`,
        `public key  ${Buffer.from(publicKey).toString('base64url')}`,
        'location    tcp://127.0.0.1:1',
        'final       no, whoever holds it can narrow it',
        '',
        '┌ 0 grant       call notes/ada, minted under root 1',
        '│   claims      tier = "gold"',
        '└ 1 methods     only add, list',
        `    id          ${Capability.parse(text).ids()[0]}`,
        'Ids of the other links are known to the service: name its key file with --key.',
        '',
      ].join('\n'),
    })
    expectNoSecret(outcome, text)
  })

  test('--json: the same, and nothing of the secret', async () => {
    const text = await mint('--methods', 'list', '--expires-in', '1h')
    const outcome = await desk.run(['inspect', '--json'], { stdin: text })
    const [id] = Capability.parse(text).ids()
    const meaning = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ, in (1 hour|59 minutes)$/)
    expect(JSON.parse(outcome.stdout)).toMatchObject({
      object: 'notes/ada',
      use: 'call',
      final: false,
      claims: {},
      ids: [id],
      links: [
        { link: 0, type: 'grant', meaning: 'call notes/ada, minted under root 1', denies: false },
        { link: 1, type: 'expires', meaning, denies: false },
        { link: 2, type: 'methods', meaning: 'only list', id },
      ],
    })
    expectNoSecret(outcome, text)
  })

  test('a final capability and a pair registered by hand: the ids that they tell', () => {
    const pair = Capability.fromPair(generateKeyPair().publicKey, new Uint8Array(32).fill(7))
    const idsOf = (capability: Capability) => linksOf(capability, undefined, 0).map(({ id }) => id)
    const narrowed = pair.attenuate({ via: 'a' }).attenuate({ via: 'b' })
    expect(idsOf(pair)).toEqual(pair.ids())
    expect(idsOf(narrowed)).toEqual([pair.ids()[0], undefined, narrowed.ids()[1]])
    expect(idsOf(narrowed.finalize())).toEqual([pair.ids()[0], undefined, undefined])
  })

  test('every kind of caveat is put into words, times relative to now', () => {
    const now = Date.UTC(2030, 0, 31) / 1_000
    const capability = Capability.fromPair(generateKeyPair().publicKey, new Uint8Array(32).fill(7))
      .attenuate({ expiresAt: new Date(Date.UTC(2030, 0, 28)), notBefore: new Date(Date.UTC(2032, 0, 31)) })
      .attenuate({ patterns: ['XK', 'IK'], holder: generateKeyPair().publicKey })
      .attenuate({ claims: { region: 'eu', floor: 2 }, via: 'bob' })
    expect(linksOf(capability, undefined, now).map(({ meaning, denies }) => [meaning, denies])).toEqual([
      ['pair registered by hand; what it is good for, only the service knows', false],
      ['2030-01-28T00:00:00Z, 3 days ago', true],
      ['2032-01-31T00:00:00Z, in 1 year', true],
      ['only in handshakes IK, XK', false],
      [expect.stringMatching(/^only with the client key behind commitment [0-9a-f]{16}…$/), false],
      ['only if the service itself accepts floor = 2, region = "eu"', false],
      ['"bob" for the audit trail; proves nothing', false],
    ])
  })
})

describe('with the files of the service', () => {
  test('--key: all ids, also of a final capability, and what is revoked', async () => {
    const parent = await mint('--methods', 'list')
    const final = Capability.parse(parent).attenuate({ via: 'bob' }).finalize().export()
    const key = ['--key', desk.path('s.key')]
    const before = await inspectJson(final, ...key)
    expect(before.genuine).toBe(true)
    expect(before.links.map(({ revoked }) => revoked)).toEqual([undefined, undefined, undefined])
    expect(before.ids[1]).toBe(Capability.parse(parent).ids()[0])
    await desk.run(['revoke', '--create', ...key], { stdin: parent })
    const after = await inspectJson(final, ...key)
    expect(after.ids).toEqual(before.ids)
    expect(after.links.map(({ revoked }) => revoked)).toEqual([false, true, false])
    const { stdout } = await desk.run(['inspect', ...key], { stdin: final })
    expect(stdout).toMatch(/^genuine +yes$/m)
    expect(stdout).toMatch(/^revoked +yes, at link 1$/m)
    expect(stdout).toContain(`${before.ids[0]}  not revoked`)
    expect(stdout).toContain(`${before.ids[1]}  revoked`)
  })

  test('--revocations alone: for the id that a holder knows', async () => {
    const text = await mint('--methods', 'list')
    const file = ['--revocations', desk.path('r')]
    await desk.run(['revoke', '--create', ...file], { stdin: text })
    const { links } = await inspectJson(text, ...file)
    expect(links.map(({ revoked }) => revoked)).toEqual([undefined, true])
    const missing = await desk.run(['inspect', '--revocations', desk.path('none')], { stdin: text })
    expect(missing.exitCode).toBe(2)
    expect(missing.stderr).toContain('no such revocation file')
  })

  test('a made-up secret: shown as such, exit code 1', async () => {
    const text = madeUp(await mint())
    const outcome = await desk.run(['inspect', '--key', desk.path('s.key')], { stdin: text })
    expect(outcome.exitCode).toBe(1)
    expect(outcome.stdout).toMatch(/^genuine +no, its secret is made up$/m)
    expect(outcome.stderr).toContain('a secret that does not belong to its locator')
    expectNoSecret(outcome, text)
  })

  test('another service: what a holder sees, then exit code 1', async () => {
    await desk.run(['keygen', desk.path('other.key')])
    const outcome = await desk.run(['inspect', '--key', desk.path('other.key')], { stdin: await mint() })
    expect(outcome.exitCode).toBe(1)
    expect(outcome.stdout).toContain('call notes/ada')
    expect(outcome.stdout).not.toContain('genuine')
    expect(outcome.stderr).toContain('expected one of this service, got one of another')
  })

  test('a damaged revocation file: exit code 2, and nothing that looks like an answer', async () => {
    await writeFile(desk.path('s.key.revoked'), 'something else\n')
    const outcome = await desk.run(['inspect', '--key', desk.path('s.key')], { stdin: await mint() })
    expect(outcome).toMatchObject({ exitCode: 2, stdout: '' })
  })
})

describe('colour', () => {
  test('at a terminal only, and it adds nothing to the words', async () => {
    const text = Capability.parse(await mint())
      .attenuate({ expiresAt: new Date(0) })
      .export()
    const plain = await desk.run(['inspect'], { stdin: text })
    const colourful = await desk.run(['inspect'], { stdin: text, colour: true })
    expect(plain.stdout).not.toContain('\u001b')
    expect(colourful.stdout).toContain('\u001b[31m1970-01-01T00:00:00Z, ')
    expect(stripVTControlCharacters(colourful.stdout)).toBe(plain.stdout)
    const json = await desk.run(['inspect', '--json'], { stdin: text, colour: true })
    expect(json.stdout).not.toContain('\u001b')
  })

  test('paint: what steers a terminal in a text stays escaped', () => {
    const clean = (text: string) => text.replaceAll('\u001b', '!')
    expect(paint([styled('red', '\u001b[2J'), '\u001b'], true, clean)).toBe('\u001b[31m![2J\u001b[0m!')
  })

  test.each([
    [true, {}, true],
    [undefined, {}, false],
    [true, { NO_COLOR: '1' }, false],
    [true, { NO_COLOR: '' }, true],
    [true, { TERM: 'dumb' }, false],
  ])('wantsColour: a terminal %s with %o is %s', (isTTY, env, expected) => {
    expect(wantsColour({ isTTY }, env)).toBe(expected)
  })
})
