// Entries that are committed and not yet at their places (late-changes.ts), seen together with those that are. Leaves out where they
// come from and when they go to their places.
import { keyOfName, nameOf } from './key-name.js'
import type { Entry, OrderedView } from './ordered-store.js'

/** Name of a key to the name of its value; undefined: what is at its place counts, whatever came earlier. Strings, as nothing else is
 * as small. */
export type LateEntries = Map<string, string | undefined>

/** Entries, late or not. */
export class LateView implements OrderedView {
  readonly #kind: number | undefined
  readonly #late: readonly LateEntries[]
  readonly #placed: OrderedView

  /** @param kind - first byte of the keys of late entries.
   * @param late - the newest first.
   * @param placed - those at their places. */
  constructor(kind: number | undefined, late: readonly LateEntries[], placed: OrderedView) {
    this.#kind = kind
    this.#late = late
    this.#placed = placed
  }

  get(key: Uint8Array): Uint8Array | undefined {
    if (key[0] === this.#kind) {
      const value = this.#valueOf(nameOf(key))
      if (value !== undefined) return keyOfName(value)
    }
    return this.#placed.get(key)
  }

  range(start: Uint8Array, end: Uint8Array): Iterable<Entry> {
    const mayBeLate = this.#kind !== undefined && start[0]! <= this.#kind && this.#kind <= end[0]!
    return mayBeLate ? this.#both(start, end) : this.#placed.range(start, end)
  }

  *#both(start: Uint8Array, end: Uint8Array): Iterable<Entry> {
    const names = this.#namesIn(nameOf(start), nameOf(end))
    let next = 0
    for (const entry of this.#placed.range(start, end)) {
      const name = nameOf(entry.key)
      for (; next < names.length && names[next]! < name; next++) yield this.#entryOf(names[next]!)
      if (names[next] === name) yield this.#entryOf(names[next++]!)
      else yield entry
    }
    for (; next < names.length; next++) yield this.#entryOf(names[next]!)
  }

  /** Of late entries that count, in order. */
  #namesIn(start: string, end: string): readonly string[] {
    const names = new Set<string>()
    for (const late of this.#late) {
      for (const name of late.keys()) if (name >= start && name < end) names.add(name)
    }
    return [...names].filter((name) => this.#valueOf(name) !== undefined).sort()
  }

  #entryOf(name: string): Entry {
    return { key: keyOfName(name), value: keyOfName(this.#valueOf(name) ?? '') }
  }

  #valueOf(name: string): string | undefined {
    for (const late of this.#late) {
      const value = late.get(name)
      if (value !== undefined || late.has(name)) return value
    }
    return undefined
  }
}
