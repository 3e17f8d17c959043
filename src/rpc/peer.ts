// One end of an RPC conversation over a Connection: the table of ops, both ways (spec/rpc.md §3, §4).
// What is not built yet answers `unimplemented`; what breaks the wire format ends the session.
// Leaves out dialling (src/pool.ts), offers (src/service.ts), which calls may run (dispatch.ts) and asking (calling.ts).
import type { NoisecapError } from '../errors.js'
import { BAD_RELEASES_MAX } from '../limits.js'
import {
  CLOSE_CODES,
  type CloseOutcome,
  type CloseReason,
  type Connection,
  type LocalLimits,
  type SessionLimits,
} from '../session/index.js'
import { closedError } from './call-errors.js'
import { Calling } from './calling.js'
import { Deadlines } from './deadlines.js'
import { Dispatcher, type DispatcherOptions } from './dispatch.js'
import type { InternalError } from './execution.js'
import { type Authority, Exports } from './exports.js'
import { Outbox } from './outbox.js'
import type { Presentation } from './presentation.js'
import { Reassembly } from './reassembly.js'
import type { RemoteReference } from './remote-reference.js'
import { RoundTrips } from './round-trips.js'
import { SessionLinks } from './session-links.js'
import { Streams } from './streams.js'
import { WindowSizing } from './window-sizing.js'
import { FIRST_SKIPPABLE_OP, FieldReader, FRAME, OP, WireError, writeBytes, writeVarint } from './wire.js'

/** What a peer needs besides its connection. */
export interface PeerOptions {
  /** What the other side is willing to receive. */
  readonly remoteLimits: SessionLimits
  /** What this side is willing to receive; windows of streams do not grow without `maxStreamBytes`. */
  readonly localLimits: SessionLimits & Partial<LocalLimits>
  /** What this side offers; without it, only what it sends along as references. */
  readonly serves?: DispatcherOptions
  /** Where the other side was dialled: for capabilities that it gives, which do not say. */
  readonly locations?: readonly string[]
  /** The session is over. */
  readonly closed?: (outcome: CloseOutcome) => void
  /** The other side takes no more calls; open ones still finish. */
  readonly goingAway?: () => void
  /** The pipe carries one batch each way, and it is complete. */
  readonly last?: () => void
  /** The client's first record was opened: it is fresh and holds the PSK. */
  readonly confirmed?: () => void
}

/** What a client does with errors of the objects that it hands out, which did not cross. */
function reportToConsole({ errorId, method, error }: InternalError): void {
  console.error(`noisecap: ${method} failed, error ${errorId}:`, error)
}

/** One end. */
export class Peer {
  readonly connection: Connection
  readonly deadlines: Deadlines
  readonly #options: PeerOptions
  readonly #outbox: Outbox
  readonly #calling: Calling
  readonly #dispatcher: Dispatcher
  readonly #streams: Streams
  readonly #reassembly: Reassembly
  readonly #exports: Exports
  readonly #reader = new FieldReader()
  readonly #roundTrips: RoundTrips
  readonly #windows: WindowSizing
  #badReleases = 0
  #over: NoisecapError | undefined

  constructor(connection: Connection, options: PeerOptions) {
    this.connection = connection
    this.deadlines = new Deadlines(connection.clock)
    this.#options = options
    // Only who serves may stop reading: if callers did as well, both sides could wait for each other for good.
    const holdBack = (tooLong: boolean): void => (tooLong ? connection.hold() : connection.release())
    this.#outbox = new Outbox(connection, options.serves === undefined ? undefined : holdBack)
    this.#calling = new Calling(this.#outbox, this.deadlines, options.remoteLimits, options.locations)
    this.#reassembly = new Reassembly(options.localLimits.maxMessageBytes)
    this.#roundTrips = new RoundTrips(connection.clock, () => this.#writeU64(OP.ping, new Uint8Array(8)))
    this.#windows = new WindowSizing(options.localLimits, this.#roundTrips, connection)
    this.#streams = new Streams(
      this.#outbox,
      {
        windows: this.#windows,
        credit: options.remoteLimits.initialStreamBytes,
        maxMessageBytes: options.remoteLimits.maxMessageBytes,
      },
      (error) => this.#dispatcher.tell(error),
      connection.batchDeadlineMs === undefined ? 'come' : options.serves ? 'lack' : 'lack: announce none',
    )
    const serves = options.serves ?? {
      exports: new Exports(options.localLimits.maxExports),
      client: connection.session.remoteStatic,
      onInternalError: reportToConsole,
    }
    this.#exports = serves.exports
    const links = new SessionLinks(this.#calling, this.#calling.imports, serves.exports, this.#streams)
    this.#calling.links = links
    this.#streams.links = links
    this.#dispatcher = new Dispatcher(serves, this.#outbox, this.deadlines, options, connection, links)
  }

  /** Begin to read. */
  start(): void {
    this.connection.start({
      confirmed: () => this.#options.confirmed?.(),
      record: (plaintext) => this.#record(plaintext),
      delivered: () => this.#outbox.uncork(),
      drain: () => this.#outbox.flush(),
      last: () => this.#options.last?.(),
      closed: (outcome) => this.#closed(outcome),
    })
  }

  /** Calls without an answer yet. */
  get openCalls(): number {
    return this.#calling.openCalls
  }

  /** Calls of the other side that are being served. */
  get servedCalls(): number {
    return this.#dispatcher.running
  }

  /** References of the other side that are held. */
  get openReferences(): number {
    return this.#calling.imports.size
  }

  /** Streams that are open, both ways. */
  get openStreams(): number {
    return this.#streams.size
  }

  /** Whether a stream of this side has not come to its end. */
  get isFeeding(): boolean {
    return this.#streams.isFeeding
  }

  /** The object of the capability that opened the session. */
  root(): RemoteReference {
    return this.#calling.root()
  }

  /** Show a further capability of the same service: one HMAC, no DH.
   * @returns a reference to its object; rejects with a `CallError` whose `failureName` says which caveat denies. */
  present(presentation: Presentation): Promise<RemoteReference> {
    return this.#calling.requests.present(presentation)
  }

  /** One round trip inside the session.
   * @returns its time, ms. */
  ping(): Promise<number> {
    if (this.#over !== undefined) return Promise.reject(this.#over)
    return this.#roundTrips.ping()
  }

  /** Say that no further call will be served; open ones finish within `graceMs`. */
  goAway(graceMs: number): void {
    const { sink, mark } = this.#outbox.beginMessage(OP.goaway)
    writeVarint(sink, this.#dispatcher.lastCall)
    writeVarint(sink, graceMs)
    this.#outbox.endMessage(mark)
  }

  /** Send what waits, then end the session in the open. */
  close(reason: Parameters<Connection['close']>[0] = 'done'): void {
    this.#outbox.flush()
    this.connection.close(reason)
  }

  #writeU64(op: number, value: Uint8Array): void {
    const { sink, mark } = this.#outbox.beginMessage(op)
    writeBytes(sink, value)
    this.#outbox.endMessage(mark)
  }

  #record(plaintext: Uint8Array): void {
    // What is answered at once leaves in one record behind the last that arrived (see `delivered`).
    this.#outbox.cork()
    try {
      const kind = plaintext[0]
      const reader = this.#reader
      reader.reset(plaintext, 1, plaintext.length)
      if (kind === FRAME.batch) this.#batch(plaintext)
      else if (kind === FRAME.fragment) {
        const message = this.#reassembly.add(reader)
        if (message !== undefined) this.#message(message, 0, message.length)
      } else if (kind === FRAME.stream) this.#streams.onBytes(reader)
      else throw new WireError('unknown kind of frame')
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      this.connection.close('protocol')
    }
  }

  #batch(plaintext: Uint8Array): void {
    const reader = this.#reader
    let at = 1
    while (at < plaintext.length && this.connection.isOpen) {
      reader.reset(plaintext, at, plaintext.length)
      const length = reader.varint()
      const start = reader.at
      if (length === 0 || length > plaintext.length - start) throw new WireError('message ends too early')
      this.#message(plaintext, start, start + length)
      at = start + length
    }
  }

  #message(bytes: Uint8Array, start: number, end: number): void {
    const reader = this.#reader
    reader.reset(bytes, start, end)
    const op = reader.byte()
    switch (op) {
      case OP.call:
        this.#windows.called()
        this.#dispatcher.call(reader, bytes)
        return
      case OP.return:
      case OP.fail:
        this.#windows.called()
        this.#calling.answered(op, reader, bytes)
        return
      case OP.finish:
        this.#expect(this.#dispatcher.finish(reader.varint()))
        return
      case OP.pull:
        this.#expect(this.#dispatcher.pull(reader.varint()))
        return
      case OP.cancel:
        this.#dispatcher.cancel(reader.varint())
        return
      case OP.release:
        this.#expect(this.#dispatcher.release(reader))
        return
      case OP.broken:
        this.#calling.broken(reader.varint(), reader.varint())
        return
      case OP.item:
        this.#expect(this.#streams.onItem(reader, bytes, end - start))
        return
      case OP.end:
        this.#expect(this.#streams.onEnd(reader, bytes))
        return
      case OP.credit:
        this.#expect(this.#streams.onCredit(reader.varint(), reader.varint()))
        return
      case OP.stop:
        this.#expect(this.#streams.onStop(reader.varint()))
        return
      case OP.present:
        this.#dispatcher.requests.present(reader)
        return
      case OP.befriend:
        this.#dispatcher.requests.befriend(reader)
        return
      case OP.save:
        this.#dispatcher.requests.save(reader, bytes)
        return
      case OP.goaway:
        this.#options.goingAway?.()
        return
      case OP.ping:
        this.#writeU64(OP.pong, reader.take(8).slice())
        return
      case OP.pong:
        this.#roundTrips.onPong()
        return
      case OP.map:
        this.#dispatcher.map(reader, bytes)
        return
      default:
        if (op < FIRST_SKIPPABLE_OP) throw new WireError('unknown op')
    }
  }

  /** Break an authority of this side and the exports that stand on it: open calls are answered, later ones refused. */
  breakAuthority(authority: Authority, reason: CloseReason): void {
    if (!this.connection.isOpen) return
    for (const [exportId, exported] of this.#exports.entries()) {
      if (exported.authority !== authority) continue
      const { sink, mark } = this.#outbox.beginMessage(OP.broken)
      writeVarint(sink, exportId)
      writeVarint(sink, CLOSE_CODES[reason])
      this.#outbox.endMessage(mark)
    }
    this.#dispatcher.breakCalls(authority, `the capability ended: ${reason}`)
  }

  /** Released too often, or a message about something that was never there. */
  #expect(isThere: boolean): void {
    if (isThere) return
    this.#badReleases += 1
    if (this.#badReleases > BAD_RELEASES_MAX) this.connection.close('limit')
  }

  #closed(outcome: CloseOutcome): void {
    const error = outcome.error ?? closedError(outcome, this.connection.batchDeadlineMs !== undefined)
    this.#over = error
    this.#calling.close(error)
    this.#streams.close(error)
    this.#roundTrips.close(error)
    this.#dispatcher.close()
    this.#options.closed?.(outcome)
    for (const exported of this.#exports.all()) exported.released()
  }
}
