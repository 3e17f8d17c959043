// Why a value of the caller cannot be sent, and where in it: `args.items[3].name`, `a function`. Never the value itself.
// Only reached once writing has failed, so nothing here is on the hot path (spec/rpc.md §5).
// Leaves out the decision what can be sent (value-writer.ts).
import { NoisecapError } from '../errors.js'
import { Failure } from './failure.js'

const PATH_MAX_CHARS = 200
const KEY_MAX_CHARS = 40

/** Thrown while a value is written; becomes a NoisecapError at the caller, with the path. */
export class Refusal {
  /** What was found, as in `got a function`. */
  readonly found: string
  readonly hint: string | undefined
  /** Whether a container was entered within itself. */
  readonly cycle: boolean

  constructor(found: string, hint?: string, cycle = false) {
    this.found = found
    this.hint = hint
    this.cycle = cycle
  }
}

/** Thrown while a value is written: it holds a promise whose value must be there first. Passed on as it is. */
export class NotYet {
  readonly promise: PromiseLike<unknown>

  constructor(promise: PromiseLike<unknown>) {
    this.promise = promise
  }
}

/** Thrown while a value is written: the session has as many references or streams as it may. Passed on as it is: whose call
 * that is says so to its caller, in these words and no other's. */
export class BudgetExceeded extends Failure {
  readonly hint: string

  constructor(what: string, hint: string) {
    super('resource_exhausted', `Cannot send ${what}: the session has as many as it may`)
    this.hint = hint
  }
}

/** Where writing stood: containers from the outermost in, and the member of each that was being written. */
export interface Trail {
  readonly parents: readonly (object | undefined)[]
  /** Key of an object, index of an array, ordinal of a Map's entry or a Set's member. */
  readonly steps: readonly (string | number)[]
  readonly depth: number
}

/** The error for the caller.
 * @param reason - a Refusal, or what a getter of the value threw. */
export function refusalError(reason: unknown, name: string, trail: Trail): NoisecapError<'rpc/bad_value'> {
  if (!(reason instanceof Refusal)) {
    const path = pathOf(name, trail, trail.depth)
    const found = 'a property that throws when it is read'
    return new NoisecapError('rpc/bad_value', `Cannot send ${path}: expected plain data, got ${found}`, {
      cause: reason,
    })
  }
  const depth = reason.cycle ? depthOfCycle(trail) : trail.depth
  const message = `Cannot send ${pathOf(name, trail, depth)}: expected plain data, got ${reason.found}`
  return new NoisecapError('rpc/bad_value', message, reason.hint === undefined ? {} : { hint: reason.hint })
}

/** Steps until a container is met for the second time, so that the path stops going round. */
function depthOfCycle({ parents, depth }: Trail): number {
  const second = parents.findIndex((parent, level) => parents.indexOf(parent) < level)
  return second === -1 ? depth : second
}

function pathOf(name: string, { parents, steps }: Trail, depth: number): string {
  let path = name
  for (let i = 0; i < depth; i++) path += stepText(parents[i], steps[i])
  return path.length > PATH_MAX_CHARS ? `${path.slice(0, PATH_MAX_CHARS)}…` : path
}

function stepText(parent: object | undefined, step: string | number | undefined): string {
  if (step === undefined) return ''
  if (parent instanceof Map) return `<entry ${step}>`
  if (parent instanceof Set) return `<member ${step}>`
  if (typeof step === 'number') return `[${step}]`
  if (/^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(step)) return `.${step.slice(0, KEY_MAX_CHARS)}`
  return `[${JSON.stringify(step.slice(0, KEY_MAX_CHARS))}]`
}

/** The refusal of an object that is not plain data. */
export function refuseInstance(value: object): Refusal {
  if (value instanceof Promise) return new Refusal('a Promise', 'Await it before it is sent')
  if (ArrayBuffer.isView(value)) {
    const hint = 'Send new Uint8Array(view.buffer, view.byteOffset, view.byteLength)'
    return new Refusal(`an instance of ${nameOfClass(value)}`, hint)
  }
  if (value instanceof ArrayBuffer) return new Refusal('an ArrayBuffer', 'Send new Uint8Array(buffer)')
  if (value instanceof Error) return new Refusal('an Error', 'Throw it, or send its message')
  return new Refusal(
    `an instance of ${nameOfClass(value)}`,
    'Copy what is needed into a plain object, or send reference(Interface, object), on which the other side may call',
  )
}

function nameOfClass(value: object): string {
  try {
    const name: unknown = Object.getPrototypeOf(value).constructor.name
    return typeof name === 'string' && name !== '' ? name.slice(0, KEY_MAX_CHARS) : 'a class'
  } catch {
    return 'a class'
  }
}
