// Drives one open session over one pipe: records in and out, keepalive, deadlines, the two ways a conversation can end
// (spec/session.md §6 to §9). The state machine is session.ts; this file has the pipe and the clock.
// Leaves out handshakes (initiate.ts, accept.ts) and the meaning of plaintexts (src/rpc).
import { EMPTY } from '../bytes.js'
import { type Clock, SYSTEM_CLOCK } from '../clock.js'
import { NoisecapError } from '../errors.js'
import {
  FRAME_DEADLINE_MS,
  IDLE_DEADLINE_MS,
  KEEPALIVE_INTERVAL_MS,
  NOISE_MESSAGE_MAX_BYTES,
  SESSION_MAX_MS,
} from '../limits.js'
import type { Pipe, PipeEvents } from '../transport/index.js'
import type { FrameReader } from './framing.js'
import { takeRecordMemory } from './record-memory.js'
import { recordBytes, type Session } from './session.js'
import { startTicking } from './ticker.js'
import type { CloseReason } from './wire.js'

/** How long the pipe may linger after our close record, ms. */
const LINGER_MS = 2_000

/** How a connection ended. */
export interface CloseOutcome {
  /** `reason` of the close record; `truncated` when the stream ended without one; `failed` when `error` says why. */
  readonly reason: CloseReason | 'truncated' | 'failed'
  readonly by: 'us' | 'peer'
  readonly error: NoisecapError | undefined
}

/** What the layer above is told. */
export interface ConnectionEvents {
  /** The peer's first record was opened: its key is proven and the session is fresh. Before any `record`. */
  confirmed?(): void
  /** One record's plaintext, never empty; a view that may be kept and altered. */
  record(plaintext: Uint8Array): void
  /** All records of what has arrived were delivered, one at least: the moment to answer them together. */
  delivered?(): void
  /** The pipe can take more after {@link Connection.send} returned false. */
  drain(): void
  /** Of a pipe that carries one batch each way: what is sent after this turn is lost; at the service, nothing more comes. */
  last?(): void
  /** Always the last call, exactly once. */
  closed(outcome: CloseOutcome): void
}

/** Deadlines of one connection, ms. */
export interface ConnectionTimes {
  readonly frameDeadlineMs: number
  readonly idleDeadlineMs: number
  readonly keepaliveIntervalMs: number
  readonly sessionMaxMs: number
}

/** The deadlines of DESIGN. */
export const DEFAULT_TIMES: ConnectionTimes = {
  frameDeadlineMs: FRAME_DEADLINE_MS,
  idleDeadlineMs: IDLE_DEADLINE_MS,
  keepaliveIntervalMs: KEEPALIVE_INTERVAL_MS,
  sessionMaxMs: SESSION_MAX_MS,
}

/** An open, authenticated conversation. */
export class Connection {
  readonly session: Session
  readonly clock: Clock
  readonly #pipe: Pipe
  readonly #frames: FrameReader
  readonly #times: ConnectionTimes
  readonly #openedMs: number
  #events: ConnectionEvents | undefined
  #stopTicking: (() => void) | undefined
  #lastSentMs: number
  #lastReceivedMs: number
  /** Since the last tick, which reads the clock for them: no record does. */
  #hasSent = false
  #hasReceived = false
  #frameBeganMs = 0
  #closingSinceMs = 0
  #outcome: CloseOutcome | undefined
  #gone = false
  #confirmed = false
  /** Nothing that arrives matters any more. */
  #deaf = false

  /** @param frames - may hold bytes that arrived behind the handshake. */
  constructor(
    pipe: Pipe,
    session: Session,
    frames: FrameReader,
    times: ConnectionTimes = DEFAULT_TIMES,
    clock: Clock = SYSTEM_CLOCK,
  ) {
    this.clock = clock
    this.#pipe = pipe
    this.session = session
    this.#frames = frames
    this.#times = times
    this.#frames.maxBytes = NOISE_MESSAGE_MAX_BYTES
    // Nobody listens before `start`: the transport holds the peer back until then.
    pipe.pause()
    this.#openedMs = this.#lastSentMs = this.#lastReceivedMs = this.clock.nowMs()
  }

  /** Bytes that wait in the transport. */
  get waitingBytes(): number {
    return this.#pipe.waitingBytes
  }

  /** Where the peer is; empty when unknown. */
  get remoteAddress(): string {
    return this.#pipe.remoteAddress
  }

  /** How long the answer to a batch may take, ms, where the pipe carries one each way. */
  get batchDeadlineMs(): number | undefined {
    return this.#pipe.batchDeadlineMs
  }

  /** Whether the peer's first record was opened: it is there, now, and holds the keys. */
  get isConfirmed(): boolean {
    return this.#confirmed
  }

  /** Whether {@link send} still works. */
  get isOpen(): boolean {
    return this.#outcome === undefined
  }

  /** Whoever owns the pipe's events forwards them here once the handshake is done. */
  readonly pipeEvents: PipeEvents = {
    data: (bytes) => this.#receive(bytes),
    lent: (bytes) => this.#receive(bytes, true),
    drain: () => this.#events?.drain(),
    last: () => this.#events?.last?.(),
    end: () => this.#ended(),
    closed: (error) => this.#pipeClosed(error),
  }

  /** Begin to deliver events, with the records that have already arrived. */
  start(events: ConnectionEvents): void {
    this.#events = events
    const outcome = this.#outcome
    if (this.#gone && outcome !== undefined) {
      queueMicrotask(() => events.closed(outcome))
      return
    }
    this.#stopTicking ??= startTicking(this, this.clock)
    if (!this.#deaf) this.#drainFrames()
    this.#pipe.resume()
  }

  /** Read nothing more until {@link release}: the transport holds the peer back. */
  hold(): void {
    if (this.isOpen) this.#pipe.pause()
  }

  /** Read again after {@link hold}. */
  release(): void {
    this.#pipe.resume()
  }

  /** Send one record.
   * @param plaintext - 1 to 65,519 bytes, borrowed; its first byte is the kind of frame.
   * @returns false when the caller should wait for `drain`.
   * @throws `session/closed`. */
  send(plaintext: Uint8Array): boolean {
    this.#hasSent = true
    const pipe = this.#pipe
    const memory =
      pipe.lend === undefined ? undefined : takeRecordMemory(recordBytes(plaintext.length, pipe.framing))
    if (memory === undefined) return pipe.write(this.session.seal(plaintext, pipe.framing))
    return pipe.lend!(this.session.seal(plaintext, pipe.framing, memory.bytes), memory.giveBack)
  }

  /** Let several records leave in one piece, between the two. */
  cork(): void {
    this.#pipe.cork?.()
  }

  uncork(): void {
    this.#pipe.uncork?.()
  }

  /** Send an empty record: a keepalive, or the client's proof that it finished the handshake. */
  sendKeepalive(): void {
    if (this.isOpen) this.send(EMPTY)
  }

  /** End the conversation in the open: close record, then end of stream. */
  close(reason: CloseReason = 'done'): void {
    if (this.#outcome !== undefined) return
    this.#outcome = { reason, by: 'us', error: undefined }
    // Whatever held the peer back is over: its close record and end of stream are still to be read.
    if (this.#events !== undefined) this.#pipe.resume()
    this.#pipe.write(this.session.close(reason, this.#pipe.framing))
    this.#closingSinceMs = this.clock.nowMs()
    this.#pipe.end()
    if (this.#events !== undefined) return
    // Never started: only the end of the pipe matters.
    this.#deaf = true
    this.#stopTicking ??= startTicking(this, this.clock)
    this.#pipe.resume()
  }

  /** Deadlines, looked at about once a second. */
  tick(nowMs: number): void {
    if (this.#outcome !== undefined) {
      if (nowMs - this.#closingSinceMs > LINGER_MS) this.#pipe.destroy()
      return
    }
    this.#noteTraffic(nowMs)
    if (this.#frames.isMidFrame && nowMs - this.#frameBeganMs > this.#times.frameDeadlineMs) {
      this.#fail('session/limit', 'Cannot go on: a record was not complete in time')
    } else if (nowMs - this.#lastReceivedMs > this.#times.idleDeadlineMs) this.close('idle')
    else if (nowMs - this.#openedMs > this.#times.sessionMaxMs) this.close('lifetime')
    else if (nowMs - this.#lastSentMs > this.#times.keepaliveIntervalMs) this.sendKeepalive()
  }

  /** What was sent or received since the last tick counts as of now: up to a second late, like every deadline here. */
  #noteTraffic(nowMs: number): void {
    if (this.#hasSent) this.#lastSentMs = nowMs
    if (this.#hasReceived) this.#lastReceivedMs = nowMs
    this.#hasSent = this.#hasReceived = false
  }

  /** @param isLent - `bytes` are not to be kept: all whole records are opened into new memory, and copied of is the last alone. */
  #receive(bytes: Uint8Array, isLent = false): void {
    // After a close record a peer may go on sending, in whatever pieces: discarded, and never pushed behind a rest.
    if (this.#deaf) return
    if (this.#events === undefined) this.#frames.push(isLent ? bytes.slice() : bytes)
    else {
      this.#frames.push(bytes)
      this.#drainFrames(isLent)
    }
  }

  #drainFrames(isLent = false): void {
    const wasMidFrame = this.#frames.isMidFrame
    let progress = false
    try {
      for (let record = this.#frames.next(); record !== undefined; record = this.#frames.next()) {
        progress = true
        if (this.#openRecord(record, isLent && !this.#frames.wasGathered)) continue
        this.#deaf = true
        return
      }
    } catch (error) {
      const cause = error instanceof NoisecapError ? error : undefined
      this.#fail(
        cause?.code === 'session/protocol' ? 'session/protocol' : 'session/limit',
        cause?.message ?? 'Cannot read record: it is longer than allowed',
      )
      return
    }
    if (progress) {
      this.#hasReceived = true
      if (this.isOpen) this.#events?.delivered?.()
    }
    if (this.#frames.isMidFrame && (progress || !wasMidFrame)) this.#frameBeganMs = this.clock.nowMs()
  }

  /** Open and deliver one record; false once nothing more may be read. */
  #openRecord(record: Uint8Array, isLent: boolean): boolean {
    if (this.#outcome?.by === 'us' && this.#outcome.error !== undefined) return false
    const plaintext = this.session.open(record, isLent)
    const reason = this.session.peerClosed
    if (reason !== undefined) {
      this.#outcome ??= { reason, by: 'peer', error: undefined }
      this.#closingSinceMs = this.clock.nowMs()
      this.#pipe.end()
      return false
    }
    // After our own close record the peer's last records are read, for its close record, and dropped.
    if (this.#outcome !== undefined) return true
    if (!this.#confirmed) {
      this.#confirmed = true
      this.#events?.confirmed?.()
    }
    if (plaintext.length > 0 && this.isOpen) this.#events?.record(plaintext)
    return true
  }

  #ended(): void {
    if (this.#outcome === undefined) {
      this.#outcome = {
        reason: 'truncated',
        by: 'peer',
        error: new NoisecapError(
          'session/truncated',
          'Session ended without a close record: the stream was cut',
        ),
      }
    }
    this.#pipe.end()
  }

  /** End without ceremony after an offence: nothing more is sent, keys are wiped. */
  #fail(code: 'session/protocol' | 'session/limit', message: string): void {
    this.#outcome ??= { reason: 'failed', by: 'us', error: new NoisecapError(code, message) }
    this.#deaf = true
    this.session.destroy()
    this.#pipe.destroy()
  }

  #pipeClosed(error: Error | undefined): void {
    if (this.#gone) return
    this.#gone = true
    this.#stopTicking?.()
    this.session.destroy()
    const outcome = this.#outcome ?? {
      reason: 'truncated',
      by: 'peer',
      error: new NoisecapError(
        'session/truncated',
        'Session ended without a close record: the connection was lost',
        {
          cause: error,
        },
      ),
    }
    this.#outcome = outcome
    this.#events?.closed(outcome)
  }
}
