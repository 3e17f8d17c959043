// Every command in this process: results, --json, misuse, and what must never be printed.
import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Capability } from '../../src/index.js'
import { Desk, expectNoSecret, expectOneError, NOTES_MODULE } from './cli.js'

let desk: Desk

beforeEach(async () => {
  desk = await Desk.create()
})

afterEach(async () => {
  await desk.remove()
})

/** A service key file and a capability of it. */
async function mintOne(...options: string[]): Promise<string> {
  await desk.run(['keygen', desk.path('s.key')])
  const minted = await desk.run(['mint', '--key', desk.path('s.key'), '--object', 'notes/ada', ...options])
  expect(minted.stderr).toBe('')
  return minted.stdout.trim()
}

const COMMANDS = [
  ...['keygen', 'mint', 'attenuate', 'inspect', 'serve', 'call', 'revoke', 'resolve', 'publish', 'doctor'],
  ...['seal', 'open', 'rewrap', 'relay', 'box', 'send', 'receive'],
  'completion',
]

describe('usage', () => {
  test('no arguments: help on standard error and exit code 2', async () => {
    const { exitCode, stdout, stderr } = await desk.run([])
    expect(exitCode).toBe(2)
    expect(stdout).toBe('')
    for (const command of COMMANDS) expect(stderr).toContain(`\n  ${command} `)
  })

  test.each(COMMANDS)(
    '%s --help: help on standard output that names --json, exit code 0',
    async (command) => {
      const { exitCode, stdout, stderr } = await desk.run([command, '--help'])
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
      expect(stdout).toContain('--json')
    },
  )

  test('--version: that of the package', async () => {
    const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string }
    expect(await desk.run(['--version'])).toEqual({ exitCode: 0, stdout: `${version}\n`, stderr: '' })
  })

  test.each([
    ['mnit', 'mint'],
    ['inspekt', 'inspect'],
    ['atenuate', 'attenuate'],
  ])('a typo, %s: suggests %s', async (typo, near) => {
    const outcome = await desk.run([typo])
    expectOneError(outcome)
    expect(outcome.exitCode).toBe(2)
    expect(outcome.stderr).toBe(`error: unknown command '${typo}'\nhint: Did you mean ${near}?\n`)
  })

  test('a typo in an option: suggests the near one', async () => {
    const outcome = await desk.run(['inspect', '--capabilty-file', 'x'])
    expect(outcome.exitCode).toBe(2)
    expect(outcome.stderr).toContain('Did you mean --capability-file?')
  })

  test.each([['keygen'], ['mint'], ['serve'], ['call'], ['revoke']])(
    '%s without what it requires: one error, exit code 2',
    async (command) => {
      const outcome = await desk.run([command])
      expectOneError(outcome)
      expect(outcome.exitCode).toBe(2)
      expect(outcome.stderr).toContain('hint: Run noisecap --help')
    },
  )

  test.each([
    ['attenuate', '--final'],
    ['inspect'],
    ['resolve'],
    ['call', 'list'],
    ['revoke', '--revocations', 'x'],
  ])('%s without a capability: says where it may come from', async (...argv) => {
    const outcome = await desk.run(argv)
    expectOneError(outcome)
    expect(outcome.exitCode).toBe(2)
    expect(outcome.stderr).toContain('--capability-file')
  })

  test('--json: an error is one JSON object on standard error', async () => {
    const { exitCode, stdout, stderr } = await desk.run(['mnit', '--json'])
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(JSON.parse(stderr)).toEqual({
      error: { code: 'cli/usage', message: "unknown command 'mnit'", hint: 'Did you mean mint?' },
    })
  })
})

describe('keygen', () => {
  test('a service key: mode 0600, its hash on standard output', async () => {
    const { exitCode, stdout } = await desk.run(['keygen', desk.path('s.key')])
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^key hash {4}[a-z2-7]{52}\npublic key {2}[\w-]{43}\n$/)
    expect((await stat(desk.path('s.key'))).mode & 0o777).toBe(0o600)
  })

  test('an existing file: stays as it is, exit code 2', async () => {
    await desk.run(['keygen', desk.path('s.key')])
    const before = await readFile(desk.path('s.key'))
    const outcome = await desk.run(['keygen', '--client', desk.path('s.key')])
    expectOneError(outcome)
    expect(outcome.exitCode).toBe(2)
    expect(outcome.stderr).toContain('it exists already')
    expect(await readFile(desk.path('s.key'))).toEqual(before)
  })

  test('--client --json: the public key, which --holder takes', async () => {
    const made = await desk.run(['keygen', '--client', desk.path('c.key'), '--json'])
    const { kind, publicKey } = JSON.parse(made.stdout) as { kind: string; publicKey: string }
    expect(kind).toBe('client')
    expect(Capability.parse(await mintOne('--holder', publicKey)).caveats[0]?.type).toBe('holder')
    const hex = Buffer.from(publicKey, 'base64url').toString('hex')
    expect(Capability.parse(await mintOne('--holder', hex)).caveats[0]?.type).toBe('holder')
  })

  test('--passphrase-file: the key opens with it and not without', async () => {
    await writeFile(desk.path('pass'), 'correct horse\n')
    const key = desk.path('s.key')
    expect((await desk.run(['keygen', key, '--passphrase-file', desk.path('pass')])).exitCode).toBe(0)
    const mint = ['mint', '--key', key, '--object', 'a']
    expect((await desk.run(mint)).exitCode).toBe(2)
    expect((await desk.run([...mint, '--passphrase-file', desk.path('pass')])).exitCode).toBe(0)
    await writeFile(desk.path('empty'), '\n')
    const empty = await desk.run([...mint, '--passphrase-file', desk.path('empty')])
    expect(empty.exitCode).toBe(2)
    expect(empty.stderr).toContain('at least one character')
  })
})

describe('mint', () => {
  test('all options stand in the capability', async () => {
    const text = await mintOne(
      ...['--methods', 'list,add', '--expires-in', '1h', '--via', 'ci', '--label', 'Ada'],
      ...['--at', 'tcp://127.0.0.1:7000', '--at', 'tcp://[::1]:7000'],
    )
    const capability = Capability.parse(text)
    expect(capability.object).toBe('notes/ada')
    expect(capability.label).toBe('Ada')
    expect(capability.locations).toEqual(['tcp://127.0.0.1:7000', 'tcp://[::1]:7000'])
    expect(capability.caveats.map(({ type }) => type)).toEqual(['expires', 'methods', 'via'])
    expect(capability.caveats[1]).toEqual({ type: 'methods', methods: ['add', 'list'] })
  })

  test('--use and --claim stand in the grant, times and patterns among the caveats', async () => {
    const text = await mintOne(
      ...['--use', 'seal', '--claim', 'tier=gold', '--claim', 'level=3', '--claim', 'admin=true'],
      ...['--claim', 'zip="01234"', '--claim', 'url=a=b', '--patterns', 'XK, ik'],
      ...['--not-before', '2030-01-31', '--expires-at', '2030-02-01T01:00+01:00'],
    )
    const { use, claims, caveats } = Capability.parse(text)
    expect(use).toBe('seal')
    expect({ ...claims }).toEqual({ tier: 'gold', level: 3, admin: true, zip: '01234', url: 'a=b' })
    expect(caveats).toEqual([
      { type: 'expires', at: Date.UTC(2030, 1, 1) / 1_000 },
      { type: 'notBefore', at: Date.UTC(2030, 0, 31) / 1_000 },
      { type: 'patterns', patterns: ['IK', 'XK'] },
    ])
  })

  test('--not-before with a duration counts from now', async () => {
    const before = Math.floor(Date.now() / 1_000)
    const [caveat] = Capability.parse(await mintOne('--not-before', '1h')).caveats
    if (caveat?.type !== 'notBefore') throw new Error('expected a notBefore caveat')
    expect(caveat.at).toBeGreaterThanOrEqual(before + 3_600)
    expect(caveat.at).toBeLessThanOrEqual(Math.ceil(Date.now() / 1_000) + 3_600)
  })

  test('what excludes one another: exit code 2', async () => {
    await mintOne()
    const mint = ['mint', '--key', desk.path('s.key'), '--object', 'a']
    for (const options of [
      ['--expires-in', '1h', '--expires-at', '2030-01-31'],
      ['--claim', 'a=1', '--claim', 'a=2'],
    ]) {
      const outcome = await desk.run([...mint, ...options])
      expectOneError(outcome)
      expect(outcome.exitCode).toBe(2)
    }
  })

  test('--json: the capability and what it says', async () => {
    await mintOne()
    const argv = ['mint', '--key', desk.path('s.key'), '--object', 'notes/bob', '--json']
    const { capability, object, ids } = JSON.parse((await desk.run(argv)).stdout) as Record<string, unknown>
    expect(object).toBe('notes/bob')
    expect(ids).toEqual(Capability.parse(String(capability)).ids())
  })

  test.each([
    ['--expires-in', 'soon', 'Cannot read --expires-in: expected a whole number with a unit'],
    ['--holder', 'abc', 'Cannot read --holder: expected a public key'],
    ['--methods', 'a,,b', 'Cannot read --methods: expected names'],
    ['--object', '../x', 'expected an object path'],
    ['--at', 'here', 'expected locations of the form scheme:rest'],
    ['--label', '..', 'expected a label'],
    ['--key', '/does/not/exist', 'no such file or directory'],
    ['--use', 'read', 'Allowed choices are call, seal, deposit, collect, notify'],
    ['--patterns', 'IK,NN', 'expected some of NK, XK, IK, KK'],
    ['--expires-at', '2030-01-31T12:00', 'expected a time with its zone'],
    ['--not-before', '2030-02-31T12:00:60Z', 'expected a time with its zone'],
    ['--claim', 'tier', 'expected <name>=<value>'],
    ['--claim', 'n=1.5', 'expected text, a whole number below 2^53'],
    ['--claim', '1=a', 'expected names of a letter'],
  ])('%s %s: one error that says what was expected, exit code 2', async (option, value, message) => {
    await mintOne()
    const given = ['mint', '--key', desk.path('s.key'), '--object', 'notes/ada', option, value]
    const outcome = await desk.run(given)
    expectOneError(outcome)
    expect(outcome.exitCode).toBe(2)
    expect(outcome.stderr).toContain(message)
  })

  test('a key file that others may read: refused with the command that mends it', async () => {
    await mintOne()
    await chmod(desk.path('s.key'), 0o644)
    const outcome = await desk.run(['mint', '--key', desk.path('s.key'), '--object', 'a'])
    expect(outcome.exitCode).toBe(2)
    expect(outcome.stderr).toContain('hint: Run: chmod 600')
  })
})

describe('where a capability comes from', () => {
  test('standard input, a file, NOISECAP and an argument lead to the same', async () => {
    const text = await mintOne()
    await writeFile(desk.path('cap'), `${text}\n`)
    const { stdout } = await desk.run(['inspect'], { stdin: `${text}\n` })
    expect(stdout).toContain('notes/ada')
    const quiet = { exitCode: 0, stdout, stderr: '' }
    expect(await desk.run(['inspect', '--capability-file', desk.path('cap')])).toEqual(quiet)
    expect(await desk.run(['inspect'], { env: { NOISECAP: text } })).toEqual(quiet)
    const argument = await desk.run(['inspect', text])
    expect(argument.stdout).toBe(stdout)
    expect(argument.stderr).toMatch(/^warning: the capability is an argument/)
    expectNoSecret(argument, text)
  })

  test('--capability-file - reads standard input although NOISECAP is set', async () => {
    const [one, two] = [await mintOne('--label', 'one'), await mintOne('--label', 'two')]
    const argv = ['inspect', '--capability-file', '-', '--json']
    const { stdout } = await desk.run(argv, { stdin: one, env: { NOISECAP: two } })
    expect((JSON.parse(stdout) as { label: string }).label).toBe('one')
  })

  test('a missing file: exit code 2', async () => {
    const outcome = await desk.run(['inspect', '--capability-file', desk.path('none')])
    expectOneError(outcome)
    expect(outcome.exitCode).toBe(2)
    expect(outcome.stderr).toContain('no such file or directory')
  })

  test('a file as an argument: says which option names files', async () => {
    const outcome = await desk.run(['attenuate', 'ada.cap', '--final'])
    expectOneError(outcome)
    expect(outcome.exitCode).toBe(2)
    expect(outcome.stderr).toContain('hint: A file that holds one is named with --capability-file')
  })

  test('inspect of a file that is not there, or is not sealed: says which of both, and does not quote the name', async () => {
    const missing = await desk.run(['inspect', 'ada.cap'])
    expectOneError(missing)
    expect(missing.exitCode).toBe(2)
    expect(missing.stderr).toContain('Cannot inspect: there is no file of that name, which has 7 characters')
    expect(missing.stderr).toContain('and the name is no capability')
    expect(missing.stderr).not.toContain('ada.cap')
    await writeFile(desk.path('plain'), 'text')
    const plain = await desk.run(['inspect', desk.path('plain')])
    expectOneError(plain)
    expect(plain.exitCode).toBe(2)
    expect(plain.stderr).toContain('the file of that name is not sealed')
    expect(plain.stderr).toContain('hint: A file that holds a capability is named with --capability-file')
  })

  test('more than a capability can be: refused', async () => {
    const outcome = await desk.run(['inspect'], { stdin: 'a'.repeat(100_000) })
    expect(outcome.exitCode).toBe(2)
    expect(outcome.stderr).toContain('expected at most 16384 bytes')
  })

  test.each([
    ['cut off', (text: string) => text.slice(0, -7)],
    [
      'another key hash',
      (text: string) => text.replace(/\/\/./, (start) => (start === '//a' ? '//b' : '//a')),
    ],
    ['a damaged scheme', (text: string) => text.replace('noisecap', 'noiscap')],
    ['a space inside', (text: string) => text.replace('#', ' #')],
  ])('%s: malformed, exit code 2, and the secret appears nowhere', async (_name, damage) => {
    const text = await mintOne()
    const damaged = damage(text)
    const attempts = [
      desk.run(['inspect'], { stdin: damaged }),
      desk.run(['inspect', damaged]),
      desk.run(['call', 'list', '--json'], { env: { NOISECAP: damaged } }),
      desk.run(['call', 'list', 'null', damaged]),
      desk.run(['call', 'list', damaged]),
      desk.run(['revoke', damaged, '--revocations', desk.path('r')]),
      desk.run(['resolve'], { stdin: damaged }),
      desk.run(['attenuate', '--final'], { stdin: damaged }),
    ]
    for (const outcome of await Promise.all(attempts)) {
      expect(outcome.exitCode).toBe(2)
      expectNoSecret(outcome, text)
    }
  })

  test('a capability where none belongs: refused without its secret', async () => {
    const text = await mintOne()
    const attempts = [
      desk.run([text]),
      desk.run([text.replace('noisecap', 'noiscap')]),
      desk.run(['inspect', `--capability=${text}`]),
      desk.run(['inspect', '--capability-file', text]),
      desk.run(['mint', '--key', text, '--object', 'a']),
      desk.run(['mint', '--key', desk.path('s.key'), '--object', 'a', '--expires-in', text]),
      desk.run(['serve', text, '--key', desk.path('s.key')]),
      desk.run(['serve', NOTES_MODULE, '--key', desk.path('s.key'), '--listen', text]),
    ]
    for (const outcome of await Promise.all(attempts)) {
      expectOneError(outcome)
      expect(outcome.exitCode).toBe(2)
      expectNoSecret(outcome, text)
    }
  })
})

describe('attenuate', () => {
  test('restrictions add up, the given capability stays wider', async () => {
    const text = await mintOne('--methods', 'list,add')
    const argv = ['attenuate', '--methods', 'list', '--expires-in', '15m', '--via', 'bob']
    const narrowed = Capability.parse((await desk.run(argv, { stdin: text })).stdout)
    expect(narrowed.caveats.map(({ type }) => type)).toEqual(['methods', 'expires', 'methods', 'via'])
    expect(narrowed.equals(Capability.parse(text))).toBe(false)
  })

  test('--final: cannot be narrowed any more, which fails with exit code 1', async () => {
    const text = await mintOne()
    const final = (await desk.run(['attenuate', '--final'], { stdin: text })).stdout
    expect(Capability.parse(final).final).toBe(true)
    const outcome = await desk.run(['attenuate', '--via', 'x'], { stdin: final })
    expectOneError(outcome)
    expect(outcome.exitCode).toBe(1)
    expectNoSecret(outcome, final)
  })

  test('--json: the capability and its caveats', async () => {
    const { stdout } = await desk.run(['attenuate', '--via', 'x', '--json'], { stdin: await mintOne() })
    const { capability, caveats } = JSON.parse(stdout) as { capability: string; caveats: unknown }
    expect(caveats).toEqual([{ type: 'via', label: 'x' }])
    expect(Capability.parse(capability).caveats).toEqual(caveats)
  })

  test('--claim: a condition of the service, as a caveat', async () => {
    const argv = ['attenuate', '--claim', 'region=eu', '--claim', 'floor=2']
    const { caveats } = Capability.parse((await desk.run(argv, { stdin: await mintOne() })).stdout)
    expect(caveats).toMatchObject([{ type: 'claims', claims: { region: 'eu', floor: 2 } }])
  })

  test('no restriction at all: exit code 2', async () => {
    const outcome = await desk.run(['attenuate'], { stdin: await mintOne() })
    expectOneError(outcome)
    expect(outcome.exitCode).toBe(2)
  })
})

describe('resolve', () => {
  test('a hint: its location on standard output, who was asked on standard error', async () => {
    const text = await mintOne('--at', 'tcp://127.0.0.1:7000')
    expect(await desk.run(['resolve'], { stdin: text })).toEqual({
      exitCode: 0,
      stdout: 'tcp://127.0.0.1:7000\n',
      stderr: 'asked hints in the capability: found\n',
    })
    const json = JSON.parse((await desk.run(['resolve', '--json'], { stdin: text })).stdout) as object
    expect(json).toMatchObject({
      resolver: 'hints in the capability',
      locations: [{ uri: 'tcp://127.0.0.1:7000' }],
    })
  })

  test('nobody knows the service: exit code 1, says who was asked', async () => {
    const text = await mintOne('--at', 'tcp://127.0.0.1:7000')
    const outcome = await desk.run(['resolve', '--no-hints'], { stdin: text })
    expectOneError(outcome)
    expect(outcome.exitCode).toBe(1)
    expect(outcome.stderr).toContain(desk.registry)
  })

  test('a registry that everybody may write: exit code 2 and the command that mends it', async () => {
    await mkdir(desk.registry)
    await chmod(desk.registry, 0o777)
    const outcome = await desk.run(['resolve'], { stdin: await mintOne() })
    expect(outcome.exitCode).toBe(2)
    expect(outcome.stderr).toContain('chmod o-w')
  })
})

describe('doctor', () => {
  test('names a provider and a reason for each primitive, Node and the registry', async () => {
    const { exitCode, stdout } = await desk.run(['doctor'])
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^25519 +(sodium|node|noble) +\S/m)
    expect(stdout).toContain(process.version)
    expect(stdout).toContain(`${desk.registry} (not there yet`)
  })

  test('--json: the same, an unusable registry is exit code 1', async () => {
    await mkdir(desk.registry, { mode: 0o700 })
    const sound = JSON.parse((await desk.run(['doctor', '--json'])).stdout) as Record<string, unknown>
    expect(sound).toMatchObject({ node: process.version, registry: { state: 'sound' }, problems: [] })
    await chmod(desk.registry, 0o777)
    const bad = await desk.run(['doctor', '--json'])
    expect(bad.exitCode).toBe(1)
    expect(JSON.parse(bad.stdout)).toMatchObject({ registry: { state: 'unusable' } })
    expect(JSON.parse(bad.stderr)).toMatchObject({ error: { code: 'cli/doctor' } })
  })
})

describe('serve', () => {
  test.each([
    ['missing', undefined, 'no such file'],
    ['without a default export', 'export const a = 1', 'expected a function as its default export, got none'],
    ['that throws', "throw new Error('not today')", 'not today'],
    ['whose function throws', "export default () => { throw new Error('not today') }", 'not today'],
  ])('a module %s: one error, exit code 2', async (_name, source, message) => {
    await desk.run(['keygen', desk.path('s.key')])
    if (source !== undefined) await writeFile(desk.path('m.mjs'), source)
    const outcome = await desk.run(['serve', desk.path('m.mjs'), '--key', desk.path('s.key')])
    expectOneError(outcome)
    expect(outcome.exitCode).toBe(2)
    expect(outcome.stderr).toContain(message)
  })

  test('a missing key file: exit code 2, and none is created', async () => {
    const outcome = await desk.run(['serve', NOTES_MODULE, '--key', desk.path('s.key')])
    expectOneError(outcome)
    expect(outcome.exitCode).toBe(2)
    await expect(stat(desk.path('s.key'))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('a location that is none: exit code 2', async () => {
    await desk.run(['keygen', desk.path('s.key')])
    const argv = ['serve', NOTES_MODULE, '--key', desk.path('s.key'), '--listen', 'here']
    const outcome = await desk.run(argv)
    expectOneError(outcome)
    expect(outcome.exitCode).toBe(2)
  })

  test('--json: locations and key hash in one line', async () => {
    await desk.run(['keygen', desk.path('s.key')])
    const outcome = await desk.run(['serve', NOTES_MODULE, '--key', desk.path('s.key'), '--json'])
    expect(outcome).toMatchObject({ exitCode: 0, stderr: '' })
    const { locations } = JSON.parse(outcome.stdout) as { locations: string[] }
    expect(locations).toEqual([expect.stringMatching(/^tcp:\/\/127\.0\.0\.1:\d+$/)])
  })
})
