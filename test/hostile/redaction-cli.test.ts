// Capabilities on the command line, whole, damaged and in the wrong place: no command prints a secret that it was given.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Capability } from '../../src/index.js'
import { Desk } from '../cli/cli.js'
import { Canaries } from './canary.js'

let desk: Desk
let text = ''
let canaries: Canaries

beforeAll(async () => {
  desk = await Desk.create()
  await desk.run(['keygen', desk.path('s.key')])
  const minted = await desk.run(['mint', '--key', desk.path('s.key'), '--object', 'notes/ada'])
  text = minted.stdout.trim()
  const fragment = text.slice(text.indexOf('#') + 1)
  const token = Buffer.from(fragment, 'base64url')
  canaries = new Canaries({
    chainKey: token.subarray(35, 67),
    // Whatever part of the text stands somewhere says where the rest belongs.
    ...Object.fromEntries([...fragment.matchAll(/.{70}/g)].map(({ 0: part }, i) => [`part ${i}`, part])),
  })
  expect(canaries.seenIn(minted.stdout)).toContain('part 0')
})
afterAll(() => desk.remove())

/** What may have become of a capability on its way. */
const DAMAGES: Record<string, (whole: string) => string> = {
  whole: (whole) => whole,
  'cut short': (whole) => whole.slice(0, -7),
  'with one character changed': (whole) =>
    whole.slice(0, -9) + (whole.at(-9) === 'A' ? 'B' : 'A') + whole.slice(-8),
  'without its #': (whole) => whole.replace('#', ''),
  'with its # encoded': (whole) => whole.replace('#', '%23'),
  'without its scheme': (whole) => whole.slice('noisecap://'.length),
  'with a typing error in the scheme': (whole) => whole.replace('noisecap', 'noisecp'),
  'in capitals': (whole) => whole.replace('noisecap', 'NOISECAP'),
  'its secret part alone': (whole) => whole.slice(whole.indexOf('#') + 1),
  'in quotes': (whole) => `"${whole}"`,
  'broken into lines of 76': (whole) => whole.replaceAll(/(.{76})/g, '$1\n'),
  'one line of 76 of it': (whole) => whole.slice(80, 156),
}

/** Commands that take a capability where one belongs. */
const TAKERS: Record<string, readonly string[]> = {
  attenuate: ['attenuate', '--bogus'],
  'attenuate with a bad duration': ['attenuate', '--expires-in', 'never'],
  inspect: ['inspect'],
  resolve: ['resolve'],
  call: ['call', 'list', '--timeout', '1s'],
  'call with bad JSON': ['call', 'list', '{', '--timeout', '1s'],
  revoke: ['revoke', '--revocations', '/nowhere/set'],
}

/** Commands with a capability where something else belongs. */
const MISPLACED: Record<string, (capability: string) => readonly string[]> = {
  'as command': (capability) => [capability],
  'as option': (capability) => [`--${capability}`],
  'as second argument': (capability) => ['inspect', 'x', capability],
  'as key file of mint': (capability) => ['mint', '--key', capability, '--object', 'a'],
  'as object of mint': (capability) => ['mint', '--key', desk.path('s.key'), '--object', `//${capability}`],
  'as duration': (capability) => [
    'mint',
    '--key',
    desk.path('s.key'),
    '--object',
    'a',
    '--expires-in',
    capability,
  ],
  'as holder': (capability) => ['mint', '--key', desk.path('s.key'), '--object', 'a', '--holder', capability],
  'as methods': (capability) => [
    'mint',
    '--key',
    desk.path('s.key'),
    '--object',
    'a',
    '--methods',
    `${capability},`,
  ],
  'as key file of call': (capability) => ['call', 'list', 'null', '--key', capability],
  'as timeout': (capability) => ['call', 'list', 'null', '--timeout', capability],
  'as input': (capability) => ['call', 'list', `{${capability}`, 'x'],
  'as new key file': (capability) => ['keygen', `/nowhere/${capability}`],
  'as passphrase file': (capability) => [
    'keygen',
    desk.path('never.key'),
    '--passphrase-file',
    `/nowhere/${capability}`,
  ],
  'as capability file': (capability) => ['inspect', '--capability-file', `/nowhere/${capability}`],
  'as module': (capability) => ['serve', '--key', desk.path('s.key'), `/nowhere/${capability}`],
  'as revocation file': (capability) => ['revoke', '--revocations', `/nowhere/${capability}`, '0'.repeat(32)],
  'as location': (capability) => ['mint', '--key', desk.path('s.key'), '--object', 'a', '--at', capability],
}

async function expectUnseen(
  argv: readonly string[],
  options: Parameters<Desk['run']>[1] = {},
): Promise<void> {
  for (const json of [[], ['--json']]) {
    const { stdout, stderr } = await desk.run([...argv, ...json], options)
    expect({ argv: argv[0], seen: canaries.seenIn(stdout + stderr) }).toEqual({ argv: argv[0], seen: [] })
  }
}

describe.each(Object.entries(DAMAGES))('a capability %s', (_, damage) => {
  test.each(Object.entries(TAKERS))('given to %s in every way: no secret is printed', async (_name, argv) => {
    const given = damage(text)
    await expectUnseen([...argv, given])
    await expectUnseen(argv, { stdin: given })
    await expectUnseen(argv, { env: { NOISECAP: given } })
  })

  test.each(Object.entries(MISPLACED))('given %s: no secret is printed', async (_name, argv) => {
    await expectUnseen(argv(damage(text)))
  })
})

test('a capability is no location hint', () => {
  expect(() => Capability.parse(text).withLocations([text])).toThrow(RangeError)
  expect(() => Capability.parse(text.replace('#', `?at=${encodeURIComponent(text)}#`))).toThrow(
    expect.objectContaining({ code: 'capability/malformed' }),
  )
})
