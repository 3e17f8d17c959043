// The schema of a stream that stands in an input or a result, each item of which another schema checks when it is read
// (docs/streams.md). Leaves out the stream that a stream method answers with (method-stream.ts).
import { describeIssues, type StandardSchema } from '../standard-schema.js'
import { Failure } from './failure.js'
import { ReadableOnce } from './readable-once.js'
import type { ReceivedStream, StreamSource } from './shapes.js'
import { ByteSource, isStreamSource, iterate } from './stream-source.js'

const DONE: IteratorResult<never, undefined> = { done: true, value: undefined }

/** A stream of items that a schema checks: by itself the schema of an input or a result; with its two functions, which need no
 * `this`, a field of a schema of another library. */
export interface StreamSchema<Item, ItemReceived>
  extends StandardSchema<StreamSource<Item>, ReceivedStream<ItemReceived>> {
  /** Whether `value` is a stream, whatever is in it. */
  readonly is: (value: unknown) => value is StreamSource<Item>
  /** The stream as its receiver reads it. */
  readonly receive: (source: StreamSource<Item>) => ReceivedStream<ItemReceived>
}

/** The schema of a stream in an input or a result. Its reader gets each item as `item` makes it; one that does not fit stops the
 * sender and is thrown where it is read, as a {@link Failure} `invalid_argument`, which a handler may let through to its caller.
 * @param item - of each item; `bytes` for streams of bytes. References in items have to be references already.
 * @example sum: method(streamOf(z.number()), z.number())
 * @example const Numbers = streamOf(z.number())
 * z.object({ of: z.custom<StreamSource<number>>(Numbers.is).transform(Numbers.receive) }) */
export function streamOf<Item, ItemReceived>(
  item: StandardSchema<Item, ItemReceived>,
): StreamSchema<Item, ItemReceived> {
  const is = (value: unknown): value is StreamSource<Item> =>
    typeof value === 'object' && value !== null && isStreamSource(value)
  const receive = (source: StreamSource<Item>) => new CheckedStream(source, item)
  return {
    is,
    receive,
    '~standard': {
      version: 1,
      vendor: 'noisecap',
      validate: (value) =>
        is(value) ? { value: receive(value) } : { issues: [{ message: 'expected a stream' }] },
    },
  }
}

/** A stream whose items are checked as they are read. */
class CheckedStream<Item, ItemReceived> extends ReadableOnce<ItemReceived> {
  readonly #items: AsyncIterator<unknown>
  readonly #schema: StandardSchema<Item, ItemReceived>
  #isOver = false

  constructor(source: StreamSource<Item> | ByteSource, schema: StandardSchema<Item, ItemReceived>) {
    super()
    this.#items = iterate(source instanceof ByteSource ? source.source : source)
    this.#schema = schema
  }

  async next(): Promise<IteratorResult<ItemReceived, undefined>> {
    if (this.#isOver) return DONE
    const { done, value } = await this.#items.next()
    if (done === true) {
      this.#isOver = true
      return DONE
    }
    const result = await this.#schema['~standard'].validate(value)
    if (result.issues === undefined) return { done: false, value: result.value }
    await this.return()
    throw new Failure('invalid_argument', `an item of the stream: ${describeIssues(result.issues)}`)
  }

  async return(): Promise<IteratorResult<ItemReceived, undefined>> {
    if (this.#isOver) return DONE
    this.#isOver = true
    await this.#items.return?.()
    return DONE
  }
}
