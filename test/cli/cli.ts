// Runs the command: in this process with streams of its own, and as a child process as a user would.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { run } from '../../src/cli/run.js'

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
export const NOTES_MODULE = fileURLToPath(new URL('notes-module.ts', import.meta.url))

export interface Outcome {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly stdin?: string | Uint8Array
  readonly env?: Readonly<Record<string, string>>
  readonly colour?: boolean
  /** Whether standard output is a terminal. */
  readonly toTerminal?: boolean
  /** Aborted from the start unless given, so that what would run on ends. */
  readonly stop?: AbortSignal
}

/** A directory with a registry of its own, and the command in it. */
export class Desk {
  readonly directory: string
  readonly registry: string
  /** Bytes that the last run wrote to standard output. */
  bytes = Buffer.alloc(0)

  private constructor(directory: string) {
    this.directory = directory
    this.registry = join(directory, 'registry')
  }

  static async create(): Promise<Desk> {
    return new Desk(await mkdtemp(join(tmpdir(), 'noisecap-cli-')))
  }

  path(name: string): string {
    return join(this.directory, name)
  }

  async run(
    argv: readonly string[],
    { stdin = '', env = {}, colour = false, toTerminal = false, stop = AbortSignal.abort() }: RunOptions = {},
  ): Promise<Outcome> {
    let stdout = ''
    let stderr = ''
    this.bytes = Buffer.alloc(0)
    const exitCode = await run(argv, {
      env: { NOISECAP_REGISTRY: this.registry, ...env },
      stdin: chunksOf(stdin),
      stdout: (text) => {
        stdout += text
      },
      stderr: (text) => {
        stderr += text
      },
      writeBytes: async (bytes) => {
        this.bytes = Buffer.concat([this.bytes, bytes])
      },
      toTerminal,
      progress: undefined,
      colour,
      stopSignal: () => stop,
      optimize: () => undefined,
    })
    return { exitCode, stdout, stderr }
  }

  /** The real thing. */
  spawn(argv: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
    return spawn(process.execPath, ['--import', 'tsx', MAIN, ...argv], {
      env: { PATH: process.env['PATH'], NOISECAP_REGISTRY: this.registry, ...env },
      stdio: 'pipe',
    })
  }

  async runChild(argv: readonly string[], { stdin = '', env = {} }: RunOptions = {}): Promise<Outcome> {
    const child = this.spawn(argv, env)
    child.stdin?.on('error', () => undefined) // a command that reads nothing may be gone by now
    child.stdin?.end(stdin)
    const [stdout, stderr, [exitCode]] = await Promise.all([
      textOf(child.stdout),
      textOf(child.stderr),
      once(child, 'close') as Promise<[number | null]>,
    ])
    return { exitCode, stdout, stderr }
  }

  async remove(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true })
  }
}

/** The first line that `child` writes to standard output.
 * @throws when it ends before that, with what it wrote to standard error. */
export async function firstLine(child: ChildProcess): Promise<string> {
  let stdout = ''
  let stderr = ''
  child.stderr?.on('data', (chunk) => {
    stderr += String(chunk)
  })
  for await (const chunk of child.stdout ?? []) {
    stdout += String(chunk)
    const end = stdout.indexOf('\n')
    if (end !== -1) return stdout.slice(0, end)
  }
  throw new Error(`ended without a line: ${stderr}`)
}

async function textOf(stream: AsyncIterable<unknown> | null): Promise<string> {
  let text = ''
  for await (const chunk of stream ?? []) text += String(chunk)
  return text
}

async function* chunksOf(input: string | Uint8Array): AsyncGenerator<Uint8Array> {
  if (input.length > 0) yield typeof input === 'string' ? new TextEncoder().encode(input) : input
}

function secretOf(text: string): string {
  return text.slice(text.indexOf('#') + 1)
}

/** Neither stream holds any longer part of the secret of `text`. */
export function expectNoSecret({ stdout, stderr }: Outcome, text: string): void {
  const secret = secretOf(text)
  for (let start = 0; start + 40 <= secret.length; start += 20) {
    expect(stdout + stderr).not.toContain(secret.slice(start, start + 40))
  }
}

/** Exactly one error, no stack. */
export function expectOneError({ stdout, stderr }: Outcome): void {
  expect(stdout).toBe('')
  expect(stderr.match(/^error: /gm)).toHaveLength(1)
  expect(stderr).not.toMatch(/^\s+at /m)
}
