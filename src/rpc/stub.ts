// References as a program holds them: the interface's methods and the dispose symbols, nothing else, so that no name of
// JavaScript's own objects (then, toString, constructor) is mistaken for the service's. Each stub holds its caller once,
// until it is disposed. Leaves out what calls do (calling.ts, local-target.ts) and who owns which stub (docs/ownership.md).
import type { Capability, Restrictions } from '../capability/index.js'
import type { NoisecapError } from '../errors.js'
import type { CallOptions } from './call-options.js'
import { CallError } from './failure.js'
import { Identity } from './identity.js'
import { type Description, defineMethod, isMethodName, type MethodDefinition } from './method-definition.js'
import type { ReceivedStream, Stub } from './shapes.js'

/** What a call gives at once: a promise of the answer. Methods that answer with a stream give that instead (see
 * {@link streamResult}); the types of shapes.ts tell the two apart for whoever calls. */
export type CallResult = Promise<unknown>

/** A stream where a call gives a promise. */
export function streamResult(stream: ReceivedStream<unknown>): CallResult {
  return stream as unknown as CallResult // only code that knows no method gets here, and hands it on
}

/** What stubs forward to; shared by all stubs that stand for the same thing. */
export interface Caller {
  /** @returns a promise of the answer, or the stream that the method answers with. */
  call(method: MethodDefinition, input: unknown, options: CallOptions | undefined): CallResult
  /** One more stub stands for it. */
  retain(): void
  /** One stub less. Resolves when nothing of it is left open. */
  release(): void | Promise<void>
  /** Tell once why it can no longer be called, if the other side or the connection ends it. */
  whenBroken?(tell: (error: NoisecapError) => void): void
  /** What it stands for at the moment, for a sturdy one that goes through one session after the other. */
  current?(): Caller | undefined
  /** Whether somebody stands between and passes calls on. */
  readonly isProxied?: boolean
  /** A capability for what it stands for, narrowed by `restrictions`. */
  save?(restrictions: Restrictions): Promise<Capability>
  /** Ask the service to remember this client's key, so that it may greet with KK. */
  befriend?(): Promise<void>
}

/** A stub was disposed, or its call has ended. */
const RELEASED: Caller = {
  call: ({ name }) =>
    Promise.reject(
      new CallError('rpc/failed_precondition', `Cannot call ${name}: the reference was released`, {
        method: name,
        mayHaveRun: false,
        hint: 'References in arguments end with their call: keep(reference) makes one that lasts',
      }),
    ),
  retain: () => {},
  release: () => {},
}

class Stamp extends Identity {
  #caller: Caller
  #description: Description | undefined

  constructor(target: object, caller: Caller, description: Description | undefined) {
    super(target)
    this.#caller = caller
    this.#description = description
  }

  static bears(target: object): boolean {
    return #caller in target
  }

  static callerOf(target: object): Caller {
    return (target as Stamp).#caller
  }

  static descriptionOf(target: object): Description | undefined {
    return (target as Stamp).#description
  }

  static describe(target: object, description: Description): void {
    const stamp = target as Stamp
    stamp.#description = description
  }

  static redirect(target: object, caller: Caller): void {
    const stamp = target as Stamp
    stamp.#caller = caller
  }

  /** What it stood for, the first time. */
  static strip(target: object): Caller {
    const stamp = target as Stamp
    const caller = stamp.#caller
    stamp.#caller = RELEASED
    return caller
  }
}

declare const stamped: unique symbol

/** A reference of whatever interface; the member is there for types alone. */
export interface AnyReference {
  readonly [stamped]: true
}

/** Whether `value` is a reference, of whatever interface; a path into an answer is one, and a function. */
export function isReference(value: unknown): value is AnyReference {
  return (typeof value === 'object' || typeof value === 'function') && value !== null && Stamp.bears(value)
}

/** Whether a stub was let go. */
export function isReleased(stub: object): boolean {
  return Stamp.callerOf(stub) === RELEASED
}

/** What a stub forwards to.
 * @throws TypeError for anything but a reference. */
export function callerOf(stub: unknown): Caller {
  if (!isReference(stub)) {
    throw new TypeError('Cannot use reference: expected an object that connect, a call or reference() gave')
  }
  return Stamp.callerOf(stub)
}

/** Bind a reference that arrived where no schema named its interface.
 * @returns false when it is bound to another one. */
export function bindStub(stub: object, description: Description): boolean {
  const bound = Stamp.descriptionOf(stub)
  if (bound === undefined) Stamp.describe(stub, description)
  return bound === undefined || bound === description
}

/** Send the calls of a stub another way, to the same thing; one that was let go stays so. */
export function redirectStub(stub: object, by: (caller: Caller) => Caller): void {
  const caller = Stamp.callerOf(stub)
  if (caller !== RELEASED) Stamp.redirect(stub, by(caller))
}

/** The interface of a stub, where it is known. */
export function descriptionOf(stub: object): Description | undefined {
  return Stamp.descriptionOf(stub)
}

/** Let a stub go: it can no longer be called. Again: nothing. */
export function releaseStub(stub: object): void | Promise<void> {
  const caller = Stamp.strip(stub)
  forget(stub)
  return caller.release()
}

/** A further stub of what `stub` stands for, to be disposed on its own.
 * @param isWatched - whether somebody may forget to. */
export function duplicateStub<T extends object>(stub: T, isWatched = true): T {
  const caller = callerOf(stub)
  const description = Stamp.descriptionOf(stub)
  caller.retain()
  const twin = description === undefined ? createUntypedStub(caller) : createStub(description, caller)
  return (isWatched ? watchStub(twin, caller, 'keep') : twin) as T // same interface, same methods
}

const prototypes = new WeakMap<Description, object>()

/** A stub of `description`; takes over one hold of `caller`. */
export function createStub<T>(description: Description, caller: Caller): Stub<T> {
  const stub: object = Object.create(prototypeOf(description))
  new Stamp(stub, caller, description)
  return stub as Stub<T> // the prototype has exactly the methods of T
}

/** Stamp an object that is no plain stub as one: see reference-promise.ts. */
export function stampStub(target: object, caller: Caller, description: Description | undefined): void {
  new Stamp(target, caller, description)
}

/** Dispose symbols of every stub. */
const DISPOSERS = {
  [Symbol.dispose]: {
    value(this: object): void {
      void releaseStub(this)
    },
  },
  [Symbol.asyncDispose]: {
    async value(this: object): Promise<void> {
      await releaseStub(this)
    },
  },
}

function prototypeOf(description: Description): object {
  let prototype = prototypes.get(description)
  if (prototype !== undefined) return prototype
  prototype = Object.create(null) as object
  defineMethods(prototype, description)
  Object.defineProperties(prototype, DISPOSERS)
  Object.freeze(prototype)
  prototypes.set(description, prototype)
  return prototype
}

/** Give `prototype` the methods of `description`, each forwarding to the caller of its `this`. */
export function defineMethods(prototype: object, description: Description): void {
  for (const method of description.methods.values()) {
    Object.defineProperty(prototype, method.name, {
      value(this: object, input?: unknown, options?: CallOptions): CallResult {
        return Stamp.callerOf(this).call(method, input, options)
      },
      enumerable: true,
    })
  }
}

// A prototype of its own, so that no writer takes the proxy for plain data.
const NOTHING: object = Object.freeze(Object.create(Object.freeze(Object.create(null))))

const UNTYPED: ProxyHandler<object> = {
  get(_nothing, name, stub: object) {
    if (typeof name === 'symbol') {
      return disposerNamed(name)
    }
    const method = methodNamed(stub, name)
    return method && ((input?: unknown, options?: CallOptions) => callerOf(stub).call(method, input, options))
  },
}

function disposerNamed(name: symbol): unknown {
  if (name === Symbol.dispose) return DISPOSERS[Symbol.dispose].value
  return name === Symbol.asyncDispose ? DISPOSERS[Symbol.asyncDispose].value : undefined
}

function methodNamed(stub: object, name: string): MethodDefinition | undefined {
  const description = Stamp.descriptionOf(stub)
  if (description !== undefined) return description.methods.get(name)
  return isMethodName(name) ? defineMethod(name) : undefined
}

/** A stub whose interface nobody has named: every method name is sent, and the other side knows which exist. */
export function createUntypedStub(caller: Caller): object {
  const stub = new Proxy(NOTHING, UNTYPED)
  new Stamp(stub, caller, undefined)
  return stub
}

/** What is left of a stub that was collected without being disposed. */
interface Lost {
  readonly caller: Caller
  readonly origin: string
}

const watched = new FinalizationRegistry<Lost>(({ caller, origin }) => {
  void caller.release()
  lostStub(origin)
})

/** Release what `stub` holds should it be collected without having been disposed.
 * @param origin - where it came from, for a warning. */
export function watchStub<T extends object>(stub: T, caller: Caller, origin: string): T {
  watched.register(stub, { caller, origin }, stub)
  return stub
}

function forget(stub: object): void {
  watched.unregister(stub)
}

const warned = new Set<string>()
const ORIGINS_MAX = 100

/** Tell a developer once for each origin; nobody in production. */
function lostStub(origin: string): void {
  const environment = (globalThis as { process?: { env?: Record<string, string | undefined> } }).process?.env
  if (environment?.['NODE_ENV'] === 'production' || warned.has(origin) || warned.size >= ORIGINS_MAX) return
  warned.add(origin)
  console.warn(
    `noisecap: a reference from ${origin} was collected without being disposed: hold it with \`using\`, or call [Symbol.dispose]()`,
  )
}
