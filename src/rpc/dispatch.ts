// Serves calls: only methods that the interface declares, only while the capability allows it, within the budget; input
// is validated before the handler runs, unknown errors cross as `internal` with an id (spec/rpc.md §4, §6, §8).
// Leaves out the table of ops (peer.ts).
import { hexEncode, utf8 } from '../bytes.js'
import { type PublicKey, primitives } from '../crypto/index.js'
import { METHOD_NAME_MAX_BYTES } from '../limits.js'
import type { Connection, SessionLimits } from '../session/index.js'
import { validate } from './answers.js'
import type { Deadlines } from './deadlines.js'
import { FAILURE_CODES, Failure, type FailureReason } from './failure.js'
import type { Interface, MethodDefinition } from './interface.js'
import type { Outbox } from './outbox.js'
import { ServerCall } from './server-call.js'
import { describeIssues } from './standard-schema.js'
import { decodeValue, encodeValueInto } from './values.js'
import {
  CALL_FLAG,
  ERROR_ID_BYTES,
  FAIL_FLAG,
  type FieldReader,
  OP,
  WireError,
  writeByte,
  writeBytes,
  writeVarint,
} from './wire.js'

/** Target of a CALL: export 0, no answer. */
const ROOT_TARGET = 0
const UNIMPLEMENTED_FLAGS = CALL_FLAG.oneWay | CALL_FLAG.trace

/** An object that calls reach, and what may be called on it. */
export interface Target {
  readonly description: Interface
  readonly object: object
}

/** An error that did not cross: it is for the service's log, under the id that the caller got. */
export interface InternalError {
  readonly errorId: string
  readonly method: string
  readonly error: unknown
}

/** What a dispatcher serves. */
export interface DispatcherOptions {
  /** The root object, perhaps still being made. Rejects with what callers are told when there is none. */
  readonly root: () => Target | Promise<Target>
  /** Asked again at each dispatch: expiry, methods. A reason denies this call. */
  readonly authorize: (method: string) => 'ok' | 'permission_denied' | 'closed'
  readonly client: PublicKey | undefined
  readonly onInternalError: (report: InternalError) => void
}

/** The serving half of a peer. */
export class Dispatcher {
  readonly #options: DispatcherOptions
  readonly #outbox: Outbox
  readonly #deadlines: Deadlines
  readonly #connection: Connection
  readonly #maxCalls: number
  readonly #calls = new Map<number, ServerCall>()
  #root: Target | Promise<Target> | undefined
  /** Calls refused since one was last answered. */
  #overruns = 0
  /** Highest call id seen. */
  lastCall = 0

  constructor(
    options: DispatcherOptions,
    outbox: Outbox,
    deadlines: Deadlines,
    limits: SessionLimits,
    connection: Connection,
  ) {
    this.#options = options
    this.#outbox = outbox
    this.#deadlines = deadlines
    this.#connection = connection
    this.#maxCalls = limits.maxCallsInFlight
  }

  get running(): number {
    return this.#calls.size
  }

  /** Serve one CALL.
   * @param reader - stands behind the op.
   * @throws WireError for an id in use or bytes that are no CALL. */
  call(reader: FieldReader, bytes: Uint8Array): void {
    const id = reader.varint()
    const flags = reader.byte()
    const target = reader.varint()
    if (this.#calls.has(id)) throw new WireError('call id is in use')
    this.lastCall = Math.max(this.lastCall, id)
    if (target !== ROOT_TARGET || (flags & UNIMPLEMENTED_FLAGS) !== 0) {
      // Pipelining, references, one-way calls and traces are of a later version.
      this.#refuse(id, 'unimplemented')
      return
    }
    const name = reader.text(METHOD_NAME_MAX_BYTES)
    const remainingMs = (flags & CALL_FLAG.deadline) !== 0 ? reader.varint() : Number.POSITIVE_INFINITY
    if (this.#calls.size >= this.#maxCalls) {
      this.#overruns += 1
      if (this.#overruns >= this.#maxCalls) this.#connection.close('limit')
      else this.#refuse(id, 'resource_exhausted')
      return
    }
    const permission = this.#options.authorize(name)
    if (permission === 'closed') return
    if (permission !== 'ok') {
      this.#refuse(id, permission, `the capability does not allow ${name} (caveat methods)`)
      return
    }
    const call = new ServerCall(id, this.#options.client, remainingMs, this.#deadlines)
    this.#calls.set(id, call)
    this.#decode(call, name, bytes, reader.at, reader.end)
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
    this.#root ??= this.#options.root()
    const root = this.#root
    if (root instanceof Promise) {
      root.then(
        (target) => {
          this.#root = target
          this.#begin(call, target, name, input)
        },
        (error) => this.#fail(call, error, name),
      )
    } else this.#begin(call, root, name, input)
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
    if (isThenable(result)) {
      result.then(
        (value) => this.#succeed(call, method, value),
        (error) => this.#fail(call, error, method.name),
      )
    } else this.#succeed(call, method, result)
  }

  #succeed(call: ServerCall, method: MethodDefinition, value: unknown): void {
    if (!this.#finish(call)) return
    if (call.aborted !== undefined) {
      this.#write(call.id, true, new Failure(call.aborted, 'the result came too late'))
      return
    }
    const { sink, mark } = this.#outbox.beginMessage(OP.return)
    writeVarint(sink, call.id)
    try {
      encodeValueInto(sink, value, 'result')
    } catch (error) {
      this.#outbox.dropMessage(mark)
      this.#internal(call, error, method.name)
      return
    }
    this.#outbox.endMessage(mark)
  }

  #fail(call: ServerCall, error: unknown, method: string): void {
    if (!this.#finish(call)) return
    if (call.aborted !== undefined) {
      this.#write(
        call.id,
        call.mayHaveRun,
        new Failure(call.aborted, call.aborted === 'canceled' ? 'canceled' : 'too late'),
      )
    } else if (error instanceof Failure) this.#write(call.id, call.mayHaveRun, error)
    else this.#internal(call, error, method)
  }

  #internal(call: ServerCall, error: unknown, method: string): void {
    const id = primitives().randomBytes(ERROR_ID_BYTES)
    this.#options.onInternalError({ errorId: hexEncode(id), method, error })
    this.#write(call.id, call.mayHaveRun, new Failure('internal', 'the service failed'), id)
  }

  /** Whether the call was still open and can be answered. */
  #finish(call: ServerCall): boolean {
    if (!this.#calls.delete(call.id)) return false
    call.finish()
    this.#overruns = 0
    return this.#connection.isOpen
  }

  #refuse(id: number, reason: FailureReason, message: string = reason): void {
    this.#write(id, false, new Failure(reason, message))
  }

  #write(id: number, mayHaveRun: boolean, failure: Failure, errorId?: Uint8Array): void {
    const { sink, mark } = this.#outbox.beginMessage(OP.fail)
    const message = utf8(failure.message.slice(0, 1_000))
    const name = failure.failureName === undefined ? undefined : utf8(failure.failureName)
    const data = failure.reason === 'declared'
    writeVarint(sink, id)
    writeVarint(sink, FAILURE_CODES[failure.reason])
    writeByte(
      sink,
      (mayHaveRun ? FAIL_FLAG.mayHaveRun : 0) |
        (errorId === undefined ? 0 : FAIL_FLAG.errorId) |
        (name === undefined ? 0 : FAIL_FLAG.name) |
        FAIL_FLAG.message |
        (failure.retryAfterMs === undefined ? 0 : FAIL_FLAG.retryAfter) |
        (data ? FAIL_FLAG.data : 0),
    )
    if (errorId !== undefined) writeBytes(sink, errorId)
    if (name !== undefined) {
      writeVarint(sink, name.length)
      writeBytes(sink, name)
    }
    writeVarint(sink, message.length)
    writeBytes(sink, message)
    if (failure.retryAfterMs !== undefined)
      writeVarint(sink, Math.min(0xffff_ffff, Math.max(0, failure.retryAfterMs)))
    if (data && !this.#appendData(failure, mark)) {
      this.#refuse(id, 'internal', 'the data of the declared error cannot be sent')
      return
    }
    this.#outbox.endMessage(mark)
  }

  #appendData(failure: Failure, mark: number): boolean {
    const sink = this.#outbox.sink
    try {
      encodeValueInto(sink, failure.data, 'data')
      return true
    } catch {
      this.#outbox.dropMessage(mark)
      return false
    }
  }

  /** The caller waits no more. */
  cancel(id: number): void {
    this.#calls.get(id)?.abort('canceled')
  }

  /** The session is over: every handler's signal is aborted. */
  close(): void {
    for (const call of this.#calls.values()) {
      call.finish()
      call.abort('canceled')
    }
    this.#calls.clear()
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  )
}
