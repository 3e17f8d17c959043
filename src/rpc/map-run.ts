// One MAP at work (spec/rpc.md §4): its steps are called for each element as if the client had sent them, in order within an
// element, several elements at a time as far as the budget of the session goes. The first failure ends it; whatever still
// runs is told by its signal. Leaves out what may be mapped (map-calls.ts).
import { MESSAGE_MAX_BYTES, PIPELINED_BYTES_MAX } from '../limits.js'
import { letGo } from './answers.js'
import type { Deadlines } from './deadlines.js'
import type { Callee, Execution } from './execution.js'
import { ExportedCaller } from './exported-caller.js'
import { AnswerExport, type Authority, type Exported } from './exports.js'
import { Failure } from './failure.js'
import { targetBehind } from './local-target.js'
import { CopyBudget, ElementLinks } from './map-links.js'
import type { Plan, PlannedStep } from './map-plan.js'
import { walk } from './reference-promise.js'
import { releaseIn } from './result-references.js'
import { type AbortReason, type AnswerReceiver, ServerCall } from './server-call.js'
import type { SessionLinks } from './session-links.js'
import { callerOf, isReference } from './stub.js'
import { readSessionValue } from './values.js'

/** What a run needs of its session. */
export interface MapHost {
  readonly links: SessionLinks
  readonly execution: Execution
  readonly deadlines: Deadlines
  /** Whether one more call may run besides the first of a map. */
  hasRoom(): boolean
  /** One replayed call more.
   * @returns an id that no call of the client can have. */
  entered(): number
  /** One less. */
  left(): void
}

/** A MAP that is being served. */
export class MapCall extends ServerCall {
  run: MapRun | undefined

  override abort(why: AbortReason): void {
    if (this.run?.hasRun === true) this.mayHaveRun = true
    super.abort(why)
    this.run?.cancel(why)
  }

  override end(): void {
    this.run?.close()
    super.end()
  }
}

/** One call of a step for one element: under the deadline of the map, answered to the map. */
class ReplayedCall extends ServerCall {
  readonly #map: MapCall

  constructor(id: number, map: MapCall, deadlines: Deadlines, receiver: AnswerReceiver) {
    super(id, undefined, map.client, Number.POSITIVE_INFINITY, deadlines)
    this.#map = map
    this.receiver = receiver
  }

  override get remainingMs(): number {
    return this.#map.remainingMs
  }
}

interface Element {
  /** Itself, then the results of its steps. */
  readonly results: unknown[]
  readonly isThere: boolean[]
  /** Steps that were begun. */
  begun: number
  isQueued: boolean
}

/** The steps of one MAP for all elements. */
export class MapRun {
  readonly #call: MapCall
  readonly #plan: Plan
  readonly #authority: Authority
  readonly #host: MapHost
  readonly #elements: readonly Element[]
  readonly #queue: Element[]
  readonly #running = new Set<ServerCall>()
  readonly #copies = new CopyBudget(PIPELINED_BYTES_MAX)
  #left: number
  #hasRun = false
  #isAdvancing = false
  #over = false

  /** @param elements - plain data with stubs that last as long as `call`. */
  constructor(call: MapCall, plan: Plan, elements: readonly unknown[], authority: Authority, host: MapHost) {
    this.#call = call
    this.#plan = plan
    this.#authority = authority
    this.#host = host
    this.#elements = elements.map((element) => ({
      results: [element],
      isThere: [true],
      begun: 0,
      isQueued: true,
    }))
    this.#queue = [...this.#elements]
    this.#left = elements.length * plan.steps.length
  }

  /** Whether a handler was entered. */
  get hasRun(): boolean {
    return this.#hasRun || [...this.#running].some(({ mayHaveRun }) => mayHaveRun)
  }

  /** Begin as many calls as may run. */
  advance(): void {
    if (this.#isAdvancing) return
    this.#isAdvancing = true
    while (this.#mayBegin()) {
      const element = this.#queue[0]!
      if (this.#isReady(element)) this.#begin(element)
      else {
        this.#queue.shift()
        element.isQueued = false
      }
    }
    this.#isAdvancing = false
    if (this.#left === 0 && !this.#over) this.#succeed()
  }

  /** The map is given up: it is answered once what runs has ended. */
  cancel(why: AbortReason): void {
    if (this.#over) return
    this.#queue.length = 0
    for (const call of this.#running) call.abort(why)
  }

  /** Nobody waits for it any more. */
  close(): void {
    this.#over = true
    for (const call of this.#running) call.abort('canceled')
    for (const element of this.#elements) releaseIn(element.results.splice(1))
  }

  #mayBegin(): boolean {
    if (this.#over || this.#queue.length === 0) return false
    // The map itself is a call in flight: one of its steps may always run, so that it comes to an end.
    return this.#running.size === 0 || this.#host.hasRoom()
  }

  #isReady({ begun, isThere }: Element): boolean {
    const step = this.#plan.steps[begun]
    return (
      step !== undefined &&
      isThere[step.on] === true &&
      step.args.needs.every((need) => isThere[need] === true)
    )
  }

  #begin(element: Element): void {
    const step = this.#plan.steps[element.begun]!
    element.begun += 1
    const number = element.begun
    const call = new ReplayedCall(this.#host.entered(), this.#call, this.#host.deadlines, {
      settled: (value) => this.#settled(call, element, number, value),
      failed: (failure, errorId) => this.#failed(call, failure, errorId),
    })
    this.#running.add(call)
    try {
      this.#enter(call, step, element.results)
    } catch (error) {
      this.#host.execution.fail(call, error, step.name)
    }
  }

  #enter(call: ServerCall, step: PlannedStep, results: readonly unknown[]): void {
    const found = walk(results[step.on], step.path)
    if (!isReference(found))
      throw new Failure('failed_precondition', 'the element or result holds no reference there')
    const exported = this.#exportedOf(callerOf(found))
    call.exported = exported
    const permission = exported.authorize(step.name)
    if (permission !== 'ok') {
      const why =
        permission === 'broken' ? 'the reference is broken' : `the capability does not allow ${step.name}`
      throw new Failure('permission_denied', why)
    }
    const target = exported.target()
    if (!(target instanceof Promise)) this.#run(call, target, step, results)
    else {
      target
        .then((made) => this.#run(call, made, step, results))
        .catch((error: unknown) => this.#host.execution.fail(call, error, step.name))
    }
  }

  /** By what right a reference is called: that of the map, which is also the one that results are handed out under. */
  #exportedOf(own: ReturnType<typeof callerOf>): Exported {
    const caller = own.current?.() ?? own
    if (caller instanceof ExportedCaller) {
      if (caller.exported.authority === this.#authority) return caller.exported
      throw new Failure('failed_precondition', 'the reference stands on another capability than the map')
    }
    return new AnswerExport(this.#authority, targetBehind(caller))
  }

  #run(call: ServerCall, target: Callee, step: PlannedStep, results: readonly unknown[]): void {
    const method = target.description.methods.get(step.name)
    if (method !== undefined && method.kind !== 'call')
      throw new Failure('unimplemented', 'a map takes no streams')
    const { args } = step
    const links = new ElementLinks(
      this.#host.links.beginRead(this.#authority, method?.takes),
      results,
      this.#copies,
      method?.takes,
      false,
    )
    const input = readSessionValue(this.#plan.bytes, args.start, links)
    call.borrowed = [...(call.borrowed ?? []), ...links.arrived]
    if (links.failure !== undefined) throw links.failure
    this.#host.execution.begin(call, target, step.name, input)
  }

  #settled(call: ServerCall, element: Element, number: number, value: unknown): void {
    this.#ended(call)
    if (this.#over) {
      releaseIn(value)
      return
    }
    element.results[number] = value
    element.isThere[number] = true
    this.#left -= 1
    if (!element.isQueued && this.#isReady(element)) {
      element.isQueued = true
      this.#queue.push(element)
    }
    this.advance()
  }

  #failed(call: ServerCall, failure: Failure, errorId: Uint8Array | undefined): void {
    this.#ended(call)
    if (this.#over) return
    this.#call.mayHaveRun = this.hasRun
    this.#over = true
    for (const other of this.#running) other.abort('canceled')
    this.#host.execution.fail(this.#call, failure, 'map', errorId)
  }

  #ended(call: ServerCall): void {
    this.#running.delete(call)
    this.#host.left()
    if (call.mayHaveRun) this.#hasRun = true
  }

  #succeed(): void {
    this.#call.mayHaveRun = this.#hasRun
    this.#host.execution.request(this.#call, 'map', () => this.#build())
  }

  /** What each element became. */
  #build(): unknown[] {
    const budget = new CopyBudget(MESSAGE_MAX_BYTES)
    const made: object[] = []
    const { bytes, result } = this.#plan
    return this.#elements.map(({ results }) => {
      const links = new ElementLinks(
        this.#host.links.beginRead(this.#authority, undefined),
        results,
        budget,
        undefined,
        true,
      )
      const value = readSessionValue(bytes, result.start, links)
      made.push(...links.arrived)
      if (links.failure === undefined) return value
      letGo(made)
      throw links.failure
    })
  }
}
