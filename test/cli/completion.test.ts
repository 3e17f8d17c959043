// Completion in the shells themselves: what they offer is what the commands take.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeProgram } from '../../src/cli/run.js'
import { Desk, expectOneError } from './cli.js'
import { isInstalled, Shell } from './shells.js'

let desk: Desk

beforeAll(async () => {
  desk = await Desk.create()
})

afterAll(async () => {
  await desk.remove()
})

const tree = await describeProgram()
const COMMANDS = tree.commands.map(({ name }) => name).sort()
const MINT = tree.commands.find(({ name }) => name === 'mint')?.options.flatMap(({ names }) => names) ?? []

test('describeProgram: commands, options, choices and files as commander has them', () => {
  expect(COMMANDS).toContain('keygen')
  expect(COMMANDS).toContain('help')
  const [keygen] = tree.commands
  expect(keygen).toMatchObject({ name: 'keygen', operands: [{ name: 'file', kind: 'file', required: true }] })
  expect(keygen?.options.find(({ names }) => names.includes('--passphrase-file'))).toMatchObject({
    flags: '--passphrase-file <file>',
    value: { kind: 'file', name: 'file' },
    required: false,
  })
  const mint = tree.commands.find(({ name }) => name === 'mint')
  expect(mint?.options.find(({ names }) => names.includes('--use'))?.value).toEqual({
    kind: 'words',
    words: ['call', 'seal', 'deposit', 'collect', 'notify'],
    name: 'use',
  })
  expect(mint?.options.find(({ names }) => names.includes('--claim'))).toMatchObject({ repeatable: true })
  expect(mint?.options.find(({ names }) => names.includes('--object'))).toMatchObject({ required: true })
})

describe.each(['bash', 'zsh', 'fish'] as const)('%s', (name) => {
  let shell: Shell

  beforeAll(async () => {
    const { exitCode, stdout } = await desk.run(['completion', name])
    expect(exitCode).toBe(0)
    shell = await Shell.create(name, stdout)
  })

  afterAll(async () => {
    await shell.remove()
  })

  describe.skipIf(!isInstalled(name))('installed', { timeout: 240_000 }, () => {
    test('has nothing to say against the syntax', async () => {
      expect(await shell.check()).toBe('')
    })

    test('offers every command, and those that begin as typed', async () => {
      expect(await shell.offers('noisecap ')).toEqual(COMMANDS)
      expect(await shell.offers('noisecap ke')).toEqual(['keygen'])
      expect(await shell.offers('noisecap help in')).toEqual(['inspect'])
    })

    test('offers every option of a command, and no other', async () => {
      const offered = await shell.offers('noisecap mint --')
      // Each shell offers either the long form, or both, of what has two.
      expect(offered).toEqual(MINT.filter((flag) => flag.startsWith('--')).sort())
      expect(await shell.offers('noisecap mint --us')).toEqual(['--use'])
      expect(await shell.offers('noisecap keygen --us')).toEqual([])
    })

    test('offers the choices of an option and of an argument', async () => {
      const uses = ['call', 'collect', 'deposit', 'notify', 'seal']
      expect(await shell.offers('noisecap mint --key a-file --use ')).toEqual(uses)
      expect(await shell.offers('noisecap completion ')).toEqual(['bash', 'fish', 'zsh'])
    })

    test('offers files where a file is meant, and nothing where nobody can guess', async () => {
      const files = name === 'bash' ? '<files>' : 'a-file'
      for (const line of ['noisecap mint --key ', 'noisecap keygen ', 'noisecap mint --use call --key a']) {
        expect(await shell.offers(line)).toContain(files)
      }
      expect(await shell.offers('noisecap mint --object ')).toEqual([])
      expect(await shell.offers('noisecap keygen a-file --passphrase-file ')).toContain(files)
    })
  })
})

test('bash, --option=value, which it cuts at the =: completes the value', async () => {
  const { stdout } = await desk.run(['completion', 'bash'])
  const shell = await Shell.create('bash', stdout)
  try {
    expect(await shell.offers('noisecap mint --use =')).toContain('deposit')
    expect(await shell.offers('noisecap mint --use = de')).toEqual(['deposit'])
    expect(await shell.offers('noisecap mint --use = call --us')).toEqual(['--use'])
  } finally {
    await shell.remove()
  }
})

test('another shell: exit code 2, and the choices', async () => {
  const outcome = await desk.run(['completion', 'tcsh'])
  expectOneError(outcome)
  expect(outcome.exitCode).toBe(2)
  expect(outcome.stderr).toContain('Allowed choices are bash, zsh, fish')
})

test('--json: the shell and the script', async () => {
  const { stdout } = await desk.run(['completion', 'fish', '--json'])
  const { shell, script } = JSON.parse(stdout) as { shell: string; script: string }
  expect(shell).toBe('fish')
  expect(script).toBe((await desk.run(['completion', 'fish'])).stdout)
})
