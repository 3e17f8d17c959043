// A call that the other side made: what its handler learns, how it is canceled, and what ends with it: references and
// streams in its arguments (docs/ownership.md). The AbortController is made only when a handler asks for its signal: it
// costs more than a small call.
import type { PublicKey } from '../crypto/index.js'
import { letGo } from './answers.js'
import type { CallContext } from './call-options.js'
import type { Deadlines } from './deadlines.js'
import { AnswerExport, type Exported } from './exports.js'
import { Failure } from './failure.js'
import { abortedStream, IncomingStream } from './incoming-stream.js'
import { type Metadata, NO_METADATA } from './metadata.js'
import type { OutgoingStream } from './outgoing-stream.js'
import { CALL_FLAG } from './wire.js'

/** Why a call was given up. */
export type AbortReason = 'canceled' | 'deadline_exceeded'

/** Takes the answer of a call that did not come over the wire (map-run.ts). */
export interface AnswerReceiver {
  /** @param value - owned by the receiver, with the references in it. */
  settled(value: unknown): void
  failed(failure: Failure, errorId: Uint8Array | undefined): void
}

/** One incoming call, from CALL to RETURN or FAIL, and to the end of the streams that it answers with. */
export class ServerCall implements CallContext {
  readonly id: number
  /** What it was made on; undefined for a request of the session itself. */
  exported: Exported | undefined
  readonly client: PublicKey | undefined
  metadata: Metadata = NO_METADATA
  /** Whether the answer is to be sent as soon as it is there. */
  wants: boolean
  /** Whether the answer stays until FINISH, whatever it holds. */
  readonly keeps: boolean
  /** Calls that it builds on, one on the other. */
  depth = 0
  /** Whether the handler was entered. */
  mayHaveRun = false
  /** Whether it was answered, or nobody waits for an answer any more. */
  finished = false
  /** References and streams of its arguments: they end with it. */
  borrowed: readonly object[] | undefined
  /** Gets the answer instead of the other side. */
  receiver: AnswerReceiver | undefined
  #feeds: OutgoingStream[] | undefined
  #controller: AbortController | undefined
  #aborted: AbortReason | undefined
  readonly #deadlineMs: number
  readonly #deadlines: Deadlines
  #slot = -1

  constructor(
    id: number,
    exported: Exported | undefined,
    client: PublicKey | undefined,
    remainingMs: number,
    deadlines: Deadlines,
    flags: number = CALL_FLAG.want,
  ) {
    this.id = id
    this.exported = exported
    this.client = client
    this.wants = (flags & CALL_FLAG.want) !== 0
    this.keeps = (flags & CALL_FLAG.keep) !== 0
    this.#deadlines = deadlines
    const hasDeadline = remainingMs !== Number.POSITIVE_INFINITY
    // No look at the clock for a call without a deadline: that is nearly every one.
    this.#deadlineMs = hasDeadline ? deadlines.clock.nowMs() + remainingMs : remainingMs
    if (hasDeadline) this.#slot = deadlines.add(this, remainingMs)
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#aborted !== undefined && !this.#controller.signal.aborted)
      this.#controller.abort(this.#reason())
    return this.#controller.signal
  }

  get remainingMs(): number {
    if (this.#deadlineMs === Number.POSITIVE_INFINITY) return this.#deadlineMs
    return Math.max(0, this.#deadlineMs - this.#deadlines.clock.nowMs())
  }

  /** Why the call was given up, once it was. */
  get aborted(): AbortReason | undefined {
    return this.#aborted
  }

  abort(why: AbortReason): void {
    if (this.#aborted !== undefined) return
    this.#aborted = why
    this.#controller?.abort(this.#reason())
    const text = why === 'canceled' ? 'the call was canceled' : 'the deadline of the call passed'
    for (const feed of this.#feeds?.splice(0) ?? []) feed.stop({ reason: new Failure(why, text) })
    for (const thing of this.borrowed ?? [])
      if (thing instanceof IncomingStream) thing.fail(abortedStream(why, text))
  }

  expire(): void {
    this.#slot = -1
    this.abort('deadline_exceeded')
  }

  /** The answer holds this stream: signal, deadline and arguments last until it is over. */
  follow(feed: OutgoingStream): void {
    this.#feeds ??= []
    this.#feeds.push(feed)
    const { remainingMs } = this
    if (this.#slot < 0 && remainingMs !== Number.POSITIVE_INFINITY)
      this.#slot = this.#deadlines.add(this, remainingMs)
    feed.onOver = () => this.#unfollow(feed)
  }

  #unfollow(feed: OutgoingStream): void {
    const feeds = this.#feeds
    const at = feeds?.indexOf(feed) ?? -1
    if (at >= 0) feeds?.splice(at, 1)
    if (feeds !== undefined && feeds.length > 0) return
    this.#feeds = undefined
    this.abort('canceled')
    this.#stopTimer()
    this.#return()
  }

  /** The call was answered, or its session is over. */
  finish(): void {
    this.finished = true
    this.#stopTimer()
  }

  /** These stand in an answer that has not left: arguments among them end with that, and not with the call. */
  giveAway(given: readonly object[] | undefined): void {
    if (given === undefined || this.borrowed === undefined) return
    this.borrowed = this.borrowed.filter((thing) => !given.includes(thing))
  }

  /** Nothing of it goes on, unless its answer streams. */
  end(): void {
    if (this.#feeds === undefined) this.#return()
  }

  #return(): void {
    if (this.borrowed !== undefined) letGo(this.borrowed)
    this.borrowed = undefined
    if (this.exported instanceof AnswerExport) this.exported.released()
  }

  #stopTimer(): void {
    if (this.#slot >= 0) this.#deadlines.remove(this, this.#slot)
    this.#slot = -1
  }

  #reason(): DOMException {
    return this.#aborted === 'canceled'
      ? new DOMException('The caller canceled the call', 'AbortError')
      : new DOMException('The deadline of the call passed', 'TimeoutError')
  }
}
