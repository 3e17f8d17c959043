// What every stream that is read once has besides its items: itself as an iterator, as a Web Stream and as a resource.
// Leaves out the items: where they come from (incoming-stream.ts, method-stream.ts, stream-schema.ts).
import type { ReceivedStream } from './shapes.js'

/** A stream as its reader has it. */
export abstract class ReadableOnce<Item> implements ReceivedStream<Item> {
  abstract next(): Promise<IteratorResult<Item, undefined>>
  abstract return(): Promise<IteratorResult<Item, undefined>>

  readable(): ReadableStream<Item> {
    return new ReadableStream<Item>(
      {
        pull: async (controller) => {
          const result = await this.next()
          if (result.done === true) controller.close()
          else controller.enqueue(result.value)
        },
        cancel: async () => {
          await this.return()
        },
      },
      { highWaterMark: 0 },
    )
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }
}
