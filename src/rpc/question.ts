// A call that this side made: its promise, its deadline, its abort signal, and what is built on its answer before that is
// there (spec/rpc.md §4). Leaves out the wire (calling.ts).
import { addAbortListener, removeAbortListener } from '../abort-listeners.js'
import type { RpcErrorCode } from '../errors.js'
import type { CallOptions } from './call-options.js'
import type { Deadlines } from './deadlines.js'
import { buildsOnFailure, CallError } from './failure.js'
import { Identity } from './identity.js'
import type { Recording } from './map-recording.js'
import type { SentMetadata } from './metadata.js'
import type { MethodDefinition } from './method-definition.js'
import { type AnswerSource, callerAt, walk } from './reference-promise.js'
import type { RemoteReference } from './remote-reference.js'
import { type CallResult, isReference, releaseStub } from './stub.js'
import type { PathKey } from './value-links.js'

/** What is called: an export of the other side, or what will stand in an answer. */
export type QuestionTarget =
  | RemoteReference
  | { readonly question: Question; readonly path: readonly PathKey[] }

/** What a question needs of its peer. */
export interface QuestionOwner {
  readonly deadlines: Deadlines
  /** Tell the other side that nobody waits any more. */
  cancel(question: Question): void
  /** Ask for an answer that was not asked for so far. */
  pull(question: Question): void
  /** Have the other side keep the answer until it is told otherwise.
   * @returns false when it is too late for that. */
  keep(question: Question): boolean
  /** Nobody needs an answer that was never asked for. */
  finish(question: Question): void
  callAnswer(
    question: Question,
    path: readonly PathKey[],
    method: MethodDefinition,
    input: unknown,
    options: CallOptions | undefined,
  ): CallResult
  /** Have steps replayed by the other side, for each element of an answer: see map.ts. */
  callMap(list: Question, recording: Recording, options: CallOptions | undefined): Promise<unknown>
  /** Nothing that was built on the answer is open any more, and nobody asked for it. */
  idle(question: Question, isIdle: boolean): void
}

/** Puts the question on its promise, so that the promise can be passed on before it is settled. */
class Asked extends Identity {
  readonly #question: Question

  constructor(promise: Promise<unknown>, question: Question) {
    super(promise)
    this.#question = question
  }

  static of(promise: object): Question | undefined {
    return #question in promise ? (promise as Asked).#question : undefined
  }
}

/** The question whose answer `promise` is, if it is one. */
export function questionOf(promise: object): Question | undefined {
  const question = Asked.of(promise)
  // One that failed may have been asked again: what counts is the promise.
  return question?.error === undefined ? question : undefined
}

/** `promise` stands for what `from` stood for, as long as that does not fail. */
export function carryQuestion(promise: Promise<unknown>, from: object): void {
  const question = Asked.of(from)
  if (question !== undefined) new Asked(promise, question)
}

/** One outgoing call. */
export class Question implements AnswerSource {
  readonly method: MethodDefinition
  readonly owner: QuestionOwner
  /** What is called; undefined for a request of the session itself. */
  readonly target: QuestionTarget | undefined
  /** Whether calling twice is as good as calling once. */
  readonly isIdempotent: boolean
  /** Set before it is asked. */
  metadata: SentMetadata | undefined
  /** Set when the CALL was written; undefined while it waits for the peer's budget. */
  id: number | undefined
  /** Whether the answer is to be sent; a reference that is only called needs none. */
  wants: boolean
  /** Whether the answer stays at the other side until it is told otherwise. */
  isKept = false
  /** Where the flags of its CALL stand, for as long as they have not left: batch and position. */
  batch = -1
  flagsAt = 0
  /** Calls that are built on the answer and open. */
  #supported: Set<Question> | undefined
  /** What this one is built on. */
  #leansOn: Question[] | undefined
  #promise: Promise<unknown> | undefined
  /** Of what stands inside the answer, by path. */
  #members: Map<string, Promise<unknown>> | undefined
  #resolve: ((value: unknown) => void) | undefined
  #reject: ((error: unknown) => void) | undefined
  #state: 'open' | 'resolved' | 'rejected' = 'open'
  #outcome: unknown
  #isDropped = false
  readonly #deadlineMs: number
  #slot = -1
  #signal: AbortSignal | undefined
  #onAbort: (() => void) | undefined

  constructor(
    owner: QuestionOwner,
    method: MethodDefinition,
    target: QuestionTarget | undefined,
    options: CallOptions | undefined,
  ) {
    this.method = method
    this.target = target
    this.owner = owner
    this.isIdempotent = method.idempotent || options?.idempotent === true
    this.wants = method.returns === undefined
    if (this.wants) void this.#makePromise()
    const timeoutMs = options?.timeoutMs
    this.#deadlineMs =
      timeoutMs === undefined ? Number.POSITIVE_INFINITY : owner.deadlines.clock.nowMs() + timeoutMs
    if (timeoutMs !== undefined && timeoutMs !== Number.POSITIVE_INFINITY)
      this.#slot = owner.deadlines.add(this, timeoutMs)
    if (options?.signal !== undefined) this.#listen(options.signal)
  }

  get settled(): boolean {
    return this.#state !== 'open'
  }

  /** Why it failed, once it did. */
  get error(): unknown {
    return this.#state === 'rejected' ? this.#outcome : undefined
  }

  /** Until the deadline, ms, at least 0; Infinity without one. */
  get remainingMs(): number {
    if (this.#deadlineMs === Number.POSITIVE_INFINITY) return this.#deadlineMs
    return Math.max(0, this.#deadlineMs - this.owner.deadlines.clock.nowMs())
  }

  promise(): Promise<unknown> {
    if (this.#promise !== undefined) return this.#promise
    if (!this.wants) {
      this.wants = true
      this.owner.idle(this, false)
      if (this.#state === 'open') this.owner.pull(this)
    }
    return this.#makePromise()
  }

  #makePromise(): Promise<unknown> {
    const promise = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    new Asked(promise, this)
    this.#promise = promise
    if (this.#state === 'resolved') this.#resolve?.(this.#outcome)
    else if (this.#state === 'rejected') this.#reject?.(this.#outcome)
    return promise
  }

  callOn(
    path: readonly PathKey[],
    method: MethodDefinition,
    input: unknown,
    options: CallOptions | undefined,
  ): CallResult {
    if (this.#state === 'rejected') return Promise.reject(this.failed(method.name))
    if (this.#state === 'open') return this.owner.callAnswer(this, path, method, input, options)
    try {
      return callerAt(this.#outcome, path, method.name).call(method, input, options)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  drop(): void {
    this.#isDropped = true
    if (this.wants || (this.#supported?.size ?? 0) > 0) return
    this.owner.finish(this)
  }

  /** `question` is built on this one: it fails with it. */
  support(question: Question): void {
    // Who is told of a failure by what is built on it need not be told twice.
    this.#promise?.catch(() => {})
    this.#supported ??= new Set()
    this.#supported.add(question)
    if (!this.wants) this.owner.idle(this, false)
    question.#leansOn ??= []
    question.#leansOn.push(this)
  }

  #supportsNoMore(question: Question): void {
    const supported = this.#supported
    if (supported?.delete(question) !== true || supported.size > 0 || this.wants) return
    if (this.#isDropped) this.owner.finish(this)
    else this.owner.idle(this, true)
  }

  /** Refer to the answer in a value for the other side.
   * @returns its call id; undefined when the answer would not be there. */
  rely(): number | undefined {
    if (this.#state !== 'open' || this.id === undefined) return undefined
    return this.method.returns !== undefined || this.owner.keep(this) ? this.id : undefined
  }

  /** A promise of what will stand at `path`; always the same one, by which its value is found again. */
  at(path: readonly PathKey[]): Promise<unknown> {
    if (path.length === 0) return this.promise()
    const key = JSON.stringify(path)
    this.#members ??= new Map()
    let member = this.#members.get(key)
    if (member === undefined) {
      member = this.promise().then((value) => walk(value, path))
      this.#members.set(key, member)
    }
    return member
  }

  /** Why nothing can be built on a failed answer. */
  failed(method: string): CallError {
    return buildsOnFailure(method, this.#outcome, this.method.name)
  }

  resolve(value: unknown): void {
    if (!this.#settle('resolved', value)) {
      if (isReference(value)) void releaseStub(value)
      return
    }
    this.#resolve?.(value)
  }

  reject(error: unknown): void {
    if (this.#settle('rejected', error)) this.#reject?.(error)
  }

  /** The deadline passed. */
  expire(): void {
    if (this.settled) return
    this.reject(
      this.#error('rpc/deadline_exceeded', `Call ${this.method.name} took longer than its deadline`),
    )
    this.owner.cancel(this)
  }

  #listen(signal: AbortSignal): void {
    const onAbort = (): void => {
      if (this.settled) return
      const error = this.#error(
        'rpc/canceled',
        `Call ${this.method.name} was canceled by its caller`,
        signal.reason,
      )
      this.reject(error)
      this.owner.cancel(this)
    }
    this.#signal = signal
    this.#onAbort = onAbort
    addAbortListener(signal, onAbort)
  }

  #settle(state: 'resolved' | 'rejected', outcome: unknown): boolean {
    if (this.#state !== 'open') return false
    this.#state = state
    this.#outcome = outcome
    if (this.#slot >= 0) this.owner.deadlines.remove(this, this.#slot)
    if (this.#onAbort !== undefined) removeAbortListener(this.#signal, this.#onAbort)
    if (this.#leansOn !== undefined) for (const question of this.#leansOn) question.#supportsNoMore(this)
    if (state === 'rejected' && this.#supported !== undefined)
      for (const question of [...this.#supported]) question.reject(this.failed(question.method.name))
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
