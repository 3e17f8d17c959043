// A real browser for tests, benchmarks and the demo's own check: Debian's `chromium`, driven by playwright-core, which brings
// no browser of its own. `node scripts/chromium.mjs --install` installs it where that can be done (root, apt-get) and fails
// with the reason where not. Leaves out any other browser.
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import { installPackage } from './real-server.mjs'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome']

/** Path of the browser: that of NOISECAP_CHROMIUM, or of the one on PATH; undefined where there is none. */
export function findChromium() {
  const named = process.env.NOISECAP_CHROMIUM
  if (named !== undefined && named !== '') return named
  const folders = (process.env.PATH ?? '').split(delimiter)
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => existsSync(path))
}

/** Install it from the Debian archive, and nothing else.
 * @throws with the reason when that cannot be done. */
export function installChromium() {
  return installPackage('chromium', findChromium, 'program of that name on PATH', 'ignore')
}

/** Start it without a window. Root has to do without Chromium's sandbox: only pages of our own are opened.
 * @returns playwright's Browser. */
export async function startChromium() {
  const executablePath = findChromium()
  if (executablePath === undefined) {
    throw new Error('chromium is missing: run node scripts/chromium.mjs --install')
  }
  const args = ['--disable-dev-shm-usage', '--force-color-profile=srgb']
  return await chromium.launch({
    executablePath,
    headless: true,
    args,
    chromiumSandbox: process.getuid?.() !== 0,
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    console.log(`chromium: ${installChromium()}`)
  } catch (error) {
    console.error(`CHROMIUM: ${error.message}`)
    process.exitCode = 1
  }
}
