// The file registry, the directory that needs no server: one sealed record per announcing process, found by all processes
// of the machine that may read it (spec/resolve.md §6). Records run out unless their process refreshes them.
// A damaged file stops the search and is never touched: a person should see it. Node only; leaves out when records are
// refreshed (announcement.ts).
import { constants, type Stats } from 'node:fs'
import { type FileHandle, link, lstat, mkdir, open, readdir, rename, stat, unlink } from 'node:fs/promises'
import { homedir } from 'node:os'
import { isAbsolute, join, resolve as resolvePath } from 'node:path'
import { writeFileAtomic } from '../atomic-file.js'
import { base32Encode } from '../bytes.js'
import { keyHashText } from '../capability/index.js'
import { type PublicKey, primitives } from '../crypto/index.js'
import { NoisecapError } from '../errors.js'
import { LOCATION_RECORD_MAX_BYTES, REGISTRY_EXPIRY_SECONDS, REGISTRY_RECORDS_MAX } from '../limits.js'
import { FreshAnnouncement } from './announcement.js'
import {
  type AnnouncedLocation,
  judgeRecord,
  type LocationRecord,
  openRecord,
  RECORD_SALT_BYTES,
  sealRecord,
} from './record.js'
import type { Announcement, Announcer, Location, ResolveContext, Resolver } from './resolver.js'

const SUFFIX = '.location'
const TEMPORARY_SUFFIX = '.tmp'
const DIRECTORY_MODE = 0o700
/** A record is sealed; the mode of the directory says who may see that it is there. */
const RECORD_MODE = 0o644
const INSTANCE_BYTES = 10
/** A temporary file of this age belongs to a process that died while writing it. */
const TEMPORARY_LIFE_MS = 3_600_000
/** Not through a link, and without waiting where the name is a pipe; both are 0 where a system lacks them. */
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

/** How a {@link FileRegistry} works. */
export interface FileRegistryOptions {
  /** Where the records lie; {@link defaultRegistryDirectory} unless given. */
  readonly directory?: string
  /** Life of an announcement that is not refreshed, seconds; it is refreshed at a third of it. */
  readonly expirySeconds?: number
  /** Told when a refresh fails; the next one is tried all the same. */
  readonly onRefreshError?: (error: unknown) => void
  /** Unix ms. */
  readonly now?: () => number
}

/** NOISECAP_REGISTRY, else `noisecap/registry` in XDG_STATE_HOME or in `~/.local/state`. */
export function defaultRegistryDirectory(
  env: Readonly<Record<string, string | undefined>> = process.env,
): string {
  const { NOISECAP_REGISTRY: own, XDG_STATE_HOME: state } = env
  if (own !== undefined && own !== '') return resolvePath(own)
  // The XDG specification has relative paths ignored.
  const base = state !== undefined && isAbsolute(state) ? state : join(homedir(), '.local', 'state')
  return join(base, 'noisecap', 'registry')
}

/** A directory of location records on this machine. */
export class FileRegistry implements Resolver, Announcer {
  readonly name: string
  readonly directory: string
  readonly #expirySeconds: number
  readonly #onRefreshError: (error: unknown) => void
  readonly #now: () => number

  constructor(options: FileRegistryOptions = {}) {
    this.directory =
      options.directory === undefined ? defaultRegistryDirectory() : resolvePath(options.directory)
    this.name = `file registry ${this.directory}`
    this.#expirySeconds = options.expirySeconds ?? REGISTRY_EXPIRY_SECONDS
    this.#onRefreshError = options.onRefreshError ?? (() => {})
    this.#now = options.now ?? Date.now
  }

  /** All locations that processes of the service announce at present.
   * @throws `resolve/registry` naming the file when one is damaged, a link, or not readable. */
  async resolve(keyHash: string, { publicKey, signal }: ResolveContext): Promise<readonly Location[]> {
    if (keyHash !== keyHashText(publicKey))
      throw new TypeError('Cannot resolve: the key hash is not that of the public key')
    await checkRegistry(this.directory)
    const now = this.#now()
    const locations: Location[] = []
    let ahead: string | undefined
    for (const { path, record } of await readRecords(join(this.directory, keyHash), publicKey, signal)) {
      const state = judgeRecord(record, now)
      if (state === 'current') locations.push(...record.locations)
      if (state === 'ahead') ahead = path
    }
    if (locations.length === 0 && ahead !== undefined) {
      throw registryError(
        ahead,
        'a record of the present, got one of the future',
        'Set the clock of this machine, or restart the service',
      )
    }
    return locations
  }

  /** Announce `locations` for the life of this process or until withdrawn; the timer does not keep the process alive.
   * @throws RangeError when they cannot stand in a record; `resolve/registry` when they cannot be written. */
  async announce(publicKey: PublicKey, locations: readonly AnnouncedLocation[]): Promise<Announcement> {
    const directory = join(this.directory, keyHashText(publicKey))
    const instance = base32Encode(primitives().randomBytes(INSTANCE_BYTES))
    const path = join(directory, `${instance}${SUFFIX}`)
    const write = async (current: readonly AnnouncedLocation[]): Promise<void> => {
      const sequence = this.#now()
      const expires = Math.floor(sequence / 1_000) + this.#expirySeconds
      const salt = primitives().randomBytes(RECORD_SALT_BYTES)
      const bytes = sealRecord(publicKey, { sequence, expires, locations: current }, salt)
      await this.#writeRecord(directory, path, bytes)
      await sweep(directory, publicKey, this.#now())
    }
    // A damaged record of this service stops it here, where its operator looks, and not only its clients.
    await checkRegistry(this.directory)
    await readRecords(directory, publicKey)
    const remove = () => unlinkIfThere(path)
    const refreshMs = (this.#expirySeconds * 1_000) / 3
    return FreshAnnouncement.start({
      locations,
      write,
      remove,
      refreshMs,
      onRefreshError: this.#onRefreshError,
    })
  }

  async #writeRecord(directory: string, path: string, bytes: Uint8Array): Promise<void> {
    try {
      await mkdir(directory, { recursive: true, mode: DIRECTORY_MODE })
      await checkRegistry(this.directory)
      await checkServiceDirectory(directory)
      await writeFileAtomic(path, bytes, { mode: RECORD_MODE })
    } catch (error) {
      throw asRegistryError(error, path)
    }
  }
}

/** Everybody's word would count in a directory that everybody may write. */
async function checkRegistry(directory: string): Promise<void> {
  let found: Stats
  try {
    found = await stat(directory)
  } catch (error) {
    if (isCode(error, 'ENOENT')) return
    throw asRegistryError(error, directory)
  }
  if (!found.isDirectory())
    throw registryError(directory, 'a directory', 'Move it away, or set NOISECAP_REGISTRY')
  if (process.platform !== 'win32' && (found.mode & 0o002) !== 0) {
    throw registryError(directory, 'a directory that not everybody may write', `Run chmod o-w ${directory}`)
  }
}

async function checkServiceDirectory(directory: string): Promise<void> {
  if (!(await lstat(directory)).isDirectory()) {
    throw registryError(
      directory,
      'a directory, not a link or a file',
      'Remove it if you did not put it there',
    )
  }
}

interface FoundRecord {
  readonly path: string
  readonly record: LocationRecord
}

async function readRecords(
  directory: string,
  publicKey: PublicKey,
  signal?: AbortSignal,
): Promise<FoundRecord[]> {
  const records: FoundRecord[] = []
  for (const name of (await listDirectory(directory)).filter((entry) => entry.endsWith(SUFFIX))) {
    signal?.throwIfAborted()
    if (records.length === REGISTRY_RECORDS_MAX) {
      throw registryError(
        directory,
        `at most ${REGISTRY_RECORDS_MAX} records`,
        'Remove those of processes that are gone',
      )
    }
    const path = join(directory, name)
    const record = await readRecord(path, publicKey)
    if (record !== undefined) records.push({ path, record })
  }
  return records
}

async function listDirectory(directory: string): Promise<string[]> {
  try {
    await checkServiceDirectory(directory)
    return await readdir(directory)
  } catch (error) {
    if (isCode(error, 'ENOENT')) return []
    throw asRegistryError(error, directory)
  }
}

/** The record at `path`, undefined when its process has just withdrawn it. */
async function readRecord(path: string, publicKey: PublicKey): Promise<LocationRecord | undefined> {
  let file: FileHandle
  try {
    file = await open(path, OPEN_FLAGS)
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined
    throw isCode(error, 'ELOOP') ? notRegular(path) : asRegistryError(error, path)
  }
  try {
    if (!(await file.stat()).isFile()) throw notRegular(path)
    const buffer = new Uint8Array(LOCATION_RECORD_MAX_BYTES + 1)
    const { bytesRead } = await file.read(buffer, 0, buffer.length, 0)
    return openRecord(publicKey, buffer.subarray(0, bytesRead))
  } catch (error) {
    throw asRegistryError(error, path)
  } finally {
    await file.close()
  }
}

/** Remove what dead processes of the service left: records that ran out, and temporary files nobody finished.
 * Best effort, for what cannot be removed does no harm; whatever does not open as a record stays for a person to see. */
async function sweep(directory: string, publicKey: PublicKey, now: number): Promise<void> {
  for (const name of await readdir(directory).catch(() => [])) {
    const path = join(directory, name)
    try {
      if (name.endsWith(SUFFIX) && (await isExpired(path, publicKey, now)))
        await sweepRecord(path, publicKey, now)
      else if (name.endsWith(TEMPORARY_SUFFIX)) await sweepTemporary(path)
    } catch {
      // The next sweep meets it again.
    }
  }
}

async function isExpired(path: string, publicKey: PublicKey, now: number): Promise<boolean> {
  const record = await readRecord(path, publicKey)
  return record !== undefined && judgeRecord(record, now) === 'expired'
}

/** Its process may be alive after all (a machine that slept) and refresh it at this moment: so the file is moved aside
 * first, looked at again, and put back if it is fresh and no fresher one has taken its place. */
async function sweepRecord(path: string, publicKey: PublicKey, now: number): Promise<void> {
  const aside = `${path}.${base32Encode(primitives().randomBytes(INSTANCE_BYTES))}${TEMPORARY_SUFFIX}`
  await rename(path, aside)
  try {
    if (!(await isExpired(aside, publicKey, now))) await link(aside, path)
  } finally {
    await unlink(aside)
  }
}

async function sweepTemporary(path: string): Promise<void> {
  const { mtimeMs } = await lstat(path)
  if (Date.now() - mtimeMs > TEMPORARY_LIFE_MS) await unlinkIfThere(path)
}

async function unlinkIfThere(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw asRegistryError(error, path)
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

function notRegular(path: string): NoisecapError<'resolve/registry'> {
  return registryError(path, 'a regular file', 'Remove it if you did not put it there')
}

/** What a person can do about `error`, which met at `path`. A caller's mistake stays what it is. */
function asRegistryError(error: unknown, path: string): unknown {
  if (error instanceof NoisecapError) {
    if (error.code !== 'resolve/malformed') return error
    const hint =
      'Look at the file, then remove it; a running service writes a new one when it announces itself again'
    return registryError(path, 'a location record of this service', hint)
  }
  if (!(error instanceof Error && 'code' in error)) return error
  const hint = 'Check that this user may use the directory, or set NOISECAP_REGISTRY to one for both sides'
  return new NoisecapError('resolve/registry', `Cannot use location registry: ${error.message}`, {
    cause: error,
    hint,
  })
}

function registryError(path: string, expected: string, hint: string): NoisecapError<'resolve/registry'> {
  return new NoisecapError(
    'resolve/registry',
    `Cannot use location registry: expected ${expected} at ${path}`,
    { hint },
  )
}
