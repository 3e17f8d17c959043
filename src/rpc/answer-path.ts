// Paths into an answer that is still to come: `pipelined(call).items[0].open()` names what is nested in a result, so that it
// is called, or passed on, without waiting for the result (spec/rpc.md §3). Leaves out the wire (calling.ts).
import { PIPELINE_PATH_MAX_KEYS } from '../limits.js'
import type { CallOptions } from './call-options.js'
import { LocalAnswer } from './call-shape.js'
import { bareFunction } from './callable.js'
import { isRecorded } from './map-recording.js'
import { defineMethod, isMethodName } from './method-definition.js'
import { questionOf } from './question.js'
import { AnswerCaller, type AnswerSource } from './reference-promise.js'
import type { Answer, Pipelined } from './shapes.js'
import { callerOf, isReference, stampStub } from './stub.js'
import type { PathKey } from './value-links.js'

/** Follow an answer that is still to come; reading it this way asks for nothing.
 * @param answer - what a call gave; borrowed: the paths need no disposal, and end with it.
 * @example pipelined(shop.search('tea')).items[0].buy()
 * @throws RangeError beyond eight steps. */
export function pipelined<T>(answer: Promise<T> | Answer<T>): Pipelined<T> {
  if (isRecorded(answer)) return answer as unknown as Pipelined<T> // within `map`, every result can be followed
  return createPath(sourceOf(answer as PromiseLike<unknown>), []) as Pipelined<T> // each step is looked up when used
}

function sourceOf(answer: PromiseLike<unknown>): AnswerSource {
  if (isReference(answer)) {
    const caller = callerOf(answer)
    if (caller instanceof AnswerCaller) return caller.source
  }
  return questionOf(answer) ?? new LocalAnswer(Promise.resolve(answer))
}

function createPath(source: AnswerSource, path: readonly PathKey[]): object {
  if (path.length > PIPELINE_PATH_MAX_KEYS + 1) {
    throw new RangeError(
      `Cannot follow answer: expected at most ${PIPELINE_PATH_MAX_KEYS} steps, got ${path.length - 1}`,
    )
  }
  const stub = new Proxy(bareFunction(), {
    get: (_step, key) => (typeof key === 'symbol' ? undefined : memberOf(source, path, key)),
    apply(_step, _self, [input, options]: [unknown?, CallOptions?]) {
      const method = path.at(-1)
      if (typeof method !== 'string') throw new TypeError('Cannot call answer: expected the name of a method')
      return source.callOn(path.slice(0, -1), defineMethod(method), input, options)
    },
  })
  stampStub(stub, new AnswerCaller(source, path), undefined)
  return stub
}

function memberOf(source: AnswerSource, path: readonly PathKey[], key: string): object | undefined {
  if (!isMethodName(key)) return undefined
  return createPath(source, [...path, /^(0|[1-9]\d{0,8})$/.test(key) ? Number(key) : key])
}
