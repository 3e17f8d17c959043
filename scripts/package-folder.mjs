// The package as it is published, in the node_modules of a folder: built by tsup.config.ts without declarations, found by a
// bundler through package.json as users' bundlers find it. For tests of bundlers and for sizes; its dependencies are those of
// this repository, so the folder lies inside it. Leaves out types (scripts/consumers.mjs).
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'tsup'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Build it.
 * @returns the folder, to write programs into that import `noisecap`, and what removes it. */
export async function packageFolder() {
  mkdirSync(join(root, '.tmp'), { recursive: true })
  const folder = mkdtempSync(join(root, '.tmp/package-'))
  const own = join(folder, 'node_modules/noisecap')
  const { default: configurations } = await import(new URL('../tsup.config.ts', import.meta.url).href)
  for (const { outDir = 'dist', ...configuration } of await configurations()) {
    const plain = { config: false, dts: false, sourcemap: false, silent: true, clean: false }
    await build({ ...configuration, ...plain, outDir: join(own, outDir) })
  }
  // The nearest ones count: those of this repository would lead bundlers to it.
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n')
  writeFileSync(join(folder, 'tsconfig.json'), '{}\n')
  cpSync(join(root, 'package.json'), join(own, 'package.json'))
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}
