// The package as it is published, bundled as applications bundle it, opened in a real browser under a strict policy.
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build as esbuild } from 'esbuild'
import { build as vite } from 'vite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { packageFolder } from '../../scripts/package-folder.mjs'
import { linkTo } from '../../src/browser/index.js'
import { ServiceKey } from '../../src/index.js'
import { startService } from './live-service.js'
import { noChromium, openTab, type Site, startSite, toldBy } from './site.js'

const SEAL = `
import { Column, generateKeyPair, SealReader, SealWriter, text } from 'noisecap/seal'
const key = generateKeyPair()
const email = new Column({ table: 'users', column: 'email', codec: text })
const sealed = new SealWriter({ to: key.publicKey }).seal('ada@example.org', email.at(1))
globalThis.told = new SealReader({ keys: key, accept: [{ pattern: 'N' }] }).open(sealed, email.at(1)).value
`

const CONNECT = `
import { connect, iface, method, observe, stream } from 'noisecap'
import { BrowserStore, takeCapability } from 'noisecap/browser'
const Board = iface('Board', { add: method(), watch: stream(), whoami: method() })
const store = await BrowserStore.open('bundled')
await store.keep('board', takeCapability())
const board = await connect(await store.capability('board'), Board, { key: await store.keyPair('client') })
const added = await board.add('one')
observe(board, (signal) => board.watch(undefined, { signal })).subscribe(async ({ value }) => {
  if (value !== undefined) globalThis.told = { added, value, named: (await board.whoami()).length }
})
`

let folder: string
let remove: () => void
beforeAll(async () => {
  ;({ folder, remove } = await packageFolder())
  await writeFile(join(folder, 'seal.js'), SEAL)
  await writeFile(join(folder, 'connect.js'), CONNECT)
})
afterAll(() => remove?.())

async function withEsbuild(program: string): Promise<string> {
  const { outputFiles } = await esbuild({
    entryPoints: [join(folder, program)],
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    logLevel: 'error',
  })
  return outputFiles[0]!.text // one entry, one output
}

async function withVite(program: string): Promise<string> {
  const outDir = `out-${program}`
  await vite({
    root: folder,
    configFile: false,
    logLevel: 'error',
    build: { rollupOptions: { input: join(folder, program) }, outDir, modulePreload: false },
  })
  const names = await readdir(join(folder, outDir, 'assets'))
  expect(names).toHaveLength(1)
  return await readFile(join(folder, outDir, 'assets', names[0]!), 'utf8') // counted above
}

const BUNDLERS = [
  ['esbuild', withEsbuild],
  ['Vite', withVite],
] as const

describe.each(
  BUNDLERS.flatMap(([name, bundle]) => ['seal', 'connect'].map((program) => ({ name, bundle, program }))),
)('$program bundled with $name', ({ name, bundle, program }) => {
  let code: string
  beforeAll(async () => {
    code = await bundle(`${program}.js`)
  })

  test('no import is left, nothing of Node is asked for, no code is made of text', () => {
    // What was found, since a failure shows it: the code is long.
    expect(/(?:from|import)\s*\(?\s*["'`]/.exec(code)?.[0]).toBeUndefined()
    expect(
      /["'`]node:|createRequire|sodium-native|getBuiltinModule|__vite-browser-external/.exec(code)?.[0],
    ).toBeUndefined()
    expect(/\beval\s*\(|new Function/.exec(code)?.[0]).toBeUndefined()
  })

  test.skipIf(noChromium)('runs in Chromium under a strict policy', async () => {
    await using site: Site = await startSite()
    await using live = await startService(site.server, site.port, ServiceKey.generate(), [])
    const address = site.addScript(name, code)
    const tab = await openTab(site.browser, program === 'seal' ? address : linkTo(live.mint(), address))
    expect(await toldBy(tab)).toEqual(
      program === 'seal' ? 'ada@example.org' : { added: 1, value: ['one'], named: 64 },
    )
    expect(tab.complaints).toEqual([])
  })
})

test('the browser build holds no import of Node and makes no code of text', async () => {
  const build = join(folder, 'node_modules/noisecap/dist/browser')
  const files = (await readdir(build, { recursive: true })).filter((path) => path.endsWith('.js'))
  expect(files.length).toBeGreaterThan(50)
  for (const path of files) {
    const text = await readFile(join(build, path), 'utf8')
    expect(`${path}: ${/from "node:|import\("node:|\beval\(|new Function/.exec(text)?.[0]}`).toBe(
      `${path}: undefined`,
    )
  }
})
