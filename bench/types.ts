// What an interface costs a user's type checker: TypeScript over a project that declares, serves and calls one of 50 methods
// (zod inputs and outputs, 10 of them streams, 5 with references), less the same program written with functions: the same
// schemas, imports, handlers and calls, typed by z.input and z.output, so that zod's own types are in both.
// Beside it an empty file, and one with nothing but the imports. `npm run bench:types`; reads dist, so it needs a build
// before it. Leaves out editors, which check one file at a time.
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

const shape = (index: number) => `z.object({ id: z.string(), size${index}: z.number(), at: z.date() })`
const made = (index: number) => `{ id: 'x', size${index}: 1, at: new Date() }`

/** The program without noisecap: what an interface would be is an object of pairs of schemas. */
function withFunctions(): string {
  return `${IMPORTS}
export interface Item { read(): Promise<string>; next(): Promise<Item> }
export const big = {
${numbered(METHODS, (i) => `  method${i}: [${shape(i)}, ${shape(i + 1)}],`)}
${numbered(STREAMS, (i) => `  stream${i}: [${shape(i)}, ${shape(i + 1)}],`)}
${numbered(REFERENCES, (i) => `  open${i}: [${shape(i)}],`)}
} as const
type Big = typeof big
export const serve = (item: Item) => ({
${numbered(METHODS, (i) => `  method${i}: ({ id, size${i}, at }: z.output<Big['method${i}'][0]>): z.input<Big['method${i}'][1]> => ({ id, size${i + 1}: size${i}, at }),`)}
${numbered(STREAMS, (i) => `  async *stream${i}({ id, size${i}, at }: z.output<Big['stream${i}'][0]>): AsyncIterable<z.input<Big['stream${i}'][1]>> { yield { id, size${i + 1}: size${i}, at } },`)}
${numbered(REFERENCES, (i) => `  open${i}: (_: z.output<Big['open${i}'][0]>): Item => item,`)}
})
export interface Client {
${numbered(METHODS, (i) => `  method${i}(input: z.input<Big['method${i}'][0]>): Promise<z.output<Big['method${i}'][1]>>`)}
${numbered(STREAMS, (i) => `  stream${i}(input: z.input<Big['stream${i}'][0]>): AsyncIterable<z.output<Big['stream${i}'][1]>>`)}
${numbered(REFERENCES, (i) => `  open${i}(input: z.input<Big['open${i}'][0]>): Promise<Item>`)}
}
export async function use(big: Client): Promise<void> {
${numbered(METHODS, (i) => `  ;(await big.method${i}(${made(i)})).size${i + 1}.toFixed()`)}
${numbered(STREAMS, (i) => `  for await (const item of big.stream${i}(${made(i)})) item.size${i + 1}.toFixed()`)}
${numbered(REFERENCES, (i) => `  ;(await (await (await big.open${i}(${made(i)})).next()).read()).length.toFixed()`)}
}
`
}

function withInterface(): string {
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
const projects = {
  'empty file': createProject('empty', 'export {}'),
  'imports alone': createProject('imports', IMPORTS),
  'with functions': createProject('functions', withFunctions()),
  'with an interface': createProject('interface', withInterface()),
}
const runs = new Map<string, Figures[]>(Object.keys(projects).map((name) => [name, []]))
for (let round = 0; round < ROUNDS; round += 1) {
  for (const [name, project] of Object.entries(projects)) runs.get(name)?.push(check(project))
}
for (const figure of ['checkSeconds', 'totalSeconds', 'instantiations'] as const) {
  const of = (name: keyof typeof projects): number => median((runs.get(name) ?? []).map((run) => run[figure]))
  const all = Object.keys(projects).map((name) => `${name} ${of(name as keyof typeof projects)}`) // its own keys
  const own = Number((of('with an interface') - of('with functions')).toFixed(3))
  console.log(
    `${figure}: ${all.join(', ')}; an interface of ${METHODS + STREAMS + REFERENCES} methods ${own}`,
  )
}
console.log(`medians of ${ROUNDS} alternating rounds; TypeScript ${version}, Node ${process.version}`)
