// The service's pipe over HTTP (spec/session.md §13): one request brings the hello and takes its answer, another brings a batch
// of records and takes all that is answered until the service closes. In between it belongs to no request.
// Leaves out HTTP itself (http-handler.ts).
import { joined } from './http-body.js'
import { isLoopback, type Pipe, type PipeEvents } from './pipe.js'

/** What an exchange is held to. */
export interface ExchangeLimits {
  readonly maxAnswerBytes: number
  readonly deadlineMs: number
}

/** One handshake and its batch. */
export class ExchangePipe implements Pipe {
  readonly framing = 'length'
  readonly remoteAddress: string
  readonly isLocal: boolean
  readonly batchDeadlineMs: number
  readonly #maxAnswerBytes: number
  /** Told once, when nothing more can be asked of it. */
  readonly #over: () => void
  #events: PipeEvents | undefined
  #inbox: Uint8Array[] = []
  #paused = false
  #isBatch = false
  #lastTold = false
  #ended = false
  #closed = false
  #closedTold = false
  #answer: Uint8Array[] = []
  #answerBytes = 0
  #answered: ((answer: Uint8Array | undefined) => void) | undefined

  constructor(remoteAddress: string, limits: ExchangeLimits, over: () => void) {
    this.remoteAddress = remoteAddress
    this.isLocal = isLoopback(remoteAddress)
    this.batchDeadlineMs = limits.deadlineMs
    this.#maxAnswerBytes = limits.maxAnswerBytes
    this.#over = over
  }

  /** Nothing waits: an answer is kept until it leaves as one. */
  readonly waitingBytes = 0

  /** Bring in the hello.
   * @returns what was answered at once or later; undefined once the pipe is gone. */
  hello(bytes: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#ask(bytes)
  }

  /** Bring in the batch; may be called once, after the hello was answered.
   * @returns all that was answered until the service closed; undefined when it dropped the pipe. */
  batch(bytes: Uint8Array): Promise<Uint8Array | undefined> {
    this.#isBatch = true
    return this.#ask(bytes)
  }

  /** Whether a batch may follow the answer to the hello. */
  get isOpen(): boolean {
    return !this.#closed && !this.#ended
  }

  start(events: PipeEvents): void {
    this.#events = events
    if (this.#closed) this.#tellClosed()
    else this.#deliver()
  }

  write(bytes: Uint8Array): boolean {
    if (this.#closed || this.#ended) return true
    this.#answerBytes += bytes.length
    if (this.#answerBytes > this.#maxAnswerBytes) {
      this.destroy()
      return true
    }
    this.#answer.push(bytes)
    // The answer to a hello is one message, and whatever the service says with it.
    if (!this.#isBatch) queueMicrotask(() => this.#reply())
    return true
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.#deliver()
  }

  end(): void {
    if (this.#ended || this.#closed) return
    this.#ended = true
    this.#reply()
    queueMicrotask(() => {
      if (this.#closed) return
      this.#events?.end()
      this.#close()
    })
  }

  destroy(): void {
    this.#close()
  }

  #ask(bytes: Uint8Array): Promise<Uint8Array | undefined> {
    if (this.#closed) return Promise.resolve(undefined)
    return new Promise((resolve) => {
      this.#answered = resolve
      this.#inbox.push(bytes)
      this.#deliver()
    })
  }

  #deliver(): void {
    const events = this.#events
    if (events === undefined) return
    while (this.#inbox.length > 0 && !this.#paused && !this.#closed) events.data(this.#inbox.shift()!)
    if (!this.#isBatch || this.#lastTold || this.#paused || this.#closed || this.#inbox.length > 0) return
    this.#lastTold = true
    events.last?.()
  }

  #reply(): void {
    const answered = this.#answered
    if (answered === undefined) return
    this.#answered = undefined
    const whole = joined(this.#answer, this.#answerBytes)
    this.#answer = []
    this.#answerBytes = 0
    answered(whole)
  }

  #close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#inbox = []
    this.#answer = []
    this.#answered?.(undefined)
    this.#answered = undefined
    this.#over()
    this.#tellClosed()
  }

  #tellClosed(): void {
    queueMicrotask(() => {
      if (this.#events === undefined || this.#closedTold) return
      this.#closedTold = true
      this.#events.closed(undefined)
    })
  }
}
