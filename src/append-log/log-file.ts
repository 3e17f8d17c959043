// An append-only log in a file that several processes append to and re-read when it changes; durable before `append`
// resolves. A file that cannot be trusted is told to its owner, and never written to again (spec/capability.md §8).
// Node only, local file systems (appends must be atomic). Leaves out the text (grammar.ts, tail.ts), opening (open-log.ts)
// and what records mean (the owner: src/capability/revocation-file.ts, src/session/contact-file.ts).
import { type FSWatcher, watch } from 'node:fs'
import { type FileHandle, stat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { utf8 } from '../bytes.js'
import type { NoisecapError } from '../errors.js'
import { TORN_MARK } from './grammar.js'
import { asFileError, checkMode, type LogFileKind, openLog, openOrCreate } from './open-log.js'
import { LogTail } from './tail.js'

export type { LogFileKind } from './open-log.js'

/** How a log is opened. */
export interface LogFileOptions {
  /** Create an empty file where there is none. */
  readonly create: boolean
  /** Between two looks at the file, should the system not report a change, ms. */
  readonly pollMs: number
}

/** What is done with the records. Both are called inside of the log's own work: they must not wait for it. */
export interface LogOwner {
  /** Take in records, in order. The file can be trusted, unless this throws.
   * @param isWhole - whether these are all; otherwise they follow those before. The last one may come twice. */
  taken(bodies: readonly string[], isWhole: boolean): void
  /** The file cannot be trusted from now on. */
  failed(failure: NoisecapError): void
}

/** What to append, decided when its turn has come and all that others wrote is known. */
export interface Appending {
  /** @returns records with their line ends; none where all is there already. */
  records(): string
  /** Whether what was to be recorded is in the file. */
  isThere(): boolean
}

/** An open log; its owner closes it. */
export class LogFile {
  readonly path: string
  readonly #kind: LogFileKind
  readonly #owner: LogOwner
  #file: FileHandle
  readonly #tail: LogTail
  #failure: NoisecapError | undefined
  #closed = false
  #queue: Promise<void> = Promise.resolve()
  #refreshQueued = false
  #watcher: FSWatcher | undefined
  #timer: NodeJS.Timeout | undefined

  private constructor(path: string, kind: LogFileKind, owner: LogOwner, file: FileHandle) {
    this.path = path
    this.#kind = kind
    this.#owner = owner
    this.#file = file
    this.#tail = new LogTail(kind.format, kind.maxBytes)
  }

  /** The log of a file; its records have been taken in when this resolves.
   * @throws NoisecapError of the kind's code when the file is damaged, too large, open to others, or missing and not to be created. */
  static async open(
    path: string,
    kind: LogFileKind,
    owner: LogOwner,
    { create, pollMs }: LogFileOptions,
  ): Promise<LogFile> {
    const log = new LogFile(
      path,
      kind,
      owner,
      await (create ? openOrCreate(path, kind) : openLog(path, kind)),
    )
    try {
      await log.#readAll()
    } catch (error) {
      await log.close()
      throw asFileError(kind, 'read', path, error)
    }
    log.#watch(pollMs)
    return log
  }

  /** Why the file cannot be trusted at the moment; undefined while all is well. */
  get failure(): NoisecapError | undefined {
    return this.#failure
  }

  /** Records that crashes cut off, the last line included; none of them was acknowledged. */
  get torn(): number {
    return this.#tail.torn
  }

  /** Bytes of the file when it was read last. */
  get size(): number {
    return this.#tail.size
  }

  /** Whether {@link close} was called. */
  get isClosed(): boolean {
    return this.#closed
  }

  /** Append records, and take them in; they are on disk when this resolves.
   * @throws NoisecapError when the file cannot be trusted, or not be written; TypeError once closed. */
  append(what: Appending): Promise<void> {
    if (this.#closed) return Promise.reject(new TypeError(`Cannot write: the ${this.#kind.noun} is closed`))
    return this.#enqueue(() => this.#append(what))
  }

  /** Look at the file now; resolves when what it holds was taken in, or the failure was told. */
  reload(): Promise<void> {
    if (this.#closed) return Promise.reject(new TypeError(`Cannot read: the ${this.#kind.noun} is closed`))
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

  /** One thing at a time: appends and readings of this process never interleave. */
  #enqueue(task: () => Promise<void>): Promise<void> {
    const done = this.#queue.then(task)
    this.#queue = done.catch(() => undefined) // whoever asked hears of it; the next task runs all the same
    return done
  }

  async #append(what: Appending): Promise<void> {
    await this.#refresh()
    if (this.#failure !== undefined) throw this.#failure
    const records = what.records()
    try {
      if (records !== '') await this.#write(records)
      // Also where the record is there already: another process may have written it and not yet be this far.
      await this.#file.sync()
    } catch (error) {
      throw asFileError(this.#kind, 'write', this.path, error)
    }
    await this.#refresh()
    if (this.#failure !== undefined) throw this.#failure
    if (!what.isThere())
      throw asFileError(this.#kind, 'write', this.path, new Error('the record is not in the file'))
  }

  /** One write in append mode, so that records of several processes do not interleave. */
  async #write(records: string): Promise<void> {
    // What an earlier crash left is marked, so that its remainder is not taken for damage.
    const mark = this.#tail.unfinished ? `${TORN_MARK}\n` : ''
    const bytes = utf8(mark + records)
    const { bytesWritten } = await this.#file.write(bytes)
    if (bytesWritten !== bytes.length) throw new Error(`wrote ${bytesWritten} of ${bytes.length} bytes`)
  }

  /** Take in what changed; failures become the state of the log, never an exception. */
  async #refresh(): Promise<void> {
    try {
      switch (await this.#due()) {
        case 'nothing':
          return
        case 'appended':
          this.#take(await this.#tail.readAppended(this.#file), false)
          return
        case 'all':
          return await this.#readAll()
      }
    } catch (error) {
      const before = this.#failure
      this.#failure = asFileError(this.#kind, 'read', this.path, error)
      if (before === undefined) this.#owner.failed(this.#failure)
    }
  }

  async #due(): Promise<'nothing' | 'appended' | 'all'> {
    // By path and by handle: the path may lead to another file by now. Neither takes a new descriptor.
    const [named, opened] = await Promise.all([
      stat(this.path, { bigint: true }),
      this.#file.stat({ bigint: true }),
    ])
    if (named.ino === opened.ino && named.dev === opened.dev) {
      checkMode(this.path, this.#kind, opened.mode)
      return this.#failure === undefined ? this.#tail.due(named) : 'all'
    }
    const replacement = await openLog(this.path, this.#kind)
    await this.#file.close()
    this.#file = replacement
    return 'all'
  }

  async #readAll(): Promise<void> {
    this.#take(await this.#tail.readAll(this.#file), true)
  }

  #take(bodies: readonly string[], isWhole: boolean): void {
    const before = this.#failure
    this.#failure = undefined
    try {
      this.#owner.taken(bodies, isWhole)
    } catch (error) {
      this.#failure = before
      throw error
    }
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
