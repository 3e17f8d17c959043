// An OrderedStore in memory, for tests and for what may be lost with the process. Keys are kept in a sorted list, so it is not
// meant for more than some ten thousand entries. Leaves out durability.
import type { Entry, OrderedStore, OrderedTransaction, OrderedView } from './ordered-store.js'

/** Entries in memory. */
export class MemoryOrderedStore implements OrderedStore {
  readonly #keys: string[] = []
  readonly #values = new Map<string, Uint8Array>()
  readonly #tx: OrderedTransaction = {
    get: (key) => this.#values.get(nameOf(key)),
    range: (start, end) => this.#range(nameOf(start), nameOf(end)),
    put: (key, value) => this.#put(nameOf(key), value.slice()),
    remove: (key) => this.#remove(nameOf(key)),
  }

  async write<T>(work: (tx: OrderedTransaction) => T): Promise<T> {
    return work(this.#tx)
  }

  read<T>(work: (view: OrderedView) => T): T {
    return work(this.#tx)
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  *#range(start: string, end: string): Iterable<Entry> {
    for (let i = this.#indexOf(start); i < this.#keys.length; i++) {
      const name = this.#keys[i]!
      if (name >= end) return
      yield { key: keyOf(name), value: this.#values.get(name)! }
    }
  }

  #put(name: string, value: Uint8Array): void {
    if (!this.#values.has(name)) this.#keys.splice(this.#indexOf(name), 0, name)
    this.#values.set(name, value)
  }

  #remove(name: string): void {
    if (this.#values.delete(name)) this.#keys.splice(this.#indexOf(name), 1)
  }

  /** Of the first key that is not before `name`. */
  #indexOf(name: string): number {
    let low = 0
    let high = this.#keys.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#keys[middle]! < name) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** One character a byte, so that strings compare as the bytes do. */
function nameOf(key: Uint8Array): string {
  return String.fromCharCode(...key)
}

function keyOf(name: string): Uint8Array {
  return Uint8Array.from(name, (character) => character.charCodeAt(0))
}
