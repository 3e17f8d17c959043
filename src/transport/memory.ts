// A pair of pipes in one process: for tests, examples and services that live beside their callers.
// Delivery is asynchronous and ordered as over a socket; back-pressure counts bytes. Leaves out locations.
import { nextTurn } from '../clock.js'
import type { Framing, Pipe, PipeEvents } from './pipe.js'

const HIGH_WATER_BYTES = 65_536

/** Two ends of one connection.
 * @param framing - `length` behaves as a byte stream, `message` keeps the boundaries of `write`. */
export function memoryPair(framing: Framing = 'length'): { client: Pipe; server: Pipe } {
  const client = new MemoryPipe(framing)
  const server = new MemoryPipe(framing)
  client.connect(server)
  server.connect(client)
  return { client, server }
}

class MemoryPipe implements Pipe {
  readonly framing: Framing
  readonly remoteAddress = ''
  readonly isLocal = true
  #peer: MemoryPipe | undefined
  #events: PipeEvents | undefined
  #inbox: Uint8Array[] = []
  #inboxBytes = 0
  #paused = false
  #scheduled = false
  #ended = false
  #peerEnded = false
  #endDelivered = false
  #closed = false
  #error: Error | undefined
  #closedTold = false
  #wantsDrain = false

  constructor(framing: Framing) {
    this.framing = framing
  }

  connect(peer: MemoryPipe): void {
    this.#peer = peer
  }

  get waitingBytes(): number {
    return this.#peer === undefined ? 0 : this.#peer.#inboxBytes
  }

  start(events: PipeEvents): void {
    this.#events = events
    if (this.#closed) this.#tellClosed()
    else this.#schedule()
  }

  write(bytes: Uint8Array): boolean {
    const peer = this.#peer
    if (this.#closed || this.#ended || peer === undefined || peer.#closed) return true
    // A copy, because a receiver may alter what it is given while the sender may have shared it; slice() of a Buffer is none.
    peer.#inbox.push(new Uint8Array(bytes))
    peer.#inboxBytes += bytes.length
    peer.#schedule()
    this.#wantsDrain = peer.#inboxBytes >= HIGH_WATER_BYTES
    return !this.#wantsDrain
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
    if (this.#peer !== undefined) {
      this.#peer.#peerEnded = true
      this.#peer.#schedule()
    }
    this.#schedule()
  }

  destroy(): void {
    if (this.#closed) return
    this.#close(undefined)
    const peer = this.#peer
    if (peer !== undefined && !peer.#closed)
      queueMicrotask(() => peer.#close(new Error('connection reset by peer')))
  }

  #close(error: Error | undefined): void {
    if (this.#closed) return
    this.#closed = true
    this.#error = error
    this.#inbox = []
    this.#inboxBytes = 0
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

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    nextTurn(() => {
      this.#scheduled = false
      this.#deliver()
    })
  }

  #deliver(): void {
    const events = this.#events
    if (events === undefined || this.#closed) return
    while (this.#inbox.length > 0 && !this.#paused && !this.#closed) {
      const bytes = this.#inbox.shift()
      if (bytes === undefined) break
      this.#inboxBytes -= bytes.length
      events.data(bytes)
    }
    if (this.#inbox.length > 0 || this.#closed) return
    this.#peer?.drained()
    // Told so, the peer may have written again, and ended behind that.
    if (this.#inbox.length > 0 || this.#closed) return
    if (this.#peerEnded && !this.#endDelivered) {
      this.#endDelivered = true
      events.end()
    }
    if (this.#endDelivered && this.#ended && this.waitingBytes === 0) this.#close(undefined)
  }

  drained(): void {
    if (this.#wantsDrain && !this.#closed) {
      this.#wantsDrain = false
      this.#events?.drain()
    }
    if (this.#ended && this.#endDelivered) this.#schedule()
  }
}
