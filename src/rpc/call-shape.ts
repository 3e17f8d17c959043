// What a call gives at once, by the kind of its method: a promise, a promise of a reference that can be called, or a stream.
// For callers that find out only later where the call goes. Leaves out calls in a session (calling.ts), which pipeline.
import type { CallOptions } from './call-options.js'
import { buildsOnFailure } from './failure.js'
import type { MethodDefinition } from './method-definition.js'
import { MethodStream } from './method-stream.js'
import { type AnswerSource, callerAt, createReferencePromise } from './reference-promise.js'
import { type CallResult, isReference, releaseStub, streamResult } from './stub.js'
import type { PathKey } from './value-links.js'

/** Shape what `call` gives for `method`.
 * @param call - makes the call, with these options. */
export function shapeCall(
  method: MethodDefinition,
  options: CallOptions | undefined,
  call: (options: CallOptions | undefined) => Promise<unknown>,
): CallResult {
  if (method.kind !== 'call') return streamResult(new MethodStream(method, options, call))
  const running = call(options)
  return method.returns === undefined
    ? running
    : createReferencePromise(method.returns, new LocalAnswer(running))
}

/** An answer that is there, or comes from elsewhere than a session. */
export class LocalAnswer implements AnswerSource {
  readonly #promise: Promise<unknown>
  /** Whether somebody awaited it, whose the result is then. */
  #isTaken = false

  constructor(promise: Promise<unknown>) {
    this.#promise = promise
  }

  promise(): Promise<unknown> {
    this.#isTaken = true
    return this.#promise
  }

  callOn(
    path: readonly PathKey[],
    method: MethodDefinition,
    input: unknown,
    options: CallOptions | undefined,
  ): CallResult {
    return shapeCall(method, options, async (shaped) => {
      const value = await this.#promise.catch((cause: unknown) => {
        throw buildsOnFailure(method.name, cause)
      })
      return callerAt(value, path, method.name).call(method, input, shaped)
    })
  }

  drop(): void {
    if (this.#isTaken) return
    this.#promise.then(
      (value) => isReference(value) && releaseStub(value),
      () => {},
    )
  }
}
