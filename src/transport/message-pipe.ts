// A pipe of messages over anything that carries messages in order: WebSockets and message ports (spec/session.md §12).
// What these lack is made of messages shorter than any record: an empty one ends its sender's direction, so that a pipe
// may be half open, and one of four bytes gives back room, so that a reader who pauses holds the writer back.
// Leaves out the carriers themselves, each of which is a `MessageLink` (websocket.ts, ws-link.ts, message-port.ts).
import { EMPTY } from '../bytes.js'
import { nextTurn } from '../clock.js'
import {
  MESSAGE_CREDIT_STEP_BYTES,
  MESSAGE_OVERHEAD_BYTES,
  MESSAGE_WINDOW_BYTES,
  NOISE_MESSAGE_MAX_BYTES,
  SOCKET_HIGH_WATER_BYTES,
} from '../limits.js'
import type { Pipe, PipeEvents } from './pipe.js'

/** The shortest record: one tag. Whatever is shorter is the pipe's own. */
const RECORD_MIN_BYTES = 16
const CREDIT_BYTES = 4
/** `drain` comes once no more than this waits. */
const LOW_WATER_BYTES = SOCKET_HIGH_WATER_BYTES / 2

/** What carries the messages of one pipe. It tells the pipe what arrives by `received`, `sent` and `lost`. */
export interface MessageLink {
  /** Bytes that `send` took and that have not left yet; 0 where nobody can tell. */
  readonly bufferedBytes: number
  /** Send one message, which is handed over; does nothing once the link is closed. */
  send(message: Uint8Array): void
  cork?(): void
  uncork?(): void
  /** Both sides have ended: close in the open, then tell `lost`. */
  close(): void
  /** Drop the connection. Nothing needs to be told. */
  destroy(): void
}

/** One end of a connection that carries messages. */
export class MessagePipe implements Pipe {
  readonly framing = 'message'
  readonly remoteAddress: string
  readonly isLocal: boolean
  readonly #link: MessageLink
  #events: PipeEvents | undefined
  #paused = false
  #scheduled = false
  #ended = false
  #endSent = false
  #peerEnded = false
  #endTold = false
  #isLost = false
  #closed = false
  #closedTold = false
  #error: Error | undefined
  #wantsDrain = false
  /** Behind the window: what the peer has no room for yet. */
  #outbox: Uint8Array[] = []
  #outboxBytes = 0
  /** Weight of what the peer has not given room back for. */
  #inFlight = 0
  #inbox: Uint8Array[] = []
  #inboxWeight = 0
  /** Weight of what was read here since room was last given back. */
  #consumed = 0
  /** What a peer may still send before it is answered; without limit if undefined. */
  #unansweredBytes: number | undefined

  /** @param peer - where it is, as {@link Pipe} tells it. */
  constructor(link: MessageLink, peer: Pick<Pipe, 'remoteAddress' | 'isLocal'>) {
    this.#link = link
    this.remoteAddress = peer.remoteAddress
    this.isLocal = peer.isLocal
  }

  get waitingBytes(): number {
    return this.#closed ? 0 : this.#outboxBytes + this.#link.bufferedBytes
  }

  start(events: PipeEvents): void {
    this.#events = events
    if (this.#closed) this.#tellClosed()
    else this.#schedule()
  }

  write(bytes: Uint8Array): boolean {
    if (bytes.length < RECORD_MIN_BYTES || bytes.length > NOISE_MESSAGE_MAX_BYTES) {
      throw new RangeError(
        `Cannot write message: expected ${RECORD_MIN_BYTES} to ${NOISE_MESSAGE_MAX_BYTES} bytes, got ${bytes.length}`,
      )
    }
    if (this.#closed || this.#ended) return true
    this.#unansweredBytes = undefined
    if (this.#outbox.length === 0 && this.#hasRoom(bytes)) this.#send(bytes)
    else {
      this.#outbox.push(bytes)
      this.#outboxBytes += bytes.length
    }
    if (this.waitingBytes < SOCKET_HIGH_WATER_BYTES) return true
    this.#wantsDrain = true
    return false
  }

  cork(): void {
    this.#link.cork?.()
  }

  uncork(): void {
    this.#link.uncork?.()
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.#schedule()
  }

  end(): void {
    if (this.#ended || this.#closed) return
    this.#ended = true
    this.#sendEnd()
  }

  destroy(): void {
    if (this.#closed) return
    this.#link.destroy()
    this.#close(undefined)
  }

  limitUnanswered(maxBytes: number): void {
    this.#unansweredBytes = maxBytes
  }

  /** Bytes came in, as the link sees them, whole message or not: a peer that nobody has answered yet may send little. */
  took(bytes: number): void {
    if (this.#unansweredBytes === undefined) return
    this.#unansweredBytes -= bytes
    if (this.#unansweredBytes < 0) this.violated('more than a hello before any answer')
  }

  /** A message arrived. */
  received(message: Uint8Array): void {
    if (this.#closed) return
    if (message.length === CREDIT_BYTES) this.#credit(message)
    else if (this.#peerEnded) this.violated('a message behind the end')
    else if (message.length === 0) {
      this.#peerEnded = true
      this.#schedule()
    } else if (message.length < RECORD_MIN_BYTES) this.violated('a message shorter than a record')
    else this.#deliver(message)
  }

  /** The link's own buffer may have shrunk. */
  sent(): void {
    if (!this.#wantsDrain || this.#closed || this.waitingBytes > LOW_WATER_BYTES) return
    this.#wantsDrain = false
    this.#events?.drain()
  }

  /** The link is gone. What a peer has ended is delivered all the same if this side has ended, too. */
  lost(error?: Error): void {
    if (this.#closed || this.#isLost) return
    this.#isLost = true
    if (this.#endSent && this.#endTold) this.#close(undefined)
    else if (!this.#endSent || !this.#peerEnded) this.#close(error ?? new Error('connection lost'))
  }

  /** The peer broke the rules of pipes: drop it. */
  violated(rule: string): void {
    if (this.#closed) return
    this.#link.destroy()
    this.#close(new Error(`connection dropped: the peer sent ${rule}`))
  }

  #hasRoom(message: Uint8Array): boolean {
    return this.#inFlight + weightOf(message) <= MESSAGE_WINDOW_BYTES
  }

  #send(message: Uint8Array): void {
    this.#inFlight += weightOf(message)
    this.#link.send(message)
  }

  #sendEnd(): void {
    if (this.#endSent || this.#outbox.length > 0) return
    this.#endSent = true
    this.#link.send(EMPTY)
    if (this.#endTold) this.#link.close()
  }

  /** The peer has read: send what waited for room. */
  #credit(message: Uint8Array): void {
    const [a = 0, b = 0, c = 0, d = 0] = message
    const weight = a * 0x100_0000 + (b << 16) + (c << 8) + d
    if (weight === 0 || weight > this.#inFlight) {
      this.violated('more room than it was sent messages')
      return
    }
    this.#inFlight -= weight
    let count = 0
    for (const waiting of this.#outbox) {
      if (!this.#hasRoom(waiting)) break
      this.#outboxBytes -= waiting.length
      count += 1
      this.#send(waiting)
    }
    if (count > 0) this.#outbox.splice(0, count)
    if (this.#ended) this.#sendEnd()
    this.sent()
  }

  #deliver(message: Uint8Array): void {
    if (this.#events !== undefined && !this.#paused && this.#inbox.length === 0) {
      this.#read(message, this.#events)
      return
    }
    this.#inbox.push(message)
    this.#inboxWeight += weightOf(message)
    if (this.#inboxWeight > MESSAGE_WINDOW_BYTES) this.violated('more than there was room for')
  }

  #read(message: Uint8Array, events: PipeEvents): void {
    this.#consumed += weightOf(message)
    events.data(message)
    if (this.#consumed < MESSAGE_CREDIT_STEP_BYTES || this.#closed || this.#peerEnded) return
    const weight = this.#consumed
    this.#consumed = 0
    this.#link.send(Uint8Array.of(weight >>> 24, (weight >> 16) & 0xff, (weight >> 8) & 0xff, weight & 0xff))
  }

  #schedule(): void {
    if (this.#scheduled || this.#events === undefined || this.#closed) return
    if (this.#inbox.length === 0 && !(this.#peerEnded && !this.#endTold)) return
    this.#scheduled = true
    nextTurn(() => {
      this.#scheduled = false
      this.#flush()
    })
  }

  /** Deliver what waited, then the end. */
  #flush(): void {
    const events = this.#events
    if (events === undefined) return
    const inbox = this.#inbox
    let count = 0
    while (count < inbox.length && !this.#paused && !this.#closed) {
      const message = inbox[count++]!
      this.#inboxWeight -= weightOf(message)
      this.#read(message, events)
    }
    if (this.#closed) return
    inbox.splice(0, count)
    if (!this.#peerEnded || this.#endTold || this.#paused || inbox.length > 0) return
    this.#endTold = true
    events.end()
    if (this.#closed || !this.#endSent) return
    if (this.#isLost) this.#close(undefined)
    else this.#link.close()
  }

  #close(error: Error | undefined): void {
    this.#closed = true
    this.#error = error
    this.#outbox = []
    this.#inbox = []
    this.#tellClosed()
  }

  /** Once, and not before somebody listens. */
  #tellClosed(): void {
    queueMicrotask(() => {
      if (this.#events === undefined || this.#closedTold) return
      this.#closedTold = true
      this.#events.closed(this.#error)
    })
  }
}

/** What a message takes of the window: tiny ones cost memory, too. */
function weightOf(message: Uint8Array): number {
  return message.length + MESSAGE_OVERHEAD_BYTES
}
