// Interceptors of a caller: code around every call on an object that `connect` gave, outermost first, and on the references
// that its methods return (docs/interceptors.md). Leaves out interceptors of a service (served-call.ts).
import type { Clock } from '../clock.js'
import type { NoisecapError } from '../errors.js'
import type { CallOptions } from './call-options.js'
import { LocalAnswer } from './call-shape.js'
import { CallError } from './failure.js'
import type { MethodDefinition } from './method-definition.js'
import { MethodStream } from './method-stream.js'
import { createReferencePromise } from './reference-promise.js'
import { type Caller, type CallResult, isReference, redirectStub, streamResult } from './stub.js'

/** A call that is to be made, as interceptors of its caller see it. */
export interface OutgoingCall {
  /** Name of the interface. */
  readonly interface: string
  readonly method: string
  /** As the caller gave it; capabilities in it show themselves redacted. */
  readonly input: unknown
  /** What this interceptor was given: by the caller, or by the interceptor before it. */
  readonly options: CallOptions
}

/** Runs around each call.
 * @param next - makes the call, with other options if they are given; again: once more.
 * @returns what the caller gets: the answer, or for a stream method the stream. */
export type CallInterceptor = (
  call: OutgoingCall,
  next: (options?: CallOptions) => Promise<unknown>,
) => Promise<unknown>

/** What calls go through. */
export interface Interception {
  readonly interceptors: readonly CallInterceptor[]
  readonly clock: Clock
}

/** What a stub of an object with interceptors forwards to. */
export class InterceptedCaller implements Caller {
  readonly #caller: Caller
  readonly #interface: string
  readonly #interception: Interception

  /** @param caller - one hold of it is taken over. */
  constructor(caller: Caller, interfaceName: string, interception: Interception) {
    this.#caller = caller
    this.#interface = interfaceName
    this.#interception = interception
  }

  call(method: MethodDefinition, input: unknown, options: CallOptions | undefined): CallResult {
    if (method.kind !== 'call') return this.#stream(method, input, options ?? {})
    const running = this.#run(method, input, options ?? {})
    const { returns } = method
    if (returns === undefined) return running
    const covered = running.then((value) => this.#cover(value, returns.name))
    return createReferencePromise(returns, new LocalAnswer(covered))
  }

  /** Items were validated by the stream inside, which watches deadline and signal as well. */
  #stream(method: MethodDefinition, input: unknown, options: CallOptions): CallResult {
    const open = ({ signal: leaving }: CallOptions): Promise<unknown> => {
      const signals = [options.signal, leaving].filter((each) => each !== undefined)
      return this.#run(method, input, { ...options, signal: AbortSignal.any(signals) })
    }
    return streamResult(new MethodStream({ ...method, output: undefined }, undefined, open))
  }

  #run(method: MethodDefinition, input: unknown, options: CallOptions): Promise<unknown> {
    const { interceptors, clock } = this.#interception
    const { timeoutMs } = options
    const deadlineMs = timeoutMs === undefined ? Number.POSITIVE_INFINITY : clock.nowMs() + timeoutMs
    const runFrom = async (at: number, given: CallOptions): Promise<unknown> => {
      const interceptor = interceptors[at]
      if (interceptor !== undefined) {
        const call = { interface: this.#interface, method: method.name, input, options: given }
        return interceptor(call, (changed = given) => runFrom(at + 1, changed))
      }
      return this.#caller.call(method, input, within(deadlineMs - clock.nowMs(), given, method.name))
    }
    return runFrom(0, options)
  }

  /** What a method returned is a reference with the same interceptors. */
  #cover(value: unknown, interfaceName: string): unknown {
    if (isReference(value)) {
      redirectStub(value, (caller) =>
        caller instanceof InterceptedCaller
          ? caller
          : new InterceptedCaller(caller, interfaceName, this.#interception),
      )
    }
    return value
  }

  current(): Caller {
    return this.#caller.current?.() ?? this.#caller
  }

  retain(): void {
    this.#caller.retain()
  }

  release(): void | Promise<void> {
    return this.#caller.release()
  }

  whenBroken(tell: (error: NoisecapError) => void): void {
    this.#caller.whenBroken?.(tell)
  }

  befriend(): Promise<void> {
    return (
      this.#caller.befriend?.() ??
      Promise.reject(new TypeError('Cannot befriend: expected an object that connect gave'))
    )
  }
}

/** The caller's deadline holds for all attempts together; an interceptor may only shorten it. */
function within(leftMs: number, options: CallOptions, method: string): CallOptions {
  if (leftMs === Number.POSITIVE_INFINITY) return options
  if (leftMs > 0) return { ...options, timeoutMs: Math.min(options.timeoutMs ?? leftMs, leftMs) }
  const message = `Call ${method} took longer than its deadline`
  throw new CallError('rpc/deadline_exceeded', message, { method, mayHaveRun: false })
}
