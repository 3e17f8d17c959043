// Web Streams as iterators, for browsers that cannot iterate them. Leaves out sources of other kinds.

/** An iterator over a Web Stream, which `return` cancels. */
export function iterateReadable<Item>(stream: ReadableStream<Item>): AsyncIterator<Item> {
  const reader = stream.getReader()
  return {
    next: async () => {
      const { done, value } = await reader.read()
      return done ? { done, value: undefined } : { done: false, value }
    },
    return: async () => {
      await reader.cancel()
      return { done: true, value: undefined }
    },
  }
}
