// One end of an RPC conversation over a Connection: unary calls both ways (spec/rpc.md §3, §4).
// What is not built yet answers `unimplemented`; what breaks the wire format ends the session.
// Leaves out dialling and re-dialling (src/connect.ts), offers (src/service.ts) and how handlers run (dispatch.ts).
import { NoisecapError } from '../errors.js'
import { BAD_RELEASES_MAX } from '../limits.js'
import type { CloseOutcome, Connection, SessionLimits } from '../session/index.js'
import { readFailure, readResult } from './answers.js'
import type { CallOptions } from './call-options.js'
import { Deadlines } from './deadlines.js'
import { Dispatcher, type DispatcherOptions } from './dispatch.js'
import { CallError, FAILURE_CODES } from './failure.js'
import type { MethodDefinition } from './interface.js'
import { Outbox } from './outbox.js'
import { Question, type QuestionOwner } from './question.js'
import { Questions } from './questions.js'
import { Reassembly } from './reassembly.js'
import { encodeValueInto } from './values.js'
import {
  CALL_FLAG,
  FIRST_SKIPPABLE_OP,
  FieldReader,
  FRAME,
  OP,
  WireError,
  writeByte,
  writeBytes,
  writeVarint,
} from './wire.js'

/** The export that stands for the object of the session's first capability. */
const ROOT_EXPORT = 0

/** Longest time a CALL can carry, ms. */
const REMAINING_MAX_MS = 0xffff_ffff

/** What a peer needs besides its connection. */
export interface PeerOptions {
  /** What the other side is willing to receive. */
  readonly remoteLimits: SessionLimits
  /** What this side is willing to receive. */
  readonly localLimits: SessionLimits
  /** What this side offers; undefined for a pure client. */
  readonly serves?: DispatcherOptions
  /** The session is over. */
  readonly closed?: (outcome: CloseOutcome) => void
  /** The other side takes no more calls; open ones still finish. */
  readonly goingAway?: () => void
  /** The client's first record was opened: it is fresh and holds the PSK. */
  readonly confirmed?: () => void
}

/** One end. */
export class Peer implements QuestionOwner {
  readonly connection: Connection
  readonly deadlines = new Deadlines()
  readonly #options: PeerOptions
  readonly #outbox: Outbox
  readonly #questions: Questions
  readonly #waiting: { question: Question; input: unknown }[] = []
  readonly #dispatcher: Dispatcher | undefined
  readonly #reassembly: Reassembly
  readonly #reader = new FieldReader()
  readonly #pings: { readonly sentMs: number; resolve(ms: number): void; reject(error: unknown): void }[] = []
  #badReleases = 0
  #over: NoisecapError | undefined

  constructor(connection: Connection, options: PeerOptions) {
    this.connection = connection
    this.#options = options
    // Only who serves may stop reading: if callers did as well, both sides could wait for each other for good.
    const holdBack = (tooLong: boolean): void => (tooLong ? connection.hold() : connection.release())
    this.#outbox = new Outbox(connection, options.serves === undefined ? undefined : holdBack)
    this.#questions = new Questions(options.remoteLimits.maxCallsInFlight)
    this.#reassembly = new Reassembly(options.localLimits.maxMessageBytes)
    if (options.serves !== undefined) {
      this.#dispatcher = new Dispatcher(
        options.serves,
        this.#outbox,
        this.deadlines,
        options.localLimits,
        connection,
      )
    }
  }

  /** Begin to read. */
  start(): void {
    this.connection.start({
      confirmed: () => this.#options.confirmed?.(),
      record: (plaintext) => this.#record(plaintext),
      drain: () => this.#outbox.flush(),
      closed: (outcome) => this.#closed(outcome),
    })
  }

  /** Calls without an answer yet. */
  get openCalls(): number {
    return this.#questions.size + this.#waiting.length
  }

  /** Calls of the other side that are being served. */
  get servedCalls(): number {
    return this.#dispatcher?.running ?? 0
  }

  /** Call a method of the other side's root object.
   * @param input - encoded before this returns, unless the other side's budget is used up: not to be altered till then.
   * @throws nothing itself; the promise rejects with a {@link CallError}. */
  call(method: MethodDefinition, input: unknown, options: CallOptions | undefined): Promise<unknown> {
    if (this.#over !== undefined) return Promise.reject(disconnected(method.name, false, this.#over))
    if (options?.signal?.aborted) {
      return Promise.reject(
        new CallError('rpc/canceled', `Call ${method.name} was canceled by its caller`, {
          method: method.name,
          mayHaveRun: false,
          cause: options.signal.reason,
        }),
      )
    }
    const question = new Question(this, method, options)
    if (this.#questions.isFull) this.#waiting.push({ question, input })
    else this.#ask(question, input)
    return question.promise
  }

  #ask(question: Question, input: unknown): void {
    const { method } = question
    const { sink, mark } = this.#outbox.beginMessage(OP.call)
    const remainingMs = question.remainingMs
    const hasDeadline = remainingMs !== Number.POSITIVE_INFINITY
    const id = this.#questions.add(question)
    writeVarint(sink, id)
    writeByte(
      sink,
      CALL_FLAG.want |
        (method.idempotent ? CALL_FLAG.idempotent : 0) |
        (hasDeadline ? CALL_FLAG.deadline : 0),
    )
    writeVarint(sink, ROOT_EXPORT << 1)
    writeBytes(sink, method.encodedName)
    if (hasDeadline) writeVarint(sink, Math.min(REMAINING_MAX_MS, Math.ceil(remainingMs)))
    try {
      encodeValueInto(sink, input, 'input')
      if (this.#outbox.messageLength(mark) > this.#options.remoteLimits.maxMessageBytes)
        throw tooLarge(method.name)
    } catch (error) {
      this.#outbox.dropMessage(mark)
      this.#questions.take(id)
      question.id = undefined
      question.reject(error)
      return
    }
    this.#outbox.endMessage(mark)
  }

  /** Tell the other side that nobody waits for `question` any more; its id is free after the answer. */
  cancel(question: Question): void {
    if (question.id === undefined || this.#over !== undefined) return
    const { sink, mark } = this.#outbox.beginMessage(OP.cancel)
    writeVarint(sink, question.id)
    this.#outbox.endMessage(mark)
  }

  /** One round trip inside the session.
   * @returns its time, ms. */
  ping(): Promise<number> {
    if (this.#over !== undefined) return Promise.reject(this.#over)
    return new Promise((resolve, reject) => {
      this.#pings.push({ sentMs: performance.now(), resolve, reject })
      this.#writeU64(OP.ping, new Uint8Array(8))
    })
  }

  /** Say that no further call will be served; open ones finish within `graceMs`. */
  goAway(graceMs: number): void {
    const { sink, mark } = this.#outbox.beginMessage(OP.goaway)
    writeVarint(sink, this.#dispatcher?.lastCall ?? 0)
    writeVarint(sink, graceMs)
    this.#outbox.endMessage(mark)
  }

  /** Send what waits, then end the session in the open. */
  close(reason: Parameters<Connection['close']>[0] = 'done'): void {
    this.#outbox.flush()
    this.connection.close(reason)
  }

  #writeU64(op: number, value: Uint8Array): void {
    const { sink, mark } = this.#outbox.beginMessage(op)
    writeBytes(sink, value)
    this.#outbox.endMessage(mark)
  }

  #record(plaintext: Uint8Array): void {
    try {
      const kind = plaintext[0]
      const reader = this.#reader
      reader.reset(plaintext, 1, plaintext.length)
      if (kind === FRAME.batch) this.#batch(plaintext)
      else if (kind === FRAME.fragment) {
        const message = this.#reassembly.add(reader)
        if (message !== undefined) this.#message(message, 0, message.length)
      } else throw new WireError('unknown kind of frame')
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      this.connection.close('protocol')
    }
  }

  #batch(plaintext: Uint8Array): void {
    const reader = this.#reader
    let at = 1
    while (at < plaintext.length && this.connection.isOpen) {
      reader.reset(plaintext, at, plaintext.length)
      const length = reader.varint()
      const start = reader.at
      if (length === 0 || length > plaintext.length - start) throw new WireError('message ends too early')
      this.#message(plaintext, start, start + length)
      at = start + length
    }
  }

  #message(bytes: Uint8Array, start: number, end: number): void {
    const reader = this.#reader
    reader.reset(bytes, start, end)
    const op = reader.byte()
    switch (op) {
      case OP.call:
        this.#dispatch(reader, bytes)
        return
      case OP.return:
      case OP.fail:
        this.#answer(op, reader, bytes)
        return
      case OP.cancel:
        this.#dispatcher?.cancel(reader.varint())
        return
      case OP.ping:
        this.#writeU64(OP.pong, reader.take(8).slice())
        return
      case OP.pong:
        this.#pong()
        return
      case OP.goaway:
        this.#options.goingAway?.()
        return
      case OP.pull:
      case OP.present:
      case OP.map:
        this.#unimplemented(reader.varint())
        return
      case OP.release:
      case OP.finish:
      case OP.broken:
      case OP.item:
      case OP.end:
      case OP.credit:
      case OP.stop:
        this.#strayReference()
        return
      default:
        if (op < FIRST_SKIPPABLE_OP) throw new WireError('unknown op')
    }
  }

  #dispatch(reader: FieldReader, bytes: Uint8Array): void {
    if (this.#dispatcher !== undefined) this.#dispatcher.call(reader, bytes)
    else this.#unimplemented(reader.varint())
  }

  #unimplemented(call: number): void {
    const { sink, mark } = this.#outbox.beginMessage(OP.fail)
    writeVarint(sink, call)
    writeVarint(sink, FAILURE_CODES.unimplemented)
    writeByte(sink, 0)
    this.#outbox.endMessage(mark)
  }

  /** This version exports no references and no streams, so nothing can be released or credited. */
  #strayReference(): void {
    this.#badReleases += 1
    if (this.#badReleases > BAD_RELEASES_MAX) this.connection.close('limit')
  }

  #answer(op: typeof OP.return | typeof OP.fail, reader: FieldReader, bytes: Uint8Array): void {
    const question = this.#questions.take(reader.varint())
    if (question === undefined) throw new WireError('answer to no call')
    try {
      if (question.settled) return
      if (op === OP.return) readResult(question, reader, bytes)
      else readFailure(question, reader, bytes)
    } catch (error) {
      // Its id is free already, so the end of the session would not find it.
      question.reject(disconnected(question.method.name, true, malformedAnswer()))
      throw error
    } finally {
      this.#askWaiting()
    }
  }

  /** Ask as many waiting questions as the budget allows; one that cannot be written makes room for the next. */
  #askWaiting(): void {
    while (!this.#questions.isFull) {
      const next = this.#waiting.shift()
      if (next === undefined) return
      if (!next.question.settled) this.#ask(next.question, next.input)
    }
  }

  #pong(): void {
    const ping = this.#pings.shift()
    if (ping === undefined) throw new WireError('pong without ping')
    ping.resolve(performance.now() - ping.sentMs)
  }

  #closed(outcome: CloseOutcome): void {
    const error =
      outcome.error ??
      new NoisecapError('session/closed', `Session was closed by ${outcome.by}: ${outcome.reason}`)
    this.#over = error
    for (const question of this.#questions.takeAll())
      question.reject(disconnected(question.method.name, true, error))
    for (const { question } of this.#waiting.splice(0))
      question.reject(disconnected(question.method.name, false, error))
    for (const ping of this.#pings.splice(0)) ping.reject(error)
    this.#dispatcher?.close()
    this.#options.closed?.(outcome)
  }
}

function tooLarge(method: string): CallError {
  return new CallError(
    'rpc/resource_exhausted',
    `Cannot call ${method}: the input is larger than the service takes`,
    {
      method,
      mayHaveRun: false,
    },
  )
}

function malformedAnswer(): NoisecapError {
  return new NoisecapError('session/protocol', 'the answer breaks the wire format')
}

function disconnected(method: string, mayHaveRun: boolean, cause: NoisecapError): CallError {
  return new CallError('rpc/disconnected', `Call ${method} failed: ${cause.message}`, {
    method,
    mayHaveRun,
    cause,
  })
}
