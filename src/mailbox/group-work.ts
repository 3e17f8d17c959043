// Work that shares a commit with that of others, and what whoever asked for it is told. Leaves out when a commit is
// (lmdb-store.ts, nats-box.ts).
import type { OrderedTransaction } from './ordered-store.js'

/** Work that waits for its commit. */
export interface GroupWork {
  /** Inside of the transaction; an error of the work is kept for whoever asked. May be called again, if the commit is tried again. */
  readonly run: (tx: OrderedTransaction) => void
  /** It is committed. */
  readonly done: () => void
  /** It could not be committed. */
  readonly failed: (error: unknown) => void
}

/** Hand `work` to `queue`.
 * @returns its result once that is committed; rejects with what it threw, or what kept it from being committed. */
export function groupWork<T>(
  work: (tx: OrderedTransaction) => T,
  queue: (waiting: GroupWork) => void,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    let result: { readonly value: T } | { readonly error: unknown } | undefined
    queue({
      run: (tx) => {
        try {
          result = { value: work(tx) }
        } catch (error) {
          result = { error }
        }
      },
      done: () => {
        if (result !== undefined && 'value' in result) resolve(result.value)
        else reject(result?.error)
      },
      failed: reject,
    })
  })
}
