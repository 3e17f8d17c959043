// Objects that are handed out by name: the offer's path says which, and each capability under which one is handed out has its
// own, made by the offer when it is first called (spec/rpc.md §7). A name can be made sturdy (SAVE). Leaves out offers
// (src/offer.ts) and who makes the objects (src/served-session.ts).
import type { CallOptions } from './call-options.js'
import { shapeCall } from './call-shape.js'
import { CallError, Failure } from './failure.js'
import { LocalCaller, LocalTarget } from './local-target.js'
import type { Description, MethodDefinition } from './method-definition.js'
import type { NamedUse, Opener, Target } from './named-use.js'
import type { Stub } from './shapes.js'
import { type CallResult, createStub } from './stub.js'

/** What stands in the place of an object that is not made yet. */
const NOT_MADE: object = Object.freeze(Object.create(null))

/** The object at a path, whichever that is for the one who calls. */
export class NamedTarget extends LocalTarget {
  /** Whose path it is. */
  readonly host: object
  readonly path: string
  readonly #uses: Map<Opener, NamedUse>

  constructor(host: object, path: string, description: Description) {
    const uses = new Map<Opener, NamedUse>()
    super(description, NOT_MADE, undefined, () => {
      for (const use of uses.values()) use.end()
      uses.clear()
    })
    this.host = host
    this.path = path
    this.#uses = uses
  }

  override under(authority: Opener): Target | Promise<Target> {
    let use = this.#uses.get(authority)
    if (use === undefined) {
      use = authority.open?.(this.host, this.path)
      if (use === undefined)
        return Promise.reject(
          new Failure('failed_precondition', 'the reference names an object of another service'),
        )
      this.#uses.set(authority, use)
    }
    return use.target()
  }
}

/** Stands for a named object where it is handed out: there is none yet that could be called. */
class NamedCaller extends LocalCaller {
  override call(method: MethodDefinition, _input: unknown, options: CallOptions | undefined): CallResult {
    return shapeCall(method, options, () =>
      Promise.reject(
        new CallError(
          'rpc/failed_precondition',
          `Cannot call ${method.name}: the reference is made by name, for others to call`,
          { method: method.name, mayHaveRun: false, hint: 'Call the object itself in its own process' },
        ),
      ),
    )
  }
}

/** A reference to what stands at `path` of `host`. */
export function namedReference<T>(host: object, path: string, description: Description): Stub<T> {
  return createStub<T>(description, new NamedCaller(new NamedTarget(host, path, description)))
}
