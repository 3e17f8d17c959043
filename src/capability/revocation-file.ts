// A revocation set in a file that several processes append to and re-read when it changes; spec/capability.md §8.
// Durable before `revoke` resolves. A file that cannot be trusted revokes everything, and is never written to again.
// Node only, local file systems (appends must be atomic). Leaves out the text (revocation-log.ts, revocation-tail.ts).
import { type FSWatcher, watch } from 'node:fs'
import { constants, type FileHandle, open, stat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { writeFileAtomic } from '../atomic-file.js'
import { utf8 } from '../bytes.js'
import { NoisecapError } from '../errors.js'
import { REVOCATION_POLL_MS } from '../limits.js'
import {
  containsAny,
  type RevocationId,
  type RevocationListener,
  RevocationListeners,
  type RevocationSet,
  revocationIdText,
} from './revocation.js'
import { encodeRecord, LOG_HEADER, TORN_MARK } from './revocation-log.js'
import { LogTail } from './revocation-tail.js'

/** How {@link RevocationFile.open} opens. */
export interface RevocationFileOptions {
  /** Create an empty file where there is none; default true. With false a lost file lets nobody in. */
  readonly create?: boolean
  /** Between two looks at the file, should the system not report a change, ms; default 2,000. */
  readonly pollMs?: number
}

const MODE = 0o600

/** Revoked ids in a file; `await using` closes it. While it cannot be trusted, and once closed, every id is revoked. */
export class RevocationFile implements RevocationSet, AsyncDisposable {
  readonly path: string
  #file: FileHandle
  readonly #tail = new LogTail()
  readonly #revoked = new Set<string>()
  /** In force here, not yet seen in the file. */
  readonly #pending = new Set<string>()
  readonly #listeners = new RevocationListeners()
  #failure: NoisecapError | undefined
  #closed = false
  #queue: Promise<void> = Promise.resolve()
  #refreshQueued = false
  #watcher: FSWatcher | undefined
  #timer: NodeJS.Timeout | undefined

  private constructor(path: string, file: FileHandle) {
    this.path = path
    this.#file = file
  }

  /** The set of a file.
   * @throws `capability/revocation_file` when the file is damaged, too large, or missing and not to be created. */
  static async open(path: string, options: RevocationFileOptions = {}): Promise<RevocationFile> {
    const { create = true, pollMs = REVOCATION_POLL_MS } = options
    const set = new RevocationFile(path, await (create ? openOrCreate(path) : openLog(path)))
    try {
      await set.#readAll()
    } catch (error) {
      await set.close()
      throw asFileError('read', path, error)
    }
    set.#watch(pollMs)
    return set
  }

  /** Why every id counts as revoked at the moment; undefined while all is well. */
  get failure(): NoisecapError | undefined {
    return this.#failure
  }

  /** Records that crashes cut off, the last line included; none of them was acknowledged. */
  get torn(): number {
    return this.#tail.torn
  }

  has(id: RevocationId): boolean {
    const text = revocationIdText(id)
    return this.#closed || this.#failure !== undefined || this.#revoked.has(text)
  }

  revokesAny(ids: readonly Uint8Array[]): boolean {
    const found = containsAny(this.#revoked, ids)
    return this.#closed || this.#failure !== undefined || found
  }

  /** Revoke a link and all below: in this process at once, on disk when it resolves, in other processes once they see it.
   * @throws `capability/revocation_file` when it could not be written; it then holds in this process only, and calling
   * again tries again. */
  revoke(id: RevocationId): Promise<void> {
    const text = revocationIdText(id)
    if (this.#closed) return Promise.reject(new TypeError('Cannot revoke: the revocation file is closed'))
    if (!this.#revoked.has(text)) {
      this.#revoked.add(text)
      this.#pending.add(text)
      this.#listeners.tell([text], this.#failure)
    }
    return this.#enqueue(() => this.#append(text))
  }

  onChange(listener: RevocationListener): () => void {
    return this.#listeners.add(listener)
  }

  /** Look at the file now; resolves when what it holds is in force. */
  reload(): Promise<void> {
    if (this.#closed) return Promise.reject(new TypeError('Cannot read: the revocation file is closed'))
    return this.#enqueue(() => this.#refresh())
  }

  /** Finish what was begun and let go of the file. */
  async close(): Promise<void> {
    this.#watcher?.close()
    clearInterval(this.#timer)
    if (!this.#closed) {
      this.#closed = true
      void this.#enqueue(() => this.#file.close())
    }
    await this.#queue
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** One thing at a time: appends and readings of this process never interleave. */
  #enqueue(task: () => Promise<void>): Promise<void> {
    const done = this.#queue.then(task)
    this.#queue = done.catch(() => undefined) // whoever asked hears of it; the next task runs all the same
    return done
  }

  async #append(id: string): Promise<void> {
    await this.#refresh()
    if (this.#failure !== undefined) throw this.#failure
    try {
      if (this.#pending.has(id)) await this.#write(id)
      // Also where the record is there already: another process may have written it and not yet be this far.
      await this.#file.sync()
    } catch (error) {
      throw asFileError('write', this.path, error)
    }
    await this.#refresh()
    if (this.#failure !== undefined) throw this.#failure
    if (this.#pending.has(id))
      throw asFileError('write', this.path, new Error('the record is not in the file'))
  }

  /** One write in append mode, so that records of several processes do not interleave. */
  async #write(id: string): Promise<void> {
    // What an earlier crash left is marked, so that its remainder is not taken for damage.
    const mark = this.#tail.unfinished ? `${TORN_MARK}\n` : ''
    const bytes = utf8(mark + encodeRecord(id, Math.floor(Date.now() / 1000)))
    const { bytesWritten } = await this.#file.write(bytes)
    if (bytesWritten !== bytes.length) throw new Error(`wrote ${bytesWritten} of ${bytes.length} bytes`)
  }

  /** Take in what changed; failures become the state of the set, never an exception. */
  async #refresh(): Promise<void> {
    try {
      switch (await this.#due()) {
        case 'nothing':
          return
        case 'appended':
          return this.#accept(await this.#tail.readAppended(this.#file))
        case 'all':
          return await this.#readAll()
      }
    } catch (error) {
      this.#fail(asFileError('read', this.path, error))
    }
  }

  async #due(): Promise<'nothing' | 'appended' | 'all'> {
    // By path and by handle: the path may lead to another file by now. Neither takes a new descriptor.
    const [named, opened] = await Promise.all([
      stat(this.path, { bigint: true }),
      this.#file.stat({ bigint: true }),
    ])
    if (named.ino === opened.ino && named.dev === opened.dev) {
      return this.#failure === undefined ? this.#tail.due(named) : 'all'
    }
    const replacement = await openLog(this.path)
    await this.#file.close()
    this.#file = replacement
    return 'all'
  }

  /** Read the whole file; what it held before must still be in it. */
  async #readAll(): Promise<void> {
    const ids = await this.#tail.readAll(this.#file)
    const present = new Set(ids)
    for (const id of this.#revoked) {
      if (!present.has(id) && !this.#pending.has(id))
        throw new Error('records are missing that were there before')
    }
    this.#accept(ids)
  }

  #accept(ids: readonly string[]): void {
    const added = ids.filter((id) => !this.#revoked.has(id))
    for (const id of added) this.#revoked.add(id)
    for (const id of ids) this.#pending.delete(id)
    const recovered = this.#failure !== undefined
    this.#failure = undefined
    if (added.length > 0 || recovered) this.#listeners.tell(added, undefined)
  }

  #fail(failure: NoisecapError): void {
    const before = this.#failure
    this.#failure = failure
    if (before === undefined) this.#listeners.tell([], failure)
  }

  #watch(pollMs: number): void {
    const look = () => {
      if (this.#refreshQueued || this.#closed) return
      this.#refreshQueued = true
      void this.#enqueue(() => {
        this.#refreshQueued = false
        return this.#refresh()
      })
    }
    this.#timer = setInterval(look, pollMs)
    this.#timer.unref()
    try {
      // The directory, since a watched file is lost when another takes its name.
      this.#watcher = watch(dirname(this.path), { persistent: false }, (_event, name) => {
        if (name === null || name === basename(this.path)) look()
      })
      this.#watcher.on('error', () => this.#watcher?.close())
    } catch {
      // No watches left on this system: the timer finds every change, a little later.
    }
  }
}

/** Creates only where nothing is: a directory that may only be read is no obstacle to a file that is there. */
async function openOrCreate(path: string): Promise<FileHandle> {
  try {
    return await openLog(path)
  } catch (error) {
    if (!(error instanceof NoisecapError) || systemCode(error.cause) !== 'ENOENT') throw error
  }
  try {
    await writeFileAtomic(path, utf8(LOG_HEADER), { mode: MODE, exclusive: true })
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw asFileError('write', path, error)
  }
  return openLog(path)
}

/** Open for appending and reading; reading only where this process may not write. Never creates. */
async function openLog(path: string): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDWR | constants.O_APPEND)
  } catch (error) {
    const code = systemCode(error)
    if (code !== 'EACCES' && code !== 'EPERM' && code !== 'EROFS') throw asFileError('read', path, error)
  }
  try {
    return await open(path, constants.O_RDONLY)
  } catch (error) {
    throw asFileError('read', path, error)
  }
}

function asFileError(action: 'read' | 'write', path: string, cause: unknown): NoisecapError {
  if (cause instanceof NoisecapError) return cause
  const why = cause instanceof Error ? (systemCode(cause) ?? cause.message) : 'failed'
  const hint = 'Everything counts as revoked until the file can be trusted; restore it, do not delete it'
  const message = `Cannot ${action} revocation file ${path}: ${why}`
  return new NoisecapError(
    'capability/revocation_file',
    message,
    action === 'read' ? { cause, hint } : { cause },
  )
}

function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined
}
