// Who wants to hear of which box. Leaves out how stores learn that something has changed elsewhere.

/** Listeners by name of a box. */
export class Listeners {
  readonly #byName = new Map<string, Set<() => void>>()

  /** @returns call it to hear no more. */
  add(name: string, heard: () => void): () => void {
    const set = this.#byName.get(name) ?? new Set()
    this.#byName.set(name, set)
    set.add(heard)
    return () => {
      set.delete(heard)
      if (set.size === 0) this.#byName.delete(name)
    }
  }

  tell(name: string): void {
    const set = this.#byName.get(name)
    if (set === undefined) return
    for (const heard of [...set]) heard()
  }

  tellAll(): void {
    for (const name of [...this.#byName.keys()]) this.tell(name)
  }
}
