// The calling half of a peer: calls on exports of the other side and on answers that are still to come (spec/rpc.md §3, §4).
// Ids, budget and cancellation of what this side asked. Leaves out what is asked of the session itself
// (session-requests.ts), serving (dispatch.ts), frames and the table of ops (peer.ts), and what values hold (session-links.ts).
import type { Capability, Restrictions } from '../capability/index.js'
import type { NoisecapError } from '../errors.js'
import { CLOSE_CODES, nameOfCode, type SessionLimits } from '../session/index.js'
import { readFailure, readResult } from './answers.js'
import {
  brokenReference,
  calledByGetter,
  canceledBefore,
  disconnected,
  inputFailed,
  inputRefused,
  letGo,
  malformedAnswer,
  tooLarge,
} from './call-errors.js'
import { writeCallHeader } from './call-header.js'
import type { CallOptions } from './call-options.js'
import type { Deadlines } from './deadlines.js'
import { OPEN_AUTHORITY } from './exports.js'
import { Imports } from './imports.js'
import { asStub } from './local-target.js'
import { askMap } from './map-asking.js'
import type { Recording } from './map-recording.js'
import { type Metadata, sentMetadata } from './metadata.js'
import type { MethodDefinition } from './method-definition.js'
import { MethodStream } from './method-stream.js'
import type { Outbox } from './outbox.js'
import { Question, type QuestionOwner, type QuestionTarget } from './question.js'
import { QuestionTable } from './question-table.js'
import { callerAt, createReferencePromise } from './reference-promise.js'
import type { ReferenceOwner, RemoteReference } from './remote-reference.js'
import type { SessionLinks } from './session-links.js'
import { SessionRequests } from './session-requests.js'
import { type CallResult, isReference, releaseStub, streamResult } from './stub.js'
import type { PathKey } from './value-links.js'
import { NotYet } from './value-refusal.js'
import { encodeValueInto } from './values.js'
import { CALL_FLAG, type FieldReader, OP, WireError, writeVarint } from './wire.js'

/** The export that stands for the object of the session's first capability. */
const ROOT_EXPORT = 0

/** Calls and references of one side. */
export class Calling implements QuestionOwner, ReferenceOwner {
  readonly deadlines: Deadlines
  readonly imports: Imports
  /** What is asked of the session itself. */
  readonly requests: SessionRequests
  /** Set by the peer, which has the other tables. */
  links!: SessionLinks
  readonly #outbox: Outbox
  readonly #maxMessageBytes: number
  /** Calls by id, within the other side's budget. */
  readonly #questions: QuestionTable
  #over: NoisecapError | undefined

  /** @param remoteLimits - what the other side is willing to receive.
   * @param locations - where it was dialled. */
  constructor(
    outbox: Outbox,
    deadlines: Deadlines,
    remoteLimits: SessionLimits,
    locations: readonly string[] = [],
  ) {
    this.#outbox = outbox
    this.deadlines = deadlines
    this.#maxMessageBytes = remoteLimits.maxMessageBytes
    this.#questions = new QuestionTable(remoteLimits.maxCallsInFlight, (question) => this.finish(question))
    this.imports = new Imports(this, remoteLimits.maxExports)
    this.requests = new SessionRequests({
      owner: this,
      questions: this.#questions,
      outbox,
      imports: this.imports,
      locations,
      over: () => this.#over,
    })
  }

  /** Calls without an answer yet. */
  get openCalls(): number {
    return this.#questions.size
  }

  /** The object of the capability that opened the session. */
  root(): RemoteReference {
    return this.imports.find(ROOT_EXPORT) ?? this.imports.arrive(ROOT_EXPORT, undefined)!
  }

  befriend(exportId: number): Promise<void> {
    return this.requests.befriend(exportId)
  }

  save(exportId: number, restrictions: Restrictions): Promise<Capability> {
    return this.requests.save(exportId, restrictions)
  }

  releaseExport(exportId: number, count: number): void {
    if (!this.imports.forget(exportId) || this.#over !== undefined) return
    this.#writeNumbers(OP.release, exportId, count)
  }

  #writeNumbers(op: number, first: number, second?: number): void {
    const { sink, mark } = this.#outbox.beginMessage(op)
    writeVarint(sink, first)
    if (second !== undefined) writeVarint(sink, second)
    this.#outbox.endMessage(mark)
  }

  /** Call a method of an export of the other side.
   * @param input - encoded before this returns, unless the other side's budget is used up: not to be altered till then.
   * @throws nothing itself; the promise rejects with a {@link CallError}. */
  callExport(
    reference: RemoteReference,
    method: MethodDefinition,
    input: unknown,
    options: CallOptions | undefined,
  ): CallResult {
    return this.#call(reference, method, input, options)
  }

  callAnswer(
    question: Question,
    path: readonly PathKey[],
    method: MethodDefinition,
    input: unknown,
    options: CallOptions | undefined,
  ): CallResult {
    return this.#call({ question, path }, method, input, options)
  }

  /** Have the other side replay `recording` for each element of the answer of `list`. */
  callMap(list: Question, recording: Recording, options: CallOptions | undefined): Promise<unknown> {
    const over = this.#over
    if (over !== undefined) return Promise.reject(disconnected('map', false, over))
    return askMap(
      {
        owner: this,
        questions: this.#questions,
        outbox: this.#outbox,
        links: this.links,
        maxMessageBytes: this.#maxMessageBytes,
      },
      list,
      recording,
      options,
    )
  }

  #call(
    target: QuestionTarget,
    method: MethodDefinition,
    input: unknown,
    options: CallOptions | undefined,
  ): CallResult {
    if (method.kind !== 'call') return this.#stream(target, method, input, options)
    const question = this.#begin(target, method, input, options)
    return method.returns === undefined
      ? question.promise()
      : createReferencePromise(method.returns, question)
  }

  #stream(
    target: QuestionTarget,
    method: MethodDefinition,
    input: unknown,
    options: CallOptions | undefined,
  ): CallResult {
    return streamResult(
      new MethodStream(method, options, (shaped) => this.#begin(target, method, input, shaped).promise()),
    )
  }

  #begin(
    target: QuestionTarget,
    method: MethodDefinition,
    input: unknown,
    options: CallOptions | undefined,
  ): Question {
    const question = new Question(this, method, target, options)
    if (this.#over !== undefined) question.reject(disconnected(method.name, false, this.#over))
    if (options?.signal?.aborted === true) question.reject(canceledBefore(method.name, options.signal.reason))
    if (options?.metadata !== undefined) addMetadata(question, options.metadata)
    if (question.settled) return question
    if ('question' in target) target.question.support(question)
    const given = method.takes === undefined ? input : asStub(method.takes, input)
    const isMade = given !== input
    // No closure for a call that there is room for: that is nearly every one.
    if (this.#questions.isFull) this.#enqueue(question, given, isMade)
    else this.#askFirst(question, given, isMade)
    return question
  }

  #enqueue(question: Question, input: unknown, isMade: boolean): void {
    this.#questions.enqueue(question, () => this.#askFirst(question, input, isMade))
  }

  /** @param isMade - whether `input` is a stub that was made for this call. */
  #askFirst(question: Question, input: unknown, isMade: boolean): void {
    this.#ask(question, input, undefined)
    if (isMade && isReference(input)) void releaseStub(input)
  }

  /** Write the CALL of `question`, or find out why it needs none.
   * @param settled - what promises in the input have given. */
  #ask(question: Question, input: unknown, settled: Map<PromiseLike<unknown>, unknown> | undefined): void {
    if (question.settled) return
    const target = question.target!
    if ('question' in target && target.question.id === undefined) {
      this.#askWhenThere(question, target, input)
      return
    }
    const { method } = question
    if (this.#outbox.isWriting) {
      question.reject(calledByGetter(method.name))
      return
    }
    const { sink, mark } = this.#outbox.beginMessage(OP.call)
    const id = this.#questions.add(question)
    question.id = id
    writeVarint(sink, id)
    question.flagsAt = sink.length
    writeCallHeader(sink, question, target)
    const { links } = this
    const authority = ('question' in target ? undefined : target.authority) ?? OPEN_AUTHORITY
    try {
      encodeValueInto(sink, input, 'input', links.beginWrite(authority, settled))
      if (this.#outbox.messageLength(mark) > this.#maxMessageBytes) throw tooLarge(method.name)
    } catch (error) {
      links.rollBack()
      this.#outbox.dropMessage(mark)
      this.#questions.take(id)
      question.id = undefined
      if (error instanceof NotYet) this.#askLater(question, input, settled ?? new Map(), error.promise)
      else question.reject(inputRefused(method.name, error))
      return
    }
    question.batch = this.#outbox.batch
    const moved = this.#outbox.endMessage(mark)
    if (moved < 0) question.batch = -1
    else question.flagsAt += moved
    if (links.relied !== undefined) for (const relied of links.relied) relied.support(question)
    links.sendStreams()
  }

  /** The input holds a promise that this session cannot refer to: its value is sent, once it is there. */
  #askLater(
    question: Question,
    input: unknown,
    settled: Map<PromiseLike<unknown>, unknown>,
    promise: PromiseLike<unknown>,
  ): void {
    promise.then(
      (value) => {
        settled.set(promise, value)
        this.#questions.enqueue(question, () => this.#ask(question, input, settled))
      },
      (cause: unknown) => question.reject(inputFailed(question.method.name, cause)),
    )
  }

  /** The answer that `question` builds on never left for the other side, or is there already: it is called where it is. */
  #askWhenThere(
    question: Question,
    { question: on, path }: { readonly question: Question; readonly path: readonly PathKey[] },
    input: unknown,
  ): void {
    on.promise()
      .then((value) =>
        callerAt(value, path, question.method.name).call(question.method, input, {
          timeoutMs: question.remainingMs,
          metadata: question.metadata?.text,
          idempotent: question.isIdempotent,
        }),
      )
      .then(
        (value) => question.resolve(value),
        (error: unknown) => question.reject(on.error === undefined ? error : on.failed(question.method.name)),
      )
  }

  /** Tell the other side that nobody waits for `question` any more; its id is free after the answer. */
  cancel(question: Question): void {
    if (question.id === undefined || this.#over !== undefined) return
    // An answer that was never asked for would not come: it is let go, which cancels it as well.
    if (question.wants) this.#writeNumbers(OP.cancel, question.id)
    else this.finish(question)
  }

  pull(question: Question): void {
    if (question.id === undefined || this.#over !== undefined) return
    if (!this.#outbox.patch(question.batch, question.flagsAt, CALL_FLAG.want))
      this.#writeNumbers(OP.pull, question.id)
  }

  keep(question: Question): boolean {
    if (question.isKept) return true
    question.isKept = this.#outbox.patch(question.batch, question.flagsAt, CALL_FLAG.keep)
    return question.isKept
  }

  finish(question: Question): void {
    this.#questions.setIdle(question, false)
    const { id } = question
    if (id === undefined || this.#over !== undefined || this.#questions.find(id) !== question) return
    this.#writeNumbers(OP.finish, id)
    this.#questions.take(id)
    question.reject(letGo(question.method.name))
    this.#questions.askWaiting()
  }

  idle(question: Question, isIdle: boolean): void {
    this.#questions.setIdle(question, isIdle)
  }

  /** Read RETURN or FAIL.
   * @throws WireError when nothing was asked, or the answer breaks the wire format. */
  answered(op: typeof OP.return | typeof OP.fail, reader: FieldReader, bytes: Uint8Array): void {
    const question = this.#questions.take(reader.varint())
    if (question === undefined) throw new WireError('answer to no call')
    try {
      if (op === OP.fail) {
        if (!question.settled) readFailure(question, reader, bytes)
      } else if (this.requests.isPresent(question))
        question.resolve(this.requests.readPresented(reader, bytes))
      else this.#returned(question, reader, bytes)
    } catch (error) {
      // Its id is free already, so the end of the session would not find it.
      question.reject(disconnected(question.method.name, true, malformedAnswer()))
      throw error
    } finally {
      this.#questions.askWaiting()
    }
  }

  #returned(question: Question, reader: FieldReader, bytes: Uint8Array): void {
    const { links } = this
    const reference =
      question.target !== undefined && 'exportId' in question.target ? question.target : undefined
    links.beginRead(reference?.authority, question.method.returns)
    readResult(question, reader, bytes, links)
    // What is built on it was written before this FINISH, and arrives before it.
    if (links.hasReferences || question.isKept) this.#writeNumbers(OP.finish, question.id!)
  }

  /** The other side broke a reference: calls on it are over, and it says why. */
  broken(exportId: number, code: number): void {
    const reference = this.imports.find(exportId)
    if (reference === undefined) return
    const reason = nameOfCode(CLOSE_CODES, code) ?? 'protocol'
    for (const question of this.#questions.on(reference)) question.reject(brokenReference(question, reason))
    reference.break(reason)
  }

  /** The session is over: nothing more will be answered. */
  close(error: NoisecapError): void {
    this.#over = error
    for (const { question, isAsked } of this.#questions.takeAll())
      question.reject(disconnected(question.method.name, isAsked, error))
    for (const reference of this.imports.takeAll()) reference.lost(error)
  }
}

/** What cannot be sent fails its call. */
function addMetadata(question: Question, metadata: Metadata): void {
  try {
    question.metadata = sentMetadata(metadata)
  } catch (error) {
    question.reject(error)
  }
}
