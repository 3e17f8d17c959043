// A reference that is still to come: a promise of a stub, with the methods of the stub, which can be called before it is
// there without another round trip (spec/rpc.md §4). Leaves out the wire (question.ts, calling.ts) and paths into answers
// (answer-path.ts).
import type { Capability, Restrictions } from '../capability/index.js'
import type { CallOptions } from './call-options.js'
import { CallError } from './failure.js'
import type { Description, MethodDefinition } from './method-definition.js'
import type { ReferencePromise } from './shapes.js'
import {
  type Caller,
  type CallResult,
  callerOf,
  defineMethods,
  isReference,
  releaseStub,
  stampStub,
} from './stub.js'
import type { PathKey } from './value-links.js'

/** An answer that others build on. */
export interface AnswerSource {
  /** What it stands for at the moment, of one that may be asked again. */
  readonly behind?: AnswerSource | undefined
  /** The answer itself. */
  promise(): Promise<unknown>
  /** Call a method of what will stand at `path` of the answer. */
  callOn(
    path: readonly PathKey[],
    method: MethodDefinition,
    input: unknown,
    options: CallOptions | undefined,
  ): CallResult
  /** Nobody needs the answer. */
  drop(): void
}

/** Stands for what will be at `path` of an answer. */
export class AnswerCaller implements Caller {
  readonly source: AnswerSource
  readonly path: readonly PathKey[]
  #holders = 1

  constructor(source: AnswerSource, path: readonly PathKey[]) {
    this.source = source
    this.path = path
  }

  call(method: MethodDefinition, input: unknown, options: CallOptions | undefined): CallResult {
    return this.source.callOn(this.path, method, input, options)
  }

  async save(restrictions: Restrictions): Promise<Capability> {
    const there = callerAt(await this.source.promise(), this.path, 'capabilityOf')
    if (there.save === undefined)
      throw new TypeError('Cannot make capability: the answer is an object of this side')
    return there.save(restrictions)
  }

  retain(): void {
    this.#holders += 1
  }

  release(): void {
    this.#holders -= 1
    if (this.#holders === 0) this.source.drop()
  }
}

const prototypes = new WeakMap<Description, object>()
const collected = new FinalizationRegistry<AnswerCaller>((caller) => caller.release())

/** A promise of a reference to something that `description` describes. */
export function createReferencePromise<T>(
  description: Description,
  source: AnswerSource,
): ReferencePromise<T> {
  const promise: object = Object.create(prototypeOf(description))
  const caller = new AnswerCaller(source, [])
  stampStub(promise, caller, description)
  collected.register(promise, caller, promise)
  return promise as ReferencePromise<T> // the prototype has the methods of T and of a promise
}

function prototypeOf(description: Description): object {
  let prototype = prototypes.get(description)
  if (prototype !== undefined) return prototype
  prototype = Object.create(null) as object
  defineMethods(prototype, description)
  Object.defineProperties(prototype, {
    // biome-ignore lint/suspicious/noThenProperty: it is a promise
    then: { value: settleOf('then') },
    catch: { value: settleOf('catch') },
    finally: { value: settleOf('finally') },
    [Symbol.toStringTag]: { value: 'Promise' },
    [Symbol.dispose]: {
      value(this: object): void {
        collected.unregister(this)
        void releaseStub(this)
      },
    },
  })
  Object.freeze(prototype)
  prototypes.set(description, prototype)
  return prototype
}

type Settle = 'then' | 'catch' | 'finally'

function settleOf(name: Settle): (this: object, ...handlers: unknown[]) => unknown {
  return function (this: object, ...handlers) {
    const caller = callerOf(this)
    const promise = caller instanceof AnswerCaller ? caller.source.promise() : Promise.reject(letGo())
    return Reflect.apply(promise[name], promise, handlers)
  }
}

function letGo(): CallError {
  return new CallError('rpc/failed_precondition', 'Cannot await answer: it was let go', {
    method: 'then',
    mayHaveRun: true,
  })
}

/** What stands at `path` of an answer: only own members of plain data are followed.
 * @returns undefined where there is nothing. */
export function walk(value: unknown, path: readonly PathKey[]): unknown {
  let at = value
  for (const key of path) {
    if (typeof at !== 'object' || at === null || isReference(at) || !Object.hasOwn(at, key)) return undefined
    const prototype: unknown = Object.getPrototypeOf(at)
    if (prototype !== Object.prototype && prototype !== Array.prototype && prototype !== null)
      return undefined
    at = (at as Readonly<Record<PathKey, unknown>>)[key]
  }
  return at
}

/** The caller of the reference at `path`.
 * @throws CallError `rpc/failed_precondition` when there is none. */
export function callerAt(value: unknown, path: readonly PathKey[], method: string): Caller {
  const found = walk(value, path)
  if (isReference(found)) return callerOf(found)
  throw new CallError(
    'rpc/failed_precondition',
    `Cannot call ${method}: the answer holds no reference there`,
    {
      method,
      mayHaveRun: false,
    },
  )
}
