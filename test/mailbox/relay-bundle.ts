// The relay of examples/mailbox as one file of JavaScript: it starts in a fraction of the time that compiling its sources takes, and
// tests start it hundreds of times. Leaves out packages, which it finds in node_modules.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'

const ROOT = join(import.meta.dirname, '../..')

/** A file that Node runs as the relay; disposed of, it is gone. */
export async function bundleRelay(): Promise<{ readonly program: string } & Disposable> {
  // Within the repository, or its packages would not be found.
  const cache = join(ROOT, 'node_modules/.cache')
  mkdirSync(cache, { recursive: true })
  const directory = mkdtempSync(join(cache, 'noisecap-relay-'))
  const program = join(directory, 'relay.mjs')
  await build({
    absWorkingDir: ROOT,
    entryPoints: ['examples/mailbox/relay.ts'],
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    packages: 'external',
    outfile: program,
    logLevel: 'error',
  })
  return { program, [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }) }
}
