// Deposits that wait for the transaction before them and share the next one, in the order in which they came: a box takes as many
// a second as a batch has, not as many as there are commits. Leaves out the transaction (postgres.ts, ordered-mailbox-store.ts).
import { hexEncode } from '../bytes.js'
import type { DepositRequest, DepositResult } from './store.js'

/** Envelopes of one transaction, bytes; the first request goes whatever it has. */
const BATCH_MAX_BYTES = 4_194_304

interface Waiting {
  readonly request: DepositRequest
  readonly bytes: number
  readonly resolve: (result: DepositResult) => void
  readonly reject: (error: unknown) => void
}

/** Makes a batch durable.
 * @returns the result of each request, as many as there are. */
type Commit = (box: Uint8Array, requests: readonly DepositRequest[]) => Promise<readonly DepositResult[]>

/** Queues of the boxes that have any. */
export class DepositQueue {
  readonly #commit: Commit
  readonly #queues = new Map<string, Waiting[]>()

  constructor(commit: Commit) {
    this.#commit = commit
  }

  /** @returns once it is durable; rejects as the batch does. */
  add(box: Uint8Array, request: DepositRequest): Promise<DepositResult> {
    const name = hexEncode(box)
    const bytes = request.messages.reduce((sum, { envelope }) => sum + envelope.length, 0)
    return new Promise((resolve, reject) => {
      const waiting = { request, bytes, resolve, reject }
      const queue = this.#queues.get(name)
      if (queue !== undefined) queue.push(waiting)
      else {
        const first = [waiting]
        this.#queues.set(name, first)
        void this.#drain(name, box, first)
      }
    })
  }

  async #drain(name: string, box: Uint8Array, queue: Waiting[]): Promise<void> {
    // So that all of one turn are in the first batch.
    await Promise.resolve()
    while (queue.length > 0) {
      const batch = queue.splice(0, fitting(queue))
      try {
        const results = await this.#commit(
          box,
          batch.map(({ request }) => request),
        )
        for (const [i, { resolve }] of batch.entries()) resolve(results[i]!) // one for each
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    this.#queues.delete(name)
  }
}

/** How many of the first go together, at least one. */
function fitting(queue: readonly Waiting[]): number {
  let bytes = 0
  for (const [i, waiting] of queue.entries()) {
    bytes += waiting.bytes
    if (i > 0 && bytes > BATCH_MAX_BYTES) return i
  }
  return queue.length
}
