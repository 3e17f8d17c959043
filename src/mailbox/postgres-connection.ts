// The connections of a mailbox to Postgres: a pool for transactions, and one that listens for what other relays do. Lost ones are
// made again; meanwhile listeners are told once a second, since something may have happened.
import type { Pool, PoolClient } from 'pg'
import { NoisecapError } from '../errors.js'
import type { Listeners } from './listeners.js'
import { CHANNEL, notification } from './postgres-box.js'
import type { Row } from './postgres-rows.js'
import { migrate } from './postgres-schema.js'
import { PostgresTransaction } from './postgres-transaction.js'

/** Between two looks for what no notification told, ms. */
const POLL_MS = 1_000

/** Whatever the server knows of the tables: a box is a range of an index, read in its order. A plan that gathers the range first takes
 * the longer the more was ever in the box. */
export const PLANS = 'set enable_bitmapscan = off; set enable_seqscan = off; set enable_sort = off'

const ignore = () => {}

/** Runs statements, and hears of changes. */
export class PostgresConnection implements AsyncDisposable {
  readonly #pool: Pool
  readonly #listeners: Listeners
  #listener: PoolClient | undefined
  #listening: Promise<void> | undefined
  #timer: ReturnType<typeof setInterval> | undefined

  constructor(pool: Pool, listeners: Listeners) {
    this.#pool = pool
    this.#listeners = listeners
    pool.on('connect', (client) => void client.query(PLANS).catch(ignore))
    pool.on('error', ignore) // an idle connection was lost; the next query takes another
  }

  /** Bring the tables up to date, and listen. */
  async open(): Promise<void> {
    await this.#run(migrate)
    await this.#listen()
    this.#timer = setInterval(() => {
      this.#listening ??= this.#listenAgain()
      this.#listeners.tellAll()
    }, POLL_MS)
    this.#timer.unref()
  }

  /** Rows of one statement. */
  async rows(text: string, values: unknown[]): Promise<readonly Row[]> {
    return (await this.#run((client) => client.query<Row>(text, values))).rows
  }

  /** Run `work` in a transaction.
   * @throws `mailbox/store`; RangeError as `work` does. */
  transaction<T>(work: (tx: PostgresTransaction) => Promise<T>): Promise<T> {
    return this.#run((client) => PostgresTransaction.run(client, work))
  }

  /** Let everybody know that a box may have changed. */
  tell(box: Uint8Array): Promise<unknown> {
    return this.#run((client) => client.query(...notification(box)))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    await this.#listening
    const listener = this.#listener
    this.#listener = undefined
    listener?.release(true)
    await this.#pool.end()
  }

  /** Listen, unless somebody does. */
  async #listenAgain(): Promise<void> {
    try {
      if (this.#listener === undefined) await this.#listen()
    } catch {
      // Polling goes on, and this is tried again with it.
    } finally {
      this.#listening = undefined
    }
  }

  async #listen(): Promise<void> {
    await this.#run(async (client) => {
      client.on('notification', ({ payload }) => this.#listeners.tell(payload ?? ''))
      // One loss may be told more than once.
      const lost = () => {
        if (this.#listener !== client) return
        this.#listener = undefined
        client.release(true)
      }
      client.on('error', lost)
      client.on('end', lost)
      await client.query(`listen ${CHANNEL}`)
      this.#listener = client
    }, 'keep')
  }

  async #run<T>(
    work: (client: PoolClient) => Promise<T>,
    afterwards: 'release' | 'keep' = 'release',
  ): Promise<T> {
    let client: PoolClient | undefined
    let failed = false
    try {
      client = await this.#pool.connect()
      // A connection that is lost between two statements says so here; the next statement fails, and is told.
      client.on('error', ignore)
      return await work(client)
    } catch (error) {
      failed = true
      if (error instanceof RangeError) throw error
      throw new NoisecapError('mailbox/store', 'Cannot reach or change the mailbox in Postgres', {
        cause: error,
        hint: 'Check that the server runs, has room, and lets this user make tables',
      })
    } finally {
      if (failed || afterwards === 'release') {
        client?.release(failed)
        if (!failed) client?.off('error', ignore) // the pool listens now
      }
    }
  }
}
