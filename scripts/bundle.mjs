// Bundles a page of this repository for browsers, from the sources as they are: what package.json says under `browser` and
// `imports` is said here for files that are not built yet. Leaves out the package as it is published
// (scripts/package-folder.mjs), which needs none of this.
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const source = (path) => fileURLToPath(new URL(`../src/${path}`, import.meta.url))

/** What a browser's bundler finds under each name, by its file in src/. */
const BROWSER_ALIASES = {
  '#native': source('crypto/no-native-providers.ts'),
  '#noble-every': source('crypto/noble-libraries-every.ts'),
  '#noble': source('crypto/noble-libraries.ts'),
  'noisecap/browser': source('browser/index.ts'),
  'noisecap/noise': source('noise/index.ts'),
  'noisecap/capability': source('capability/index.ts'),
  'noisecap/seal': source('seal/index.ts'),
  'noisecap/mailbox/browser': source('mailbox/browser.ts'),
  'noisecap/testing': source('testing/index.ts'),
  noisecap: source('browser-index.ts'),
}

/** One script of everything that `entry` needs.
 * @param entry - path of a module.
 * @param development - whether libraries come with their checks for developers; default false.
 * @returns its code, an ES module. */
export async function bundleForBrowser(entry, { development = false } = {}) {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser', // in which an import of node:* fails
    target: 'es2022',
    jsx: 'automatic',
    alias: BROWSER_ALIASES,
    define: { 'process.env.NODE_ENV': development ? '"development"' : '"production"' },
    logLevel: 'error',
  })
  return outputFiles[0].text
}
