// Entries whose keys are in no order, such as ids: putting each where it belongs would write a page of the file for each. So those of
// one commit lie side by side in one record; in memory they lie over the others. When there are many, all go to their places in
// order, some with each commit. Leaves out when a commit is (lmdb-store.ts) and what it changes (commit-draft.ts).
import { replay } from './commit-record.js'
import { keyOfName } from './key-name.js'
import { type LateEntries, LateView } from './late-entries.js'
import type { OrderedTransaction, OrderedView } from './ordered-store.js'

/** Under this key stands how many commits there were, and the first of them whose record is kept. */
const COMMITS_KEY = new Uint8Array(1)
const NUMBER_BYTES = 8
/** Keys of records begin with it, and have a number behind it; what is kept under others is longer, or begins otherwise. */
const RECORD_PREFIX = [0, 0x72] as const
/** For each entry that comes, how many go to their places when they do: more, so that the records end. */
const PLACED_EACH = 4

/** How much may be late. */
export interface LateLimits {
  /** Records that are kept; beyond that entries go to their places. */
  readonly recordBytes: number
  /** Entries that do so with one commit at least. */
  readonly placed: number
}
const LIMITS: LateLimits = { recordBytes: 1_048_576, placed: 256 }

/** Commits of a store. */
export interface Commits {
  /** How many there were, which is the number of the last. */
  readonly count: number
  /** The first whose record is kept. */
  readonly first: number
}

/** The late entries of one store, as far as this process knows them. */
export class LateChanges {
  /** First byte of the keys whose entries are late. */
  readonly kind: number | undefined
  readonly #placed: OrderedTransaction
  readonly #limits: LateLimits
  #late: LateEntries = new Map()
  /** Those that are going to their places; all of them are older. */
  #leaving: LateEntries = new Map()
  /** The names of these that are not there yet, in descending order. */
  #names: string[] = []
  /** The last commit of which some are. */
  #through = 0
  /** Bytes of the records, by commit. */
  readonly #records = new Map<number, number>()
  #recordBytes = 0
  #count = 0
  #first = 0

  /** @param kind - undefined: no entries are late.
   * @param placed - entries at their places; in a transaction, its own. */
  constructor(kind: number | undefined, placed: OrderedTransaction, limits: LateLimits = LIMITS) {
    this.kind = kind
    this.#limits = limits
    this.#placed = placed
  }

  /** The last commit that is known. */
  get count(): number {
    return this.#count
  }

  /** All entries.
   * @param changes - of a commit on its way. */
  view(...changes: readonly LateEntries[]): OrderedView {
    return new LateView(this.kind, [...changes, this.#late, this.#leaving], this.#placed)
  }

  /** Whether there is something late under this name. */
  has(name: string): boolean {
    return this.#late.has(name) || this.#leaving.has(name)
  }

  /** Take in what has been committed since.
   * @param commits - what the files say. */
  catchUp({ count, first }: Commits): void {
    if (count === this.#count) return
    // Somebody else has put entries at their places; or fewer than there were: these are other files.
    if (first !== this.#first || count < this.#count) this.forget()
    this.#first = first
    const next = Math.max(first, this.#count + 1)
    for (const { key, value } of this.#placed.range(recordKey(next), recordKey(count + 1))) {
      if (this.kind === undefined)
        throw new TypeError(
          'Cannot read entries: some are late, and of which kind was not said; open mailbox files by openLmdbMailboxStore',
        )
      replay(value, this.#late)
      this.#keep(commitOf(key), value.length)
    }
    this.#count = count
  }

  /** In a transaction, after {@link catchUp}: write the next commit.
   * @param changes - what it says of late entries.
   * @param record - the same as bytes.
   * @returns call it once it is committed. */
  write(changes: LateEntries, record: Uint8Array): () => void {
    const commit = this.#count + 1
    const { names, ended } = this.#place(changes)
    const first = ended ? this.#through + 1 : this.#first
    if (record.length > 0) this.#placed.put(recordKey(commit), record)
    this.#placed.put(COMMITS_KEY, encodeCommits({ count: commit, first }))
    return () => {
      // It may have been read from the files meanwhile, and others after it.
      if (this.#count >= commit) return
      for (const [name, value] of changes) this.#late.set(name, value)
      if (record.length > 0) this.#keep(commit, record.length)
      this.#count = commit
      this.#first = first
      this.#names = names
      if (ended) this.#haveLeft()
    }
  }

  /** Know nothing: begin anew with the next {@link catchUp}. */
  forget(): void {
    this.#late = new Map()
    this.#leaving = new Map()
    this.#names = []
    this.#records.clear()
    this.#recordBytes = 0
    this.#count = 0
    this.#first = 0
  }

  /** Put some entries at their places, if it is time.
   * @returns which are left, and whether the last was put, once this is committed. */
  #place(changes: LateEntries): { readonly names: string[]; readonly ended: boolean } {
    if (this.#leaving.size === 0) {
      if (this.#recordBytes <= this.#limits.recordBytes) return { names: [], ended: false }
      this.#leaving = this.#late
      this.#late = new Map()
      this.#names = [...this.#leaving.keys()].sort().reverse()
      this.#through = this.#count
    }
    const left = Math.max(0, this.#names.length - Math.max(this.#limits.placed, PLACED_EACH * changes.size))
    for (let i = this.#names.length - 1; i >= left; i--) {
      const name = this.#names[i]! // as the loop says
      const value = this.#leaving.get(name)
      // Whatever came later has its own record.
      if (value !== undefined && !changes.has(name) && !this.#late.has(name))
        this.#placed.put(keyOfName(name), keyOfName(value))
    }
    if (left === 0) this.#removeRecords()
    return { names: this.#names.slice(0, left), ended: left === 0 }
  }

  #removeRecords(): void {
    for (const commit of this.#records.keys())
      if (commit <= this.#through) this.#placed.remove(recordKey(commit))
  }

  #haveLeft(): void {
    this.#leaving = new Map()
    for (const [commit, bytes] of this.#records) {
      if (commit > this.#through) continue
      this.#records.delete(commit)
      this.#recordBytes -= bytes
    }
  }

  #keep(commit: number, bytes: number): void {
    this.#records.set(commit, bytes)
    this.#recordBytes += bytes
  }
}

/** How many commits the files have seen. */
export function commitsOf(placed: OrderedView): Commits {
  const bytes = placed.get(COMMITS_KEY)
  if (bytes === undefined) return { count: 0, first: 1 }
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const count = view.getFloat64(0)
  // Shorter in files from before there were records.
  return { count, first: bytes.length > NUMBER_BYTES ? view.getFloat64(NUMBER_BYTES) : count + 1 }
}

function encodeCommits({ count, first }: Commits): Uint8Array {
  const bytes = new Uint8Array(2 * NUMBER_BYTES)
  const view = new DataView(bytes.buffer)
  view.setFloat64(0, count)
  view.setFloat64(NUMBER_BYTES, first)
  return bytes
}

function recordKey(commit: number): Uint8Array {
  const key = new Uint8Array(RECORD_PREFIX.length + NUMBER_BYTES)
  key.set(RECORD_PREFIX)
  new DataView(key.buffer).setBigUint64(RECORD_PREFIX.length, BigInt(commit))
  return key
}

function commitOf(key: Uint8Array): number {
  return Number(new DataView(key.buffer, key.byteOffset).getBigUint64(RECORD_PREFIX.length))
}
