// Records what a callback does with one element, to be replayed elsewhere for each (docs/batches.md): calls on the element,
// on members of it and on results of earlier calls become steps. What cannot be replayed is refused while it is recorded.
// Leaves out sending the steps (map-asking.ts).
import { MAP_STEPS_MAX, PIPELINE_PATH_MAX_KEYS } from '../limits.js'
import { ByteSink } from './byte-sink.js'
import { bareFunction } from './callable.js'
import type { ItemWriter } from './item-writer.js'
import { isMethodName } from './method-definition.js'
import { AnswerCaller } from './reference-promise.js'
import { type ReferenceOwner, RemoteReference } from './remote-reference.js'
import { callerOf, isReference, isReleased } from './stub.js'
import { type LinkWriter, type PathKey, type Substitute, writeAnswer } from './value-links.js'
import { encodeValueInto } from './values.js'

/** What a recorded call is made on, or a value refers to: 0 is the element, n the result of the n-th step. */
interface Place {
  readonly step: number
  readonly path: readonly PathKey[]
}

/** A recorded call. */
interface RecordedStep {
  readonly on: Place
  readonly name: string
  readonly input: unknown
}

/** What was recorded. */
export interface Recording {
  readonly steps: readonly RecordedStep[]
  readonly result: unknown
}

const places = new WeakMap<object, Place>()

/** Whether `value` stands for an element or a result within the callback of `map`. */
export function isRecorded(value: object): boolean {
  return places.has(value)
}

/** Record `callback`.
 * @param owner - the session that will replay it.
 * @throws TypeError for what cannot be replayed; what `callback` throws. */
export function record(owner: ReferenceOwner, callback: (element: never) => unknown): Recording {
  const recorder = new Recorder(owner)
  try {
    const result = callback(recorder.placeholder({ step: 0, path: [] }) as never) // typed by `map`
    if (result instanceof Promise) {
      result.catch(() => {}) // awaiting inside has thrown there
      throw refusal('a callback that is not async and awaits nothing', 'a promise')
    }
    recorder.check(result, 'result')
    if (recorder.steps.length === 0) throw refusal('at least one call on the element', 'none')
    return { steps: recorder.steps, result }
  } finally {
    recorder.isOver = true
  }
}

class Recorder {
  readonly steps: RecordedStep[] = []
  isOver = false
  readonly #owner: ReferenceOwner

  constructor(owner: ReferenceOwner) {
    this.#owner = owner
  }

  /** Stands for what will be at `place`. */
  placeholder(place: Place): object {
    if (place.path.length > PIPELINE_PATH_MAX_KEYS + 1)
      throw refusal(`paths of at most ${PIPELINE_PATH_MAX_KEYS} keys`, 'a longer one')
    const refuse = (): never => {
      throw refusal('calls on what stands for an element or a result', 'a look at it')
    }
    const proxy = new Proxy(bareFunction(), {
      get: (_target, key) => this.#member(place, key),
      apply: (_target, _self, [input, options]: [unknown?, unknown?]) => this.#call(place, input, options),
      has: refuse,
      ownKeys: refuse,
      getOwnPropertyDescriptor: refuse,
    })
    places.set(proxy, place)
    return proxy
  }

  #member({ step, path }: Place, key: string | symbol): unknown {
    this.#mustRecord()
    // References of steps are let go by who replays them.
    if (key === Symbol.dispose || key === Symbol.asyncDispose) return () => {}
    if (key === 'then') throw refusal('a callback that awaits nothing', 'an await of a result')
    if (typeof key === 'symbol')
      throw refusal('calls on what stands for an element or a result', 'a look at its value')
    if (!isMethodName(key)) throw refusal('a name that a method may have', 'another one')
    return this.placeholder({ step, path: [...path, /^(0|[1-9]\d{0,8})$/.test(key) ? Number(key) : key] })
  }

  #call({ step, path }: Place, input: unknown, options: unknown): object {
    this.#mustRecord()
    const name = path.at(-1)
    if (typeof name !== 'string') throw refusal('the name of a method', 'none')
    if (options !== undefined) throw refusal('options of the map as a whole', 'options of one call')
    if (this.steps.length >= MAP_STEPS_MAX) throw refusal(`at most ${MAP_STEPS_MAX} calls`, 'more')
    this.check(input, `the input of ${name}`)
    this.steps.push({ on: { step, path: path.slice(0, -1) }, name, input })
    return this.placeholder({ step: this.steps.length, path: [] })
  }

  /** Write `value` nowhere, to see that it can be sent.
   * @throws TypeError. */
  check(value: unknown, what: string): void {
    try {
      encodeValueInto(new ByteSink(), value, what, new CheckingLinks(this.#owner))
    } catch (cause) {
      if (cause instanceof TypeError) throw cause
      const why = cause instanceof Error ? cause.message : 'it cannot be sent'
      throw new TypeError(`Cannot map: ${why}`, { cause })
    }
  }

  #mustRecord(): void {
    if (this.isOver) throw refusal('what stands for an element only within the callback', 'a later use')
  }
}

/** Writes what placeholders stand for, and leaves the rest to the session. */
export class RecordedLinks implements LinkWriter {
  readonly #rest: LinkWriter

  constructor(rest: LinkWriter) {
    this.#rest = rest
  }

  write(value: object, to: ItemWriter): boolean | Substitute {
    const place = places.get(value)
    if (place === undefined) return typeof value === 'function' ? false : this.#rest.write(value, to)
    if (place.path.length > PIPELINE_PATH_MAX_KEYS) return false
    writeAnswer(to, place.step, place.path)
    return true
  }
}

/** Passes what the session would write later. */
class CheckingLinks extends RecordedLinks {
  constructor(owner: ReferenceOwner) {
    super({
      write(value, to) {
        if (!isReference(value)) return false
        const own = callerOf(value)
        const caller = own.current?.() ?? own
        const isForeign = caller instanceof RemoteReference && !caller.isOf(owner)
        if (isForeign || caller instanceof AnswerCaller || isReleased(value)) return false
        to.byte(0xf6) // stands for it: the number is known when it is sent
        return true
      },
    })
  }
}

function refusal(expected: string, got: string): TypeError {
  return new TypeError(`Cannot map: expected ${expected}, got ${got}`)
}
