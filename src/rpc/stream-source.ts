// What may be sent as a stream: an async iterable or a Web Stream, of items or of bytes (docs/streams.md).
// Leaves out sending (outgoing-stream.ts).
import { iterateReadable } from '../web-stream.js'
import type { StreamSource } from './shapes.js'

/** A source whose items are pieces of one stream of bytes: it travels without CBOR, and where it is cut means nothing. */
export class ByteSource {
  readonly source: StreamSource<Uint8Array>

  constructor(source: StreamSource<Uint8Array>) {
    this.source = source
  }
}

/** Send `source` as bytes, in an argument or a result. The library reads it from then on, and leaves it with `return`.
 * @example files.upload({ name, data: byteStream(createReadStream(path)) }) */
export function byteStream(source: StreamSource<Uint8Array>): StreamSource<Uint8Array> {
  return new ByteSource(source) as unknown as StreamSource<Uint8Array> // only ever given to the writer of values
}

/** Whether `value` can be sent as a stream. */
export function isStreamSource(value: object): value is StreamSource<unknown> | ByteSource {
  return value instanceof ByteSource || Symbol.asyncIterator in value || value instanceof ReadableStream
}

/** `source`, with each item as `map` makes it. */
export function mapItems(
  source: StreamSource<unknown>,
  map: (item: unknown) => unknown,
): AsyncIterable<unknown> {
  return {
    [Symbol.asyncIterator]: () => {
      const iterator = iterate(source)
      return {
        next: async () => {
          const { done, value } = await iterator.next()
          return done === true ? { done, value: undefined } : { done: false, value: map(value) }
        },
        return: async () => {
          await iterator.return?.()
          return { done: true, value: undefined }
        },
      }
    },
  }
}

/** An iterator over a source. */
export function iterate(source: StreamSource<unknown>): AsyncIterator<unknown> {
  if (Symbol.asyncIterator in source) return source[Symbol.asyncIterator]()
  return iterateReadable(source as ReadableStream<unknown>)
}
