// Where sealed or opened bytes go: standard output, or a file that appears under its name only when all of it is there. Until then
// it lies beside it under a temporary name, which is removed when something fails.
// Leaves out what the bytes are.
import { randomBytes } from 'node:crypto'
import type { Stats } from 'node:fs'
import { type FileHandle, link, lstat, open, realpath, rename, stat, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Context } from './input.js'
import { UsageError } from './usage-error.js'

/** Takes bytes in order. */
export interface Sink {
  /** @returns when `parts` may be overwritten. */
  write(parts: readonly Uint8Array[]): Promise<void>
}

/** An output that is kept or not. */
export interface SealOutput extends Sink, AsyncDisposable {
  /** Its name, for people; undefined for standard output. */
  readonly path: string | undefined
  /** All of it is there. Without this, disposal leaves nothing behind. */
  commit(): Promise<void>
}

/** How an output is made. */
export interface OutputOptions {
  /** Overwrite what is there. */
  readonly force: boolean
  /** Permission bits of a new file, before the umask. */
  readonly mode: number
}

/** Standard output; refused at a terminal, which would take the bytes for commands.
 * @param text - whether the bytes may be text, which a terminal shows. */
export function standardOutput({ io }: Context, text: boolean): SealOutput {
  if (io.toTerminal && !text) {
    throw new UsageError(
      'Cannot write to the terminal: sealed bytes are not text',
      'Name a file with --output, or pipe the output on',
    )
  }
  return {
    path: undefined,
    async write(parts) {
      try {
        for (const part of parts) await io.writeBytes(part)
      } catch (error) {
        if (errorCode(error) !== 'EPIPE') throw error
        throw new Error('Cannot write to standard output: whoever read it has gone')
      }
    },
    async commit() {},
    async [Symbol.asyncDispose]() {},
  }
}

/** A file of that name.
 * @throws UsageError where it exists, unless forced, where it is a directory, or where its directory is not there. */
export async function outputFile(path: string, options: OutputOptions): Promise<SealOutput> {
  const there = await statOf(path)
  if (there?.isDirectory()) throw new UsageError(`Cannot write ${path}: it is a directory`)
  if (there !== undefined && !options.force) throw exists(path)
  // A device or a pipe is written, not replaced.
  if (there !== undefined && !there.isFile())
    return new DirectOutput(path, await opened(path, path, 'w', options.mode))
  const target = there !== undefined && (await lstat(path)).isSymbolicLink() ? await realpath(path) : path
  const temporary = join(dirname(target), `.${basename(target)}.${randomBytes(8).toString('hex')}.tmp`)
  const file = await opened(temporary, path, 'wx', options.mode)
  return new TemporaryOutput(path, target, temporary, file, there?.mode, options.force)
}

/** Write all of `parts` at the end of the file, whose name is `path`. */
export async function writeAll(file: FileHandle, path: string, parts: readonly Uint8Array[]): Promise<void> {
  let rest = parts.filter(({ length }) => length > 0)
  while (rest.length > 0) {
    let { bytesWritten } = await file.writev(rest).catch((error: unknown) => {
      throw new Error(`Cannot write ${path}: ${reasonOf(error)}`, { cause: error })
    })
    while (rest.length > 0 && bytesWritten >= rest[0]!.length) {
      bytesWritten -= rest[0]!.length
      rest = rest.slice(1)
    }
    if (bytesWritten > 0) rest = [rest[0]!.subarray(bytesWritten), ...rest.slice(1)]
  }
}

class DirectOutput implements SealOutput {
  readonly path: string
  readonly #file: FileHandle

  constructor(path: string, file: FileHandle) {
    this.path = path
    this.#file = file
  }

  write(parts: readonly Uint8Array[]): Promise<void> {
    return writeAll(this.#file, this.path, parts)
  }

  async commit(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close()
  }
}

class TemporaryOutput implements SealOutput {
  readonly path: string
  readonly #target: string
  readonly #temporary: string
  readonly #file: FileHandle
  /** Of the file that is replaced. */
  readonly #mode: number | undefined
  readonly #force: boolean
  #open = true
  #there = true

  constructor(
    path: string,
    target: string,
    temporary: string,
    file: FileHandle,
    mode: number | undefined,
    force: boolean,
  ) {
    this.path = path
    this.#target = target
    this.#temporary = temporary
    this.#file = file
    this.#mode = mode
    this.#force = force
  }

  write(parts: readonly Uint8Array[]): Promise<void> {
    return writeAll(this.#file, this.path, parts)
  }

  async commit(): Promise<void> {
    if (this.#mode !== undefined) {
      await this.#file.chmod(this.#mode & 0o777)
      // What is replaced must not be lost to a power failure before this is on disk.
      await this.#file.sync()
    }
    await this.#close()
    if (this.#force) {
      await rename(this.#temporary, this.#target)
      this.#there = false
      return
    }
    try {
      await link(this.#temporary, this.#target) // fails where somebody was faster
    } catch (error) {
      throw errorCode(error) === 'EEXIST' ? exists(this.path) : error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close()
    if (this.#there) await unlink(this.#temporary).catch(() => undefined)
  }

  async #close(): Promise<void> {
    if (!this.#open) return
    this.#open = false
    await this.#file.close()
  }
}

async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path)
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined
    throw fileError('write', path, error)
  }
}

/** @param name - that the user gave it. */
async function opened(path: string, name: string, flags: string, mode: number): Promise<FileHandle> {
  try {
    return await open(path, flags, mode)
  } catch (error) {
    throw fileError('write', name, error)
  }
}

function exists(path: string): UsageError {
  return new UsageError(
    `Cannot write ${path}: it exists`,
    'Name another file with --output, or overwrite it with --force',
  )
}

/** What the system says about a file. */
export function fileError(action: string, path: string, error: unknown): UsageError {
  return new UsageError(`Cannot ${action} ${path}: ${reasonOf(error)}`)
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  EISDIR: 'it is a directory',
  EACCES: 'permission denied',
  ENOSPC: 'no space is left there',
  EDQUOT: 'your quota there is used up',
}

function reasonOf(error: unknown): string {
  const code = errorCode(error) ?? 'failed'
  return REASONS[code] ?? code
}

function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined
}
