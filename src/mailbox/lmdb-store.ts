// An OrderedStore in LMDB files (the `lmdb` package, an optional peer): several processes, readers without locks. Changes of all
// who write meanwhile go into one commit, which is on disk before any of them is told (group commit). Node only.
// Leaves out entries that come to their places later (late-changes.ts).
import { mkdirSync } from 'node:fs'
import { type Database, open, type RootDatabase } from 'lmdb'
import { NoisecapError } from '../errors.js'
import { CommitDraft } from './commit-draft.js'
import { RecordWriter } from './commit-record.js'
import { type GroupWork, groupWork } from './group-work.js'
import { type Commits, commitsOf, LateChanges } from './late-changes.js'
import type { Entry, OrderedStore, OrderedTransaction, OrderedView } from './ordered-store.js'

/** Bytes and changes that one commit takes at most, so that those who wait are told in time. */
const COMMIT_MAX_WORKS = 512
const DIRECTORY_MODE = 0o700

/** Between two looks for commits of other processes, ms. */
const FOREIGN_POLL_MS = 100

/** Entries in LMDB. */
export class LmdbOrderedStore implements OrderedStore {
  readonly #db: RootDatabase<Uint8Array, Uint8Array>
  /** Entries at their places, in a transaction or out of one. */
  readonly #placed: OrderedTransaction
  readonly #known: LateChanges
  readonly #record = new RecordWriter()
  #pending: GroupWork[] = []
  #committing: Promise<void> | undefined
  #closed = false
  /** The number of commits up to which this process has told its listeners; undefined when it does not know. */
  #told: number | undefined
  readonly #foreign = new Set<() => void>()
  #polling: ReturnType<typeof setInterval> | undefined

  /** Open, or make, the directory `path`, mode 0700.
   * @param unorderedKind - first byte of keys that come in no order; the same whoever opens these files.
   * @throws `mailbox/store`. */
  constructor(path: string, unorderedKind?: number) {
    try {
      mkdirSync(path, { recursive: true, mode: DIRECTORY_MODE })
      this.#db = open<Uint8Array, Uint8Array>({
        path: `${path}/data.mdb`,
        keyEncoding: 'binary',
        encoding: 'binary',
        // A commit has been flushed when it is reported.
        overlappingSync: false,
        // One batch is made here already; waiting for others would only delay it.
        commitDelay: 0,
        eventTurnBatching: false,
      })
    } catch (error) {
      throw storeError('open', error)
    }
    const db = this.#db
    this.#placed = {
      get: (key) => copyOf(db.getBinaryFast(key)),
      range: (start, end) => entriesOf(db, start, end),
      put: (key, value) => void db.putSync(key, value),
      remove: (key) => void db.removeSync(key),
    }
    this.#known = new LateChanges(unorderedKind, this.#placed)
  }

  write<T>(work: (tx: OrderedTransaction) => T): Promise<T> {
    if (this.#closed) return Promise.reject(storeError('write', new TypeError('the store is closed')))
    return groupWork(work, (waiting) => {
      this.#pending.push(waiting)
      this.#committing ??= this.#commitAll()
    })
  }

  read<T>(work: (view: OrderedView) => T): T {
    this.#known.catchUp(this.#commitsNow())
    return work(this.#known.view())
  }

  onForeignChange(heard: () => void): () => void {
    this.#foreign.add(heard)
    this.#polling ??= setInterval(() => this.#look(), FOREIGN_POLL_MS).unref()
    return () => this.#foreign.delete(heard)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    clearInterval(this.#polling)
    await this.#committing
    await this.#db.close()
  }

  /** Commit what waits, and what comes meanwhile, until nothing waits. */
  async #commitAll(): Promise<void> {
    while (this.#pending.length > 0) {
      let batch: readonly GroupWork[] | undefined
      let committed: (() => void) | undefined
      const take = (): readonly GroupWork[] => this.#pending.splice(0, COMMIT_MAX_WORKS)
      try {
        await this.#db.transaction(() => {
          const before = commitsOf(this.#placed)
          this.#known.catchUp(before)
          // Only now: what has come while this waited for the lock of the files goes with it.
          batch = take()
          const draft = new CommitDraft(this.#known, this.#placed, this.#record)
          for (const { run } of batch) run(draft)
          committed = draft.write()
          // Somebody else's in between are told at the next look.
          this.#told = before.count === this.#told ? before.count + 1 : undefined
        })
        this.#db.resetReadTxn()
        committed?.()
        for (const { done } of batch ?? []) done()
      } catch (error) {
        this.#told = undefined
        this.#known.forget()
        const cause = await reasonOf(error)
        for (const { failed } of batch ?? take()) failed(storeError('write', cause))
      }
    }
    this.#committing = undefined
  }

  /** Outside of transactions: what this process has seen in one is seen. */
  #commitsNow(): Commits {
    const commits = commitsOf(this.#placed)
    if (commits.count >= this.#known.count) return commits
    this.#db.resetReadTxn()
    return commitsOf(this.#placed)
  }

  #look(): void {
    this.#db.resetReadTxn()
    const { count } = commitsOf(this.#placed)
    // Less: a commit of this process is on its way.
    if (this.#told !== undefined && count <= this.#told) return
    this.#told = count
    for (const heard of this.#foreign) heard()
  }
}

/** @param lent - overwritten by the next that is read. Copied here, as the package does it with a subclass of arrays, which takes
 * longer than reading. */
function copyOf(lent: Uint8Array | undefined): Uint8Array | undefined {
  return lent && new Uint8Array(lent.buffer, lent.byteOffset, lent.length).slice()
}

function* entriesOf(
  db: Database<Uint8Array, Uint8Array>,
  start: Uint8Array,
  end: Uint8Array,
): Iterable<Entry> {
  for (const { key, value } of db.getRange({ start, end })) yield { key, value }
}

/** Why a commit failed: LMDB rejects with an error that holds a promise of the reason, which must be heard, or Node ends the
 * process for it. */
async function reasonOf(error: unknown): Promise<unknown> {
  const { commitError } = (error ?? {}) as { readonly commitError?: unknown } // whatever was thrown
  try {
    await commitError
  } catch (reason) {
    return reason
  }
  return error
}

function storeError(action: string, cause: unknown): NoisecapError {
  return new NoisecapError('mailbox/store', `Cannot ${action} LMDB files of the mailbox`, {
    cause,
    hint: 'Check that the disk has room and that this user may write there',
  })
}
