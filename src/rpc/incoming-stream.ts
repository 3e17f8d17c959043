// A stream of the other side as it arrives: items wait here within the window that this side grants, and are read once
// (spec/rpc.md §4). Reading grants more; leaving stops the sender. Leaves out the table of streams (streams.ts).
import { CallError } from './failure.js'
import type { ReceivedStream } from './shapes.js'

/** What a stream needs of its session. */
export interface StreamHost {
  /** Grant `bytes` more. */
  grant(id: number, bytes: number): void
  /** Take no more; or take note of the end. */
  stop(id: number): void
}

interface Waiter {
  resolve(result: IteratorResult<unknown, undefined>): void
  reject(error: unknown): void
}

const DONE: IteratorResult<unknown, undefined> = { done: true, value: undefined }

/** One stream, as its receiver holds it. */
export class IncomingStream implements ReceivedStream<unknown> {
  readonly id: number
  readonly isBytes: boolean
  readonly #host: StreamHost
  readonly #window: number
  /** Values and what each costs, in turn. */
  readonly #queue: unknown[] = []
  #head = 0
  readonly #waiters: Waiter[] = []
  /** Bytes that may still come. */
  #credit: number
  /** Bytes that were read and are not granted again yet. */
  #consumed = 0
  #state: 'open' | 'left' | 'ended' = 'open'
  #error: unknown

  constructor(host: StreamHost, id: number, isBytes: boolean, window: number) {
    this.#host = host
    this.id = id
    this.isBytes = isBytes
    this.#window = window
    this.#credit = window
  }

  /** An item has arrived.
   * @param cost - bytes of credit that it takes.
   * @returns false when there was no credit left. */
  deliver(value: unknown, cost: number): boolean {
    if (this.#credit <= 0) return false
    this.#credit -= cost
    if (this.#state !== 'open') return true
    const waiter = this.#waiters.shift()
    if (waiter === undefined) this.#queue.push(value, cost)
    else {
      this.#consume(cost)
      waiter.resolve({ done: false, value })
    }
    return true
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
    this.#error = error
    const [first, ...others] = this.#waiters.splice(0)
    if (error === undefined) first?.resolve(DONE)
    else first?.reject(this.#takeError())
    for (const waiter of others) waiter.resolve(DONE)
  }

  next(): Promise<IteratorResult<unknown, undefined>> {
    if (this.#head < this.#queue.length) {
      const value = this.#queue[this.#head]
      const cost = this.#queue[this.#head + 1] as number // see deliver
      this.#head += 2
      if (this.#head === this.#queue.length) {
        this.#queue.length = 0
        this.#head = 0
      } else if (this.#head > 1_024) {
        this.#queue.splice(0, this.#head)
        this.#head = 0
      }
      this.#consume(cost)
      return Promise.resolve({ done: false, value })
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
    this.#consumed += cost
    if (this.#consumed * 2 < this.#window) return
    this.#credit += this.#consumed
    this.#host.grant(this.id, this.#consumed)
    this.#consumed = 0
  }

  return(): Promise<IteratorResult<unknown, undefined>> {
    if (this.#state === 'open') {
      this.#state = 'left'
      this.#host.stop(this.id)
    }
    this.#queue.length = 0
    this.#head = 0
    this.#error = undefined
    for (const waiter of this.#waiters.splice(0)) waiter.resolve(DONE)
    return Promise.resolve(DONE)
  }

  readable(): ReadableStream<unknown> {
    return toReadable(this)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }
}

/** A Web Stream over a received one. */
export function toReadable<Item>(stream: ReceivedStream<Item>): ReadableStream<Item> {
  return new ReadableStream<Item>(
    {
      async pull(controller) {
        const result = await stream.next()
        if (result.done === true) controller.close()
        else controller.enqueue(result.value)
      },
      async cancel() {
        await stream.return()
      },
    },
    { highWaterMark: 0 },
  )
}

/** The session ended while a stream was open. */
export function cutOff(cause: Error): CallError {
  return new CallError('rpc/disconnected', `Stream was cut off: ${cause.message}`, {
    method: '',
    mayHaveRun: true,
    cause,
  })
}
