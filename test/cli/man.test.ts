// The manual page: as committed it is what the commands are, and the programs that show manual pages have nothing against it.
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { manualPage } from '../../scripts/man.js'
import { describeProgram } from '../../src/cli/run.js'
import { packageVersion } from '../../src/cli/version.js'
import { isInstalled } from './shells.js'

const execute = promisify(execFile)
const PAGE = 'man/noisecap.1'

test('the committed page is up to date', async () => {
  const page = manualPage(await describeProgram(), packageVersion())
  expect(await readFile(PAGE, 'utf8'), 'npm run man writes it again').toBe(page)
})

test('every command and every option stands in it, and the package names it', async () => {
  const page = await readFile(PAGE, 'utf8')
  const { commands } = await describeProgram()
  for (const { name, options } of commands) {
    expect(page).toContain(`\n.SS\n\\fB${name}\\fR`)
    for (const flag of options.flatMap(({ names }) => names))
      expect(page).toContain(flag.replaceAll('-', '\\-'))
  }
  const manifest = JSON.parse(await readFile('package.json', 'utf8')) as { man: string; files: string[] }
  expect(manifest.man).toBe(`./${PAGE}`)
  expect(manifest.files).toContain('man')
})

test('manualPage: what roff would take for its own is text', async () => {
  const tree = { ...(await describeProgram()), description: "a\\b -x 'q' … ~", commands: [] }
  const page = manualPage(tree, '1.0.0')
  expect(page).toContain('\nnoisecap \\- a\\eb \\-x \\(aqq\\(aq \\[u2026] \\(ti\n')
})

describe.skipIf(!isInstalled('mandoc'))('mandoc', () => {
  test('finds nothing to warn of', async () => {
    const { stdout, stderr } = await execute('mandoc', ['-T', 'lint', '-W', 'warning', PAGE])
    expect(stdout + stderr).toBe('')
  })
})

describe.skipIf(!isInstalled('groff'))('groff', () => {
  test('finds nothing to warn of, and shows options as they are typed', async () => {
    const { stdout, stderr } = await execute('groff', ['-man', '-Tascii', '-P-cbou', '-ww', PAGE])
    expect(stderr).toBe('')
    expect(stdout).toContain('--passphrase-file')
  })
})
