// What links stand for in the values of a MAP that is served (spec/rpc.md §4): in its source, when its steps are first looked
// at, and when they are read anew for each element. A reference that the client sent along travels once and is held for the
// whole map. Leaves out the running (map-run.ts).
import { MESSAGE_MAX_BYTES, VALUE_MAX_DEPTH, VALUE_MAX_ITEMS } from '../limits.js'
import type { Authority } from './exports.js'
import { Failure } from './failure.js'
import type { Description } from './method-definition.js'
import { walk } from './reference-promise.js'
import { copyData } from './served-answers.js'
import type { LinkProblem, SessionLinks } from './session-links.js'
import { createStub, createUntypedStub, duplicateStub, isReference } from './stub.js'
import type { LinkReader, PathKey } from './value-links.js'

/** A source that is an answer, or a member of one. */
export class AnswerLink {
  readonly call: number
  readonly path: readonly PathKey[]

  constructor(call: number, path: readonly PathKey[]) {
    this.call = call
    this.path = path
  }
}

/** Reads the source, and takes what steps bring along. */
export class ArrivalLinks implements LinkReader {
  readonly #links: SessionLinks
  readonly #takesMine: boolean
  /** By what right the references in it are called. */
  readonly authorities = new Set<Authority>()
  problem: LinkProblem | undefined

  /** @param links - after `beginRead`.
   * @param takesMine - whether objects of the client may stand there: a list of them has nothing to be called here. */
  constructor(links: SessionLinks, takesMine: boolean) {
    this.#links = links
    this.#takesMine = takesMine
  }

  mine(id: number, isProxied: boolean): unknown {
    if (!this.#takesMine) this.problem = 'no_reference'
    return this.#links.mine(id, isProxied)
  }

  yours(id: number): unknown {
    const exported = this.#links.exports.find(id)
    if (exported !== undefined) this.authorities.add(exported.authority)
    return this.#links.yours(id)
  }

  answer(call: number, path: readonly PathKey[]): unknown {
    return new AnswerLink(call, path)
  }

  stream(): undefined {
    this.problem = 'streams'
  }

  capability(text: string): unknown {
    return this.#links.capability(text)
  }
}

/** What data in arguments and results may still be copied for one map. */
export class CopyBudget {
  #bytes: number
  #items = VALUE_MAX_ITEMS

  constructor(bytes: number) {
    this.#bytes = bytes
  }

  /** Data for a handler, which must not share objects with the one that made them.
   * @throws Failure beyond the budget. */
  data(value: unknown): unknown {
    const { copy, length } = copyData(value, MESSAGE_MAX_BYTES)
    this.#spend(length)
    return copy
  }

  /** Plain data of this side with stubs of its own, so that it outlasts what it was taken from.
   * @param taken - gets the stubs.
   * @throws Failure beyond the budget. */
  snapshot(value: unknown, taken: object[], depth = 0): unknown {
    this.#items -= 1
    if (this.#items < 0 || depth > VALUE_MAX_DEPTH) throw tooMuch()
    if (typeof value === 'string') this.#spend(value.length)
    if (typeof value !== 'object' || value === null) return value
    if (isReference(value)) {
      const stub = duplicateStub(value, false)
      taken.push(stub)
      return stub
    }
    if (value instanceof Uint8Array) this.#spend(value.length)
    if (Array.isArray(value)) return value.map((member) => this.snapshot(member, taken, depth + 1))
    if (Object.getPrototypeOf(value) !== Object.prototype) return value
    const members = Object.entries(value).map(([key, member]) => {
      this.#spend(key.length)
      return [key, this.snapshot(member, taken, depth + 1)] as const
    })
    return Object.fromEntries(members)
  }

  #spend(bytes: number): void {
    this.#bytes -= bytes
    if (this.#bytes < 0) throw tooMuch()
  }
}

function tooMuch(): Failure {
  return new Failure('resource_exhausted', 'the map would copy too much data')
}

/** Reads arguments and results for one element. */
export class ElementLinks implements LinkReader {
  /** Stubs that were made for the value in hand. */
  readonly arrived: object[] = []
  failure: unknown
  readonly #links: SessionLinks
  readonly #results: readonly unknown[]
  readonly #budget: CopyBudget
  readonly #expected: Description | undefined
  readonly #isResult: boolean

  /** @param results - the element, then the results of steps.
   * @param isResult - whether the value goes back to the client, with its references. */
  constructor(
    links: SessionLinks,
    results: readonly unknown[],
    budget: CopyBudget,
    expected: Description | undefined,
    isResult: boolean,
  ) {
    this.#links = links
    this.#results = results
    this.#budget = budget
    this.#expected = expected
    this.#isResult = isResult
  }

  mine(id: number): unknown {
    const reference = this.#links.imports.find(id)
    if (reference === undefined) return this.#fail('it names a reference that is not there')
    reference.retain()
    const expected = this.#expected
    return this.#arrive(
      expected === undefined ? createUntypedStub(reference) : createStub<object>(expected, reference),
    )
  }

  yours(id: number): unknown {
    const stub = this.#links.yours(id)
    return isReference(stub) ? this.#arrive(stub) : this.#fail('it names a reference that is not there')
  }

  answer(step: number, path: readonly PathKey[]): unknown {
    const found = walk(this.#results[step], path)
    try {
      if (this.#isResult) return this.#budget.snapshot(found, this.arrived)
      return isReference(found) ? this.#arrive(duplicateStub(found, false)) : this.#budget.data(found)
    } catch (error) {
      this.failure ??= error instanceof Failure ? error : new Failure('failed_precondition', NO_COPY)
      return undefined
    }
  }

  stream(): undefined {
    this.#fail('a map takes no streams')
  }

  capability(text: string): unknown {
    return this.#links.capability(text)
  }

  #arrive(stub: object): object {
    this.arrived.push(stub)
    return stub
  }

  #fail(why: string): undefined {
    this.failure ??= new Failure('invalid_argument', why)
    return undefined
  }
}

const NO_COPY = 'a result that a step builds on is neither a reference nor data of at most 1 MiB'
