// A disk of some megabytes, where this user may mount one: for tests of what happens when it is full.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A small disk; `using` takes it away. */
export interface SmallDisk extends Disposable {
  readonly path: string
}

/** @returns undefined where it cannot be mounted, after saying so. */
export function mountSmallDisk(megabytes: number): SmallDisk | undefined {
  const path = mkdtempSync(join(tmpdir(), 'noisecap-disk-'))
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', path])
  const remove = () => rmSync(path, { recursive: true, force: true })
  if (status !== 0) {
    remove()
    return undefined
  }
  return {
    path,
    [Symbol.dispose]() {
      spawnSync('umount', ['-l', path])
      remove()
    },
  }
}

/** Whether that can be done; says loudly when not. */
export function canMount(): boolean {
  const disk = process.getuid?.() === 0 ? mountSmallDisk(1) : undefined
  if (disk === undefined)
    console.error('\n*** SKIPPED: full disks. Only root can mount a small one, and not everywhere\n')
  disk?.[Symbol.dispose]()
  return disk !== undefined
}
