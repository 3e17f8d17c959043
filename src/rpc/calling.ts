// The calling half of a peer: calls on exports of the other side, and the references that this side holds to them
// (spec/rpc.md §3, §4). Ids, budget and cancellation of what this side asked. Leaves out serving (dispatch.ts), frames and
// the table of ops (peer.ts).
import { NoisecapError } from '../errors.js'
import {
  CLOSE_CODES,
  type CloseReason,
  nameOfCode,
  refusalError,
  type SessionLimits,
} from '../session/index.js'
import { readFailure, readResult } from './answers.js'
import type { CallOptions } from './call-options.js'
import type { Deadlines } from './deadlines.js'
import { CallError } from './failure.js'
import { IdTable } from './id-table.js'
import { type MethodDefinition, sessionMethod } from './interface.js'
import type { Outbox } from './outbox.js'
import { type Presentation, writePresentation } from './presentation.js'
import { Question, type QuestionOwner } from './question.js'
import { type ReferenceOwner, RemoteReference } from './remote-reference.js'
import { decodeValue, encodeValueInto } from './values.js'
import { CALL_FLAG, type FieldReader, OP, WireError, writeByte, writeBytes, writeVarint } from './wire.js'

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

/** Calls and references of one side. */
export class Calling implements QuestionOwner, ReferenceOwner {
  readonly deadlines: Deadlines
  readonly #outbox: Outbox
  readonly #maxMessageBytes: number
  /** Calls by id, within the other side's budget. */
  readonly #questions: IdTable<Question>
  /** Exports of the other side that this side holds. */
  readonly #references = new Map<number, RemoteReference>()
  readonly #waiting: { readonly question: Question; ask(): void }[] = []
  #over: NoisecapError | undefined

  /** @param remoteLimits - what the other side is willing to receive. */
  constructor(outbox: Outbox, deadlines: Deadlines, remoteLimits: SessionLimits) {
    this.#outbox = outbox
    this.deadlines = deadlines
    this.#maxMessageBytes = remoteLimits.maxMessageBytes
    this.#questions = new IdTable(remoteLimits.maxCallsInFlight)
  }

  /** Calls without an answer yet. */
  get openCalls(): number {
    return this.#questions.size + this.#waiting.length
  }

  /** The object of the capability that opened the session. */
  root(): RemoteReference {
    return this.#references.get(ROOT_EXPORT) ?? this.#refer(ROOT_EXPORT)
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
      question.id = this.#questions.add(question)
      writeVarint(sink, question.id)
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
    question.id = id
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
      if (this.#outbox.messageLength(mark) > this.#maxMessageBytes) throw tooLarge(method.name)
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

  /** Read RETURN or FAIL.
   * @throws WireError when nothing was asked, or the answer breaks the wire format. */
  answered(op: typeof OP.return | typeof OP.fail, reader: FieldReader, bytes: Uint8Array): void {
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

  /** The other side broke a reference: calls on it are over, and it says why. */
  broken(exportId: number, code: number): void {
    const reference = this.#references.get(exportId)
    if (reference === undefined) return // it crossed our release
    const reason = nameOfCode(CLOSE_CODES, code) ?? 'protocol'
    for (const [, question] of this.#questions.entries())
      if (question.exportId === exportId) question.reject(brokenReference(question, reason))
    for (const { question } of this.#waiting)
      if (question.exportId === exportId) question.reject(brokenReference(question, reason))
    reference.break(reason)
  }

  /** The session is over: every call fails, every reference is gone. */
  close(error: NoisecapError): void {
    this.#over = error
    for (const question of this.#questions.takeAll())
      question.reject(disconnected(question.method.name, true, error))
    for (const { question } of this.#waiting.splice(0))
      question.reject(disconnected(question.method.name, false, error))
    this.#references.clear()
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
  const cause = refusalError(reason)
  return new CallError('rpc/permission_denied', `Call ${method} was broken off: ${cause.message}`, {
    method,
    mayHaveRun: question.id !== undefined,
    cause,
    hint: cause.hint,
  })
}
