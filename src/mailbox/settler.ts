// Settlements on their way to the relay: those of one turn travel together, in order, and so do those that come while earlier ones
// are being made durable: a relay then commits once for many. A call that a lost connection interrupted
// is made again by the connection itself, since settling twice is as good as once. Leaves out what is settled (inbox.ts).
import { nextTurn } from '../clock.js'
import { MAILBOX_BATCH_MAX } from '../limits.js'
import type { Calls, Stub } from '../rpc/index.js'
import type { CollectInterface } from './interfaces.js'
import type { Settlement } from './store.js'

const SETTLE_TIMEOUT_MS = 30_000
/** Calls on their way at once, so that the relay has the next while it answers one. */
const CALLS_IN_FLIGHT = 2

interface Waiting {
  readonly settlement: Settlement
  readonly done: () => void
  readonly failed: (error: unknown) => void
}

/** Settles messages of one connection. */
export class Settler {
  readonly #stub: Pick<Stub<Calls<(typeof CollectInterface)['declared']>>, 'settle'>
  #waiting: Waiting[] = []
  readonly #sending = new Set<Promise<void>>()

  constructor(stub: Pick<Stub<Calls<(typeof CollectInterface)['declared']>>, 'settle'>) {
    this.#stub = stub
  }

  /** @returns once the relay has made it durable. */
  settle(settlement: Settlement): Promise<void> {
    return new Promise((done, failed) => {
      // A turn later: messages that arrived together are often settled together.
      if (this.#waiting.length === 0) nextTurn(() => this.#sendNext())
      this.#waiting.push({ settlement, done, failed })
    })
  }

  /** Settle what nobody waits for: if it fails, the message is delivered again. */
  quietly(settlement: Settlement): void {
    this.settle(settlement).catch(() => {})
  }

  /** Wait for what is on its way. */
  async end(): Promise<void> {
    while (this.#waiting.length > 0 || this.#sending.size > 0) {
      this.#sendNext()
      await Promise.all(this.#sending)
    }
  }

  #sendNext(): void {
    while (this.#waiting.length > 0 && this.#sending.size < CALLS_IN_FLIGHT) {
      const batch = this.#waiting.splice(0, MAILBOX_BATCH_MAX)
      const settlements = batch.map(({ settlement }) => settlement)
      const sent = this.#stub.settle({ settlements }, { timeoutMs: SETTLE_TIMEOUT_MS }).then(
        () => {
          for (const { done } of batch) done()
        },
        (error: unknown) => {
          for (const { failed } of batch) failed(error)
        },
      )
      const tracked = sent.then(() => {
        this.#sending.delete(tracked)
        this.#sendNext()
      })
      this.#sending.add(tracked)
    }
  }
}
