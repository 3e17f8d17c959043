// Bytes that come in pieces, from and to whatever platforms have: async iterables (Node's streams are some) and Web Streams.
// Where they are cut means nothing. Pulled, never pushed: nothing is read before somebody asks for it.
// Leaves out sealing.
import { iterateReadable } from '../web-stream.js'

/** A source of bytes. A piece is read before the next one is asked for, and is not altered or kept. */
export type ByteSource =
  | AsyncIterable<Uint8Array>
  | Iterable<Uint8Array>
  | ReadableStream<Uint8Array>
  | Uint8Array

/** How the pieces of a result are handed out. */
export interface PieceOptions {
  /** Lend pieces: all are the same memory, and each is valid until the next one is asked for or reading ends. For whoever is done with
   * a piece by then, such as a loop that awaits each write; never for what keeps pieces back, as Node's write streams and `pipeline`
   * do. Several times less work for the collector of garbage. False when left out: each piece is memory of its own. */
  readonly lend?: boolean | undefined
}

/** An iterator over a source, which `return` lets go of. */
export function iterateBytes(source: ByteSource): AsyncIterator<Uint8Array> | Iterator<Uint8Array> {
  if (source instanceof Uint8Array) return [source].values()
  if (Symbol.asyncIterator in source) return source[Symbol.asyncIterator]()
  if (Symbol.iterator in source) return source[Symbol.iterator]()
  return iterateReadable(source as ReadableStream<Uint8Array>)
}

/** @throws TypeError for a piece that is no bytes, such as text. */
export function checkPiece(piece: unknown): asserts piece is Uint8Array {
  if (!(piece instanceof Uint8Array))
    throw new TypeError('Cannot read source: expected pieces that are bytes')
}

/** A result that comes in pieces, to be iterated or read as a Web Stream, once. Each piece is memory of its own, unless it is lent.
 * Whoever does not read it to its end lets go of it: `break` in a loop, `cancel` of a Web Stream, or `await using`. */
export class ByteStream implements AsyncIterable<Uint8Array>, AsyncDisposable {
  readonly #pieces: AsyncGenerator<Uint8Array, void, undefined>
  readonly #letGo: () => Promise<void>
  #taken = false

  /** @param letGo - called when somebody stops before the end; may be called more than once. */
  constructor(pieces: AsyncGenerator<Uint8Array, void, undefined>, letGo: () => Promise<void>) {
    this.#pieces = pieces
    this.#letGo = letGo
  }

  /** @throws TypeError the second time. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array> {
    if (this.#taken) throw new TypeError('Cannot read stream: somebody reads it already')
    this.#taken = true
    const pieces = this.#pieces
    const letGo = this.#letGo
    return {
      next: () => pieces.next(),
      // A generator that has not begun would not run its own end.
      return: async () => {
        await letGo()
        return { done: true, value: undefined }
      },
      [Symbol.asyncIterator]() {
        return this
      },
    }
  }

  /** The same as a Web Stream, which reads nothing ahead.
   * @throws TypeError the second time. */
  toReadableStream(): ReadableStream<Uint8Array> {
    const pieces = this[Symbol.asyncIterator]()
    return new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          const { done, value } = await pieces.next()
          if (done === true) controller.close()
          else controller.enqueue(value)
        },
        async cancel() {
          await pieces.return?.()
        },
      },
      { highWaterMark: 0 },
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#letGo()
  }
}
