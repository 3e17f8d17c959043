// A stream that this side feeds: takes from its source only what the other side has granted (spec/rpc.md §4), so that a slow
// reader never makes this side hold more than one piece. Bytes leave as bulk frames between small messages.
// Leaves out the table of streams and the writing of items (streams.ts).
import { STREAM_FRAME_MAX_BYTES } from '../limits.js'
import type { BulkSource } from './bulk-queue.js'
import type { Authority } from './exports.js'
import { Failure } from './failure.js'
import type { Waker } from './outbox.js'
import { releaseIn } from './result-references.js'
import type { StreamSource } from './shapes.js'
import { iterate } from './stream-source.js'

/** What an outgoing stream needs of its session. */
export interface FeedHost {
  /** Send an item.
   * @returns what it cost, bytes of credit. Throws when it cannot be encoded. */
  item(feed: OutgoingStream, value: unknown): number
  /** Whether an item may be taken from the source; if not, `feed` is woken once there is room. */
  hasRoom(feed: OutgoingStream): boolean
  /** Frames of `feed` are waiting. */
  bulk(feed: OutgoingStream): void
  /** Whether credit can come beyond the first: not on a pipe that carries one batch each way. */
  readonly getsCredit: boolean
  /** It is over: tell the other side.
   * @param error - why, unless it is complete. */
  ended(feed: OutgoingStream, error: { readonly reason: unknown } | undefined): void
}

/** One stream, as its sender holds it. */
export class OutgoingStream implements BulkSource, Waker {
  readonly id: number
  readonly isBytes: boolean
  readonly authority: Authority
  readonly #host: FeedHost
  readonly #source: StreamSource<unknown>
  #iterator: AsyncIterator<unknown> | undefined
  #credit: number
  #state: 'new' | 'flowing' | 'over' = 'new'
  #awaken: (() => void) | undefined
  #chunk: Uint8Array | undefined
  /** Told once it is over, for whatever reason. */
  onOver: (() => void) | undefined

  constructor(
    host: FeedHost,
    id: number,
    source: StreamSource<unknown>,
    isBytes: boolean,
    authority: Authority,
    credit: number,
  ) {
    this.#host = host
    this.id = id
    this.#source = source
    this.isBytes = isBytes
    this.authority = authority
    this.#credit = credit
  }

  get isOver(): boolean {
    return this.#state === 'over'
  }

  /** The other side knows of it: begin to feed. */
  begin(): void {
    if (this.#state !== 'new') return
    this.#state = 'flowing'
    this.#feed().then(
      () => this.#finish(undefined),
      (reason: unknown) => this.#finish({ reason }),
    )
  }

  /** @returns false when more is granted than anybody could count. */
  grant(bytes: number): boolean {
    this.#credit += bytes
    if (this.#credit > 0xffff_ffff) return false
    if (this.#chunk !== undefined) this.#host.bulk(this)
    else this.wake()
    return true
  }

  async #feed(): Promise<void> {
    const iterator = iterate(this.#source)
    this.#iterator = iterator
    for (;;) {
      const isSpent = this.#isSpent
      while (this.#state === 'flowing' && !isSpent && !this.#mayTake) await this.#sleep()
      if (this.#state !== 'flowing') return
      const { done, value } = await iterator.next()
      if (done === true) return
      if (isSpent) {
        releaseIn(value)
        this.#endSource()
        throw spentError()
      }
      if (this.#state !== 'flowing') {
        releaseIn(value)
        return
      }
      try {
        if (this.isBytes) await this.#sendBytes(value)
        else this.#credit -= this.#host.item(this, value)
      } catch (error) {
        releaseIn(value)
        this.#endSource()
        throw error
      }
    }
  }

  /** Credit is what the other side wants, and may be any number: what waits for the socket limits the rest. */
  get #mayTake(): boolean {
    return this.#credit > 0 && (this.isBytes || this.#host.hasRoom(this))
  }

  /** Whether nothing more can ever leave. */
  get #isSpent(): boolean {
    return this.#credit <= 0 && !this.#host.getsCredit
  }

  async #sendBytes(value: unknown): Promise<void> {
    if (!(value instanceof Uint8Array)) {
      throw new TypeError('Cannot send stream of bytes: expected Uint8Array')
    }
    if (value.length === 0) return
    this.#chunk = value
    this.#host.bulk(this)
    if (this.#chunk !== undefined) await this.#sleep()
  }

  takeBytes(): Uint8Array | undefined {
    const chunk = this.#chunk
    if (chunk === undefined || this.#credit <= 0 || this.#state !== 'flowing') return undefined
    const piece = chunk.length > STREAM_FRAME_MAX_BYTES ? chunk.subarray(0, STREAM_FRAME_MAX_BYTES) : chunk
    this.#credit -= piece.length
    if (piece.length === chunk.length) {
      this.#chunk = undefined
      this.wake()
    } else this.#chunk = chunk.subarray(piece.length)
    // Not now: the outbox is writing what this returns.
    if (this.#chunk !== undefined && this.#isSpent) queueMicrotask(() => this.stop({ reason: spentError() }))
    return piece
  }

  #sleep(): Promise<void> {
    return new Promise((resolve) => {
      this.#awaken = resolve
    })
  }

  /** Look again whether it may go on. */
  wake(): void {
    if (this.#chunk !== undefined) return
    const awaken = this.#awaken
    this.#awaken = undefined
    awaken?.()
  }

  /** End it from outside: the other side wants no more, or its call is over.
   * @param error - what the other side is told. */
  stop(error?: { readonly reason: unknown }): void {
    if (this.#state === 'over') return
    this.#finish(error)
    this.#endSource()
  }

  /** What the source does with this is its own affair. */
  #endSource(): void {
    const end = async (): Promise<unknown> => this.#iterator?.return?.()
    end().catch(() => {})
  }

  #finish(error: { readonly reason: unknown } | undefined): void {
    if (this.#state === 'over') return
    this.#state = 'over'
    this.#chunk = undefined
    this.wake()
    this.#host.ended(this, error)
    this.onOver?.()
  }
}

function spentError(): Failure {
  return new Failure(
    'resource_exhausted',
    'over HTTP a stream brings no more than its first 256 KiB: for more use a location of ws: or tcp:',
  )
}
