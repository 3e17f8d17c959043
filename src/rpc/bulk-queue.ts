// Sources of bytes that travel in frames of their own, a frame of each in turn (spec/rpc.md §2, §4), and how many leave at
// once. Leaves out the messages that go before them (outbox.ts).
import { SOCKET_HIGH_WATER_BYTES } from '../limits.js'
import type { Connection } from '../session/index.js'
import { ByteSink } from './byte-sink.js'
import { FRAME, writeByte, writeBytes, writeVarint } from './wire.js'

/** Bytes that travel in frames of their own, whenever no message waits. */
export interface BulkSource {
  readonly id: number
  /** The next 1 to 32,768 bytes, borrowed until the next call; undefined when there are none now. */
  takeBytes(): Uint8Array | undefined
}

/** One turn of the event loop later, what has arrived is read in between; undefined where the host lacks that: there a timer
 * would cost a stream most of its rate. */
const nextTurn: ((run: () => void) => unknown) | undefined =
  typeof setImmediate === 'function' ? setImmediate : undefined

/** Where a frame is put together, whoever sends it: it leaves at once. */
const frame = new ByteSink(0)

/** Sources of one session that have bytes. */
export class BulkQueue {
  readonly #connection: Connection
  readonly #again: () => void
  readonly #sources: BulkSource[] = []
  /** Frames have left in this turn of the event loop. */
  #hasSent = false

  /** @param again - flush what is waiting: messages, then this queue. */
  constructor(connection: Connection, again: () => void) {
    this.#connection = connection
    this.#again = again
  }

  get isEmpty(): boolean {
    return this.#sources.length === 0
  }

  add(source: BulkSource): void {
    if (!this.#sources.includes(source)) this.#sources.push(source)
  }

  /** Send frames up to what may wait in the socket, together: a system call for each would cost more than sealing it. Once a
   * turn: a socket that takes everything would otherwise have all credit spent before a small call that has arrived is read. */
  flush(): void {
    // Of a socket that is full, its drain tells; of one that is closed, nothing more comes.
    if (this.#hasSent || this.isEmpty || !this.#hasRoom) return
    const connection = this.#connection
    if (nextTurn !== undefined) {
      this.#hasSent = true
      nextTurn(this.#turned)
    }
    connection.cork()
    while (this.#hasRoom) {
      const frame = this.#next()
      if (frame === undefined) break
      connection.send(frame)
    }
    connection.uncork()
  }

  get #hasRoom(): boolean {
    return this.#connection.isOpen && this.#connection.waitingBytes < SOCKET_HIGH_WATER_BYTES
  }

  readonly #turned = (): void => {
    this.#hasSent = false
    if (!this.isEmpty) this.#again()
  }

  /** One frame of the source whose turn it is, borrowed until the next call; undefined when none has any. */
  #next(): Uint8Array | undefined {
    for (let source = this.#sources.shift(); source !== undefined; source = this.#sources.shift()) {
      const bytes = source.takeBytes()
      if (bytes === undefined) continue
      frame.length = 0
      writeByte(frame, FRAME.stream)
      writeVarint(frame, source.id)
      writeBytes(frame, bytes)
      this.#sources.push(source)
      return frame.bytes.subarray(0, frame.length)
    }
    return undefined
  }
}
