// A call that this side made and that has no answer yet: its promise, its deadline, its abort signal.
// Leaves out the wire (peer.ts).
import type { RpcErrorCode } from '../errors.js'
import type { CallOptions } from './call-options.js'
import type { Deadlines } from './deadlines.js'
import { CallError } from './failure.js'
import type { MethodDefinition } from './interface.js'

/** What a question needs of its peer. */
export interface QuestionOwner {
  readonly deadlines: Deadlines
  /** Tell the other side that nobody waits any more. */
  cancel(question: Question): void
}

/** One outgoing call. */
export class Question {
  readonly method: MethodDefinition
  /** What is called, an export of the other side. */
  readonly exportId: number
  readonly promise: Promise<unknown>
  /** Set when the CALL was written; undefined while it waits for the peer's budget. */
  id: number | undefined
  #resolve!: (value: unknown) => void
  #reject!: (error: unknown) => void
  #settled = false
  readonly #owner: QuestionOwner
  readonly #deadlineMs: number
  #slot = -1
  #signal: AbortSignal | undefined
  #onAbort: (() => void) | undefined

  constructor(
    owner: QuestionOwner,
    method: MethodDefinition,
    exportId: number,
    options: CallOptions | undefined,
  ) {
    this.method = method
    this.exportId = exportId
    this.#owner = owner
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    const timeoutMs = options?.timeoutMs
    this.#deadlineMs = timeoutMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + timeoutMs
    if (timeoutMs !== undefined && timeoutMs !== Number.POSITIVE_INFINITY)
      this.#slot = owner.deadlines.add(this, timeoutMs)
    if (options?.signal !== undefined) this.#listen(options.signal)
  }

  get settled(): boolean {
    return this.#settled
  }

  /** Until the deadline, ms, at least 0; Infinity without one. */
  get remainingMs(): number {
    if (this.#deadlineMs === Number.POSITIVE_INFINITY) return this.#deadlineMs
    return Math.max(0, this.#deadlineMs - performance.now())
  }

  resolve(value: unknown): void {
    if (this.#settle()) this.#resolve(value)
  }

  reject(error: unknown): void {
    if (this.#settle()) this.#reject(error)
  }

  /** The deadline passed. */
  expire(): void {
    if (this.#settled) return
    this.reject(
      this.#error('rpc/deadline_exceeded', `Call ${this.method.name} took longer than its deadline`),
    )
    this.#owner.cancel(this)
  }

  #listen(signal: AbortSignal): void {
    const onAbort = (): void => {
      if (this.#settled) return
      const error = this.#error(
        'rpc/canceled',
        `Call ${this.method.name} was canceled by its caller`,
        signal.reason,
      )
      this.reject(error)
      this.#owner.cancel(this)
    }
    this.#signal = signal
    this.#onAbort = onAbort
    signal.addEventListener('abort', onAbort, { once: true })
  }

  #settle(): boolean {
    if (this.#settled) return false
    this.#settled = true
    if (this.#slot >= 0) this.#owner.deadlines.remove(this, this.#slot)
    if (this.#onAbort !== undefined) this.#signal?.removeEventListener('abort', this.#onAbort)
    return true
  }

  #error(code: RpcErrorCode, message: string, cause?: unknown): CallError {
    return new CallError(code, message, {
      method: this.method.name,
      mayHaveRun: this.id !== undefined,
      cause,
    })
  }
}
