// The service that these tests run on a test network, as a user of noisecap would have one, and how they look at errors.
import { z } from 'zod'
import { CallError, iface, method, NoisecapError, type Service } from '../../src/index.js'

export const Notes = iface('Notes', {
  add: method(z.object({ text: z.string() }), z.number()),
  list: method<void, string[]>(),
  echo: method<Uint8Array, number>(),
  slow: method<void, string>(),
})

/** What happened at the service. */
export class Book {
  readonly texts: string[] = []
  aborted: string[] = []
  slowCalls = 0
  /** Answers the slow calls. */
  finish: () => void = () => {}
}

/** Offer notes that all clients share. */
export function offerNotes(service: Service, book = new Book()) {
  const offer = service.offer('notes', Notes, () => ({
    add: ({ text }) => book.texts.push(text),
    list: () => book.texts,
    echo: (bytes) => bytes.length,
    slow: (_, { signal }) => {
      book.slowCalls += 1
      signal.addEventListener('abort', () => book.aborted.push((signal.reason as Error).name))
      return new Promise<string>((resolve) => {
        book.finish = () => resolve('done')
      })
    },
  }))
  return { offer, book }
}

/** How a promise fails: the code, and for a call whether it may have run. */
export async function failureOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
  } catch (error) {
    if (error instanceof CallError)
      return `${error.code}, ${error.mayHaveRun ? 'may have run' : 'has not run'}`
    if (error instanceof NoisecapError) return error.code
    throw error
  }
  return 'no failure'
}
