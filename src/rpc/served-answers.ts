// Answers of calls that this side serves, for as long as others may build on them (spec/rpc.md §4): until FINISH, where they
// hold references, were not asked for yet, or were asked to stay. Leaves out how calls get their answers (execution.ts).
import { MESSAGE_MAX_BYTES } from '../limits.js'
import { letGo } from './answers.js'
import { ByteSink } from './byte-sink.js'
import type { Failure } from './failure.js'
import { walk } from './reference-promise.js'
import { releaseIn } from './result-references.js'
import type { ServerCall } from './server-call.js'
import type { KnownAnswers, TakenAnswer } from './session-links.js'
import { duplicateStub, isReference } from './stub.js'
import type { PathKey } from './value-links.js'
import { decodeValue, encodeValueInto } from './values.js'

/** An answer that is there. */
export interface ServedAnswer {
  readonly call: ServerCall
  readonly value: unknown
  /** Instead of a value. */
  readonly failure: Failure | undefined
  /** References in it, let go with it. */
  readonly given: readonly object[] | undefined
  /** Whether RETURN or FAIL has left. */
  isSent: boolean
}

/** Answers of one session by call id. */
export class ServedAnswers implements KnownAnswers {
  readonly #kept = new Map<number, ServedAnswer>()
  readonly #waiting = new Map<ServerCall, ((answer: ServedAnswer | undefined) => void)[]>()

  get size(): number {
    return this.#kept.size
  }

  find(call: number): ServedAnswer | undefined {
    return this.#kept.get(call)
  }

  /** Keep an answer until FINISH. */
  keep(answer: ServedAnswer): void {
    this.#kept.set(answer.call.id, answer)
  }

  /** Tell `then` how `call` ended: undefined when there is nothing to build on. */
  whenAnswered(call: ServerCall, then: (answer: ServedAnswer | undefined) => void): void {
    const waiting = this.#waiting.get(call)
    if (waiting === undefined) this.#waiting.set(call, [then])
    else waiting.push(then)
  }

  /** Whether anybody waits for the answer of any call. */
  get areAwaited(): boolean {
    return this.#waiting.size > 0
  }

  /** `call` has ended: whoever waited goes on, in the order in which they came. */
  answered(call: ServerCall, answer: ServedAnswer | undefined): void {
    if (this.#waiting.size === 0) return
    const waiting = this.#waiting.get(call)
    this.#waiting.delete(call)
    for (const then of waiting ?? []) then(answer)
  }

  /** FINISH.
   * @returns false when there is no such answer. */
  drop(call: number): boolean {
    const answer = this.#kept.get(call)
    if (answer === undefined) return false
    this.#kept.delete(call)
    releaseAll(answer)
    return true
  }

  take(call: number, path: readonly PathKey[], maxBytes: number): TakenAnswer | undefined {
    const answer = this.#kept.get(call)
    if (answer === undefined || answer.failure !== undefined) return undefined
    const found = walk(answer.value, path)
    if (isReference(found)) return { value: duplicateStub(found, false), copiedBytes: 0 }
    try {
      const { copy, length } = copyData(found, Math.min(maxBytes, MESSAGE_MAX_BYTES))
      return { value: copy, copiedBytes: length }
    } catch {
      return undefined
    }
  }

  /** The session is over. */
  close(): void {
    for (const answer of this.#kept.values()) releaseAll(answer)
    this.#kept.clear()
    this.#waiting.clear()
  }
}

function releaseAll({ given, value }: ServedAnswer): void {
  if (given !== undefined) letGo(given)
  releaseIn(value)
}

/** Data as it would have arrived: another handler must not share objects with the one that made them.
 * @returns the copy, and its length on the wire, bytes.
 * @throws RangeError beyond `maxBytes`; what the encoder throws for what is no data. */
export function copyData(
  value: unknown,
  maxBytes: number,
): { readonly copy: unknown; readonly length: number } {
  const sink = new ByteSink()
  encodeValueInto(sink, value, 'answer')
  const { length } = sink
  if (length > maxBytes) throw new RangeError('Cannot pass answer on: it is too large')
  return { copy: decodeValue(sink.bytes, 0, length), length }
}
