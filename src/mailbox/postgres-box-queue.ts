// What is done to a box in Postgres while a transaction of this relay has it shares the next one: a box takes as many changes a second
// as a transaction has room for, not as many as there are commits. Leaves out what is done (postgres-deposit.ts, postgres-lease.ts,
// postgres-box.ts); what may fail by itself has a transaction of its own.
import { hexEncode } from '../bytes.js'
import { nextTurn } from '../clock.js'
import type { PostgresConnection } from './postgres-connection.js'
import { boxOf } from './postgres-rows.js'
import type { PostgresTransaction } from './postgres-transaction.js'
import type { BoxRecord } from './records.js'

/** Works that one transaction takes at most, so that those who wait are told in time. */
const SHARED_MAX_WORKS = 64

/** A box that has not ended. */
export const OPEN_BOX = 'select * from noisecap_box where id = $1 and (expires_ms = 0 or expires_ms > $2)'
/** What every change of a box begins with. */
export const LOCK_BOX = `${OPEN_BOX} for update`
const BOX_NOW = 'select * from noisecap_box where id = $1'

/** Gives an answer once the transaction is committed. */
export type Answer<T> = () => T | Promise<T>

/** A work: it sends what it asks for ahead, then goes on with the box, and sends no commit. It must not throw for what its caller
 * got wrong: its neighbours would fail with it. */
export type BoxWork<T> = (tx: PostgresTransaction) => (record: BoxRecord) => Promise<Answer<T>>

/** Whether a work goes by messages that it has asked for ahead. One such does, behind all others: a second would see what the first is
 * about to change. */
type Kind = 'looks' | 'changes'

interface Waiting {
  readonly kind: Kind
  readonly nowMs: number
  readonly begin: (tx: PostgresTransaction) => (record: BoxRecord | undefined) => Promise<void>
  readonly done: () => void
  readonly failed: (error: unknown) => void
}

/** Queues of the boxes that have any. */
export class PostgresBoxQueue {
  readonly #connection: PostgresConnection
  readonly #queues = new Map<string, Waiting[]>()

  constructor(connection: PostgresConnection) {
    this.#connection = connection
  }

  /** @param otherwise - the result when there is no such box.
   * @returns once it is durable.
   * @throws `mailbox/store`. */
  add<T>(box: Uint8Array, nowMs: number, kind: Kind, otherwise: T, work: BoxWork<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      let answer: Answer<T> = () => otherwise
      this.#push(box, {
        kind,
        nowMs,
        begin: (tx) => {
          const goOn = work(tx)
          return async (record) => {
            if (record !== undefined) answer = await goOn(record)
          }
        },
        done: () => resolve(answer()),
        failed: reject,
      })
    })
  }

  #push(box: Uint8Array, waiting: Waiting): void {
    const name = hexEncode(box)
    const queue = this.#queues.get(name)
    if (queue !== undefined) {
      queue.push(waiting)
      return
    }
    const first = [waiting]
    this.#queues.set(name, first)
    const next = async (): Promise<void> => {
      await this.#share(box, takeShared(first))
      if (first.length > 0) nextTurn(() => void next())
      else this.#queues.delete(name)
    }
    // A turn later: what one work has led to is with it.
    nextTurn(() => void next())
  }

  async #share(box: Uint8Array, works: readonly Waiting[]): Promise<void> {
    try {
      await this.#connection.transaction(async (tx) => {
        const locked = tx.query(LOCK_BOX, [box, Math.max(...works.map(({ nowMs }) => nowMs))])
        const begun = works.map(({ begin }) => begin(tx))
        // As what was sent ahead leaves it.
        const left = works.length > 1 ? tx.query(BOX_NOW, [box]) : locked
        const isOpen = (await locked).rows.length > 0
        const [row] = (await left).rows
        const record = isOpen && row !== undefined ? boxOf(row) : undefined
        for (const goOn of begun) await goOn(record)
      })
    } catch (error) {
      for (const { failed } of works) failed(error)
      return
    }
    for (const { done } of works) done()
  }
}

/** The first works of a queue that one transaction does, in the order in which it does them. */
function takeShared(queue: Waiting[]): readonly Waiting[] {
  let looking = 0
  let count = 0
  for (const { kind } of queue) {
    if (count >= SHARED_MAX_WORKS || (kind === 'looks' && ++looking > 1)) break
    count += 1
  }
  const works = queue.splice(0, count)
  return [...works.filter(({ kind }) => kind === 'changes'), ...works.filter(({ kind }) => kind === 'looks')]
}
