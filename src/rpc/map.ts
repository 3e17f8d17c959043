// map(list, callback): a list on the other side is mapped there, in one message (docs/batches.md). The callback runs once,
// here, to be recorded. Leaves out the recording (map-recording.ts) and the wire (map-asking.ts).
import type { CallOptions } from './call-options.js'
import { record } from './map-recording.js'
import { questionOf } from './question.js'
import type { ReferenceOwner } from './remote-reference.js'
import type { Pipelined, Shaped, Stub } from './shapes.js'

/** What an element becomes: results of calls where the callback gives their promises. */
export type Mapped<R> =
  R extends PromiseLike<infer Value>
    ? Value
    : R extends Shaped<infer Shape>
      ? Stub<Shape>
      : R extends readonly (infer Member)[]
        ? Mapped<Member>[]
        : R extends Uint8Array | Date
          ? R
          : R extends object
            ? { -readonly [Key in keyof R]: Mapped<R[Key]> }
            : R

/** Map a list on the other side: `step` is recorded once, and replayed there for each element.
 * @param list - what a call gave: its answer, there or still to come.
 * @param step - calls methods of the element, of its members, and of results, and returns a result, or a plain object or
 * array that holds results. It must not await, branch on, or look into what stands for them.
 * @returns the results in the order of the list, as the service gave them: schemas of the interface do not run on them.
 * References among them belong to the caller. Rejects with the `CallError` of the first call that fails,
 * `rpc/unimplemented` where the offer does not allow it, `rpc/resource_exhausted` beyond its budget.
 * @throws TypeError for a step that cannot be replayed, or a list that is no answer of a call.
 * @example const names = await map(shop.items(), (item) => item.name()) */
export function map<T, R>(
  list: Promise<readonly T[]>,
  step: (element: Pipelined<T>) => R,
  options?: CallOptions,
): Promise<Mapped<R>[]> {
  const question = questionOf(list)
  if (question === undefined)
    throw new TypeError('Cannot map: expected the promise that a call gave, got something else')
  // Whoever answers for the session of a call also knows its references.
  const recording = record(question.owner as object as ReferenceOwner, step as (element: never) => unknown)
  return question.owner.callMap(question, recording, options) as Promise<Mapped<R>[]> // as the service's types say
}
