// A pipe that carries one chunk to its listener and nothing anywhere: what a service computes for a hello, without sockets.
import type { Pipe, PipeEvents } from '../../src/transport/index.js'

/** One fresh connection, of a peer on this machine. */
export class QuietPipe implements Pipe {
  readonly framing = 'length'
  readonly remoteAddress = '127.0.0.1'
  readonly isLocal = true
  readonly waitingBytes = 0
  /** Bytes that were written to the peer. */
  answeredBytes = 0
  #events: PipeEvents | undefined
  #destroyed = false

  start(events: PipeEvents): void {
    this.#events = events
  }

  /** The peer's bytes arrive. */
  deliver(bytes: Uint8Array): void {
    this.#events?.data(bytes)
  }

  write(bytes: Uint8Array): boolean {
    this.answeredBytes += bytes.length
    return true
  }

  destroy(): void {
    if (this.#destroyed) return
    this.#destroyed = true
    this.#events?.closed(undefined)
  }

  pause(): void {}
  resume(): void {}
  end(): void {}
}
