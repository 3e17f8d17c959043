// Pipes over message ports and workers, one implementation for browsers and Node: a DOM `MessagePort` or `Worker`, the `self`
// of a dedicated worker, and those of `node:worker_threads`. One record a message (spec/session.md §12).
// The port is the pipe's from then on; who has other messages to send makes a channel and hands over one of its ports.
import { type MessageLink, MessagePipe } from './message-pipe.js'
import type { Pipe } from './pipe.js'

/** Below this a message is copied before it is handed over: it may be a part of memory that others use. */
const TRANSFER_MIN_BYTES = 4_096

/** What is used of a port, a worker or a worker's own scope; both platforms' fit. */
export interface MessagePortLike {
  postMessage(message: unknown, transfer: readonly ArrayBuffer[]): void
  addEventListener?(type: string, listener: (event: { readonly data?: unknown }) => void): void
  removeEventListener?(type: string, listener: (event: { readonly data?: unknown }) => void): void
  on?(type: string, listener: (value: unknown) => void): unknown
  off?(type: string, listener: (value: unknown) => void): unknown
  start?(): void
  close?(): void
  terminate?(): unknown
}

const taken = new WeakSet<object>()

/** The end of a message port or of a worker as a pipe.
 * @param port - used once, for nothing else; a port is closed with the pipe, a worker goes on.
 * @throws TypeError for a port that was used before. */
export function messagePortPipe(port: MessagePortLike): Pipe {
  if (taken.has(port)) {
    throw new TypeError('Cannot use port: it has been a pipe before; make a new MessageChannel')
  }
  taken.add(port)
  return new PortLink(port).pipe
}

class PortLink implements MessageLink {
  /** Nobody can tell what lies in the queue of a port; the pipe's window bounds it. */
  readonly bufferedBytes = 0
  readonly pipe = new MessagePipe(this, { remoteAddress: '', isLocal: true })
  readonly #port: MessagePortLike
  readonly #stops: (() => void)[] = []
  #isOpen = true

  constructor(port: MessagePortLike) {
    this.#port = port
    this.#listen('message', (data) => this.#receive(data))
    this.#listen('messageerror', () => this.pipe.violated('what is no message'))
    // Told by ports of Node and of newer browsers; by workers of Node.
    for (const end of ['close', 'exit']) this.#listen(end, () => this.#lost())
    port.start?.()
  }

  send(message: Uint8Array): void {
    if (!this.#isOpen) return
    const whole = message.length >= TRANSFER_MIN_BYTES && message.length === message.buffer.byteLength
    const own = whole ? message : new Uint8Array(message)
    this.#port.postMessage(own, [own.buffer as ArrayBuffer])
  }

  close(): void {
    if (!this.#isOpen) return
    this.#stop()
    queueMicrotask(() => this.pipe.lost())
  }

  /** The peer is told by a message, since not every platform tells when a port was closed. */
  destroy(): void {
    if (!this.#isOpen) return
    this.#port.postMessage(null, [])
    this.#stop()
  }

  #receive(data: unknown): void {
    if (data === null) this.#lost()
    else if (data instanceof Uint8Array) this.pipe.received(data)
    else this.pipe.violated('what is no message of bytes')
  }

  #lost(): void {
    if (!this.#isOpen) return
    this.#stop()
    this.pipe.lost()
  }

  #stop(): void {
    this.#isOpen = false
    for (const stop of this.#stops) stop()
    // A worker does not end with its pipe: it may have more to do, and is its owner's to end.
    if (this.#port.terminate === undefined) this.#port.close?.()
  }

  #listen(type: string, listener: (value: unknown) => void): void {
    const port = this.#port
    if (port.on !== undefined) {
      port.on(type, listener)
      this.#stops.push(() => port.off?.(type, listener))
      return
    }
    const onEvent = (event: { readonly data?: unknown }): void => listener(event.data)
    port.addEventListener?.(type, onEvent)
    this.#stops.push(() => port.removeEventListener?.(type, onEvent))
  }
}
