// The sessions of docs/cli.md, typed into a real shell with the package installed: every command prints what the page shows,
// in the order of the page.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { agrees, fencedBlocks, type Step, stepsOf } from './console.js'

/** Inside the checkout, so that the package finds its dependencies; ignored by git. */
const SCRATCH = '.tmp'
const blocks = await fencedBlocks('docs/cli.md')
const steps = blocks.filter(({ language }) => language === 'console').flatMap(({ code }) => stepsOf(code))
const isService = ({ command }: Step) => command.startsWith('noisecap serve ')

let directory: string
const services: ReturnType<typeof shell>[] = []

beforeAll(async () => {
  await mkdir(SCRATCH, { recursive: true })
  directory = await mkdtemp(join(process.cwd(), SCRATCH, 'cli-'))
  const installed = join(directory, 'node_modules/noisecap')
  await mkdir(installed, { recursive: true })
  await copyFile('package.json', join(installed, 'package.json'))
  const bundle = ['node_modules/tsup/dist/cli-default.js', '--silent', '--no-dts', '--out-dir']
  await promisify(execFile)(process.execPath, [...bundle, join(installed, 'dist')])
  await writeFile(join(directory, 'package.json'), '{"type":"module"}')
  const command = `#!/bin/sh\nexec '${process.execPath}' '${installed}/dist/cli.js' "$@"\n`
  await writeFile(join(directory, 'noisecap'), command, { mode: 0o755 })
  for (const { info, code } of blocks) if (info !== '') await writeFile(join(directory, info), code)
}, 240_000)

afterAll(async () => {
  for (const service of services) service.kill('SIGKILL')
  await rm(directory, { recursive: true, force: true })
})

/** `exec` in front of a service, so that signals reach it and not the shell. */
function shell(command: string) {
  const env = {
    PATH: `${directory}:${process.env['PATH']}`,
    HOME: directory,
    NOISECAP_REGISTRY: join(directory, 'registry'),
  }
  return spawn('sh', ['-c', `exec 2>&1; ${command}`], {
    cwd: directory,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

function expectAgreement({ command, expected }: Step, printed: readonly string[]): void {
  const wrong = expected.filter((line, index) => !agrees(line, printed[index] ?? ''))
  expect({ command, printed, wrong }).toEqual({ command, printed: expect.anything(), wrong: [] })
  expect({ command, lines: printed.length }).toEqual({ command, lines: expected.length })
}

describe('docs/cli.md', () => {
  test('has sessions, and a service in one of them', () => {
    expect(steps.length).toBeGreaterThan(10)
    expect(steps.filter(isService)).toHaveLength(1)
  })

  test.each(steps)('$ $command', { timeout: 120_000 }, async (step) => {
    if (isService(step)) {
      const service = shell(`exec ${step.command}`)
      services.push(service)
      const printed: string[] = []
      for await (const line of createInterface({ input: service.stdout })) {
        if (printed.push(line) === step.expected.length) break
      }
      expectAgreement(step, printed)
      return
    }
    const child = shell(step.command)
    const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')])
    expectAgreement(step, output === '' ? [] : output.trimEnd().split('\n'))
    const fails = step.expected.some((line) => /^(error: |\{"error")/.test(line))
    expect({ command: step.command, fails: code !== 0 }).toEqual({ command: step.command, fails })
  })

  test('the service ends with 0 at SIGTERM', { timeout: 60_000 }, async () => {
    const [service] = services
    if (service === undefined) throw new Error('no service was started')
    const ended = once(service, 'exit')
    service.kill('SIGTERM')
    expect(await ended).toEqual([0, null])
  })
})

test('agrees: … stands for anything within a line, everything else for itself', () => {
  expect(agrees('a…c', 'abc')).toBe(true)
  expect(agrees('a.c', 'abc')).toBe(false)
  expect(agrees('a…', 'a\nb')).toBe(false)
  expect(agrees('…', '')).toBe(true)
})
