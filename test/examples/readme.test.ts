// The examples of README.md, and of pages of docs that are one program, run as a reader would run them: written to files, type-checked,
// started as processes. A comment behind `console.log(…)` is what that line must print.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, test } from 'vitest'

/** Inside the checkout, so that imports resolve as in the project; ignored by git. */
const SCRATCH = '.tmp'
let directory: string

beforeEach(async () => {
  await mkdir(SCRATCH, { recursive: true })
  directory = await mkdtemp(join(SCRATCH, 'examples-'))
  const config = {
    extends: '../../tsconfig.json',
    compilerOptions: { noUnusedLocals: false },
    include: ['*.ts'],
  }
  await writeFile(join(directory, 'tsconfig.json'), JSON.stringify(config))
})

afterEach(async () => {
  await rm(directory, { recursive: true, force: true })
})

interface Block {
  /** What stands behind `ts`: `runnable`, or the name of a file. */
  readonly name: string
  readonly code: string
}

/** Blocks of TypeScript in a page, in order. */
async function blocksOf(page: string): Promise<readonly Block[]> {
  const markdown = await readFile(page, 'utf8')
  const found = markdown.matchAll(/^```ts(?: (\S+))?\n(.*?)^```$/gms)
  return [...found].map(([, name = '', code = '']) => ({ name, code }))
}

/** What the comments behind `console.log` promise. */
function promised(code: string): string {
  const lines = code.matchAll(/^\s*console\.log\(.*\) \/\/ (.+)$/gm)
  return [...lines].map(([, line]) => `${line}\n`).join('')
}

function start(args: readonly string[]) {
  const env = { ...process.env, NOISECAP_REGISTRY: join(process.cwd(), directory, 'registry') }
  return spawn(process.execPath, args, { cwd: directory, env, stdio: ['ignore', 'pipe', 'pipe'] })
}

/** Run to the end; what it printed. */
async function run(args: readonly string[]): Promise<string> {
  const child = start(args)
  const ended = once(child, 'exit')
  const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), ended])
  expect({ code, output, errors }).toMatchObject({ code: 0, errors: '' })
  return output
}

const checkTypes = () => run([join(process.cwd(), 'node_modules/typescript/bin/tsc'), '-p', '.'])

test.each([
  ['README.md', 4],
  ['docs/sessions.md', 7],
  ['docs/rpc.md', 8],
  ['docs/interceptors.md', 3],
  ['docs/batches.md', 3],
  ['docs/streams.md', 6],
  ['docs/ownership.md', 6],
  ['docs/testing.md', 4],
  ['docs/mailbox.md', 4],
])(
  'the blocks of %s (%i) are one program that compiles and prints what its comments say',
  async (page, count) => {
    const blocks = await blocksOf(page)
    expect(blocks.map(({ name }) => name)).toEqual(Array(count).fill('runnable'))
    const code = blocks.map((block) => block.code).join('\n')
    await writeFile(join(directory, 'page.ts'), code)
    await checkTypes()
    expect(promised(code)).not.toBe('')
    expect(await run(['--import', 'tsx', 'page.ts'])).toBe(promised(code))
  },
  240_000,
)

test('the files of docs/getting-started.md compile, and do in their order what the page says', async () => {
  const blocks = await blocksOf('docs/getting-started.md')
  expect(blocks.map(({ name }) => name)).toEqual(['notes.ts', 'service.ts', 'client.ts', 'share.ts'])
  for (const { name, code } of blocks) await writeFile(join(directory, name), code)
  await checkTypes()
  const codeOf = (name: string) => blocks.find((block) => block.name === name)?.code ?? ''

  const service = start(['--import', 'tsx', 'service.ts'])
  const ended = once(service, 'exit')
  try {
    const [line] = await once(createInterface({ input: service.stdout }), 'line')
    expect(`${line}\n`).toBe(promised(codeOf('service.ts')))
    for (const name of ['client.ts', 'share.ts']) {
      expect(await run(['--import', 'tsx', name])).toBe(promised(codeOf(name)))
    }
  } finally {
    service.kill('SIGTERM')
    expect(await ended).toEqual([0, null])
  }
}, 300_000)
