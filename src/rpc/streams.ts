// The streams of one session, those that this side feeds and those that it receives, by the feeder's ids (spec/rpc.md §4).
// An id is free again once both END and STOP have passed, so that no late credit reaches another stream.
// Leaves out one stream's queue and credit (incoming-stream.ts, outgoing-stream.ts).
import { STREAM_FRAME_MAX_BYTES, STREAMS_MAX } from '../limits.js'
import { writeFailure } from './answer-writer.js'
import { letGo, own, readFailureError } from './answers.js'
import type { Authority } from './exports.js'
import { Failure } from './failure.js'
import { IdTable } from './id-table.js'
import { badItem, cutOff, IncomingStream, type StreamHost } from './incoming-stream.js'
import type { Outbox } from './outbox.js'
import { type FeedHost, OutgoingStream } from './outgoing-stream.js'
import type { SessionLinks, StreamTable } from './session-links.js'
import type { StreamSource } from './shapes.js'
import { ByteSource } from './stream-source.js'
import { StreamWindow } from './stream-window.js'
import { releaseStub } from './stub.js'
import { decodeSessionValue, encodeValueInto } from './values.js'
import type { WindowSizing } from './window-sizing.js'
import { type FieldReader, OP, WireError, writeByte, writeVarint } from './wire.js'

/** What a stream that fails tells the other side. */
export interface ToldFailure {
  readonly failure: Failure
  readonly errorId: Uint8Array | undefined
}

/** What a session lets its streams carry ahead of their readers. */
export interface StreamBudgets {
  readonly windows: WindowSizing
  readonly credit: number
  readonly maxMessageBytes: number
}

/** Streams of one session. */
export class Streams implements StreamTable, StreamHost, FeedHost {
  readonly #outbox: Outbox
  readonly #windows: WindowSizing
  readonly #credit: number
  readonly #maxMessageBytes: number
  readonly #tell: (error: unknown) => ToldFailure
  readonly mayFeed: boolean
  readonly getsCredit: boolean
  /** Set by the peer, which has the other tables. */
  links!: SessionLinks
  readonly #feeds = new IdTable<OutgoingStream>(STREAMS_MAX)
  /** Of feeds that are over: whether the other side has let go already. */
  readonly #stopped = new Set<number>()
  readonly #received = new Map<number, IncomingStream>()
  #over: Error | undefined

  /** @param windows - bytes that may be on the way to this side; `credit`, to the other in one stream.
   * @param maxMessageBytes - of the other side.
   * @param tell - what the other side learns of an error of a source.
   * @param credits - whether credit comes at all, and if not, whether this side may announce streams all the same. */
  constructor(
    outbox: Outbox,
    { windows, credit, maxMessageBytes }: StreamBudgets,
    tell: (error: unknown) => ToldFailure,
    credits: 'come' | 'lack' | 'lack: announce none' = 'come',
  ) {
    this.#outbox = outbox
    this.#windows = windows
    this.#credit = credit
    this.#maxMessageBytes = maxMessageBytes
    this.#tell = tell
    this.mayFeed = credits !== 'lack: announce none'
    this.getsCredit = credits === 'come'
  }

  /** Streams that are open, both ways. */
  get size(): number {
    return this.#feeds.size + this.#received.size
  }

  /** Whether a stream of this side has not come to its end; that the other side has not yet let go of it counts no more. */
  get isFeeding(): boolean {
    for (const [, feed] of this.#feeds.entries()) if (!feed.isOver) return true
    return false
  }

  /** A source is about to be announced.
   * @returns undefined when there are too many. */
  add(source: StreamSource<unknown> | ByteSource, authority: Authority): OutgoingStream | undefined {
    if (this.#feeds.isFull) return undefined
    const isBytes = source instanceof ByteSource
    const items = isBytes ? source.source : source
    return this.#feeds.addWith((id) => new OutgoingStream(this, id, items, isBytes, authority, this.#credit))
  }

  /** The value that announced it did not leave. */
  withdraw(id: number): void {
    this.#feeds.take(id)
  }

  begin(id: number): void {
    this.#feeds.find(id)?.begin()
  }

  feed(id: number): OutgoingStream | undefined {
    return this.#feeds.find(id)
  }

  /** End what is fed under an authority that is over. */
  breakFeeds(authority: Authority, why: string): void {
    for (const [, feed] of this.#feeds.entries())
      if (feed.authority === authority) feed.stop({ reason: new Failure('permission_denied', why) })
  }

  item(feed: OutgoingStream, value: unknown): number {
    const { sink, mark } = this.#outbox.beginMessage(OP.item)
    writeVarint(sink, feed.id)
    const { links } = this
    try {
      encodeValueInto(sink, value, 'item', links.beginWrite(feed.authority))
      if (this.#outbox.messageLength(mark) > this.#maxMessageBytes)
        throw new Failure('resource_exhausted', 'an item is larger than the other side takes')
    } catch (error) {
      links.rollBack()
      this.#outbox.dropMessage(mark)
      throw error
    }
    const cost = this.#outbox.messageLength(mark)
    const { given } = links
    this.#outbox.endMessage(mark)
    links.sendStreams()
    for (const stub of given ?? []) void releaseStub(stub)
    return cost
  }

  hasRoom(feed: OutgoingStream): boolean {
    return this.#outbox.hasRoom(feed)
  }

  bulk(feed: OutgoingStream): void {
    this.#outbox.addBulk(feed)
  }

  ended(feed: OutgoingStream, error: { readonly reason: unknown } | undefined): void {
    if (this.#stopped.delete(feed.id)) this.#feeds.take(feed.id)
    else this.#stopped.add(feed.id)
    if (this.#over !== undefined) return
    // Told first: a service's log may call, and no message is begun inside another.
    const told = error === undefined ? undefined : this.#tell(error.reason)
    const { sink, mark } = this.#outbox.beginMessage(OP.end)
    writeVarint(sink, feed.id)
    writeByte(sink, told === undefined ? 0 : 1)
    if (told !== undefined) writeFailure(sink, true, told.failure, told.errorId)
    this.#outbox.endMessage(mark)
  }

  /** A stream of the other side is announced.
   * @returns undefined when there are too many, or it is there already. */
  receive(id: number, isBytes: boolean): IncomingStream | undefined {
    if (this.#received.size >= STREAMS_MAX || this.#received.has(id)) return undefined
    const stream = new IncomingStream(this, id, isBytes, new StreamWindow(this.#windows))
    this.#received.set(id, stream)
    return stream
  }

  grant(id: number, bytes: number): void {
    this.#write(OP.credit, id, bytes)
  }

  stop(id: number): void {
    this.#write(OP.stop, id)
  }

  letGo(arrived: readonly object[]): void {
    letGo(arrived)
  }

  #write(op: number, id: number, bytes?: number): void {
    if (this.#over !== undefined) return
    const { sink, mark } = this.#outbox.beginMessage(op)
    writeVarint(sink, id)
    if (bytes !== undefined) writeVarint(sink, bytes)
    this.#outbox.endMessage(mark)
  }

  /** Read ITEM. @returns false for a stream that is not there. */
  onItem(reader: FieldReader, bytes: Uint8Array, cost: number): boolean {
    const stream = this.#received.get(reader.varint())
    if (stream === undefined) return false
    this.#windows.arrived()
    if (stream.isBytes || !stream.window.charge(cost)) throw new WireError('item without credit')
    const { links } = this
    let value: unknown
    try {
      value = decodeSessionValue(bytes, reader.at, reader.end, links.beginRead(undefined, undefined))
    } catch {
      stream.fail(badItem())
      return true
    }
    const { arrived, problem } = links
    if (problem === undefined && !stream.isLeft) {
      if (arrived !== undefined) own(arrived, 'a stream')
      stream.deliver(value, cost, arrived)
      return true
    }
    if (arrived !== undefined) letGo(arrived)
    stream.fail(badItem())
    return true
  }

  /** Read a frame of bytes. */
  onBytes(reader: FieldReader): void {
    const stream = this.#received.get(reader.varint())
    const piece = reader.take(reader.end - reader.at)
    if (stream === undefined || !stream.isBytes || piece.length === 0)
      throw new WireError('bytes of no stream')
    if (piece.length > STREAM_FRAME_MAX_BYTES) throw new WireError('more bytes than a frame holds')
    this.#windows.arrived()
    if (!stream.window.charge(piece.length)) throw new WireError('bytes without credit')
    stream.deliver(piece, piece.length)
  }

  /** Read END. @returns false for a stream that is not there. */
  onEnd(reader: FieldReader, bytes: Uint8Array): boolean {
    const id = reader.varint()
    const stream = this.#received.get(id)
    if (stream === undefined) return false
    this.#received.delete(id)
    const error = reader.byte() === 0 ? undefined : readFailureError(reader, bytes)
    const wasLeft = stream.isLeft
    stream.end(error)
    if (!wasLeft) this.stop(id)
    return true
  }

  /** Read CREDIT. @returns false for a stream that is not there. */
  onCredit(id: number, bytes: number): boolean {
    const feed = this.#feeds.find(id)
    if (feed === undefined) return false
    if (!feed.isOver && !feed.grant(bytes)) throw new WireError('credit beyond what can be counted')
    return true
  }

  /** Read STOP. @returns false for a stream that is not there. */
  onStop(id: number): boolean {
    const feed = this.#feeds.find(id)
    if (feed === undefined) return false
    if (feed.isOver) {
      this.#stopped.delete(id)
      this.#feeds.take(id)
    } else {
      this.#stopped.add(id)
      feed.stop()
    }
    return true
  }

  /** The session is over. */
  close(error: Error): void {
    this.#over = error
    for (const feed of this.#feeds.takeAll()) feed.stop()
    for (const stream of this.#received.values()) stream.end(cutOff(error))
    this.#received.clear()
  }
}
