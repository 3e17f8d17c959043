// Pipes over two streams of Node, one each way: stdin and stdout of a child process above all, so that a parent and its child
// talk without a port or a socket file. Bytes, so records with lengths (spec/session.md §6).
// Leaves out starting and ending the child. What speaks here must own its stdout: a child logs to stderr.
import { Socket } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import { leftToCollector } from '../kept-memory.js'
import type { Pipe, PipeEvents } from './pipe.js'

const STDIN = 0
const STDOUT = 1

/** A child process as its parent sees it: `spawn(…, { stdio: ['pipe', 'pipe', 'inherit'] })`.
 * @throws TypeError when its stdin or stdout is not a pipe. */
export function childPipe(child: {
  readonly stdin: Writable | null
  readonly stdout: Readable | null
}): Pipe {
  if (child.stdin === null || child.stdout === null) {
    throw new TypeError("Cannot use child: expected stdio: ['pipe', 'pipe', …] when it was spawned")
  }
  return streamPipe(child.stdout, child.stdin)
}

/** The parent as its child sees it: this process's stdin and stdout, which nothing else may use from then on.
 * @throws TypeError when they are files or a terminal. */
export function parentPipe(): Pipe {
  try {
    // Not process.stdout: that one cannot be closed, so the parent would never see the end.
    const stdin = new Socket({ fd: STDIN, readable: true, writable: false })
    return streamPipe(stdin, new Socket({ fd: STDOUT, readable: false, writable: true }))
  } catch (cause) {
    throw new TypeError('Cannot use parent: expected stdin and stdout to be pipes, as a parent makes them', {
      cause,
    })
  }
}

/** Two streams as one pipe; both are destroyed with it. */
export function streamPipe(readable: Readable, writable: Writable): Pipe {
  return new StreamPipe(readable, writable)
}

class StreamPipe implements Pipe {
  readonly framing = 'length'
  readonly remoteAddress = ''
  readonly isLocal = true
  readonly #readable: Readable
  readonly #writable: Writable
  #error: Error | undefined
  #events: PipeEvents | undefined
  #paused = false
  #closedTold = false

  constructor(readable: Readable, writable: Writable) {
    this.#readable = readable
    this.#writable = writable
    readable.pause()
    for (const stream of [readable, writable]) {
      // From the first moment: an error before `start` must not be an uncaught exception. One way broken is both: a child
      // that is gone neither reads nor answers.
      stream.on('error', (error: Error) => {
        this.#error ??= error
        this.destroy()
      })
      stream.on('close', () => this.#tellClosed())
    }
  }

  get waitingBytes(): number {
    return this.#writable.writableLength
  }

  start(events: PipeEvents): void {
    this.#events = events
    const readable = this.#readable
    readable.on('data', (bytes: Buffer) => {
      leftToCollector(bytes.length)
      events.data(bytes)
    })
    readable.on('end', () => events.end())
    this.#writable.on('drain', () => events.drain())
    queueMicrotask(() => this.#tellClosed())
    if (this.#paused) readable.pause()
    else readable.resume()
  }

  write(bytes: Uint8Array): boolean {
    const writable = this.#writable
    if (writable.destroyed || writable.writableEnded) return true
    return writable.write(bytes)
  }

  cork(): void {
    this.#writable.cork()
  }

  uncork(): void {
    this.#writable.uncork()
  }

  pause(): void {
    this.#paused = true
    this.#readable.pause()
  }

  resume(): void {
    this.#paused = false
    // A stream that flows before anybody listens loses what arrives.
    if (this.#events !== undefined) this.#readable.resume()
  }

  end(): void {
    this.#writable.end()
  }

  destroy(): void {
    this.#readable.destroy()
    this.#writable.destroy()
  }

  /** Once both ways are closed, and somebody listens. */
  #tellClosed(): void {
    if (!this.#readable.closed || !this.#writable.closed) return
    if (this.#events === undefined || this.#closedTold) return
    this.#closedTold = true
    this.#events.closed(this.#error)
  }
}
