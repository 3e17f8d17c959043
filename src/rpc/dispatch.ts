// Decides which calls may run: only on exports that are open or answers that hold references, only while the capability
// allows it, within the budgets, in order (spec/rpc.md §4, §8). Leaves out requests of the session itself (served-requests.ts), the table of
// ops (peer.ts), how calls run (execution.ts) and what answers are kept (served-answers.ts).
import type { PublicKey } from '../crypto/index.js'
import { METHOD_NAME_MAX_BYTES } from '../limits.js'
import type { Connection, SessionLimits } from '../session/index.js'
import { AnswerWriter } from './answer-writer.js'
import { LINK_PROBLEM_TEXT } from './answers.js'
import type { Deadlines } from './deadlines.js'
import { type Callee, Execution, type InternalError } from './execution.js'
import { AnswerExport, type Exported, type Exports } from './exports.js'
import { Failure, type FailureReason } from './failure.js'
import { answersNeeded } from './guard-links.js'
import { targetBehind } from './local-target.js'
import { MapCalls } from './map-calls.js'
import { MapCall } from './map-run.js'
import { MALFORMED_METADATA, NO_METADATA, readMetadata } from './metadata.js'
import { OpenCalls } from './open-calls.js'
import type { Outbox } from './outbox.js'
import { NOT_PLAIN, readPlain } from './plain-reader.js'
import { walk } from './reference-promise.js'
import { type ServedAnswer, ServedAnswers } from './served-answers.js'
import type { Around } from './served-call.js'
import { type RequestHandlers, ServedRequests } from './served-requests.js'
import { ServerCall } from './server-call.js'
import type { SessionLinks } from './session-links.js'
import type { ToldFailure } from './streams.js'
import { callerOf, isReference } from './stub.js'
import { letGoUnread } from './unread-arguments.js'
import type { PathKey } from './value-links.js'
import { judgeSessionValue, readSessionValue } from './values.js'
import { type Waiting, WaitingCalls } from './waiting-calls.js'
import { CALL_FLAG, type FieldReader, readPath, WireError } from './wire.js'

const UNIMPLEMENTED_FLAGS = CALL_FLAG.oneWay | CALL_FLAG.trace

/** What a dispatcher serves. */
export interface DispatcherOptions extends RequestHandlers {
  readonly exports: Exports
  readonly client: PublicKey | undefined
  readonly onInternalError: (report: InternalError) => void
  /** What runs around each handler. */
  readonly around?: Around | undefined
  /** No call runs longer, ms; default without end. */
  readonly maxTimeoutMs?: number | undefined
}

/** The serving half of a peer. */
export class Dispatcher {
  /** What the other side asks of the session itself. */
  readonly requests: ServedRequests
  readonly #client: PublicKey | undefined
  readonly #exports: Exports
  readonly #writer: AnswerWriter
  readonly #links: SessionLinks
  readonly #deadlines: Deadlines
  readonly #connection: Connection
  readonly #limits: SessionLimits
  readonly #calls: OpenCalls
  readonly #answers = new ServedAnswers()
  readonly #execution: Execution
  readonly #waiting: WaitingCalls
  readonly #maps: MapCalls
  readonly #maxTimeoutMs: number
  #closed = false

  constructor(
    options: DispatcherOptions,
    outbox: Outbox,
    deadlines: Deadlines,
    { localLimits: limits, remoteLimits }: Readonly<Record<'localLimits' | 'remoteLimits', SessionLimits>>,
    connection: Connection,
    links: SessionLinks,
  ) {
    this.#client = options.client
    this.#maxTimeoutMs = options.maxTimeoutMs ?? Number.POSITIVE_INFINITY
    this.#exports = options.exports
    this.#writer = new AnswerWriter(outbox, links, remoteLimits.maxMessageBytes)
    this.#links = links
    links.answers = this.#answers
    this.#deadlines = deadlines
    this.#connection = connection
    this.#limits = limits
    this.#calls = new OpenCalls(limits.maxCallsInFlight)
    this.#execution = new Execution({
      writer: this.#writer,
      links,
      calls: this.#calls,
      answers: this.#answers,
      connection,
      onInternalError: options.onInternalError,
      around: options.around,
    })
    this.requests = new ServedRequests(options, {
      exports: options.exports,
      claim: (reader) => this.#claim(reader),
      hasRoom: (id) => this.#hasRoom(id),
      refuse: (id, reason, message) => this.#refuse(id, reason, message),
      answer: (id, what, run) => this.#answer(id, what, run),
    })
    this.#waiting = new WaitingCalls(this.#calls, this.#answers, {
      run: ({ call, name, args }) => {
        if (this.#isAllowed(call, name)) this.#read(call, name, args, 0)
        else letGoUnread(args, 0, args.length, links)
      },
      drop: ({ args }) => letGoUnread(args, 0, args.length, links),
      fail: ({ call, name }, failure) => this.#execution.fail(call, failure, name),
    })
    this.#maps = new MapCalls({
      calls: this.#calls,
      answers: this.#answers,
      waiting: this.#waiting,
      execution: this.#execution,
      links,
      deadlines,
      limits,
    })
  }

  get running(): number {
    return this.#calls.size
  }

  /** Highest call id seen. */
  get lastCall(): number {
    return this.#calls.last
  }

  /** What the other side learns when a stream of this side fails. */
  tell(error: unknown): ToldFailure {
    return this.#execution.tell(error, 'stream')
  }

  /** Serve one CALL.
   * @param reader - stands behind the op.
   * @throws WireError for an id in use or bytes that are no CALL. */
  call(reader: FieldReader, bytes: Uint8Array): void {
    const id = this.#claim(reader)
    const flags = reader.byte()
    const target = reader.varint()
    const path = (target & 1) === 1 ? readPath(reader) : undefined
    const name = reader.text(METHOD_NAME_MAX_BYTES)
    const wantedMs = (flags & CALL_FLAG.deadline) !== 0 ? reader.varint() : Number.POSITIVE_INFINITY
    const remainingMs = Math.min(wantedMs, this.#maxTimeoutMs)
    const metadata = (flags & CALL_FLAG.metadata) !== 0 ? readMetadata(reader) : NO_METADATA
    const { at, end } = reader
    const number = Math.floor(target / 2)
    const exported = path === undefined ? this.#exports.find(number) : undefined
    let isTaken = false
    const isAdmitted = this.#admits(id, flags)
    if (isAdmitted && path === undefined && exported === undefined)
      this.#refuse(id, 'not_found', 'there is no such reference')
    else if (isAdmitted) {
      const call = new ServerCall(id, exported, this.#client, remainingMs, this.#deadlines, flags)
      call.metadata = metadata
      isTaken =
        path === undefined
          ? this.#callExport(call, name, bytes, at, end)
          : this.#callAnswer({ call, name, args: bytes.slice(at, end) }, number, path)
    }
    if (!isTaken) letGoUnread(bytes, at, end, this.#links)
  }

  /** Whether a call with these flags may run now; if not, it is refused. */
  #admits(id: number, flags: number): boolean {
    if ((flags & UNIMPLEMENTED_FLAGS) === 0) return this.#hasRoom(id)
    this.#refuse(id, 'unimplemented')
    return false
  }

  /** @returns false, as all that follow, when nobody will read the arguments. */
  #callExport(call: ServerCall, name: string, bytes: Uint8Array, start: number, end: number): boolean {
    if (!this.#isAllowed(call, name)) return false
    const isTaken = this.#enter(call, name, bytes, start, end)
    if (!call.finished) this.#keep(call)
    return isTaken
  }

  /** Serve one MAP.
   * @throws WireError as {@link call}. */
  map(reader: FieldReader, bytes: Uint8Array): void {
    const id = this.#claim(reader)
    const flags = reader.byte()
    const remainingMs = (flags & CALL_FLAG.deadline) !== 0 ? reader.varint() : Number.POSITIVE_INFINITY
    if ((flags & CALL_FLAG.want) === 0) {
      this.#refuse(id, 'unimplemented')
      return
    }
    if (!this.#admits(id, flags)) return
    const call = new MapCall(id, undefined, this.#client, remainingMs, this.#deadlines, flags)
    this.#maps.begin(call, bytes.slice(reader.at, reader.end))
    if (!call.finished) this.#keep(call)
  }

  #claim(reader: FieldReader): number {
    const id = this.#calls.claim(reader.varint())
    if (this.#answers.size > 0 && this.#answers.find(id) !== undefined)
      throw new WireError('call id is in use')
    return id
  }

  #isAllowed(call: ServerCall, name: string): boolean {
    const permission = call.exported!.authorize(name) // set by whoever asks
    if (permission === 'ok') return true
    const why =
      permission === 'broken'
        ? 'the reference is broken'
        : `the capability does not allow ${name} (caveat methods)`
    this.#execution.fail(call, new Failure('permission_denied', why), name)
    return false
  }

  /** A call that its handler did not answer at once: only those need the table. */
  #keep(call: ServerCall): void {
    this.#calls.keep(call)
    // The handler may have ended its session or its own capability; nobody found this call then.
    if (this.#closed) this.#calls.drop(call)
    else if (call.exported?.isLive === false) this.#breakOff(call, 'the reference is broken')
  }

  /** The call goes to what will stand in an answer: now, or once that is there. */
  #callAnswer(waiting: Waiting, parent: number, path: readonly PathKey[]): boolean {
    const { call, name } = waiting
    const open = this.#calls.find(parent)
    if (open === undefined) {
      const isTaken = this.#callAnswered(waiting, this.#answers.find(parent), path)
      if (!call.finished) this.#keep(call)
      return isTaken
    }
    call.depth = open.depth + 1
    if (call.depth > this.#limits.maxPipelineDepth || !this.#waiting.park(waiting))
      return this.#refuseDeep(call, name)
    this.#calls.keep(call)
    this.#answers.whenAnswered(open, (answer) => {
      this.#waiting.unpark(waiting)
      if (call.finished || !this.#callAnswered(waiting, answer, path))
        letGoUnread(waiting.args, 0, waiting.args.length, this.#links)
    })
    return true
  }

  #refuseDeep(call: ServerCall, name: string): false {
    this.#execution.fail(call, new Failure('resource_exhausted', 'too much is pipelined'), name)
    return false
  }

  #callAnswered(waiting: Waiting, answer: ServedAnswer | undefined, path: readonly PathKey[]): boolean {
    const { call, name, args } = waiting
    if (answer?.failure !== undefined) {
      this.#execution.fail(call, answer.failure, name)
      return false
    }
    const found = answer === undefined ? undefined : walk(answer.value, path)
    const authority = answer?.call.exported?.authority
    if (!isReference(found) || authority === undefined) {
      this.#execution.fail(
        call,
        new Failure('failed_precondition', 'the answer holds no reference there'),
        name,
      )
      return false
    }
    call.exported = new AnswerExport(authority, targetBehind(callerOf(found)))
    return this.#isAllowed(call, name) && this.#enter(call, name, args, 0, args.length)
  }

  /** Judge the arguments, and wait where they need answers that are still to come, or others wait for that already. */
  #enter(call: ServerCall, name: string, bytes: Uint8Array, start: number, end: number): boolean {
    if (call.metadata === MALFORMED_METADATA) {
      this.#execution.fail(call, new Failure('invalid_argument', 'the metadata is malformed'), name)
      return false
    }
    const exported = call.exported!
    const plain = this.#waiting.has(exported) ? NOT_PLAIN : readPlain(bytes, start, end)
    if (plain !== NOT_PLAIN) {
      this.#begin(call, name, plain)
      return true
    }
    try {
      judgeSessionValue(bytes, start, end)
    } catch (error) {
      const why = error instanceof Error ? error.message : 'bad value'
      this.#execution.fail(call, new Failure('invalid_argument', why), name)
      return true // it brings nothing
    }
    if (!this.#needsAnswers(call) && !this.#waiting.has(exported)) {
      this.#read(call, name, bytes, start)
      return true
    }
    const waiting = { call, name, args: bytes.slice(start, end) }
    if (call.depth <= this.#limits.maxPipelineDepth && this.#waiting.join(exported, waiting)) return true
    return this.#refuseDeep(call, name)
  }

  /** Whether the arguments that were judged last need answers that are still to come; they are one step deeper than these. */
  #needsAnswers(call: ServerCall): boolean {
    const needed = answersNeeded()
    if (needed.length === 0) return false
    let isAny = false
    for (const id of needed) {
      const open = this.#calls.find(id)
      if (open === undefined || open === call) continue
      isAny = true
      call.depth = Math.max(call.depth, open.depth + 1)
    }
    return isAny
  }

  #read(call: ServerCall, name: string, bytes: Uint8Array, start: number): void {
    const exported = call.exported!
    const target = exported.target()
    const expected = target instanceof Promise ? undefined : target.description.methods.get(name)?.takes
    const links = this.#links.beginRead(exported.authority, expected)
    const input = readSessionValue(bytes, start, links)
    call.borrowed = links.arrived
    if (links.problem === undefined) this.#begin(call, name, input, target)
    else this.#execution.fail(call, new Failure('invalid_argument', LINK_PROBLEM_TEXT[links.problem]), name)
  }

  #begin(call: ServerCall, name: string, input: unknown, target = call.exported!.target()): void {
    if (target instanceof Promise) {
      target.then(
        (made: Callee) => this.#execution.begin(call, made, name, input),
        (error: unknown) => this.#execution.fail(call, error, name),
      )
    } else this.#execution.begin(call, target, name, input)
  }

  #answer(id: number, what: string, run: () => unknown): void {
    const call = new ServerCall(id, undefined, undefined, Number.POSITIVE_INFINITY, this.#deadlines)
    this.#execution.request(call, what, run)
    if (!call.finished) this.#keep(call)
  }

  /** Serve PULL.
   * @returns false when there is no such answer to come. */
  pull(id: number): boolean {
    const open = this.#calls.find(id)
    const answer = this.#answers.find(id)
    if (open !== undefined) open.wants = true
    else if (answer !== undefined && !answer.isSent) this.#execution.send(answer)
    else return false
    return true
  }

  /** Serve FINISH.
   * @returns false when there is no such answer. */
  finish(id: number): boolean {
    if (this.#answers.drop(id)) return true
    const open = this.#calls.find(id)
    if (open === undefined || open.wants) return false
    // Nobody will ask for it, so it gets no answer.
    this.#calls.letGo(open)
    this.#answers.answered(open, undefined)
    return true
  }

  /** Serve RELEASE.
   * @returns false when the other side does not hold that export as often. */
  release(reader: FieldReader): boolean {
    return this.#exports.release(reader.varint(), reader.varint())
  }

  /** Every open call under `authority` is over: its handler's signal is aborted, its caller is told. */
  breakCalls(authority: Exported['authority'], why: string): void {
    for (const call of this.#calls.under(authority)) this.#breakOff(call, why)
    this.#links.streams.breakFeeds(authority, why)
  }

  #breakOff(call: ServerCall, why: string): void {
    call.abort('canceled')
    if (!this.#calls.finish(call)) return
    this.#answers.answered(call, undefined)
    if (this.#connection.isOpen) this.#refuse(call.id, 'permission_denied', why, call.mayHaveRun)
    call.end()
  }

  /** Whether one more call may run; if not, it is refused, and the session ends at twice the budget. */
  #hasRoom(id: number): boolean {
    const room = this.#calls.admit(this.#answers.size)
    if (room === 'twice') this.#connection.close('limit')
    else if (room === 'refused') this.#refuse(id, 'resource_exhausted')
    return room === 'ok'
  }

  #refuse(id: number, reason: FailureReason, message: string = reason, mayHaveRun = false): void {
    this.#writer.failure(id, mayHaveRun, new Failure(reason, message))
  }

  /** The caller waits no more. */
  cancel(id: number): void {
    this.#calls.find(id)?.abort('canceled')
  }

  /** The session is over: every handler's signal is aborted. */
  close(): void {
    this.#closed = true
    this.#calls.abandon()
    this.#answers.close()
    this.#waiting.clear()
  }
}
