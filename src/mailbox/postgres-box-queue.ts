// What is done to a box in Postgres while a transaction of this relay has it shares the next one: a box takes as many changes a second
// as a transaction has room for, not as many as there are commits. What shares one is sent at once, the commit too, so each work is a
// statement that does all of it or nothing; what was not done is looked at closer in a transaction after it, and so is, without being
// sent first, what follows it soon. Leaves out what is done (postgres-deposit.ts, postgres-lease.ts, postgres-box.ts).
import { hexEncode } from '../bytes.js'
import { nextTurn } from '../clock.js'
import type { PostgresConnection } from './postgres-connection.js'
import { boxOf } from './postgres-rows.js'
import type { PostgresTransaction } from './postgres-transaction.js'
import type { BoxRecord } from './records.js'

/** Works that one transaction takes at most, so that those who wait are told in time. */
const SHARED_MAX_WORKS = 64

/** After a work that a statement left undone, as in a box that is full, so many of its kind in the same box are not attempted. */
const NOT_ATTEMPTED = 8
/** Boxes and kinds of which that is remembered. */
const NOT_ATTEMPTED_MAX = 1_024

const OPEN = 'from noisecap_box where id = $1 and (expires_ms = 0 or expires_ms > $2)'
/** A box that has not ended. */
export const OPEN_BOX = `select * ${OPEN}`
/** What every change of a box begins with. */
export const LOCK_BOX = `${OPEN_BOX} for update`
/** The same for those who need not know more than whether it is there. */
const LOCK_ONLY = `select ${OPEN} for update`

/** Gives an answer once the transaction is committed. */
export type Answer<T> = () => T | Promise<T>

/** What became of statements that do all of a work or nothing; undefined: nothing. */
export type Outcome<T> = { readonly result: T } | undefined

type Kind = 'settlement' | 'deposit' | 'lease'

/** Something to do with a box. */
export interface BoxWork<T> {
  /** Leases look for messages behind those that change any. */
  readonly kind: Kind
  readonly nowMs: number
  /** Send it, waiting for nothing. Its neighbours would fail with it, so it must not for what its caller got wrong.
   * @returns what became of it, once that is committed. */
  readonly attempt: (tx: PostgresTransaction) => Answer<Outcome<T>>
  /** Do it where that did nothing. The same holds for its neighbours. */
  readonly perform: (tx: PostgresTransaction, record: BoxRecord) => Promise<Answer<T>>
}

interface Waiting extends Pick<BoxWork<unknown>, 'kind' | 'nowMs'> {
  /** @returns tells whether it was done, once that is committed. */
  readonly attempt: (tx: PostgresTransaction) => (isOpen: boolean) => Promise<boolean>
  /** @returns call it once that is committed. */
  readonly perform: (tx: PostgresTransaction, record: BoxRecord | undefined) => Promise<() => void>
  readonly failed: (error: unknown) => void
}

/** Queues of the boxes that have any. */
export class PostgresBoxQueue {
  readonly #connection: PostgresConnection
  readonly #queues = new Map<string, Waiting[]>()
  /** How many more of a box and a kind are not attempted. */
  readonly #hopeless = new Map<string, number>()

  constructor(connection: PostgresConnection) {
    this.#connection = connection
  }

  /** @param otherwise - the result when there is no such box.
   * @returns once it is durable.
   * @throws `mailbox/store`. */
  add<T>(box: Uint8Array, otherwise: T, work: BoxWork<T>): Promise<T> {
    const { kind, nowMs } = work
    return new Promise((resolve, reject) => {
      this.#push(box, {
        kind,
        nowMs,
        attempt: (tx) => {
          const outcomeOf = work.attempt(tx)
          return async (isOpen) => {
            const outcome = isOpen ? await outcomeOf() : { result: otherwise }
            if (outcome !== undefined) resolve(outcome.result)
            return outcome !== undefined
          }
        },
        perform: async (tx, record) => {
          const answer = record === undefined ? () => otherwise : await work.perform(tx, record)
          return () => resolve(answer())
        },
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
      const works = first.splice(0, SHARED_MAX_WORKS)
      try {
        await this.#share(box, works)
      } catch (error) {
        for (const { failed } of works) failed(error)
      }
      if (first.length > 0) nextTurn(() => void next())
      else this.#queues.delete(name)
    }
    // A turn later: what one work has led to is with it.
    nextTurn(() => void next())
  }

  async #share(box: Uint8Array, works: readonly Waiting[]): Promise<void> {
    const which = [box, Math.max(...works.map(({ nowMs }) => nowMs))]
    const name = hexEncode(box)
    const inOrder = [
      ...works.filter(({ kind }) => kind !== 'lease'),
      ...works.filter(({ kind }) => kind === 'lease'),
    ]
    const left = inOrder.filter(({ kind }) => this.#isHopeless(name + kind))
    const hopeful = inOrder.filter((work) => !left.includes(work))
    if (hopeful.length > 0) {
      const undone = await this.#attempt(which, hopeful)
      for (const { kind } of undone) this.#hopeless.set(name + kind, NOT_ATTEMPTED)
      left.push(...undone)
    }
    if (left.length > 0) await this.#perform(which, left)
  }

  /** @returns what is left to do. */
  async #attempt(which: unknown[], works: readonly Waiting[]): Promise<readonly Waiting[]> {
    const { locked, attempts } = await this.#connection.transaction(async (tx) => ({
      locked: { rows: tx.query(LOCK_ONLY, which) },
      attempts: works.map((work) => ({ work, wasDone: work.attempt(tx) })),
    }))
    const isOpen = (await locked.rows).rows.length > 0
    const left: Waiting[] = []
    for (const { work, wasDone } of attempts) if (!(await wasDone(isOpen))) left.push(work)
    return left
  }

  async #perform(which: unknown[], works: readonly Waiting[]): Promise<void> {
    const answers = await this.#connection.transaction(async (tx) => {
      const given: (() => void)[] = []
      for (const work of works) {
        const [row] = (await tx.query(LOCK_BOX, which)).rows
        given.push(await work.perform(tx, row === undefined ? undefined : boxOf(row)))
      }
      return given
    })
    for (const answer of answers) answer()
  }

  /** Whether an attempt is likely to do nothing; it is tried again after some. */
  #isHopeless(name: string): boolean {
    const times = this.#hopeless.get(name) ?? 0
    this.#hopeless.delete(name)
    if (times > 1) this.#hopeless.set(name, times - 1)
    for (const oldest of this.#hopeless.keys()) {
      if (this.#hopeless.size <= NOT_ATTEMPTED_MAX) break
      this.#hopeless.delete(oldest)
    }
    return times > 0
  }
}
