// Objects of this side that the other may call: counted over all that hold them, disposed with the last (docs/ownership.md).
// A stub of one can be called right here as well, by the same rules. Leaves out ids (exports.ts) and dispatch (dispatch.ts).

import { describeIssues } from '../standard-schema.js'
import type { CallContext, CallOptions } from './call-options.js'
import { shapeCall } from './call-shape.js'
import { CallError, Failure } from './failure.js'
import type { Interface, Methods } from './interface.js'
import { NO_METADATA, sentMetadata } from './metadata.js'
import type { Description, MethodDefinition } from './method-definition.js'
import type { Opener, Target } from './named-use.js'
import type { Calls, Handlers, StreamSource, Stub } from './shapes.js'
import { isStreamSource, mapItems } from './stream-source.js'
import { type Caller, type CallResult, createStub, isReference } from './stub.js'

/** What a session may export: an object with an interface, or a reference of another session that is passed on. */
export class LocalTarget {
  readonly description: Description
  readonly object: object
  /** Where calls go that are passed on as they are; undefined for an object of this process. */
  readonly forward: Caller | undefined
  readonly #gone: () => void
  #holders = 0

  constructor(description: Description, object: object, forward: Caller | undefined, gone: () => void) {
    this.description = description
    this.object = object
    this.forward = forward
    this.#gone = gone
  }

  /** The object for who calls by this right: the same for everybody, unless it is named. */
  under(_authority: Opener): LocalTarget | Target | Promise<Target> {
    return this
  }

  retain(): void {
    if (this.#holders === 0) this.forward?.retain()
    this.#holders += 1
  }

  /** The last one that lets go disposes the object. */
  release(): void {
    this.#holders -= 1
    if (this.#holders > 0) return
    this.#gone()
    if (this.forward !== undefined) void this.forward.release()
    else dispose(this.object)
  }
}

/** Its own trouble: nobody waits for it. */
function dispose(object: object): void {
  const disposable = object as Partial<Disposable & AsyncDisposable>
  const run = async (): Promise<void> => {
    if (disposable[Symbol.asyncDispose] !== undefined) await disposable[Symbol.asyncDispose]?.()
    else disposable[Symbol.dispose]?.()
  }
  run().catch((error: unknown) => console.error('noisecap: an object failed to be disposed:', error))
}

const targets = new WeakMap<object, Map<Description, LocalTarget>>()

/** The target of an object as this interface: one, however often it is handed out, until nobody holds it. */
function targetOf(description: Description, object: object): LocalTarget {
  let known = targets.get(object)
  if (known === undefined) {
    known = new Map()
    targets.set(object, known)
  }
  const found = known.get(description)
  if (found !== undefined) return found
  const of = known
  const target = new LocalTarget(description, object, undefined, () => of.delete(description))
  known.set(description, target)
  return target
}

const NO_METHODS: Description = { name: 'a reference passed on', methods: new Map() }
const forwards = new WeakMap<Caller, LocalTarget>()

/** The target that passes calls on to `caller`, which is of another session. */
function forwardTo(caller: Caller): LocalTarget {
  const known = forwards.get(caller)
  if (known !== undefined) return known
  const target = new LocalTarget(NO_METHODS, caller, caller, () => forwards.delete(caller))
  forwards.set(caller, target)
  return target
}

/** The target of whatever a caller stands for at the moment. */
export function targetBehind(caller: Caller): LocalTarget {
  const current = caller.current?.() ?? caller
  return current instanceof LocalCaller ? current.target : forwardTo(current)
}

/** What a stub of an object of this process forwards to. */
export class LocalCaller implements Caller {
  readonly target: LocalTarget

  constructor(target: LocalTarget) {
    this.target = target
    target.retain()
  }

  call(method: MethodDefinition, input: unknown, options: CallOptions | undefined): CallResult {
    return shapeCall(method, options, (shaped) => callObject(this.target, method, input, shaped))
  }

  retain(): void {
    this.target.retain()
  }

  release(): void {
    this.target.release()
  }
}

/** A stub of an object of this process. */
function createLocalStub<T>(description: Description, object: object): Stub<T> {
  return createStub<T>(description, new LocalCaller(targetOf(description, object)))
}

/** Make an object one that travels by reference: whoever gets it calls its methods here.
 * @param description - its interface.
 * @param object - implements it; disposed once nobody holds a reference any more.
 * @returns a reference of yours, to be disposed unless it is given away as a result.
 * @example return reference(Note, new NoteOf(id)) */
export function reference<M extends Methods>(
  description: Interface<M>,
  object: Handlers<M, CallContext>,
): Stub<Calls<M>> {
  return createLocalStub(description, object)
}

/** `value` as a stub of `description`, where a handler or caller may give the object itself. */
export function asStub(description: Description, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || isReference(value) || value instanceof Promise)
    return value
  return createLocalStub(description, value)
}

/** Call a method of an object of this process by the rules of a call from elsewhere.
 * @throws CallError as a remote caller gets it; what the handler throws besides, as it is. */
export async function callObject(
  { object, description }: { readonly object: object; readonly description: Description },
  wanted: MethodDefinition,
  input: unknown,
  options: CallOptions | undefined,
): Promise<unknown> {
  const method = description.methods.get(wanted.name)
  if (method === undefined) throw callError(wanted, 'unimplemented', `${description.name} has no such method`)
  let given = await input
  if (method.takes !== undefined) given = asStub(method.takes, given)
  if (method.input !== undefined) {
    const result = await method.input['~standard'].validate(given)
    if (result.issues !== undefined)
      throw callError(method, 'invalid_argument', describeIssues(result.issues))
    given = result.value
  }
  const handler = (object as Readonly<Record<string, unknown>>)[method.name]
  if (typeof handler !== 'function') throw callError(method, 'unimplemented', 'the object has no such method')
  try {
    const result: unknown = await Reflect.apply(handler, object, [given, localContext(options)])
    const { returns, yields } = method
    if (yields !== undefined && typeof result === 'object' && result !== null && isStreamSource(result))
      return mapItems(result as StreamSource<unknown>, (item) => asStub(yields, item)) // bytes have no interface
    return returns === undefined ? result : asStub(returns, result)
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    throw callError(method, error.reason, error.message, error)
  }
}

function callError(
  { name }: MethodDefinition,
  reason: Failure['reason'],
  text: string,
  from?: Failure,
): CallError {
  return new CallError(`rpc/${reason}`, `Call ${name} failed: ${text}`, {
    method: name,
    mayHaveRun: from !== undefined,
    failureName: from?.failureName,
    data: from?.data,
    retryAfterMs: from?.retryAfterMs,
  })
}

function localContext(options: CallOptions | undefined): CallContext {
  const timeoutMs = options?.timeoutMs
  const deadlineMs = timeoutMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + timeoutMs
  const signals = [options?.signal, timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs)]
  const signal = AbortSignal.any(signals.filter((each) => each !== undefined))
  return {
    signal,
    client: undefined,
    metadata: sentMetadata(options?.metadata ?? NO_METADATA)?.text ?? NO_METADATA,
    get remainingMs() {
      return Math.max(0, deadlineMs - performance.now())
    },
  }
}
