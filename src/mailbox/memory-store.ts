// An OrderedStore in memory, for tests and for what may be lost with the process. Leaves out durability.
import type { OrderedStore, OrderedTransaction, OrderedView } from './ordered-store.js'
import { SortedEntries } from './sorted-entries.js'

/** Entries in memory. */
export class MemoryOrderedStore implements OrderedStore {
  readonly #entries = new SortedEntries()

  async write<T>(work: (tx: OrderedTransaction) => T): Promise<T> {
    return work(this.#entries)
  }

  read<T>(work: (view: OrderedView) => T): T {
    return work(this.#entries)
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
