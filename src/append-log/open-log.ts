// Opening and creating the file of a log, and its errors. Node only.
// Leaves out reading and appending (log-file.ts).
import { constants, type FileHandle, open } from 'node:fs/promises'
import { writeFileAtomic } from '../atomic-file.js'
import { utf8 } from '../bytes.js'
import { type ErrorCode, NoisecapError } from '../errors.js'
import type { LogFormat } from './grammar.js'

/** A kind of file. */
export interface LogFileKind {
  readonly format: LogFormat
  /** A larger file is not trusted, bytes. */
  readonly maxBytes: number
  /** What errors call it. */
  readonly noun: string
  readonly code: ErrorCode
  /** What to do about a file that cannot be trusted. */
  readonly hint: string
  /** Whether a file that others may read is refused. */
  readonly isSecret: boolean
}

const MODE = 0o600
const OTHERS = 0o077

/** Creates only where nothing is: a directory that may only be read is no obstacle to a file that is there. */
export async function openOrCreate(path: string, kind: LogFileKind): Promise<FileHandle> {
  try {
    return await openLog(path, kind)
  } catch (error) {
    if (!(error instanceof NoisecapError) || systemCode(error.cause) !== 'ENOENT') throw error
  }
  try {
    await writeFileAtomic(path, utf8(kind.format.header), { mode: MODE, exclusive: true })
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw asFileError(kind, 'write', path, error)
  }
  return openLog(path, kind)
}

/** Open for appending and reading; reading only where this process may not write. Never creates. */
export async function openLog(path: string, kind: LogFileKind): Promise<FileHandle> {
  const file = await openAsAllowed(path, kind)
  try {
    // Of the open file, so that it cannot be swapped in between.
    checkMode(path, kind, (await file.stat({ bigint: true })).mode)
    return file
  } catch (error) {
    await file.close()
    throw asFileError(kind, 'read', path, error)
  }
}

async function openAsAllowed(path: string, kind: LogFileKind): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDWR | constants.O_APPEND)
  } catch (error) {
    const code = systemCode(error)
    if (code !== 'EACCES' && code !== 'EPERM' && code !== 'EROFS')
      throw asFileError(kind, 'read', path, error)
  }
  try {
    return await open(path, constants.O_RDONLY)
  } catch (error) {
    throw asFileError(kind, 'read', path, error)
  }
}

/** @throws NoisecapError when the file holds secrets and others may read it. */
export function checkMode(path: string, kind: LogFileKind, mode: bigint): void {
  if (!kind.isSecret || process.platform === 'win32' || (Number(mode) & OTHERS) === 0) return
  const octal = (Number(mode) & 0o777).toString(8)
  throw new NoisecapError(
    kind.code,
    `Cannot read ${kind.noun} ${path}: expected a file that only its owner may read, got mode 0${octal}`,
    { hint: `Run: chmod 600 '${path.replaceAll("'", "'\\''")}'` },
  )
}

/** Whatever went wrong, as an error of this kind of file. */
export function asFileError(
  { code, noun, hint }: LogFileKind,
  action: 'read' | 'write',
  path: string,
  cause: unknown,
): NoisecapError {
  if (cause instanceof NoisecapError) return cause
  const why = cause instanceof Error ? (systemCode(cause) ?? cause.message) : 'failed'
  const message = `Cannot ${action} ${noun} ${path}: ${why}`
  return new NoisecapError(code, message, action === 'read' ? { cause, hint } : { cause })
}

function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined
}
