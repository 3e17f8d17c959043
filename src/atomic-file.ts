// Writing a file so that a reader, or a crash at any moment, sees the old content or the new, never a mixture.
// Temporary file in the same directory, fsync, rename (or link, where nothing may be overwritten), fsync of the directory.
// Node only; shared by key files (spec/capability.md §9) and the location registry. Leaves out locking: the last writer wins.
import { randomBytes } from 'node:crypto'
import { type FileHandle, link, open, rename, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/** How {@link writeFileAtomic} writes. */
export interface AtomicWriteOptions {
  /** Permission bits of the new file, whatever the umask is. */
  readonly mode: number
  /** Refuse to replace an existing file: fails with the system's `EEXIST` and leaves it as it was. */
  readonly exclusive?: boolean
}

/** Write `bytes` to `path` in one step; resolves when they are on disk.
 * A symbolic link at `path` is replaced, not followed.
 * @throws the system's error (`EEXIST`, `ENOSPC`, `EACCES` …); `path` is then as it was and no temporary file is left. */
export async function writeFileAtomic(
  path: string,
  bytes: Uint8Array,
  options: AtomicWriteOptions,
): Promise<void> {
  const directory = dirname(path)
  const temporary = join(directory, `.${basename(path)}.${randomBytes(8).toString('hex')}.tmp`)
  try {
    await writeAndSync(temporary, bytes, options.mode)
    // link(2) fails where the name exists, rename(2) replaces it; either is one step for every observer.
    if (options.exclusive === true) await link(temporary, path)
    else await rename(temporary, path)
  } catch (error) {
    await unlinkIfThere(temporary)
    throw error
  }
  if (options.exclusive === true) await unlink(temporary)
  await syncDirectory(directory)
}

async function writeAndSync(path: string, bytes: Uint8Array, mode: number): Promise<void> {
  const file: FileHandle = await open(path, 'wx', mode)
  try {
    await file.chmod(mode) // the umask took bits away at open
    await file.writeFile(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Make a new name in `directory` survive a power failure. */
async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === 'win32') return // directories cannot be opened there
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function unlinkIfThere(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch {
    // The first error says what went wrong; the temporary file may never have come to be.
  }
}
