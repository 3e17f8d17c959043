// The package as it is published, bundled as applications bundle it, opened in a real browser under a strict policy.
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build as esbuild } from 'esbuild'
import { build as vite } from 'vite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { packageFolder } from '../../scripts/package-folder.mjs'
import { noChromium, openTab, type Site, startSite, toldBy } from './site.js'

const PROGRAM = `
import { Column, generateKeyPair, SealReader, SealWriter, text } from 'noisecap/seal'
const key = generateKeyPair()
const email = new Column({ table: 'users', column: 'email', codec: text })
const sealed = new SealWriter({ to: key.publicKey }).seal('ada@example.org', email.at(1))
globalThis.told = new SealReader({ keys: key, accept: [{ pattern: 'N' }] }).open(sealed, email.at(1)).value
`

let folder: string
let remove: () => void
beforeAll(async () => {
  ;({ folder, remove } = await packageFolder())
  await writeFile(join(folder, 'page.js'), PROGRAM)
})
afterAll(() => remove?.())

async function withEsbuild(): Promise<string> {
  const { outputFiles } = await esbuild({
    entryPoints: [join(folder, 'page.js')],
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    logLevel: 'error',
  })
  return outputFiles[0]!.text // one entry, one output
}

async function withVite(): Promise<string> {
  await vite({
    root: folder,
    configFile: false,
    logLevel: 'error',
    build: { rollupOptions: { input: join(folder, 'page.js') }, outDir: 'out', modulePreload: false },
  })
  const [name] = await readdir(join(folder, 'out/assets'))
  return await readFile(join(folder, 'out/assets', name!), 'utf8') // one entry, one asset
}

const BUNDLERS = { esbuild: withEsbuild, Vite: withVite } as const

describe.each(Object.entries(BUNDLERS))('bundled with %s', (name, bundle) => {
  let code: string
  beforeAll(async () => {
    code = await bundle()
  })

  test('no import is left, nothing of Node is asked for, no code is made of text', () => {
    // What was found, since a failure shows it: the code is long.
    expect(/(?:from|import)\s*\(?\s*["'`]/.exec(code)?.[0]).toBeUndefined()
    expect(/["'`]node:|createRequire|sodium-native|getBuiltinModule/.exec(code)?.[0]).toBeUndefined()
    expect(/\beval\s*\(|new Function/.exec(code)?.[0]).toBeUndefined()
  })

  test.skipIf(noChromium)('runs in Chromium under a strict policy', async () => {
    await using site: Site = await startSite()
    const tab = await openTab(site.browser, site.addScript(name, code))
    expect(await toldBy(tab)).toBe('ada@example.org')
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
