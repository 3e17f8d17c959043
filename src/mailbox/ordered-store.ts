// OrderedStore: bytes under ordered keys with transactions, all that the embedded mailbox, the outbox and the seen-set need of a
// disk. Back ends: memory (memory-store.ts), LMDB (lmdb-store.ts) and IndexedDB (indexed-db-store.ts). Leaves out what the bytes mean (records.ts).

/** One entry. */
export interface Entry {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** What can be read. Arrays that are given out hold until the transaction ends, and must not be altered. */
export interface OrderedView {
  get(key: Uint8Array): Uint8Array | undefined
  /** Entries from `start` on and before `end`, in ascending order of their bytes. Nothing is written while it is iterated. */
  range(start: Uint8Array, end: Uint8Array): Iterable<Entry>
}

/** What can be changed. Arrays that are given in are borrowed until the call returns. */
export interface OrderedTransaction extends OrderedView {
  put(key: Uint8Array, value: Uint8Array): void
  remove(key: Uint8Array): void
}

/** Keeps entries. */
export interface OrderedStore extends AsyncDisposable {
  /** Run `work`, alone; many may share one commit. What it throws rejects; it must throw before its first change.
   * @returns once the changes are durable.
   * @throws `mailbox/store`: nothing was changed. */
  write<T>(work: (tx: OrderedTransaction) => T): Promise<T>
  /** Run `work` on what is committed. */
  read<T>(work: (view: OrderedView) => T): T
  /** Be told when somebody else may have changed something: another process on the same files. Absent where there is nobody.
   * @returns call it to hear no more. */
  onForeignChange?(heard: () => void): () => void
  /** Resolves once `read` sees what others had committed before the call. Absent where it always does.
   * @throws `mailbox/store`. */
  catchUp?(): Promise<void>
  /** Run `work` while nobody else runs work of this name on these entries. Absent where that cannot be had; nothing breaks
   * without.
   * @throws the reason of `signal`, if it is aborted before its turn. */
  inTurn?(name: string, signal: AbortSignal, work: () => Promise<void>): Promise<void>
  /** Long values that are not held in memory. Absent where no values are. */
  readonly apart?: ApartEntries | undefined
}

/** Entries whose values are kept apart: in ranges they are empty, and `remove` takes them away like others. */
export interface ApartEntries {
  /** @returns once it is durable.
   * @throws `mailbox/store`. */
  put(key: Uint8Array, value: Uint8Array): Promise<void>
  /** @throws `mailbox/store`. */
  get(key: Uint8Array): Promise<Uint8Array | undefined>
}

/** The first key after all that begin with `prefix`, which does not end in 0xff. */
export function endOf(prefix: Uint8Array): Uint8Array {
  const end = prefix.slice()
  for (let i = end.length - 1; i >= 0; i--) {
    end[i] = (end[i]! + 1) & 0xff
    if (end[i] !== 0) return end
  }
  return Uint8Array.of(0xff, ...prefix) // after every prefix that is used here
}
