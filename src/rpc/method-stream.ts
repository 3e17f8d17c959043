// The stream that a stream method answers with, from the moment it is called: opened by the call, each item validated here,
// at the receiver; deadline and signal of the call hold to its end (docs/streams.md). Leaves out credit (incoming-stream.ts).

import { addAbortListener, removeAbortListener } from '../abort-listeners.js'
import { describeIssues } from '../standard-schema.js'
import type { CallOptions } from './call-options.js'
import { CallError } from './failure.js'
import type { MethodDefinition } from './method-definition.js'
import { ReadableOnce } from './readable-once.js'
import { isStreamSource, iterate } from './stream-source.js'

const DONE: IteratorResult<unknown, undefined> = { done: true, value: undefined }

/** A stream that a call opens. */
export class MethodStream extends ReadableOnce<unknown> {
  readonly #method: MethodDefinition
  readonly #opening: Promise<AsyncIterator<unknown>>
  readonly #leaving = new AbortController()
  /** Why it was ended from this side. */
  #failure: CallError | undefined
  #state: 'open' | 'over' = 'open'
  #cleanUp: (() => void) | undefined

  /** @param open - makes the call; its signal fires when the stream is left before it is there. */
  constructor(
    method: MethodDefinition,
    options: CallOptions | undefined,
    open: (options: CallOptions) => PromiseLike<unknown>,
  ) {
    super()
    this.#method = method
    this.#opening = this.#open(options, open)
    this.#opening.catch(() => {}) // told to whoever reads
    this.#watch(options)
  }

  async #open(
    options: CallOptions | undefined,
    open: (options: CallOptions) => PromiseLike<unknown>,
  ): Promise<AsyncIterator<unknown>> {
    const source = await open({ ...options, signal: this.#leaving.signal })
    if (
      typeof source === 'object' &&
      source !== null &&
      isStreamSource(source) &&
      Symbol.asyncIterator in source
    )
      return iterate(source)
    throw new CallError('rpc/bad_value', `Call ${this.#method.name} ran, but its result is no stream`, {
      method: this.#method.name,
      mayHaveRun: true,
    })
  }

  #watch(options: CallOptions | undefined): void {
    const { signal, timeoutMs } = options ?? {}
    const onAbort = (): void =>
      this.#end('rpc/canceled', `Stream ${this.#method.name} was canceled by its reader`, signal?.reason)
    if (signal?.aborted === true) onAbort()
    else addAbortListener(signal, onAbort)
    const timer =
      timeoutMs === undefined || timeoutMs > 0x7fff_ffff
        ? undefined
        : setTimeout(
            () =>
              this.#end('rpc/deadline_exceeded', `Stream ${this.#method.name} took longer than its deadline`),
            timeoutMs,
          )
    this.#cleanUp = () => {
      clearTimeout(timer)
      removeAbortListener(signal, onAbort)
    }
  }

  #end(code: 'rpc/canceled' | 'rpc/deadline_exceeded', message: string, cause?: unknown): void {
    this.#failure = new CallError(code, message, { method: this.#method.name, mayHaveRun: true, cause })
    // Whoever waits for an item gets none, and learns why.
    this.#stop()
  }

  #stop(): void {
    this.#cleanUp?.()
    this.#leaving.abort()
    this.#opening.then(
      (iterator) => iterator.return?.(),
      () => {},
    )
  }

  async next(): Promise<IteratorResult<unknown, undefined>> {
    if (this.#state === 'over') return DONE
    try {
      const iterator = await this.#opening
      const { done, value } = await iterator.next()
      if (done !== true) return { done: false, value: await this.#validated(value) }
    } catch (error) {
      throw this.#lastError() ?? (await this.#named(error))
    }
    const error = this.#lastError()
    if (error !== undefined) throw error
    return DONE
  }

  /** It is over; the error is told once. */
  #lastError(): CallError | undefined {
    const error = this.#failure
    this.#failure = undefined
    this.#over()
    return error
  }

  #over(): void {
    if (this.#state === 'over') return
    this.#state = 'over'
    this.#stop()
  }

  async #validated(value: unknown): Promise<unknown> {
    const { output, kind } = this.#method
    if (output === undefined || kind === 'bytes') return value
    const result = await output['~standard'].validate(value)
    if (result.issues === undefined) return result.value
    throw this.#bad(`sent an item that cannot be used: ${describeIssues(result.issues)}`)
  }

  #bad(what: string): CallError {
    const method = this.#method.name
    return new CallError('rpc/bad_value', `Stream ${method} ${what}`, { method, mayHaveRun: true })
  }

  /** Errors of streams travel without the name of their method, so their data was not validated yet. */
  async #named(error: unknown): Promise<unknown> {
    if (!(error instanceof CallError) || error.method !== '') return error
    const schema = error.failureName === undefined ? undefined : this.#method.errors.get(error.failureName)
    const result = await schema?.['~standard'].validate(error.data)
    if (result?.issues !== undefined)
      return this.#bad(`failed with data that cannot be used: ${describeIssues(result.issues)}`)
    return new CallError(error.code, `${this.#method.name}: ${error.message}`, {
      method: this.#method.name,
      mayHaveRun: error.mayHaveRun,
      errorId: error.errorId,
      failureName: error.failureName,
      data: result?.value,
      retryAfterMs: error.retryAfterMs,
      hint: error.hint,
      cause: error.cause,
    })
  }

  async return(): Promise<IteratorResult<unknown, undefined>> {
    this.#over()
    return DONE
  }
}
