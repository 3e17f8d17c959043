// Ids for things of one session: dense from 0, used again once free (spec/rpc.md §4), within a budget.

/** Things by id. */
export class IdTable<T> {
  readonly #max: number
  readonly #byId: (T | undefined)[] = []
  readonly #free: number[] = []

  /** @param max - how many there may be at once; whoever adds asks {@link isFull} before. */
  constructor(max: number) {
    this.#max = max
  }

  get size(): number {
    return this.#byId.length - this.#free.length
  }

  get isFull(): boolean {
    return this.size >= this.#max
  }

  /** Give `thing` an id. */
  add(thing: T): number {
    const id = this.#free.pop() ?? this.#byId.length
    this.#byId[id] = thing
    return id
  }

  /** Give the id of `make`'s thing to it: for things that know their own id. */
  addWith(make: (id: number) => T): T {
    const id = this.#free.pop() ?? this.#byId.length
    const thing = make(id)
    this.#byId[id] = thing
    return thing
  }

  find(id: number): T | undefined {
    return this.#byId[id]
  }

  /** Free `id`; undefined when nobody has it. */
  take(id: number): T | undefined {
    const thing = this.#byId[id]
    if (thing === undefined) return undefined
    this.#byId[id] = undefined
    this.#free.push(id)
    return thing
  }

  /** Everything that has an id, with it. */
  *entries(): Generator<[id: number, thing: T]> {
    for (const [id, thing] of this.#byId.entries()) if (thing !== undefined) yield [id, thing]
  }

  /** Free all. */
  takeAll(): T[] {
    const all = this.#byId.filter((thing) => thing !== undefined)
    this.#byId.length = 0
    this.#free.length = 0
    return all
  }
}
