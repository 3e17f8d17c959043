// The table of what one side offers in a session: export ids, dense and used again once the other side released them
// (spec/rpc.md §4). A broken export stays until its release, so that a call that crossed the news is answered as one.
// Leaves out calls (dispatch.ts) and what an export stands for (src/served-session.ts).
import { IdTable } from './id-table.js'
import type { Interface } from './interface.js'

/** An object that calls reach, and what may be called on it. */
export interface Target {
  readonly description: Interface
  readonly object: object
}

/** Whether a call may go on: `denied` by a caveat, `broken` when the reference is over. */
export type Permission = 'ok' | 'denied' | 'broken'

/** Something that the other side may call. */
export interface Exported {
  /** False once it is broken. */
  readonly isLive: boolean
  /** Asked again at each dispatch: expiry, methods. */
  authorize(method: string): Permission
  /** The object, perhaps still being made. Rejects with what callers are told when there is none. */
  target(): Target | Promise<Target>
  /** The other side needs it no more. */
  released(): void
}

interface Entry<E extends Exported> {
  readonly exported: E
  count: number
}

/** Exports by id. */
export class Exports<E extends Exported = Exported> {
  readonly #table: IdTable<Entry<E>>

  /** @param max - exports that may be open at once. */
  constructor(max: number) {
    this.#table = new IdTable(max)
  }

  get size(): number {
    return this.#table.size
  }

  get isFull(): boolean {
    return this.#table.isFull
  }

  /** Offer `exported`, held once by the other side.
   * @returns its id. */
  add(exported: E): number {
    return this.#table.add({ exported, count: 1 })
  }

  find(id: number): E | undefined {
    return this.#table.find(id)?.exported
  }

  /** The other side lets go `count` times.
   * @returns false when it did not hold it as often. */
  release(id: number, count: number): boolean {
    const entry = this.#table.find(id)
    if (entry === undefined || count === 0 || count > entry.count) return false
    entry.count -= count
    if (entry.count > 0) return true
    this.#table.take(id)
    entry.exported.released()
    return true
  }

  /** Every open export. */
  *all(): Generator<E> {
    for (const [, { exported }] of this.#table.entries()) yield exported
  }
}
