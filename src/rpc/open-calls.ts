// The calls that are being served: ids in use and the budget (spec/rpc.md §4, §8). A call that its handler answers at once
// never stands in the table. Leaves out what calls do and how they are answered (dispatch.ts).
import type { Authority } from './exports.js'
import type { ServerCall } from './server-call.js'
import { WireError } from './wire.js'

/** Open calls by id. */
export class OpenCalls {
  readonly #max: number
  readonly #byId = new Map<number, ServerCall>()
  /** Calls whose answer nobody wants any more, and whose handlers are still at work. */
  readonly #abandoned = new Set<ServerCall>()
  /** Calls refused since one was last answered. */
  #overruns = 0
  /** Highest call id seen. */
  last = 0

  /** @param max - calls that may be open at once. */
  constructor(max: number) {
    this.#max = max
  }

  get size(): number {
    return this.#byId.size
  }

  /** Note that the other side uses `id` for a new call.
   * @throws WireError when it is in use. */
  claim(id: number): number {
    if (this.#byId.has(id)) throw new WireError('call id is in use')
    this.last = Math.max(this.last, id)
    return id
  }

  /** Whether one more call may run, while so many answers are kept; `twice` when as many were refused as may be open: the session is to end. */
  admit(keptAnswers = 0): 'ok' | 'refused' | 'twice' {
    // Counted apart: whoever lets go of an answer may use its id, but must not run as many handlers as it likes.
    if (this.#byId.size + keptAnswers < this.#max && this.#abandoned.size < this.#max) return 'ok'
    this.#overruns += 1
    return this.#overruns >= this.#max ? 'twice' : 'refused'
  }

  /** Keep a call that was not answered at once. */
  keep(call: ServerCall): void {
    this.#byId.set(call.id, call)
  }

  find(id: number): ServerCall | undefined {
    return this.#byId.get(id)
  }

  /** Every open call under `authority`. */
  under(authority: Authority): ServerCall[] {
    return [...this.#byId.values()].filter((call) => call.exported?.authority === authority)
  }

  /** Note that `call` is answered.
   * @returns false when it was before. */
  finish(call: ServerCall): boolean {
    if (call.finished) {
      if (this.#abandoned.size > 0) this.#abandoned.delete(call)
      return false
    }
    if (this.#byId.size > 0) this.#byId.delete(call.id)
    call.finish()
    this.#overruns = 0
    return true
  }

  /** The other side lets go of the answer of a call that has begun or will. */
  letGo(call: ServerCall): void {
    if (call.mayHaveRun) this.#abandoned.add(call)
    this.drop(call)
  }

  /** Give every call up: nobody waits any more. */
  abandon(): void {
    for (const call of this.#byId.values()) this.drop(call)
  }

  /** Give one call up. */
  drop(call: ServerCall): void {
    this.#byId.delete(call.id)
    call.finish()
    call.abort('canceled')
    call.end()
  }
}
