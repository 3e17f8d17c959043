// Runs calls that may run: input is validated before the handler, unknown errors cross as `internal` with an id, results are
// sent, kept or both (spec/rpc.md §4, §6). Leaves out which calls may run (dispatch.ts) and the bytes of answers
// (answer-writer.ts).
import { hexEncode } from '../bytes.js'
import { primitives } from '../crypto/index.js'
import type { Connection } from '../session/index.js'
import { describeIssues, type SchemaResult, type StandardSchema } from '../standard-schema.js'
import type { AnswerWriter } from './answer-writer.js'
import { type Authority, OPEN_AUTHORITY, type Target } from './exports.js'
import { CallError, Failure } from './failure.js'
import { asStub, type LocalTarget } from './local-target.js'
import { defineMethod, type MethodDefinition } from './method-definition.js'
import type { OpenCalls } from './open-calls.js'
import { releaseIn } from './result-references.js'
import type { ServedAnswer, ServedAnswers } from './served-answers.js'
import { type Around, runAround } from './served-call.js'
import type { ServerCall } from './server-call.js'
import type { SessionLinks } from './session-links.js'
import type { StreamSource } from './shapes.js'
import { ByteSource, isStreamSource, mapItems } from './stream-source.js'
import type { ToldFailure } from './streams.js'
import { isReference } from './stub.js'
import { ERROR_ID_BYTES } from './wire.js'

/** An error that did not cross: it is for the service's log, under the id that the caller got. */
export interface InternalError {
  readonly errorId: string
  readonly method: string
  readonly error: unknown
}

/** What a call runs on. */
export type Callee = Target | LocalTarget

/** What execution needs of its session. */
export interface ExecutionParts {
  readonly writer: AnswerWriter
  readonly links: SessionLinks
  readonly calls: OpenCalls
  readonly answers: ServedAnswers
  readonly connection: Connection
  readonly onInternalError: (report: InternalError) => void
  /** What runs around each handler. */
  readonly around?: Around | undefined
}

/** Handlers of one session at work. */
export class Execution {
  readonly #parts: ExecutionParts

  constructor(parts: ExecutionParts) {
    this.#parts = parts
  }

  /** Call `name` of `target`, which the caller may do. */
  begin(call: ServerCall, target: Callee, name: string, input: unknown): void {
    if ('forward' in target && target.forward !== undefined) {
      this.#forward(call, target.forward, name, input)
      return
    }
    const method = target.description.methods.get(name)
    if (method === undefined) {
      this.fail(call, new Failure('unimplemented', `${target.description.name} has no method ${name}`), name)
    } else if (method.input === undefined) this.#run(call, target, method, input)
    else this.#validate(call, target, method, method.input['~standard'], input)
  }

  #validate(
    call: ServerCall,
    target: Callee,
    method: MethodDefinition,
    schema: StandardSchema['~standard'],
    input: unknown,
  ): void {
    let result: SchemaResult<unknown> | Promise<SchemaResult<unknown>>
    try {
      result = schema.validate(input)
    } catch (error) {
      this.fail(call, error, method.name)
      return
    }
    // No closure for what is there at once, here and below: that is nearly every call.
    if (result instanceof Promise) this.#runLater(call, target, method, result)
    else this.#runValidated(call, target, method, result)
  }

  #runLater(
    call: ServerCall,
    target: Callee,
    method: MethodDefinition,
    result: Promise<SchemaResult<unknown>>,
  ): void {
    result.then(
      (validated) => this.#runValidated(call, target, method, validated),
      (error: unknown) => this.fail(call, error, method.name),
    )
  }

  #runValidated(
    call: ServerCall,
    target: Callee,
    method: MethodDefinition,
    result: SchemaResult<unknown>,
  ): void {
    if (result.issues === undefined) this.#run(call, target, method, result.value)
    else this.fail(call, new Failure('invalid_argument', describeIssues(result.issues)), method.name)
  }

  /** A reference of another session: its host judges the call, and its errors go on as they came. */
  #forward(call: ServerCall, to: NonNullable<LocalTarget['forward']>, name: string, input: unknown): void {
    call.mayHaveRun = true
    const { remainingMs, signal, metadata } = call
    const options = { signal, timeoutMs: remainingMs, metadata }
    const run = (): unknown => to.call(defineMethod(name), input, options)
    const running =
      this.#parts.around === undefined ? run() : this.#intercepted(call, undefined, name, input, run)
    Promise.resolve(running).then(
      (value) => this.#succeed(call, UNTYPED, value),
      (error: unknown) => this.fail(call, passedOn(error), name),
    )
  }

  #run(call: ServerCall, target: Callee, method: MethodDefinition, input: unknown): void {
    if (call.aborted !== undefined) {
      this.fail(call, undefined, method.name)
      return
    }
    call.mayHaveRun = true
    let result: unknown
    try {
      // Declared by the interface, so this name is one that the service's author wrote down.
      const handler = (target.object as Readonly<Record<string, unknown>>)[method.name]
      if (typeof handler !== 'function') throw new TypeError(`the object has no method ${method.name}`)
      result =
        this.#parts.around === undefined
          ? Reflect.apply(handler, target.object, [input, call])
          : this.#runAround(call, target, method.name, input, handler)
      this.#settle(call, method, result)
    } catch (error) {
      this.fail(call, error, method.name)
    }
  }

  #runAround(
    call: ServerCall,
    target: Callee,
    method: string,
    input: unknown,
    handler: Parameters<typeof Reflect.apply>[0],
  ): Promise<unknown> {
    return this.#intercepted(call, target.description.name, method, input, () =>
      Reflect.apply(handler, target.object, [input, call]),
    )
  }

  #intercepted(
    call: ServerCall,
    name: string | undefined,
    method: string,
    input: unknown,
    run: () => unknown,
  ): Promise<unknown> {
    const around = this.#parts.around!
    const { object, grantId } = around.originOf(call.exported)
    return runAround(around, { interface: name, method, input, context: call, object, grantId }, run)
  }

  /** Answer a request of the session itself with what `run` gives. */
  request(call: ServerCall, what: string, run: () => unknown): void {
    try {
      this.#settle(call, defineMethod(what), run())
    } catch (error) {
      this.fail(call, error, what)
    }
  }

  #settle(call: ServerCall, method: MethodDefinition, result: unknown): void {
    if (isThenable(result)) this.#settleLater(call, method, result)
    else this.#succeed(call, method, result)
  }

  #settleLater(call: ServerCall, method: MethodDefinition, result: PromiseLike<unknown>): void {
    result.then(
      (value) => this.#succeed(call, method, value),
      (error: unknown) => this.fail(call, error, method.name),
    )
  }

  #succeed(call: ServerCall, method: MethodDefinition, result: unknown): void {
    let value = result
    try {
      if (method.returns !== undefined) value = asStub(method.returns, value)
      else if (method.kind !== 'call') value = asStream(method, value)
    } catch (error) {
      this.fail(call, error, method.name)
      return
    }
    const isOpen = this.#finish(call)
    if (!isOpen || call.aborted !== undefined) {
      releaseIn(value)
      if (isOpen && call.aborted !== undefined)
        this.#failed(call, new Failure(call.aborted, 'the result came too late'))
      call.end()
      return
    }
    if (call.receiver !== undefined) call.receiver.settled(value)
    else if (call.wants) this.#return(call, method, value)
    else {
      // What is nested in it is not known before it is written: arguments that may be there wait with it.
      const given = isReference(value) ? [value] : call.borrowed
      call.giveAway(given)
      const answer = { call, value, failure: undefined, given, isSent: false }
      this.#parts.answers.keep(answer)
      this.#parts.answers.answered(call, answer)
    }
    call.end()
  }

  #return(call: ServerCall, method: MethodDefinition, value: unknown): void {
    const { writer, links, answers } = this.#parts
    try {
      writer.result(call.id, value, authorityOf(call))
    } catch (error) {
      releaseIn(value)
      this.#internal(call, error, method.name)
      return
    }
    const { given, hasReferences } = links
    this.#stream(call)
    const isKept = hasReferences || call.keeps
    if (!isKept && !answers.areAwaited) return
    const answer: ServedAnswer = { call, value, failure: undefined, given, isSent: true }
    if (isKept) answers.keep(answer)
    answers.answered(call, answer)
  }

  /** Streams of the result that was just written begin to flow. */
  #stream(call: ServerCall): void {
    const { links } = this.#parts
    const ids = links.sendStreams()
    if (ids === undefined) return
    for (const id of ids) {
      const feed = links.streams.feed(id)
      if (feed !== undefined) call.follow(feed)
    }
  }

  /** PULL of an answer that is there. */
  send(answer: ServedAnswer): void {
    const { writer, links, answers } = this.#parts
    answer.isSent = true
    const { call, value, failure } = answer
    call.wants = true
    if (failure !== undefined) {
      answers.drop(call.id)
      writer.failure(call.id, call.mayHaveRun, failure)
      return
    }
    try {
      writer.result(call.id, value, authorityOf(call))
      const { hasReferences } = links
      this.#stream(call)
      if (!hasReferences && !call.keeps) answers.drop(call.id)
    } catch (error) {
      answers.drop(call.id)
      this.#internal(call, error, 'result')
    }
  }

  /** The call failed.
   * @param errorId - under which the log has what is behind a Failure. */
  fail(call: ServerCall, error: unknown, method: string, errorId?: Uint8Array): void {
    if (!this.#finish(call)) {
      call.end()
      return
    }
    if (call.aborted !== undefined) {
      const why = call.aborted === 'canceled' ? 'canceled' : 'too late'
      this.#failed(call, new Failure(call.aborted, why))
    } else if (isOf(Failure, error)) this.#failed(call, error, errorId)
    else this.#internal(call, error, method)
    call.end()
  }

  #internal(call: ServerCall, error: unknown, method: string): void {
    const { failure, errorId } = this.tell(error, method)
    this.#failed(call, failure, errorId)
  }

  #failed(call: ServerCall, failure: Failure, errorId?: Uint8Array): void {
    if (call.receiver !== undefined) {
      call.receiver.failed(failure, errorId)
      return
    }
    const { writer, answers } = this.#parts
    const answer = { call, value: undefined, failure, given: undefined, isSent: call.wants }
    if (call.wants) writer.failure(call.id, call.mayHaveRun, failure, errorId)
    else answers.keep(answer)
    answers.answered(call, answer)
  }

  /** What the other side learns of an error of this side. */
  tell(error: unknown, method: string): ToldFailure {
    if (isOf(Failure, error)) return { failure: error, errorId: undefined }
    const errorId = primitives().randomBytes(ERROR_ID_BYTES)
    try {
      this.#parts.onInternalError({ errorId: hexEncode(errorId), method, error })
    } catch {
      // A log that fails, perhaps on what was thrown, must not cost the caller its answer.
    }
    return { failure: new Failure('internal', 'the service failed'), errorId }
  }

  /** Whether the call was still open and can be answered. */
  #finish(call: ServerCall): boolean {
    return this.#parts.calls.finish(call) && this.#parts.connection.isOpen
  }
}

const UNTYPED = defineMethod('call')

function authorityOf(call: ServerCall): Authority {
  return call.exported?.authority ?? OPEN_AUTHORITY
}

function asStream(method: MethodDefinition, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !isStreamSource(value))
    throw new TypeError(`the method ${method.name} gave no async iterable and no Web Stream`)
  const { yields } = method
  if (yields !== undefined && !(value instanceof ByteSource))
    return mapItems(value as StreamSource<unknown>, (item) => asStub(yields, item))
  return method.kind === 'bytes' && !(value instanceof ByteSource)
    ? new ByteSource(value as StreamSource<Uint8Array>) // each piece is looked at when it is sent
    : value
}

/** What a host answered to a call that was passed on. */
function passedOn(error: unknown): unknown {
  if (!isOf(CallError, error)) return error
  const reason = error.code.slice('rpc/'.length)
  if (reason === 'disconnected' || reason === 'bad_value')
    return new Failure('unavailable', 'the host of the reference cannot be reached')
  return new Failure(reason as Failure['reason'], error.message, {
    name: error.failureName,
    data: error.data,
    retryAfterMs: error.retryAfterMs,
  })
}

/** Whether `error`, which may be anything, is one of these: a Proxy may throw when it is asked. */
function isOf<T>(kind: abstract new (...args: never[]) => T, error: unknown): error is T {
  try {
    return error instanceof kind
  } catch {
    return false
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  )
}
