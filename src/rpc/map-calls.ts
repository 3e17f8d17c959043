// Which MAPs may run (spec/rpc.md §4, §8): where the authority of the source allows it, on a list that is there or in an
// answer that is to come, within the budgets for calls and bytes; all of it is judged before anything runs.
// Leaves out the fields (map-plan.ts) and the running (map-run.ts).
import { MESSAGE_MAX_BYTES, PIPELINED_BYTES_MAX } from '../limits.js'
import type { SessionLimits } from '../session/index.js'
import { LINK_PROBLEM_TEXT } from './answers.js'
import type { Deadlines } from './deadlines.js'
import type { Execution } from './execution.js'
import { AnswerExport, type Authority } from './exports.js'
import { Failure } from './failure.js'
import { LocalTarget } from './local-target.js'
import { AnswerLink, ArrivalLinks, CopyBudget } from './map-links.js'
import { type Plan, readPlan } from './map-plan.js'
import { type MapCall, type MapHost, MapRun } from './map-run.js'
import type { OpenCalls } from './open-calls.js'
import { walk } from './reference-promise.js'
import type { ServedAnswer, ServedAnswers } from './served-answers.js'
import type { SessionLinks } from './session-links.js'
import { readSessionValue } from './values.js'
import type { WaitingCalls } from './waiting-calls.js'

/** What serving maps needs of its session. */
export interface MapParts {
  readonly calls: OpenCalls
  readonly answers: ServedAnswers
  readonly waiting: WaitingCalls
  readonly execution: Execution
  readonly links: SessionLinks
  readonly deadlines: Deadlines
  readonly limits: SessionLimits
}

/** Calls of clients have numbers below. */
const FIRST_REPLAYED_ID = 0x1_0000_0000
const NAME = 'map'

/** MAPs of one session. */
export class MapCalls implements MapHost {
  readonly links: SessionLinks
  readonly execution: Execution
  readonly deadlines: Deadlines
  readonly #parts: MapParts
  #replaying = 0
  #nextId = FIRST_REPLAYED_ID

  constructor(parts: MapParts) {
    this.#parts = parts
    this.links = parts.links
    this.execution = parts.execution
    this.deadlines = parts.deadlines
  }

  hasRoom(): boolean {
    const { calls, answers, limits } = this.#parts
    return calls.size + answers.size + this.#replaying < limits.maxCallsInFlight
  }

  entered(): number {
    this.#replaying += 1
    this.#nextId += 1
    return this.#nextId
  }

  left(): void {
    this.#replaying -= 1
  }

  /** Run what `bytes` ask for, now or once its source is there, or fail `call`.
   * @throws WireError for bytes that are no MAP. */
  begin(call: MapCall, bytes: Uint8Array): void {
    this.#orFail(call, () => {
      const plan = readPlan(bytes)
      const links = new ArrivalLinks(this.links.beginRead(undefined, undefined), false)
      const source = readSessionValue(bytes, plan.source.start, links)
      call.borrowed = this.links.arrived
      const problem = links.problem ?? this.links.problem
      if (problem !== undefined) throw new Failure('invalid_argument', LINK_PROBLEM_TEXT[problem])
      if (source instanceof AnswerLink) this.#onAnswer(call, plan, source)
      else this.#onList(call, plan, source, links.authorities)
    })
  }

  /** Failures are answered; what breaks the wire format passes. */
  #orFail(call: MapCall, run: () => void): void {
    try {
      run()
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      this.execution.fail(call, error, NAME)
    }
  }

  #onAnswer(call: MapCall, plan: Plan, source: AnswerLink): void {
    const { calls, answers, waiting, limits } = this.#parts
    const open = calls.find(source.call)
    if (open === undefined) {
      this.#onAnswered(call, plan, source, answers.find(source.call))
      return
    }
    // Known already for a call on an export: nothing waits that may not run.
    if (open.exported !== undefined) allowedCalls(open.exported.authority)
    call.depth = open.depth + 1
    const held = { call, name: NAME, args: plan.bytes }
    if (call.depth > limits.maxPipelineDepth || !waiting.park(held))
      throw new Failure('resource_exhausted', 'too much is pipelined')
    answers.whenAnswered(open, (answer) => {
      waiting.unpark(held)
      if (!call.finished) this.#orFail(call, () => this.#onAnswered(call, plan, source, answer))
    })
  }

  #onAnswered(call: MapCall, plan: Plan, source: AnswerLink, answer: ServedAnswer | undefined): void {
    if (answer?.failure !== undefined) throw answer.failure
    const authority = answer?.call.exported?.authority
    if (answer === undefined || authority === undefined)
      throw new Failure('failed_precondition', 'the answer is not there')
    const list = listOf(walk(answer.value, source.path))
    admit(plan, list.length, authority)
    // Of its own: the client may let go of the answer while the map runs.
    const taken: object[] = []
    call.borrowed = taken
    const budget = new CopyBudget(PIPELINED_BYTES_MAX)
    const elements = list.map((element) => budget.snapshot(element, taken))
    this.#run(call, plan, elements, authority)
  }

  #onList(call: MapCall, plan: Plan, source: unknown, authorities: ReadonlySet<Authority>): void {
    const [authority, another] = authorities
    if (another !== undefined)
      throw new Failure('failed_precondition', 'the references of the list stand on several capabilities')
    const list = listOf(source)
    if (authority === undefined) throw new Failure('failed_precondition', 'the list holds no reference')
    admit(plan, list.length, authority)
    this.#run(call, plan, list, authority)
  }

  #run(call: MapCall, plan: Plan, elements: readonly unknown[], authority: Authority): void {
    call.exported = new AnswerExport(authority, NOTHING)
    if (!authority.isInForce()) throw new Failure('permission_denied', 'the reference is broken')
    this.#takeReferences(call, plan, authority)
    if (call.aborted !== undefined) {
      this.execution.fail(call, undefined, NAME)
      return
    }
    call.run = new MapRun(call, plan, elements, authority, this)
    call.run.advance()
  }

  /** References that steps bring along have travelled once: they are held for the whole map. */
  #takeReferences(call: MapCall, { bytes, steps, result }: Plan, authority: Authority): void {
    const held = [...(call.borrowed ?? [])]
    call.borrowed = held
    for (const { start } of [...steps.map(({ args }) => args), result]) {
      const links = new ArrivalLinks(this.links.beginRead(authority, undefined), true)
      readSessionValue(bytes, start, links)
      held.push(...(this.links.arrived ?? []))
      const problem = links.problem ?? this.links.problem
      if (problem !== undefined) throw new Failure('invalid_argument', LINK_PROBLEM_TEXT[problem])
    }
  }
}

/** What calls of a map fail with or break by stands in its steps; it has no object of its own. */
const NOTHING = new LocalTarget({ name: NAME, methods: new Map() }, {}, undefined, () => {})

function listOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw new Failure('failed_precondition', 'there is no list to map')
}

/** @throws Failure unless `authority` allows maps at all. */
function allowedCalls({ mapCalls }: Authority): number {
  if (mapCalls !== undefined && mapCalls > 0) return mapCalls
  throw new Failure('unimplemented', 'the offer does not allow it (option map of service.offer)')
}

/** @throws Failure when the map would be more than is allowed. */
function admit(plan: Plan, elements: number, authority: Authority): void {
  const maxCalls = allowedCalls(authority)
  if (elements * plan.steps.length > maxCalls)
    throw new Failure('resource_exhausted', `a map makes at most ${maxCalls} calls`)
  const results = elements * (plan.result.end - plan.result.start)
  if (elements * plan.length > PIPELINED_BYTES_MAX || results > MESSAGE_MAX_BYTES)
    throw new Failure('resource_exhausted', 'the steps of the map are too large for so many elements')
}
