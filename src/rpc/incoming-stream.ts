// A stream of the other side as it arrives: items wait here within the window that this side grants, and are read once
// (spec/rpc.md §4). Reading grants more; leaving stops the sender. Leaves out the table of streams (streams.ts) and how much
// is granted (stream-window.ts).
import { NoisecapError } from '../errors.js'
import { CallError } from './failure.js'
import { ReadableOnce } from './readable-once.js'
import type { StreamWindow } from './stream-window.js'

/** What a stream needs of its session. */
export interface StreamHost {
  /** Grant `bytes` more. */
  grant(id: number, bytes: number): void
  /** Take no more; or take note of the end. */
  stop(id: number): void
  /** Nobody takes what an item brought. */
  letGo(arrived: readonly object[]): void
}

interface Item {
  readonly value: unknown
  /** Bytes of credit that it took. */
  readonly cost: number
  /** References and streams in it. */
  readonly arrived: readonly object[] | undefined
}

interface Waiter {
  resolve(result: IteratorResult<unknown, undefined>): void
  reject(error: unknown): void
}

const DONE: IteratorResult<unknown, undefined> = { done: true, value: undefined }

/** One stream, as its receiver holds it. */
export class IncomingStream extends ReadableOnce<unknown> {
  readonly id: number
  readonly isBytes: boolean
  readonly window: StreamWindow
  readonly #host: StreamHost
  readonly #queue: Item[] = []
  #head = 0
  readonly #waiters: Waiter[] = []
  #state: 'open' | 'left' | 'ended' = 'open'
  #error: unknown

  constructor(host: StreamHost, id: number, isBytes: boolean, window: StreamWindow) {
    super()
    this.#host = host
    this.id = id
    this.isBytes = isBytes
    this.window = window
  }

  /** An item has arrived, and was charged.
   * @param arrived - references and streams in it. */
  deliver(value: unknown, cost: number, arrived?: readonly object[]): void {
    if (this.#state !== 'open') return
    const waiter = this.#waiters.shift()
    if (waiter === undefined) this.#queue.push({ value, cost, arrived })
    else {
      this.#consume(cost)
      waiter.resolve({ done: false, value })
    }
  }

  /** Give it up from this side: whoever reads learns why, behind what has arrived. */
  fail(error: unknown): void {
    if (this.#state !== 'open') return
    this.end(error)
    this.#state = 'left'
    this.#host.stop(this.id)
  }

  /** Whether nobody reads what comes: its sender was told to stop. */
  get isLeft(): boolean {
    return this.#state === 'left'
  }

  /** Its sender has ended it.
   * @param error - why, unless it is complete. */
  end(error?: unknown): void {
    if (this.#state !== 'open') return
    this.#state = 'ended'
    this.window.close()
    this.#error = error
    const [first, ...others] = this.#waiters.splice(0)
    if (error === undefined) first?.resolve(DONE)
    else first?.reject(this.#takeError())
    for (const waiter of others) waiter.resolve(DONE)
  }

  next(): Promise<IteratorResult<unknown, undefined>> {
    const item = this.#queue[this.#head]
    if (item !== undefined) {
      this.#head += 1
      if (this.#head === this.#queue.length) {
        this.#queue.length = 0
        this.#head = 0
      } else if (this.#head > 1_024) {
        this.#queue.splice(0, this.#head)
        this.#head = 0
      }
      this.#consume(item.cost)
      return Promise.resolve({ done: false, value: item.value })
    }
    if (this.#error !== undefined) return Promise.reject(this.#takeError())
    if (this.#state !== 'open') return Promise.resolve(DONE)
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject })
    })
  }

  /** As iterators do: an error is thrown once, then the stream is over. */
  #takeError(): unknown {
    const error = this.#error
    this.#error = undefined
    return error
  }

  #consume(cost: number): void {
    if (this.#state !== 'open') return
    const granted = this.window.consume(cost)
    if (granted > 0) this.#host.grant(this.id, granted)
  }

  return(): Promise<IteratorResult<unknown, undefined>> {
    if (this.#state === 'open') {
      this.#state = 'left'
      this.window.close()
      this.#host.stop(this.id)
    }
    for (const { arrived } of this.#queue.splice(0).slice(this.#head))
      if (arrived !== undefined) this.#host.letGo(arrived)
    this.#head = 0
    this.#error = undefined
    for (const waiter of this.#waiters.splice(0)) waiter.resolve(DONE)
    return Promise.resolve(DONE)
  }
}

/** The session ended while a stream was open. */
export function cutOff(cause: Error): CallError {
  return new CallError('rpc/disconnected', `Stream was cut off: ${cause.message}`, {
    method: '',
    mayHaveRun: true,
    cause,
    hint: cause instanceof NoisecapError ? cause.hint : undefined,
  })
}

/** An item cannot be used; what came before it can. */
export function badItem(): CallError {
  return new CallError('rpc/bad_value', 'Stream ended: an item of it is not a value', {
    method: '',
    mayHaveRun: true,
  })
}

/** The call to which a stream belongs is over, and so is the stream. */
export function abortedStream(why: 'canceled' | 'deadline_exceeded', text: string): CallError {
  return new CallError(`rpc/${why}`, `Stream was ended: ${text}`, { method: '', mayHaveRun: true })
}
