// A call that the other side made: what its handler learns, and how it is canceled. The AbortController is made only
// when a handler asks for its signal: it costs more than a small call.
import type { PublicKey } from '../crypto/index.js'
import type { CallContext } from './call-options.js'
import type { Deadlines } from './deadlines.js'
import type { Exported } from './exports.js'

/** One incoming call, from CALL to RETURN or FAIL. */
export class ServerCall implements CallContext {
  readonly id: number
  /** What it was made on; undefined for a request of the session itself. */
  readonly exported: Exported | undefined
  readonly client: PublicKey | undefined
  /** Whether the handler was entered. */
  mayHaveRun = false
  /** Whether it was answered, or nobody waits for an answer any more. */
  finished = false
  #controller: AbortController | undefined
  #aborted: 'canceled' | 'deadline_exceeded' | undefined
  readonly #deadlineMs: number
  readonly #deadlines: Deadlines
  #slot = -1

  constructor(
    id: number,
    exported: Exported | undefined,
    client: PublicKey | undefined,
    remainingMs: number,
    deadlines: Deadlines,
  ) {
    this.id = id
    this.exported = exported
    this.client = client
    this.#deadlines = deadlines
    const hasDeadline = remainingMs !== Number.POSITIVE_INFINITY
    // No look at the clock for a call without a deadline: that is nearly every one.
    this.#deadlineMs = hasDeadline ? performance.now() + remainingMs : remainingMs
    if (hasDeadline) this.#slot = deadlines.add(this, remainingMs)
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#aborted !== undefined && !this.#controller.signal.aborted)
      this.#controller.abort(this.#reason())
    return this.#controller.signal
  }

  get remainingMs(): number {
    if (this.#deadlineMs === Number.POSITIVE_INFINITY) return this.#deadlineMs
    return Math.max(0, this.#deadlineMs - performance.now())
  }

  /** Why the call was given up, once it was. */
  get aborted(): 'canceled' | 'deadline_exceeded' | undefined {
    return this.#aborted
  }

  abort(why: 'canceled' | 'deadline_exceeded'): void {
    if (this.#aborted !== undefined) return
    this.#aborted = why
    this.#controller?.abort(this.#reason())
  }

  expire(): void {
    this.#slot = -1
    this.abort('deadline_exceeded')
  }

  /** The call was answered, or its session is over. */
  finish(): void {
    this.finished = true
    if (this.#slot >= 0) this.#deadlines.remove(this, this.#slot)
  }

  #reason(): DOMException {
    return this.#aborted === 'canceled'
      ? new DOMException('The caller canceled the call', 'AbortError')
      : new DOMException('The deadline of the call passed', 'TimeoutError')
  }
}
