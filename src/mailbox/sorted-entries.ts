// Entries in memory, sorted by the bytes of their keys: what a store in memory is made of, and one box of a store that keeps a
// log. The keys are one sorted list, so it is not meant for more than some hundred thousand. Leaves out durability.
import { keyOfName, nameOf } from './key-name.js'
import type { Entry, OrderedTransaction } from './ordered-store.js'

/** Sorted entries; a put keeps a copy, a get gives the copy itself. */
export class SortedEntries implements OrderedTransaction {
  readonly #keys: string[] = []
  readonly #values = new Map<string, Uint8Array>()

  get size(): number {
    return this.#keys.length
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#values.get(nameOf(key))
  }

  range(start: Uint8Array, end: Uint8Array): Iterable<Entry> {
    return this.#range(nameOf(start), nameOf(end))
  }

  /** Every entry, in order. */
  *all(): Iterable<Entry> {
    for (const name of this.#keys) yield { key: keyOfName(name), value: this.#values.get(name)! }
  }

  put(key: Uint8Array, value: Uint8Array): void {
    const name = nameOf(key)
    if (!this.#values.has(name)) this.#keys.splice(this.#indexOf(name), 0, name)
    this.#values.set(name, value.slice())
  }

  remove(key: Uint8Array): void {
    const name = nameOf(key)
    if (this.#values.delete(name)) this.#keys.splice(this.#indexOf(name), 1)
  }

  clear(): void {
    this.#keys.length = 0
    this.#values.clear()
  }

  *#range(start: string, end: string): Iterable<Entry> {
    for (let i = this.#indexOf(start); i < this.#keys.length; i++) {
      const name = this.#keys[i]!
      if (name >= end) return
      yield { key: keyOfName(name), value: this.#values.get(name)! }
    }
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
