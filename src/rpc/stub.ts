// Client-side objects: the interface's methods and the dispose symbols, nothing else, so that no name of JavaScript's
// own objects (then, toString, constructor) is mistaken for the service's. Leaves out the wire (peer.ts).
import type { CallOptions } from './call-options.js'
import type { Interface, MethodDefinition, Methods } from './interface.js'

/** What a stub forwards to. */
export interface Caller {
  call(method: MethodDefinition, input: unknown, options: CallOptions | undefined): Promise<unknown>
  /** Ask the service to remember this client's key, so that it may greet with KK. */
  befriend(): Promise<void>
  dispose(): Promise<void>
}

/** A remote object with the methods of `T`; `using` or `await using` releases it. */
export type Stub<T> = T & Disposable & AsyncDisposable

/** Returns what it is given, so that a subclass can put a private field on it. */
class Identity {
  // A constructor that returns an object makes it `this` of the subclass: the one way to add a private field to an
  // object with a prototype of its own.
  constructor(target: object) {
    // biome-ignore lint/correctness/noConstructorReturn: see above
    return target
  }
}

class Stamp extends Identity {
  readonly #caller: Caller

  constructor(target: object, caller: Caller) {
    super(target)
    this.#caller = caller
  }

  static callerOf(target: object): Caller {
    return (target as Stamp).#caller
  }

  static bears(target: object): boolean {
    return #caller in target
  }
}

/** What a stub forwards to.
 * @throws TypeError for anything but a stub. */
export function callerOf(stub: unknown): Caller {
  if (typeof stub !== 'object' || stub === null || !Stamp.bears(stub)) {
    throw new TypeError('Cannot use reference: expected an object that connect gave')
  }
  return Stamp.callerOf(stub)
}

const prototypes = new WeakMap<Interface, object>()

/** A stub of `description` over `caller`. */
export function createStub<T>(description: Interface, caller: Caller): Stub<T> {
  const stub: object = Object.create(prototypeOf(description))
  new Stamp(stub, caller)
  return stub as Stub<T> // the prototype has exactly the methods of T
}

function prototypeOf(description: Interface<Methods>): object {
  let prototype = prototypes.get(description)
  if (prototype !== undefined) return prototype
  prototype = Object.create(null) as object
  for (const method of description.methods.values()) {
    Object.defineProperty(prototype, method.name, {
      value(this: object, input?: unknown, options?: CallOptions): Promise<unknown> {
        return Stamp.callerOf(this).call(method, input, options)
      },
      enumerable: true,
    })
  }
  Object.defineProperty(prototype, Symbol.dispose, {
    value(this: object): void {
      void Stamp.callerOf(this).dispose()
    },
  })
  Object.defineProperty(prototype, Symbol.asyncDispose, {
    value(this: object): Promise<void> {
      return Stamp.callerOf(this).dispose()
    },
  })
  Object.freeze(prototype)
  prototypes.set(description, prototype)
  return prototype
}
