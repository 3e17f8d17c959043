// `noisecap publish`, and the options of `call` and `resolve` that find what it published, with a real DNS server.
import { writeFile } from 'node:fs/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { findKnot, type Knot, startKnot } from '../../scripts/knot.mjs'
import { readServiceKey } from '../../src/capability/files.js'
import { Service } from '../../src/index.js'
import { Desk, type Outcome } from './cli.js'
import offers from './notes-module.js'

const missing = findKnot() === undefined
if (missing) {
  console.warn(
    '\n*** SKIPPED: publish with a real DNS server. knotd is not installed; root can: node scripts/knot.mjs --install\n',
  )
}

const SECRET = 'MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE='
const AT = ['--at', 'tcp://192.0.2.1:7000']
let desk: Desk

beforeEach(async () => {
  desk = await Desk.create()
  await desk.run(['keygen', desk.path('s.key')])
})

afterEach(() => desk.remove())

/** One error, and none of the secret. */
function expectError({ exitCode, stdout, stderr }: Outcome, code: number, message: string): void {
  expect(stderr).toContain(message)
  expect(stderr.match(/^error: /gm)).toHaveLength(1)
  expect(stderr).not.toContain(SECRET.slice(0, 12))
  expect([exitCode, stdout]).toEqual([code, ''])
}

describe('publish, misused', () => {
  const env = { NOISECAP_TSIG: `hmac-sha256:k:${SECRET}` }
  const publish = (argv: readonly string[], variables: Readonly<Record<string, string>> = env) =>
    desk.run(['publish', desk.path('s.key'), '--zone', 'example.test', '--server', '127.0.0.1:1', ...argv], {
      env: variables,
    })

  test.each([
    ['no location', [], 'expected at least one location with --at, got none'],
    ['a location that is none', ['--at', 'nowhere'], 'Cannot use location: expected tcp://host:port'],
    ['a location twice', [...AT, ...AT], 'expected every location once'],
    ['both', [...AT, '--withdraw'], 'expected --at or --withdraw, got both'],
    ['a bad zone', [...AT, '--zone', 'a..b'], 'Cannot use DNS zone: expected a domain name'],
    ['a bad server', [...AT, '--server', 'a:b:c'], 'Cannot use DNS server: expected host:port'],
    ['a bad TTL', [...AT, '--ttl', 'soon'], 'Cannot read --ttl: expected a whole number with a unit'],
    [
      'a TTL beyond the expiry',
      [...AT, '--ttl', '2h', '--expires', '1h'],
      'expected a TTL of 0 to 3600 s, got 7200',
    ],
    [
      'an expiry beyond a week',
      [...AT, '--expires', '8d'],
      'expected an expiry of 1 to 604800 s, got 691200',
    ],
    [
      'no such TSIG file',
      [...AT, '--tsig-file', 'missing.tsig'],
      'Cannot read TSIG file missing.tsig: no such file',
    ],
    ['a secret as an argument', [...AT, '--tsig', SECRET], "unknown option '--tsig'"],
  ] as const)('%s: exit code 2', async (_name, argv, message) => {
    expectError(await publish(argv), 2, message)
  })

  test('no TSIG key, or one that is none: exit code 2', async () => {
    expectError(await publish(AT, {}), 2, 'expected a TSIG key, got none')
    expectError(
      await publish(AT, { NOISECAP_TSIG: SECRET }),
      2,
      'Cannot read TSIG key: expected algorithm:name:secret',
    )
  })

  test('a server that cannot be reached: exit code 1, as JSON too', async () => {
    expectError(await publish(AT), 1, 'Cannot use DNS: 127.0.0.1:1 cannot be reached (ECONNREFUSED)')
    const { exitCode, stderr } = await publish([...AT, '--json'])
    expect([exitCode, JSON.parse(stderr).error.code]).toEqual([1, 'resolve/dns'])
  })

  test('a client key file: exit code 2', async () => {
    await desk.run(['keygen', '--client', desk.path('c.key')])
    const argv = ['publish', desk.path('c.key'), '--zone', 'example.test', '--server', '127.0.0.1:1', ...AT]
    expect((await desk.run(argv, { env })).exitCode).toBe(2)
  })
})

test('--dns-server without --dns: exit code 2', async () => {
  const minted = await desk.run(['mint', '--key', desk.path('s.key'), '--object', 'notes/ada'])
  for (const command of [['resolve'], ['call', 'list']]) {
    const outcome = await desk.run([...command, '--dns-server', '127.0.0.1:1'], { stdin: minted.stdout })
    expectError(outcome, 2, 'expected a zone with --dns, got none')
  }
})

describe.skipIf(missing)('with a Knot server', () => {
  let knot: Knot

  beforeAll(async () => {
    knot = await startKnot()
  })

  afterAll(() => knot?.stop())

  const publish = (...argv: readonly string[]) =>
    desk.run(['publish', desk.path('s.key'), '--zone', knot.zone, '--server', knot.server, ...argv], {
      env: { NOISECAP_TSIG: knot.keys.publisher },
    })
  const dns = () => ['--dns', knot.zone, '--dns-server', knot.server]

  test('publish, resolve, withdraw, and the secret is never shown', async () => {
    await writeFile(desk.path('k.tsig'), `${knot.keys.publisher}\n`, { mode: 0o600 })
    const text = (await desk.run(['mint', '--key', desk.path('s.key'), '--object', 'notes/ada'])).stdout
    const { keyHash } = JSON.parse((await desk.run(['inspect', '--json'], { stdin: text })).stdout) as {
      keyHash: string
    }
    const second = ['--at', 'tcp://notes.example:7000']
    const published = await publish('--tsig-file', desk.path('k.tsig'), ...AT, ...second, '--ttl', '0')
    expect(published.stdout).toBe(`${keyHash}._noisecap.${knot.zone}\n`)
    expect(published.stderr).toMatch(
      /^published in DNS zone example\.test at .* until 20.*; nothing refreshes it, so publish again before\n$/,
    )
    const resolved = await desk.run(['resolve', ...dns()], { stdin: text })
    expect(resolved.stdout).toBe('tcp://192.0.2.1:7000\ntcp://notes.example:7000\n')
    expect(resolved.stderr).toMatch(
      /^asked file registry .*: none\nasked DNS zone example\.test at .*: found\n$/,
    )
    const withdrawn = await publish('--withdraw', '--json')
    expect(JSON.parse(withdrawn.stdout)).toEqual({ withdrawn: `${keyHash}._noisecap.${knot.zone}` })
    const gone = await desk.run(['resolve', ...dns()], { stdin: text })
    expect(gone.exitCode).toBe(1)
    expect(gone.stderr).toContain('(none), DNS zone example.test')
    for (const { stdout, stderr } of [published, resolved, withdrawn, gone]) {
      expect(stdout + stderr).not.toContain(knot.keys.publisher.split(':')[2]?.slice(0, 12))
    }
  })

  test('a TSIG file that others can read: a warning', async () => {
    await writeFile(desk.path('k.tsig'), knot.keys.publisher, { mode: 0o644 })
    const { exitCode, stderr } = await publish('--tsig-file', desk.path('k.tsig'), ...AT)
    expect(exitCode).toBe(0)
    expect(stderr).toContain(`warning: others can read the TSIG key in ${desk.path('k.tsig')}; run chmod 600`)
  })

  test('a wrong key: exit code 1 and BADSIG', async () => {
    const argv = ['publish', desk.path('s.key'), '--zone', knot.zone, '--server', knot.server, ...AT]
    const outcome = await desk.run(argv, { env: { NOISECAP_TSIG: `hmac-sha256:publisher:${SECRET}` } })
    expectError(outcome, 1, 'has another secret for the TSIG key publisher (BADSIG)')
  })

  test('call finds a service by DNS alone; private addresses only when allowed', async () => {
    await using service = Service.create(await readServiceKey(desk.path('s.key')), { announcers: [] })
    await offers(service)
    const location = await service.listen('tcp://127.0.0.1:0')
    const published = await publish('--at', location)
    expect(published.stderr).toContain(`warning: clients pass over ${location} unless`)
    const text = (await desk.run(['mint', '--key', desk.path('s.key'), '--object', 'notes/ada'])).stdout
    const refused = await desk.run(['call', 'list', ...dns()], { stdin: text })
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toContain('lead to loopback or private addresses')
    const called = await desk.run(['call', 'list', ...dns(), '--dns-private'], { stdin: text })
    expect(called).toEqual({ exitCode: 0, stdout: '[]\n', stderr: '' })
  })
})
