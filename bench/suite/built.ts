// The built package for what a loader of TypeScript would spoil: memory, the start of a process, and messages at a relay. It gives
// every closure a name, which costs 256 bytes and some time each. Leaves out bare calls: they are as fast either way.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** With it `noisecap` is what package.json says, not what tsconfig.json does. */
export const BUILT: Readonly<Record<string, string>> = {
  TSX_TSCONFIG_PATH: fileURLToPath(new URL('built.tsconfig.json', import.meta.url)),
}

let isBuilt = false

/** Build the package, once a run. */
export function buildPackage(): void {
  if (isBuilt) return
  const { status } = spawnSync('npm', ['run', 'build', '--silent'], {
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: true,
  })
  if (status !== 0) throw new Error('Cannot measure the built package: it could not be built')
  isBuilt = true
}
