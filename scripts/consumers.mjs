// Type-checks users' projects against the package as it would be published, on each major version of TypeScript that users
// have: strict, every declaration file looked at, under Node's types and under a browser's. Needs the registry: a version that
// cannot be installed fails the check.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const COMPILERS = ['5.9.3', '6.0.3', '7.0.2']
const { devDependencies } = JSON.parse(readFileSync('package.json', 'utf8'))
const strictest = {
  strict: true,
  skipLibCheck: false,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noPropertyAccessFromIndexSignature: true,
  verbatimModuleSyntax: true,
  isolatedModules: true,
  target: 'es2022',
  // What a shared module of interfaces exports must be nameable in declarations.
  declaration: true,
  outDir: 'out',
}
const PROJECTS = {
  node: { ...strictest, lib: ['es2022'], types: ['node'], module: 'nodenext', moduleResolution: 'nodenext' },
  browser: {
    ...strictest,
    lib: ['es2022', 'dom', 'dom.iterable', 'dom.asynciterable'],
    types: [],
    module: 'esnext',
    moduleResolution: 'bundler',
  },
}

const work = mkdtempSync(join(tmpdir(), 'noisecap-consumers-'))
process.on('exit', () => rmSync(work, { recursive: true, force: true }))
let failed = 0

/** Run a program; what it says is shown where it fails. */
function run(program, args, cwd) {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd, encoding: 'utf8' })
  if (status !== 0) console.log(`${stdout}${stderr}`.trim())
  return status === 0
}

function install(directory, packages) {
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'package.json'), '{ "private": true, "type": "module" }\n')
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--save-exact']
  return run('npm', ['install', ...flags, ...packages], directory)
}

function stop(message) {
  console.log(message)
  process.exit(1)
}

if (!run('npm', ['run', 'build', '--silent'], '.')) stop('Cannot check consumers: the build failed')
if (!run('npm', ['pack', '--ignore-scripts', '--pack-destination', work], '.'))
  stop('Cannot check consumers: npm pack failed')
const { name, version } = JSON.parse(readFileSync('package.json', 'utf8'))
const consumer = join(work, 'consumer')
const tarball = join(work, `${name}-${version}.tgz`)
const needed = ['zod', '@types/node'].map((library) => `${library}@${devDependencies[library]}`)
if (!install(consumer, [tarball, ...needed]))
  stop('Cannot check consumers: their packages cannot be installed')
cpSync(resolve('scripts/consumer'), consumer, { recursive: true })
for (const [project, compilerOptions] of Object.entries(PROJECTS)) {
  const config = { compilerOptions, files: ['shared.ts', `${project}.ts`] }
  writeFileSync(join(consumer, `tsconfig.${project}.json`), JSON.stringify(config))
}

for (const compiler of COMPILERS) {
  const directory = join(work, `typescript-${compiler}`)
  if (!install(directory, [`typescript@${compiler}`])) {
    console.log(`FAILED: typescript@${compiler} cannot be installed, so nothing is known of it`)
    failed += 1
    continue
  }
  const tsc = join(directory, 'node_modules/typescript/bin/tsc')
  for (const project of Object.keys(PROJECTS)) {
    const ok = run(process.execPath, [tsc, '-p', `tsconfig.${project}.json`], consumer)
    console.log(`${ok ? 'ok' : 'FAILED'}: ${project} project, TypeScript ${compiler}`)
    if (!ok) failed += 1
  }
}
process.exit(failed === 0 ? 0 : 1)
