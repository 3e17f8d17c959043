// What a transaction of files sees and changes: entries at their places at once, late ones in its record (late-changes.ts).
// Leaves out committing (lmdb-store.ts).
import type { RecordWriter } from './commit-record.js'
import { nameOf } from './key-name.js'
import type { LateChanges } from './late-changes.js'
import type { LateEntries } from './late-entries.js'
import type { Entry, OrderedTransaction, OrderedView } from './ordered-store.js'

/** One commit. */
export class CommitDraft implements OrderedTransaction {
  readonly #known: LateChanges
  readonly #placed: OrderedTransaction
  readonly #record: RecordWriter
  readonly #changes: LateEntries = new Map()
  readonly #view: OrderedView

  /** In a transaction, after `known` has caught up.
   * @param placed - entries at their places.
   * @param record - written anew. */
  constructor(known: LateChanges, placed: OrderedTransaction, record: RecordWriter) {
    this.#known = known
    this.#placed = placed
    this.#record = record
    this.#view = known.view(this.#changes)
    record.clear()
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#view.get(key)
  }

  range(start: Uint8Array, end: Uint8Array): Iterable<Entry> {
    return this.#view.range(start, end)
  }

  put(key: Uint8Array, value: Uint8Array): void {
    if (key[0] !== this.#known.kind) {
      this.#placed.put(key, value)
      return
    }
    this.#record.put(key, value)
    this.#changes.set(nameOf(key), nameOf(value))
  }

  remove(key: Uint8Array): void {
    if (key[0] === this.#known.kind) this.#drop(key)
    this.#placed.remove(key)
  }

  /** All changes have been made.
   * @returns call it once it is committed. */
  write(): () => void {
    return this.#known.write(this.#changes, this.#record.bytes)
  }

  #drop(key: Uint8Array): void {
    const name = nameOf(key)
    if (!this.#changes.has(name) && !this.#known.has(name)) return
    this.#record.drop(key)
    this.#changes.set(name, undefined)
  }
}
