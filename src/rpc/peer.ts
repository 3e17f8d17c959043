// One end of an RPC conversation over a Connection: unary calls on exports, both ways (spec/rpc.md §3, §4).
// What is not built yet answers `unimplemented`; what breaks the wire format ends the session.
// Leaves out dialling (src/pool.ts), offers (src/service.ts) and how handlers run (dispatch.ts).
import { NoisecapError } from '../errors.js'
import { BAD_RELEASES_MAX } from '../limits.js'
import {
  CLOSE_CODES,
  type CloseOutcome,
  type CloseReason,
  type Connection,
  nameOfCode,
  refusalError,
  type SessionLimits,
} from '../session/index.js'
import { readFailure, readResult } from './answers.js'
import type { CallOptions } from './call-options.js'
import { Deadlines } from './deadlines.js'
import { Dispatcher, type DispatcherOptions } from './dispatch.js'
import type { Exported } from './exports.js'
import { CallError, FAILURE_CODES } from './failure.js'
import { type MethodDefinition, sessionMethod } from './interface.js'
import { Outbox } from './outbox.js'
import { type Presentation, writePresentation } from './presentation.js'
import { Question, type QuestionOwner } from './question.js'
import { Questions } from './questions.js'
import { Reassembly } from './reassembly.js'
import { type ReferenceOwner, RemoteReference } from './remote-reference.js'
import { decodeValue, encodeValueInto } from './values.js'
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

/** Requests of the session itself, which are no calls on an object. */
const PRESENT = sessionMethod('present')
const BEFRIEND = sessionMethod('befriend')
/** So that a target fits a varint. */
const EXPORT_ID_MAX = 0x7fff_ffff
/** Target of those; no export has it. */
const NO_EXPORT = -1

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
export class Peer implements QuestionOwner, ReferenceOwner {
  readonly connection: Connection
  readonly deadlines = new Deadlines()
  readonly #options: PeerOptions
  readonly #outbox: Outbox
  readonly #questions: Questions
  /** Exports of the other side that this side holds. */
  readonly #references = new Map<number, RemoteReference>()
  readonly #waiting: { readonly question: Question; ask(): void }[] = []
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

  /** The object of the capability that opened the session. */
  root(): RemoteReference {
    return this.#refer(ROOT_EXPORT)
  }

  #refer(exportId: number): RemoteReference {
    const reference = new RemoteReference(this, exportId)
    this.#references.set(exportId, reference)
    return reference
  }

  /** Show a further capability of the same service: one HMAC, no DH.
   * @returns a reference to its object; rejects with a {@link CallError} whose `failureName` says which caveat denies. */
  async present(presentation: Presentation): Promise<RemoteReference> {
    return (await this.#request(OP.present, PRESENT, presentation)) as RemoteReference // see #presented
  }

  /** The reference is there before the next message is read, which may already break it. */
  #presented(reader: FieldReader, bytes: Uint8Array): RemoteReference {
    let exportId: unknown
    try {
      exportId = decodeValue(bytes, reader.at, reader.end)
    } catch {
      throw new WireError('export is not a value')
    }
    if (
      typeof exportId !== 'number' ||
      !Number.isSafeInteger(exportId) ||
      exportId < 0 ||
      exportId > EXPORT_ID_MAX
    )
      throw new WireError('export is not a number')
    if (this.#references.has(exportId)) throw new WireError('export is in use')
    return this.#refer(exportId)
  }

  /** Ask the other side to remember this one as a contact, for the capability of an export. */
  async befriend(exportId: number): Promise<void> {
    await this.#request(OP.befriend, BEFRIEND, exportId)
  }

  #request(op: number, method: MethodDefinition, input: Presentation | number): Promise<unknown> {
    if (this.#over !== undefined) return Promise.reject(disconnected(method.name, false, this.#over))
    const question = new Question(this, method, NO_EXPORT, undefined)
    this.#enqueue(question, () => {
      const { sink, mark } = this.#outbox.beginMessage(op)
      writeVarint(sink, this.#questions.add(question))
      if (typeof input === 'number') writeVarint(sink, input)
      else writePresentation(sink, input)
      this.#outbox.endMessage(mark)
    })
    return question.promise
  }

  releaseExport(exportId: number): void {
    if (!this.#references.delete(exportId) || this.#over !== undefined) return
    const { sink, mark } = this.#outbox.beginMessage(OP.release)
    writeVarint(sink, exportId)
    writeVarint(sink, 1)
    this.#outbox.endMessage(mark)
  }

  /** Call a method of an export of the other side.
   * @param input - encoded before this returns, unless the other side's budget is used up: not to be altered till then.
   * @throws nothing itself; the promise rejects with a {@link CallError}. */
  callExport(
    exportId: number,
    method: MethodDefinition,
    input: unknown,
    options: CallOptions | undefined,
  ): Promise<unknown> {
    if (this.#over !== undefined) return Promise.reject(disconnected(method.name, false, this.#over))
    if (options?.signal?.aborted) return Promise.reject(canceledBefore(method.name, options.signal.reason))
    const question = new Question(this, method, exportId, options)
    if (this.#questions.isFull) this.#enqueue(question, () => this.#ask(question, input))
    else this.#ask(question, input)
    return question.promise
  }

  #enqueue(question: Question, ask: () => void): void {
    if (this.#questions.isFull) this.#waiting.push({ question, ask })
    else ask()
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
    writeVarint(sink, question.exportId * 2)
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
      case OP.present:
      case OP.befriend:
        this.#serveRequest(op, reader)
        return
      case OP.release:
        if (this.#dispatcher?.release(reader) !== true) this.#strayReference()
        return
      case OP.broken:
        this.#broken(reader.varint(), reader.varint())
        return
      case OP.pull:
      case OP.map:
        this.#unimplemented(reader.varint())
        return
      case OP.finish:
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

  #serveRequest(op: typeof OP.present | typeof OP.befriend, reader: FieldReader): void {
    if (this.#dispatcher === undefined) this.#unimplemented(reader.varint())
    else if (op === OP.present) this.#dispatcher.present(reader)
    else this.#dispatcher.befriend(reader)
  }

  /** The other side broke a reference: calls on it are over, and it says why. */
  #broken(exportId: number, code: number): void {
    const reference = this.#references.get(exportId)
    if (reference === undefined) return // it crossed our release
    const reason = nameOfCode(CLOSE_CODES, code) ?? 'protocol'
    for (const question of this.#questions.open())
      if (question.exportId === exportId) question.reject(brokenReference(question, reason))
    for (const { question } of this.#waiting)
      if (question.exportId === exportId) question.reject(brokenReference(question, reason))
    reference.break(reason)
  }

  /** Break an export of this side: open calls on it are answered, later ones are refused.
   * @param exportId - of `exported`. */
  breakExport(exportId: number, exported: Exported, reason: CloseReason): void {
    if (!this.connection.isOpen) return
    const { sink, mark } = this.#outbox.beginMessage(OP.broken)
    writeVarint(sink, exportId)
    writeVarint(sink, CLOSE_CODES[reason])
    this.#outbox.endMessage(mark)
    this.#dispatcher?.breakCalls(exported, `the capability ended: ${reason}`)
  }

  #unimplemented(call: number): void {
    const { sink, mark } = this.#outbox.beginMessage(OP.fail)
    writeVarint(sink, call)
    writeVarint(sink, FAILURE_CODES.unimplemented)
    writeByte(sink, 0)
    this.#outbox.endMessage(mark)
  }

  /** Released too often, or a message about something that was never there. */
  #strayReference(): void {
    this.#badReleases += 1
    if (this.#badReleases > BAD_RELEASES_MAX) this.connection.close('limit')
  }

  #answer(op: typeof OP.return | typeof OP.fail, reader: FieldReader, bytes: Uint8Array): void {
    const question = this.#questions.take(reader.varint())
    if (question === undefined) throw new WireError('answer to no call')
    try {
      if (question.settled) return
      if (op === OP.return && question.method === PRESENT) question.resolve(this.#presented(reader, bytes))
      else if (op === OP.return) readResult(question, reader, bytes)
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
      if (!next.question.settled) next.ask()
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
    this.#references.clear()
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

function canceledBefore(method: string, cause: unknown): CallError {
  const message = `Call ${method} was canceled by its caller`
  return new CallError('rpc/canceled', message, { method, mayHaveRun: false, cause })
}

function brokenReference(question: Question, reason: CloseReason): CallError {
  const method = question.method.name
  return new CallError(
    'rpc/permission_denied',
    `Call ${method} was broken off: the capability ended (${reason})`,
    {
      method,
      mayHaveRun: question.id !== undefined,
      cause: refusalError(reason),
    },
  )
}
