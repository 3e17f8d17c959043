// The table of what one side offers in a session: export ids, dense and used again once the other side released them
// (spec/rpc.md §4). A broken export stays until its release, so that a call that crossed the news is answered as one.
// Leaves out calls (dispatch.ts) and what the capabilities behind exports are (src/served-session.ts).
import { IdTable } from './id-table.js'
import type { LocalTarget } from './local-target.js'
import type { Opener, Target } from './named-use.js'

export type { NamedUse, Target } from './named-use.js'

/** Whether a call may go on: `denied` by a caveat, `broken` when the reference is over. */
export type Permission = 'ok' | 'denied' | 'broken'

/** By what right something is called: it ends, and all exports that stand on it with it. */
export interface Authority extends Opener {
  /** False once it is over. */
  readonly isLive: boolean
  /** Asked again at each dispatch: whether its time has not passed. */
  isInForce(): boolean
  /** Calls that one MAP may make under it, elements times steps; none where it is undefined. */
  readonly mapCalls?: number | undefined
  /** An export for an object that is handed out under this authority. */
  derive(target: LocalTarget): Exported
}

/** Something that the other side may call. */
export interface Exported {
  readonly authority: Authority
  /** False once it is broken. */
  readonly isLive: boolean
  /** Asked again at each dispatch: expiry, methods. */
  authorize(method: string): Permission
  /** The object, perhaps still being made. Rejects with what callers are told when there is none. */
  target(): Target | LocalTarget | Promise<Target>
  /** The other side needs it no more. */
  released(): void
  /** Calls on whatever has the same lane run in order; itself where it is left out. One object may be called by several numbers:
   * as an answer, and by its export. */
  readonly lane?: object
}

/** An object that stays callable until it is released: what a client hands to its service. */
class OpenExport implements Exported {
  readonly authority: Authority
  readonly isLive = true
  readonly #target: LocalTarget

  constructor(authority: Authority, target: LocalTarget) {
    this.authority = authority
    this.#target = target
    target.retain()
  }

  get lane(): object {
    return this.#target
  }

  authorize(): Permission {
    return 'ok'
  }

  target(): Target | LocalTarget | Promise<Target> {
    return this.#target.under(this.authority)
  }

  released(): void {
    this.#target.release()
  }
}

/** The authority of who hands out objects of its own accord: it ends with the session. */
export const OPEN_AUTHORITY: Authority = {
  isLive: true,
  isInForce: () => true,
  derive: (target) => new OpenExport(OPEN_AUTHORITY, target),
}

/** What stands in an answer that was not sent: called under the authority of the call that gave it. */
export class AnswerExport implements Exported {
  readonly authority: Authority
  readonly #target: LocalTarget

  #isHeld = true

  /** @param target - held until {@link released}: the answer may be let go while a call on it waits. */
  constructor(authority: Authority, target: LocalTarget) {
    this.authority = authority
    this.#target = target
    target.retain()
  }

  get isLive(): boolean {
    return this.authority.isLive
  }

  get lane(): object {
    return this.#target
  }

  authorize(): Permission {
    return this.authority.isInForce() ? 'ok' : 'broken'
  }

  target(): Target | LocalTarget | Promise<Target> {
    return this.#target.under(this.authority)
  }

  /** The call on it has ended. Again: nothing. */
  released(): void {
    if (this.#isHeld) this.#target.release()
    this.#isHeld = false
  }
}

interface Entry<E extends Exported> {
  readonly exported: E
  /** What it was made for, so that the same object under the same authority is one export. */
  readonly target: LocalTarget | undefined
  count: number
}

/** Exports by id. */
export class Exports<E extends Exported = Exported> {
  readonly #table: IdTable<Entry<E>>
  readonly #shared = new Map<Authority, Map<LocalTarget, number>>()

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
    return this.#table.add({ exported, target: undefined, count: 1 })
  }

  /** Offer `target` under `authority`, once more if it is offered already.
   * @param derive - makes the export, the first time.
   * @returns undefined when there are too many exports. */
  share(authority: Authority, target: LocalTarget, derive: () => E): number | undefined {
    let ids = this.#shared.get(authority)
    const known = ids?.get(target)
    if (known !== undefined) {
      this.#table.find(known)!.count += 1 // `shared` holds only ids of the table
      return known
    }
    if (this.isFull) return undefined
    const id = this.#table.add({ exported: derive(), target, count: 1 })
    if (ids === undefined) {
      ids = new Map()
      this.#shared.set(authority, ids)
    }
    ids.set(target, id)
    return id
  }

  /** An export that is there leaves once more. */
  addAgain(id: number): void {
    const entry = this.#table.find(id)
    if (entry !== undefined) entry.count += 1
  }

  find(id: number): E | undefined {
    return this.#table.find(id)?.exported
  }

  /** The object of an export that was shared. */
  targetOf(id: number): LocalTarget | undefined {
    return this.#table.find(id)?.target
  }

  /** The other side lets go `count` times.
   * @returns false when it did not hold it as often. */
  release(id: number, count: number): boolean {
    const entry = this.#table.find(id)
    if (entry === undefined || count === 0 || count > entry.count) return false
    entry.count -= count
    if (entry.count > 0) return true
    this.#table.take(id)
    this.#forget(entry)
    entry.exported.released()
    return true
  }

  #forget({ exported, target }: Entry<E>): void {
    const ids = target && this.#shared.get(exported.authority)
    if (target === undefined || ids === undefined) return
    ids.delete(target)
    if (ids.size === 0) this.#shared.delete(exported.authority)
  }

  /** Every open export with its id. */
  *entries(): Generator<[id: number, exported: E]> {
    for (const [id, { exported }] of this.#table.entries()) yield [id, exported]
  }

  /** Every open export. */
  *all(): Generator<E> {
    for (const [, { exported }] of this.#table.entries()) yield exported
  }
}
