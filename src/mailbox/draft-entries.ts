// Changes to sorted entries that are not made yet: what a transaction sees while the entries still are as before. They are made
// once they are committed, so what was not committed is never read. Leaves out committing (indexed-db-store.ts).
import { EMPTY } from '../bytes.js'
import type { Entry, OrderedTransaction } from './ordered-store.js'
import { SortedEntries } from './sorted-entries.js'

/** What becomes of one key. */
export interface Change {
  readonly key: Uint8Array
  /** Undefined: the entry is removed. */
  readonly value: Uint8Array | undefined
  /** Whether the value is kept apart: in ranges its entry is empty. */
  readonly apart: boolean
}

/** A draft over entries, which do not change while there is one. */
export class DraftEntries implements OrderedTransaction {
  readonly #base: SortedEntries
  readonly #put = new SortedEntries()
  readonly #removed = new SortedEntries()
  readonly #apart = new SortedEntries()

  constructor(base: SortedEntries) {
    this.#base = base
  }

  get(key: Uint8Array): Uint8Array | undefined {
    const put = this.#put.get(key)
    if (put !== undefined || this.#removed.get(key) !== undefined) return put
    return this.#base.get(key)
  }

  *range(start: Uint8Array, end: Uint8Array): Iterable<Entry> {
    const put = this.#put.range(start, end)[Symbol.iterator]()
    let next = put.next()
    for (const entry of this.#base.range(start, end)) {
      while (!next.done && compareBytes(next.value.key, entry.key) < 0) {
        yield next.value
        next = put.next()
      }
      const changed = this.#put.get(entry.key) !== undefined || this.#removed.get(entry.key) !== undefined
      if (!changed) yield entry
    }
    for (; !next.done; next = put.next()) yield next.value
  }

  put(key: Uint8Array, value: Uint8Array): void {
    this.#removed.remove(key)
    this.#apart.remove(key)
    this.#put.put(key, value)
  }

  /** Put an entry whose value is not held in memory. */
  putApart(key: Uint8Array, value: Uint8Array): void {
    this.put(key, EMPTY)
    this.#apart.put(key, value)
  }

  remove(key: Uint8Array): void {
    this.#put.remove(key)
    this.#apart.remove(key)
    this.#removed.put(key, EMPTY)
  }

  /** What was changed, each key once. */
  get changes(): readonly Change[] {
    const put = [...this.#put.all()].map(({ key, value }) => {
      const apart = this.#apart.get(key)
      return { key, value: apart ?? value, apart: apart !== undefined }
    })
    const removed = [...this.#removed.all()].map(({ key }) => ({ key, value: undefined, apart: false }))
    return [...put, ...removed]
  }
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!
  return a.length - b.length
}
