// A call that may be made again: what it gives at once is that of the first attempt, so that calls are still built on it
// without a round trip; those fail with the first attempt. Leaves out when a call is made again (src/repetition.ts).
import type { CallOptions } from './call-options.js'
import { LocalAnswer } from './call-shape.js'
import type { MethodDefinition } from './method-definition.js'
import { carryQuestion } from './question.js'
import { AnswerCaller, type AnswerSource, createReferencePromise } from './reference-promise.js'
import { isStreamSource } from './stream-source.js'
import { type CallResult, callerOf, isReference } from './stub.js'
import type { PathKey } from './value-links.js'

const DEPTH_MAX = 32

/** @param first - what the first attempt gave; of a method that answers once.
 * @param recover - gives the answer after all, or throws. */
export function repeatable(
  { returns }: MethodDefinition,
  first: CallResult,
  recover: (error: unknown) => Promise<unknown>,
): CallResult {
  if (returns !== undefined && isReference(first))
    return createReferencePromise(returns, new RepeatedAnswer(first, recover))
  const promise = first.catch(recover)
  carryQuestion(promise, first)
  return promise
}

class RepeatedAnswer implements AnswerSource {
  /** Held, since it lets its answer go when it is collected. */
  readonly #first: CallResult & Partial<Disposable>
  readonly #recover: (error: unknown) => Promise<unknown>
  #source: AnswerSource
  #promise: Promise<unknown> | undefined
  #isRepeated = false

  constructor(first: CallResult, recover: (error: unknown) => Promise<unknown>) {
    this.#first = first
    this.#recover = recover
    const caller = callerOf(first)
    this.#source = caller instanceof AnswerCaller ? caller.source : new LocalAnswer(first)
  }

  get behind(): AnswerSource | undefined {
    return this.#isRepeated ? undefined : this.#source
  }

  promise(): Promise<unknown> {
    this.#promise ??= this.#source.promise().catch((error: unknown) => {
      const answer = this.#recover(error)
      this.#isRepeated = true
      this.#source = new LocalAnswer(answer)
      return answer
    })
    return this.#promise
  }

  callOn(
    path: readonly PathKey[],
    method: MethodDefinition,
    input: unknown,
    options: CallOptions | undefined,
  ): CallResult {
    return this.#source.callOn(path, method, input, options)
  }

  drop(): void {
    this.#first[Symbol.dispose]?.()
  }
}

/** Whether an input can be sent once only: it holds a stream, or a promise of who knows what. */
export function isSpent(input: unknown, depth = 0): boolean {
  if (typeof input !== 'object' || input === null || isReference(input)) return false
  if (depth > DEPTH_MAX || input instanceof Promise || isStreamSource(input)) return true
  if (ArrayBuffer.isView(input)) return false
  const members =
    input instanceof Map ? [...input.values()] : input instanceof Set ? [] : Object.values(input)
  return members.some((member) => isSpent(member, depth + 1))
}
