// An OrderedStore in IndexedDB, for pages: entries are in memory too, since reading is not to wait, and long values only in the
// database. Each commit is one durable transaction, which the browser runs alone among all tabs; it begins by taking in what
// other tabs committed, of which there is a list by number. Leaves out what is typed of IndexedDB (../indexed-db.ts).
import { EMPTY } from '../bytes.js'
import { NoisecapError } from '../errors.js'
import { answered, committed, type Database, DURABLE, openDatabase, type Transaction } from '../indexed-db.js'
import { type Change, DraftEntries } from './draft-entries.js'
import { groupWork } from './group-work.js'
import type { ApartEntries, OrderedStore, OrderedTransaction, OrderedView } from './ordered-store.js'
import { SortedEntries } from './sorted-entries.js'

/** Works that one commit takes at most, so that those who wait are told in time. */
const COMMIT_MAX_WORKS = 512
/** Commits of which is known what they changed; who is further behind reads everything. */
const COMMITS_LISTED = 256
const QUOTA_EXCEEDED = 'QuotaExceededError'
const ENTRIES = 'entries'
const APART = 'apart'
/** By number of the commit: the keys that it changed. */
const COMMITS = 'commits'
const STORES = [ENTRIES, APART, COMMITS]

/** What is used of a BroadcastChannel, by which tabs hear of each other. */
interface Channel {
  onmessage: (() => void) | null
  postMessage(message: unknown): void
  close(): void
}
interface Locks {
  request(name: string, options: { readonly signal: AbortSignal }, work: () => Promise<void>): Promise<void>
}
/** What browsers have; the library is compiled without their declarations. Locks: in secure contexts alone. */
interface Host {
  readonly BroadcastChannel: new (name: string) => Channel
  readonly navigator?: { readonly locks?: Locks }
}
const host = globalThis as unknown as Host

/** Something to do within a transaction. */
interface Waiting {
  /** Whether it may change something. */
  readonly writes: boolean
  readonly run: (draft: DraftEntries) => void
  readonly done: () => void
  readonly failed: (error: unknown) => void
}

/** Entries in a database of this origin. */
export class IndexedDbOrderedStore implements OrderedStore {
  readonly #database: Database
  readonly #entries = new SortedEntries()
  readonly #channel: Channel
  readonly #foreign = new Set<() => void>()
  /** Number of the last commit that is in memory; undefined when that is not known. */
  #commit: number | undefined
  #pending: Waiting[] = []
  #working: Promise<void> | undefined
  #closed = false
  readonly apart: ApartEntries
  /** Absent in pages that are no secure context: there tabs may send the same message, which is taken once all the same. */
  readonly inTurn?: (name: string, signal: AbortSignal, work: () => Promise<void>) => Promise<void>

  private constructor(name: string, database: Database) {
    this.#database = database
    this.#channel = new host.BroadcastChannel(`noisecap ${name}`)
    this.#channel.onmessage = () => void this.catchUp().catch(() => {}) // whoever uses the store next is told
    this.apart = {
      put: (key, value) => this.#within(true, (draft) => draft.putApart(key, value)),
      get: (key) => this.#readApart(key),
    }
    const locks = host.navigator?.locks
    if (locks !== undefined)
      this.inTurn = (turn, signal, work) => locks.request(`noisecap ${name} ${turn}`, { signal }, work)
  }

  /** Open a database, made if it is not there; several tabs may.
   * @param name - of the database in this origin.
   * @throws `mailbox/store` where the browser keeps nothing. */
  static async open(name = 'noisecap-mailbox'): Promise<IndexedDbOrderedStore> {
    const database = await openDatabase(name, STORES).catch((error: unknown) => {
      throw storeError('open', error)
    })
    const store = new IndexedDbOrderedStore(name, database)
    await store.catchUp()
    return store
  }

  write<T>(work: (tx: OrderedTransaction) => T): Promise<T> {
    return this.#within(true, work)
  }

  read<T>(work: (view: OrderedView) => T): T {
    return work(this.#entries)
  }

  catchUp(): Promise<void> {
    return this.#within(false, () => {})
  }

  onForeignChange(heard: () => void): () => void {
    this.#foreign.add(heard)
    return () => this.#foreign.delete(heard)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#working
    this.#channel.close()
    this.#database.close()
  }

  #within<T>(writes: boolean, work: (draft: DraftEntries) => T): Promise<T> {
    if (this.#closed) return Promise.reject(storeError('use', new TypeError('the store is closed')))
    return groupWork(work as (tx: OrderedTransaction) => T, (waiting) => {
      this.#pending.push({ ...waiting, writes, run: (draft) => waiting.run(draft) })
      this.#working ??= this.#workAll()
    })
  }

  /** One transaction after the other, until nothing waits. */
  async #workAll(): Promise<void> {
    await Promise.resolve() // so that all of one turn are in the first
    while (this.#pending.length > 0) {
      const batch = this.#pending.splice(0, COMMIT_MAX_WORKS)
      const before = this.#commit
      try {
        const { took } = await this.#transact(batch)
        for (const { done } of batch) done()
        if (took !== before) for (const heard of this.#foreign) heard()
      } catch (error) {
        this.#commit = undefined
        const failure = storeError('use', error)
        for (const { failed } of batch) failed(failure)
      }
    }
    this.#working = undefined
  }

  /** @returns number of the last commit of others that was taken in. */
  async #transact(batch: readonly Waiting[], again = false): Promise<{ readonly took: number }> {
    const writes = batch.some((each) => each.writes)
    const transaction = this.#database.transaction(
      STORES,
      writes ? 'readwrite' : 'readonly',
      writes ? DURABLE : {},
    )
    const end = committed(transaction)
    end.catch(() => {}) // awaited below, unless something failed before
    const last = await this.#takeIn(transaction)
    const draft = new DraftEntries(this.#entries)
    for (const { run } of batch) run(draft)
    const { changes } = draft
    for (const change of changes) keep(transaction, change)
    if (changes.length > 0) {
      const commits = transaction.objectStore(COMMITS)
      const keys = changes.map(({ key }) => key)
      commits.put(keys, last + 1)
      commits.delete(last + 1 - COMMITS_LISTED)
    }
    try {
      await end
    } catch (error) {
      if (again || !(await this.#madeRoom(error, changes))) throw error
      return await this.#transact(batch, true)
    }
    if (changes.length === 0) return { took: last }
    for (const { key, value, apart } of changes) this.#set(key, apart ? EMPTY : value)
    this.#commit = last + 1
    this.#channel.postMessage(last + 1)
    return { took: last }
  }

  /** A browser that is full takes nothing, and each commit is put into the list: what is removed has to leave room for that first.
   * @returns whether there was something to remove. */
  async #madeRoom(error: unknown, changes: readonly Change[]): Promise<boolean> {
    const removed = changes.filter(({ value }) => value === undefined)
    if ((error as { readonly name?: unknown }).name !== QUOTA_EXCEEDED || removed.length === 0) return false
    const transaction = this.#database.transaction(APART, 'readwrite', DURABLE)
    for (const { key } of removed) transaction.objectStore(APART).delete(key)
    await committed(transaction)
    return true
  }

  /** Take in what other tabs committed.
   * @returns number of the last commit. */
  async #takeIn(transaction: Transaction): Promise<number> {
    const commits = transaction.objectStore(COMMITS)
    const numbers = (await answered(commits.getAllKeys())).map(Number)
    const last = numbers.at(-1) ?? 0
    const known = this.#commit
    if (known === last) return last
    const missed = known === undefined ? -1 : numbers.indexOf(known + 1)
    if (missed < 0) await this.#readAll(transaction)
    else {
      const lists = await Promise.all(numbers.slice(missed).map((number) => answered(commits.get(number))))
      const keys = (lists as Uint8Array[][]).flat() // as they were put
      const values = await Promise.all(keys.map((key) => answered(transaction.objectStore(ENTRIES).get(key))))
      for (const [i, key] of keys.entries()) this.#set(key, values[i] as Uint8Array | undefined) // as it was put
    }
    this.#commit = last
    return last
  }

  async #readAll(transaction: Transaction): Promise<void> {
    const entries = transaction.objectStore(ENTRIES)
    const [keys, values] = await Promise.all([answered(entries.getAllKeys()), answered(entries.getAll())])
    this.#entries.clear()
    for (const [i, key] of keys.entries())
      this.#entries.put(new Uint8Array(key as ArrayBuffer), values[i] as Uint8Array) // keys come back so
  }

  #set(key: Uint8Array, value: Uint8Array | undefined): void {
    if (value === undefined) this.#entries.remove(key)
    else this.#entries.put(key, value)
  }

  async #readApart(key: Uint8Array): Promise<Uint8Array | undefined> {
    try {
      const transaction = this.#database.transaction(APART, 'readonly')
      return (await answered(transaction.objectStore(APART).get(key))) as Uint8Array | undefined // as it was put
    } catch (error) {
      throw storeError('read', error)
    }
  }
}

/** Within a transaction: what becomes of one entry. */
function keep(transaction: Transaction, { key, value, apart }: Change): void {
  const entries = transaction.objectStore(ENTRIES)
  if (value === undefined) {
    entries.delete(key)
    transaction.objectStore(APART).delete(key)
  } else if (apart) {
    entries.put(EMPTY, key)
    transaction.objectStore(APART).put(value, key)
  } else entries.put(value, key)
}

function storeError(action: string, cause: unknown): NoisecapError {
  return new NoisecapError('mailbox/store', `Cannot ${action} the mailbox of this browser`, {
    cause,
    hint: 'A private window or a full disk may be why',
  })
}
