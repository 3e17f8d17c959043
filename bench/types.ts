// What an interface costs a user's type checker: TypeScript over a project that declares, serves and calls one of 50 methods
// (zod inputs and outputs, 10 of them streams, 5 with references), less the same project with nothing but the imports.
// `npm run bench:types`; reads dist, so it needs a build before it. Leaves out editors, which check one file at a time.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { version } from 'typescript'

const ROUNDS = Number(process.argv[2] ?? 5)
const METHODS = 35
const STREAMS = 10
const REFERENCES = 5

const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')
const work = mkdtempSync(join(tmpdir(), 'noisecap-types-'))
process.on('exit', () => rmSync(work, { recursive: true, force: true }))

const IMPORTS = `import { type CallContext, type Handlers, iface, method, type Reference, stream } from 'noisecap'
import { z } from 'zod'
export type Imported = [CallContext, Handlers<{}, CallContext>, Reference<never>]
export const imported = [iface, method, stream, z]
`

function numbered(count: number, write: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => write(index)).join('\n')
}

function source(): string {
  const shape = (index: number) => `z.object({ id: z.string(), size${index}: z.number(), at: z.date() })`
  const made = (index: number) => `{ id: 'x', size${index}: 1, at: new Date() }`
  return `${IMPORTS}
export const Item = iface('Item', { read: method(z.void(), z.string()), get next() { return method(z.void(), Item) } })
export const Big = iface('Big', {
${numbered(METHODS, (i) => `  method${i}: method(${shape(i)}, ${shape(i + 1)}),`)}
${numbered(STREAMS, (i) => `  stream${i}: stream(${shape(i)}, ${shape(i + 1)}),`)}
${numbered(REFERENCES, (i) => `  open${i}: method(${shape(i)}, Item),`)}
})
export const serve = (item: Reference<typeof Item>): Handlers<(typeof Big)['declared'], CallContext> => ({
${numbered(METHODS, (i) => `  method${i}: ({ id, size${i}, at }) => ({ id, size${i + 1}: size${i}, at }),`)}
${numbered(STREAMS, (i) => `  async *stream${i}({ id, size${i}, at }) { yield { id, size${i + 1}: size${i}, at } },`)}
${numbered(REFERENCES, (i) => `  open${i}: () => item,`)}
})
export async function use(big: Reference<typeof Big>): Promise<void> {
${numbered(METHODS, (i) => `  ;(await big.method${i}(${made(i)})).size${i + 1}.toFixed()`)}
${numbered(STREAMS, (i) => `  for await (const item of big.stream${i}(${made(i)})) item.size${i + 1}.toFixed()`)}
${numbered(REFERENCES, (i) => `  ;(await big.open${i}(${made(i)}).next().read()).length.toFixed()`)}
}
`
}

interface Figures {
  readonly checkSeconds: number
  readonly totalSeconds: number
  readonly instantiations: number
}

/** What TypeScript says of one run. */
function check(project: string): Figures {
  const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', project, '--extendedDiagnostics'], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`Cannot measure: expected ${project} to compile, got\n${stdout}`)
  const figure = (name: string) => Number(new RegExp(`${name}:\\s+([\\d.]+)`).exec(stdout)?.[1])
  return {
    checkSeconds: figure('Check time'),
    totalSeconds: figure('Total time'),
    instantiations: figure('Instantiations'),
  }
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN
}

function createProject(name: string, text: string): string {
  writeFileSync(join(work, `${name}.ts`), text)
  const compilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: true,
    noEmit: true,
    target: 'es2022',
    lib: ['es2022'],
    types: ['node'],
    module: 'nodenext',
  }
  const path = join(work, `tsconfig.${name}.json`)
  writeFileSync(path, JSON.stringify({ compilerOptions, files: [`${name}.ts`] }))
  return path
}

/** The package under its name, beside what its users install. */
function linkPackages(): void {
  mkdirSync(join(work, 'node_modules'))
  symlinkSync(resolve('.'), join(work, 'node_modules/noisecap'))
  for (const name of ['zod', '@types'])
    symlinkSync(resolve('node_modules', name), join(work, 'node_modules', name))
  writeFileSync(join(work, 'package.json'), '{ "type": "module" }')
}

linkPackages()
const projects = { empty: createProject('empty', IMPORTS), whole: createProject('whole', source()) }
const empty: Figures[] = []
const whole: Figures[] = []
for (let round = 0; round < ROUNDS; round += 1) {
  empty.push(check(projects.empty))
  whole.push(check(projects.whole))
}
for (const name of ['checkSeconds', 'totalSeconds', 'instantiations'] as const) {
  const [least, most] = [empty, whole].map((runs) => median(runs.map((run) => run[name])))
  const difference = Number(((most ?? 0) - (least ?? 0)).toFixed(3))
  console.log(
    `${name}: empty ${least}, ${METHODS + STREAMS + REFERENCES} methods ${most}, difference ${difference}`,
  )
}
console.log(`medians of ${ROUNDS} alternating rounds; TypeScript ${version}, Node ${process.version}`)
