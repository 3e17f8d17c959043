// Calls that have arrived and cannot be entered yet, because their arguments refer to answers that are still to come; calls
// on the same object stay behind them, so that each object is called in order (spec/rpc.md §4). Their arguments wait as
// bytes, which are counted. Leaves out which calls may run (dispatch.ts).
import { PIPELINED_BYTES_MAX } from '../limits.js'
import type { Exported } from './exports.js'
import type { Failure } from './failure.js'
import { answersNeeded } from './guard-links.js'
import type { OpenCalls } from './open-calls.js'
import type { ServedAnswers } from './served-answers.js'
import type { ServerCall } from './server-call.js'
import { judgeSessionValue } from './values.js'

/** A call and its arguments. */
export interface Waiting {
  readonly call: ServerCall
  readonly name: string
  readonly args: Uint8Array
}

/** What becomes of those that waited. */
export interface WaitingHost {
  run(waiting: Waiting): void
  /** It is over without having run. */
  drop(waiting: Waiting): void
  /** An answer that it needs failed. */
  fail(waiting: Waiting, failure: Failure): void
}

/** Waiting calls of one session. */
export class WaitingCalls {
  readonly #calls: OpenCalls
  readonly #answers: ServedAnswers
  readonly #host: WaitingHost
  readonly #queues = new Map<object, Waiting[]>()
  #bytes = 0

  constructor(calls: OpenCalls, answers: ServedAnswers, host: WaitingHost) {
    this.#calls = calls
    this.#answers = answers
    this.#host = host
  }

  /** Whether calls on `exported` have to queue. */
  has(exported: Exported): boolean {
    return this.#queues.size > 0 && this.#queues.has(laneOf(exported))
  }

  /** Count the arguments of a call that waits.
   * @returns false when too much waits already. */
  park({ args }: Waiting): boolean {
    if (this.#bytes + args.length > PIPELINED_BYTES_MAX) return false
    this.#bytes += args.length
    return true
  }

  unpark({ args }: Waiting): void {
    this.#bytes -= args.length
  }

  /** Wait for the answers that the arguments need, and for the calls before it.
   * @returns false when too much waits already. */
  join(exported: Exported, waiting: Waiting): boolean {
    if (!this.park(waiting)) return false
    const lane = laneOf(exported)
    const queue = this.#queues.get(lane)
    if (queue !== undefined) queue.push(waiting)
    else {
      this.#queues.set(lane, [waiting])
      this.#advance(lane)
    }
    return true
  }

  /** Let the calls of a lane go on, as far as the answers that they need are there. */
  #advance(lane: object): void {
    const queue = this.#queues.get(lane)
    for (let next = queue?.[0]; queue !== undefined && next !== undefined; next = queue[0]) {
      const open = next.call.finished ? undefined : this.#needs(next)
      if (open !== undefined) {
        this.#resume(lane, next, open)
        return
      }
      queue.shift()
      this.unpark(next)
      if (next.call.finished) this.#host.drop(next)
      else this.#host.run(next)
    }
    this.#queues.delete(lane)
  }

  /** A call whose answer the arguments need and that is still open. */
  #needs({ call, args }: Waiting): ServerCall | undefined {
    judgeSessionValue(args, 0, args.length) // has passed once, and names the answers again
    for (const id of answersNeeded()) {
      const open = this.#calls.find(id)
      if (open !== undefined && open !== call) return open
    }
    return undefined
  }

  #resume(lane: object, waiting: Waiting, on: ServerCall): void {
    this.#answers.whenAnswered(on, (answer) => {
      if (answer?.failure !== undefined) this.#host.fail(waiting, answer.failure)
      this.#advance(lane)
    })
  }

  /** The session is over. */
  clear(): void {
    this.#queues.clear()
  }
}

function laneOf(exported: Exported): object {
  return exported.lane ?? exported
}
