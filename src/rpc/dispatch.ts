// Serves calls: only exports that are open, only methods that the interface declares, only while the capability allows it,
// within the budget; input is validated before the handler runs, unknown errors cross as `internal` with an id
// (spec/rpc.md §4, §6, §8). Leaves out the table of ops (peer.ts) and the bytes of answers (answer-writer.ts).
import { hexEncode } from '../bytes.js'
import { type PublicKey, primitives } from '../crypto/index.js'
import { METHOD_NAME_MAX_BYTES } from '../limits.js'
import type { Connection, SessionLimits } from '../session/index.js'
import { AnswerWriter } from './answer-writer.js'
import { validate } from './answers.js'
import type { Deadlines } from './deadlines.js'
import type { Exported, Exports, Target } from './exports.js'
import { Failure, type FailureReason } from './failure.js'
import type { MethodDefinition } from './interface.js'
import { OpenCalls } from './open-calls.js'
import type { Outbox } from './outbox.js'
import { type Presentation, readPresentation } from './presentation.js'
import { ServerCall } from './server-call.js'
import { describeIssues } from './standard-schema.js'
import { decodeValue } from './values.js'
import { CALL_FLAG, ERROR_ID_BYTES, type FieldReader } from './wire.js'

const UNIMPLEMENTED_FLAGS = CALL_FLAG.oneWay | CALL_FLAG.trace

/** An error that did not cross: it is for the service's log, under the id that the caller got. */
export interface InternalError {
  readonly errorId: string
  readonly method: string
  readonly error: unknown
}

/** What a dispatcher serves. */
export interface DispatcherOptions {
  readonly exports: Exports
  readonly client: PublicKey | undefined
  readonly onInternalError: (report: InternalError) => void
  /** A further capability, shown inside the session. Throws {@link Failure} unless it is genuine and in force.
   * @returns its export. */
  readonly present?: (presentation: Presentation) => number | Promise<number>
  /** Remember the client as a contact for the capability of this export. Throws {@link Failure} when it may not. */
  readonly befriend?: (exported: Exported) => Promise<void>
}

/** The serving half of a peer. */
export class Dispatcher {
  readonly #options: DispatcherOptions
  readonly #exports: Exports
  readonly #writer: AnswerWriter
  readonly #deadlines: Deadlines
  readonly #connection: Connection
  readonly #calls: OpenCalls
  #closed = false

  constructor(
    options: DispatcherOptions,
    outbox: Outbox,
    deadlines: Deadlines,
    limits: SessionLimits,
    connection: Connection,
  ) {
    this.#options = options
    this.#exports = options.exports
    this.#writer = new AnswerWriter(outbox)
    this.#deadlines = deadlines
    this.#connection = connection
    this.#calls = new OpenCalls(limits.maxCallsInFlight)
  }

  get running(): number {
    return this.#calls.size
  }

  /** Highest call id seen. */
  get lastCall(): number {
    return this.#calls.last
  }

  /** Serve one CALL.
   * @param reader - stands behind the op.
   * @throws WireError for an id in use or bytes that are no CALL. */
  call(reader: FieldReader, bytes: Uint8Array): void {
    const id = this.#calls.claim(reader.varint())
    const flags = reader.byte()
    const target = reader.varint()
    if ((target & 1) === 1 || (flags & UNIMPLEMENTED_FLAGS) !== 0) {
      // Pipelining, one-way calls and traces are of a later version.
      this.#refuse(id, 'unimplemented')
      return
    }
    const name = reader.text(METHOD_NAME_MAX_BYTES)
    const remainingMs = (flags & CALL_FLAG.deadline) !== 0 ? reader.varint() : Number.POSITIVE_INFINITY
    if (!this.#hasRoom(id)) return
    const exported = this.#exports.find(target >>> 1)
    if (exported === undefined) {
      this.#refuse(id, 'not_found', 'there is no such reference')
      return
    }
    const permission = exported.authorize(name)
    if (permission !== 'ok') {
      const why =
        permission === 'broken'
          ? 'the reference is broken'
          : `the capability does not allow ${name} (caveat methods)`
      if (this.#connection.isOpen) this.#refuse(id, 'permission_denied', why)
      return
    }
    const call = new ServerCall(id, exported, this.#options.client, remainingMs, this.#deadlines)
    this.#decode(call, name, bytes, reader.at, reader.end)
    if (!call.finished) this.#keep(call)
  }

  /** A call that its handler did not answer at once: only those need the table. */
  #keep(call: ServerCall): void {
    this.#calls.keep(call)
    // The handler may have ended its session or its own capability; nobody found this call then.
    if (this.#closed) this.#calls.drop(call)
    else if (call.exported?.isLive === false) this.#breakOff(call, 'the reference is broken')
  }

  /** Serve PRESENT: answered with the number of an export.
   * @throws WireError as {@link call}. */
  present(reader: FieldReader): void {
    const id = this.#calls.claim(reader.varint())
    const presentation = readPresentation(reader)
    const { present } = this.#options
    if (present === undefined) this.#refuse(id, 'unimplemented')
    else if (this.#hasRoom(id)) this.#answer(id, 'present', () => present(presentation))
  }

  /** Serve BEFRIEND: answered with undefined.
   * @throws WireError as {@link call}. */
  befriend(reader: FieldReader): void {
    const id = this.#calls.claim(reader.varint())
    const exported = this.#exports.find(reader.varint())
    const { befriend } = this.#options
    if (befriend === undefined) this.#refuse(id, 'unimplemented')
    else if (exported === undefined) this.#refuse(id, 'not_found', 'there is no such reference')
    else if (this.#hasRoom(id)) this.#answer(id, 'befriend', () => befriend(exported))
  }

  /** Serve RELEASE.
   * @returns false when the other side does not hold that export as often. */
  release(reader: FieldReader): boolean {
    return this.#exports.release(reader.varint(), reader.varint())
  }

  /** Every open call on `exported` is over: its handler's signal is aborted, its caller is told. */
  breakCalls(exported: Exported, why: string): void {
    for (const call of this.#calls.on(exported)) this.#breakOff(call, why)
  }

  #breakOff(call: ServerCall, why: string): void {
    call.abort('canceled')
    if (this.#finish(call)) this.#refuse(call.id, 'permission_denied', why, call.mayHaveRun)
  }

  /** Whether one more call may run; if not, it is refused, and the session ends at twice the budget. */
  #hasRoom(id: number): boolean {
    const room = this.#calls.admit()
    if (room === 'twice') this.#connection.close('limit')
    else if (room === 'refused') this.#refuse(id, 'resource_exhausted')
    return room === 'ok'
  }

  /** Answer a request of the session itself with what `run` gives. */
  #answer(id: number, what: string, run: () => unknown): void {
    const call = new ServerCall(id, undefined, undefined, Number.POSITIVE_INFINITY, this.#deadlines)
    try {
      this.#settle(call, what, run())
    } catch (error) {
      this.#fail(call, error, what)
    }
    if (!call.finished) this.#keep(call)
  }

  #settle(call: ServerCall, name: string, result: unknown): void {
    if (isThenable(result)) {
      result.then(
        (value) => this.#succeed(call, name, value),
        (error) => this.#fail(call, error, name),
      )
    } else this.#succeed(call, name, result)
  }

  #decode(call: ServerCall, name: string, bytes: Uint8Array, start: number, end: number): void {
    let input: unknown
    try {
      input = decodeValue(bytes, start, end)
    } catch (error) {
      this.#fail(
        call,
        new Failure('invalid_argument', error instanceof Error ? error.message : 'bad value'),
        name,
      )
      return
    }
    const target = call.exported!.target() // every call has one
    if (target instanceof Promise) {
      target.then(
        (made) => this.#begin(call, made, name, input),
        (error) => this.#fail(call, error, name),
      )
    } else this.#begin(call, target, name, input)
  }

  #begin(call: ServerCall, target: Target, name: string, input: unknown): void {
    const method = target.description.methods.get(name)
    if (method === undefined) {
      this.#fail(call, new Failure('unimplemented', `${target.description.name} has no method ${name}`), name)
    } else if (method.input === undefined) this.#run(call, target, method, input)
    else {
      validate(
        method.input,
        input,
        (result) => {
          if (result.issues === undefined) this.#run(call, target, method, result.value)
          else this.#fail(call, new Failure('invalid_argument', describeIssues(result.issues)), name)
        },
        (error) => this.#fail(call, error, name),
      )
    }
  }

  #run(call: ServerCall, target: Target, method: MethodDefinition, input: unknown): void {
    if (call.aborted !== undefined) {
      this.#fail(call, undefined, method.name)
      return
    }
    call.mayHaveRun = true
    let result: unknown
    try {
      // Declared by the interface, so this name is one that the service's author wrote down.
      const handler = (target.object as Readonly<Record<string, unknown>>)[method.name]
      if (typeof handler !== 'function') throw new TypeError(`the object has no method ${method.name}`)
      result = Reflect.apply(handler, target.object, [input, call])
    } catch (error) {
      this.#fail(call, error, method.name)
      return
    }
    this.#settle(call, method.name, result)
  }

  #succeed(call: ServerCall, method: string, value: unknown): void {
    if (!this.#finish(call)) return
    if (call.aborted !== undefined) {
      this.#writer.failure(call.id, true, new Failure(call.aborted, 'the result came too late'))
      return
    }
    try {
      this.#writer.result(call.id, value)
    } catch (error) {
      this.#internal(call, error, method)
    }
  }

  #fail(call: ServerCall, error: unknown, method: string): void {
    if (!this.#finish(call)) return
    if (call.aborted !== undefined) {
      const why = call.aborted === 'canceled' ? 'canceled' : 'too late'
      this.#writer.failure(call.id, call.mayHaveRun, new Failure(call.aborted, why))
    } else if (error instanceof Failure) this.#writer.failure(call.id, call.mayHaveRun, error)
    else this.#internal(call, error, method)
  }

  #internal(call: ServerCall, error: unknown, method: string): void {
    const id = primitives().randomBytes(ERROR_ID_BYTES)
    this.#options.onInternalError({ errorId: hexEncode(id), method, error })
    this.#writer.failure(call.id, call.mayHaveRun, new Failure('internal', 'the service failed'), id)
  }

  /** Whether the call was still open and can be answered. */
  #finish(call: ServerCall): boolean {
    return this.#calls.finish(call) && this.#connection.isOpen
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
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  )
}
