// One direction of a connection: takes bytes off one pipe and puts them on another when the impairments allow, in order.
// Holds the sender back once too much waits, so a slow receiver is felt as over a socket.
// Leaves out the other direction and when a connection is cut (link.ts).
import { type Clock, nextTurn, type Timer } from '../clock.js'
import type { Pipe } from '../transport/index.js'
import { activity } from './activity.js'
import { type Impairment, SOUND } from './impairment.js'

/** Bytes on the way before the sender is held back: about what two sockets and the line between them take. */
const WINDOW_BYTES = 262_144
/** How long bytes before a cut may take to be read; a receiver that does not read loses them, as over a socket. */
const LAST_BYTES_TURNS = 16
/** A rate is kept in steps of this, ms. */
const RATE_STEP_MS = 10

/** What waits, from when it may arrive. */
interface Waiting {
  readonly dueMs: number
  /** `end` and `reset` come behind all bytes that were sent before. */
  readonly what: Uint8Array | 'end' | 'reset'
}

/** What a flow needs of its link. */
export interface FlowOptions {
  readonly clock: Clock
  readonly from: Pipe
  readonly to: Pipe
  /** The last byte before the cut has arrived. */
  readonly cut: () => void
}

/** Bytes on their way. */
export class Flow {
  readonly #options: FlowOptions
  readonly #waiting: Waiting[] = []
  #impairment: Required<Impairment> = SOUND
  #waitingBytes = 0
  #arrivedBytes = 0
  #cutAt = Number.POSITIVE_INFINITY
  #notBeforeMs = 0
  #timer: Timer | undefined
  #isBlocked = false
  #isOver = false

  constructor(options: FlowOptions) {
    this.#options = options
  }

  /** Bytes that have arrived. */
  get arrivedBytes(): number {
    return this.#arrivedBytes
  }

  /** Cut the connection when so many more bytes have arrived. */
  cutAfter(bytes: number): void {
    this.#cutAt = Math.min(this.#cutAt, this.#arrivedBytes + bytes)
    if (bytes === 0) this.#lose(this.#options.cut)
  }

  /** What is wrong from now on. */
  impair(impairment: Required<Impairment>): void {
    this.#impairment = impairment
    this.#pump()
  }

  /** Bytes, the end or the loss of the sending side. */
  push(what: Waiting['what']): void {
    if (this.#isOver) return
    const { clock, from } = this.#options
    this.#waiting.push({ dueMs: clock.nowMs() + this.#impairment.delayMs, what })
    if (typeof what !== 'string') {
      this.#waitingBytes += what.length
      if (this.#waitingBytes >= WINDOW_BYTES) from.pause()
    }
    activity.count += 1
    this.#pump()
  }

  /** The receiving pipe takes more. */
  drained(): void {
    this.#isBlocked = false
    this.#pump()
  }

  /** Nothing arrives any more. */
  stop(): void {
    this.#isOver = true
    this.#waiting.length = 0
    this.#stopTimer()
  }

  /** Pass on whatever may arrive now. Called again when something has changed. */
  #pump(): void {
    this.#stopTimer()
    for (;;) {
      const next = this.#waiting[0]
      if (next === undefined || this.#isOver || this.#impairment.stalled) return
      const { clock, to } = this.#options
      const waitMs = Math.max(next.dueMs, this.#notBeforeMs) - clock.nowMs()
      if (waitMs > 0) {
        this.#timer = clock.setTimeout(() => this.#pump(), waitMs)
        return
      }
      activity.count += 1
      if (next.what === 'reset') this.#lose(() => to.destroy())
      else if (next.what === 'end') {
        this.#waiting.shift()
        to.end()
      } else {
        if (this.#isBlocked) return
        this.#passOn(next, next.what)
      }
    }
  }

  #passOn(next: Waiting, bytes: Uint8Array): void {
    const { clock, from, to } = this.#options
    const { pieceBytes, bytesPerSecond } = this.#impairment
    const atOnce = Math.max(1, Math.min(pieceBytes, (bytesPerSecond * RATE_STEP_MS) / 1_000))
    const length = Math.min(bytes.length, Math.floor(atOnce), this.#cutAt - this.#arrivedBytes)
    if (length === bytes.length) this.#waiting.shift()
    else this.#waiting[0] = { dueMs: next.dueMs, what: bytes.subarray(length) }
    const wasHeld = this.#waitingBytes >= WINDOW_BYTES
    this.#waitingBytes -= length
    this.#arrivedBytes += length
    if (bytesPerSecond !== Number.POSITIVE_INFINITY) {
      this.#notBeforeMs = clock.nowMs() + (length * 1_000) / bytesPerSecond
    }
    this.#isBlocked = !to.write(bytes.subarray(0, length))
    if (this.#arrivedBytes === this.#cutAt) this.#lose(this.#options.cut)
    else if (wasHeld && this.#waitingBytes < WINDOW_BYTES) from.resume()
  }

  /** The connection is lost for the receiver, once it has read what arrived before. */
  #lose(how: () => void, turnsLeft = LAST_BYTES_TURNS): void {
    this.stop()
    activity.count += 1
    if (this.#options.to.waitingBytes === 0 || turnsLeft === 0) how()
    else nextTurn(() => this.#lose(how, turnsLeft - 1))
  }

  #stopTimer(): void {
    if (this.#timer !== undefined) this.#options.clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
