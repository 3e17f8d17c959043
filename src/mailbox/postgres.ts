// Door of `noisecap/mailbox/postgres`: boxes in Postgres, which several relays share. Needs the package `pg`, an optional peer.
// Every change is part of one transaction, committed with the synchronous_commit of the server; what concerns one box is done under the
// lock of its row, so that order holds whichever relay asks. Leaves out the tables (postgres-schema.ts), what shares a transaction
// (postgres-box-queue.ts), how messages are put in and taken out (postgres-deposit.ts, postgres-lease.ts), and large bodies
// (postgres-bodies.ts).
import pg from 'pg'
import { hexEncode } from '../bytes.js'
import { parseReceipt } from './box-lease.js'
import { boxStat, GONE } from './box-stat.js'
import { DepositQueue } from './deposit-queue.js'
import { Listeners } from './listeners.js'
import { PostgresBodies } from './postgres-bodies.js'
import { dropBoxes, messageOf, notify, putAlias, remove, revive, settleAll, within } from './postgres-box.js'
import { type Answer, LOCK_BOX, OPEN_BOX, PostgresBoxQueue } from './postgres-box-queue.js'
import { PostgresConnection } from './postgres-connection.js'
import { depositIn, sendDeposit } from './postgres-deposit.js'
import { FreshEnvelopes } from './postgres-fresh.js'
import { leaseFrom, sendLease } from './postgres-lease.js'
import { boxOf, type Row } from './postgres-rows.js'
import { GatheringSocket } from './postgres-socket.js'
import type { PostgresTransaction } from './postgres-transaction.js'
import { type BoxRecord, HELD } from './records.js'
import type {
  Alias,
  AliasEntry,
  BoxStat,
  DeadLetter,
  DeadReason,
  DepositResult,
  Leased,
  LeaseRequest,
  MailboxStore,
  NewBox,
  NewMessage,
  ReadRequest,
  Role,
  Settlement,
} from './store.js'

const DEAD_MAX = 1_000

/** A server that does not answer is a failure, ms: nothing waits for it for ever. */
const PATIENCE = { connectionTimeoutMillis: 10_000, query_timeout: 30_000 }

const DONE = { result: undefined }
const NOTHING: Answer<void> = () => {}

/** Options of {@link openPostgresMailboxStore}: those of a pool of the package `pg`. */
export type PostgresMailboxOptions = pg.PoolConfig

/** Boxes in a database, whose tables (`noisecap_…`) are made or brought up to date.
 * @throws `mailbox/store`. */
export async function openPostgresMailboxStore(options: PostgresMailboxOptions): Promise<MailboxStore> {
  // Versions of `pg` that know no pipeline send one statement after the other.
  const pipeline = { pipeline: true }
  const store = new PostgresMailboxStore(
    new pg.Pool({ ...PATIENCE, stream: () => new GatheringSocket(), ...options, ...pipeline }),
  )
  try {
    await store.open()
    return store
  } catch (error) {
    await store[Symbol.asyncDispose]()
    throw error
  }
}

class PostgresMailboxStore implements MailboxStore {
  readonly bodies: PostgresBodies
  readonly #listeners = new Listeners()
  readonly #connection: PostgresConnection
  readonly #boxes: PostgresBoxQueue
  readonly #fresh = new FreshEnvelopes()
  readonly #deposits = new DepositQueue((box, requests) => {
    const gone: DepositResult = { accepted: 0, duplicates: 0, refusal: 'gone' }
    const otherwise = requests.map(() => gone)
    return this.#boxes.add(box, otherwise, {
      kind: 'deposit',
      nowMs: requests.at(-1)?.nowMs ?? 0,
      attempt: (tx) => sendDeposit(tx, box, requests, this.#fresh),
      perform: (tx, record) => depositIn(tx, box, record, requests),
    })
  })

  constructor(pool: pg.Pool) {
    this.#connection = new PostgresConnection(pool, this.#listeners)
    this.#boxes = new PostgresBoxQueue(this.#connection)
    this.bodies = new PostgresBodies(this.#connection, (box, nowMs, otherwise, work) =>
      this.#inBox(box, nowMs, otherwise, work),
    )
  }

  open(): Promise<void> {
    return this.#connection.open()
  }

  openBox({ id, limits, expiresMs }: NewBox, aliases: readonly Alias[]): Promise<void> {
    const { maxMessages, maxBytes, messageTtlSeconds, maxDeliveries, ordered } = limits
    return this.#connection.transaction(async (tx) => {
      tx.send(
        `insert into noisecap_box (id, max_messages, max_bytes, ttl_seconds, max_deliveries, ordered, expires_ms)
         values ($1, $2, $3, $4, $5, $6, $7)`,
        [id, maxMessages, maxBytes, messageTtlSeconds, maxDeliveries, ordered ? 1 : 0, expiresMs ?? 0],
      )
      for (const alias of aliases) await putAlias(tx, id, alias)
    })
  }

  addAlias(box: Uint8Array, alias: Alias, nowMs: number): Promise<boolean> {
    return this.#inBox(box, nowMs, false, async (tx) => {
      await putAlias(tx, box, alias)
      return true
    })
  }

  async find(hash: Uint8Array, nowMs: number): Promise<AliasEntry | undefined> {
    const [row] = await this.#connection.rows(
      `select a.box, a.role, a.depositor from noisecap_alias a join noisecap_box b on b.id = a.box
       where a.hash = $1 and (b.expires_ms = 0 or b.expires_ms > $2)`,
      [hash, nowMs],
    )
    if (row === undefined) return undefined
    return { box: row['box'] as Uint8Array, role: row['role'] as Role, depositor: Number(row['depositor']) }
  }

  async removeAlias(hash: Uint8Array): Promise<void> {
    await this.#connection.rows('delete from noisecap_alias where hash = $1', [hash])
  }

  async dropBox(box: Uint8Array): Promise<void> {
    await this.#connection.transaction(async (tx) => {
      dropBoxes(tx, [box])
      notify(tx, box)
    })
    this.#fresh.forget(box)
  }

  deposit(
    box: Uint8Array,
    depositor: number,
    messages: readonly NewMessage[],
    nowMs: number,
  ): Promise<DepositResult> {
    return this.#deposits.add(box, { depositor, messages, nowMs })
  }

  lease(box: Uint8Array, request: LeaseRequest, nowMs: number): Promise<Leased> {
    return this.#boxes.add(box, GONE, {
      kind: 'lease',
      nowMs,
      attempt: (tx) => sendLease(tx, box, request, nowMs, this.#fresh),
      perform: (tx, record) => leaseFrom(tx, box, record, request, nowMs),
    })
  }

  async settle(box: Uint8Array, settlements: readonly Settlement[], nowMs: number): Promise<void> {
    for (const { receipt } of settlements) parseReceipt(receipt)
    const send = (tx: PostgresTransaction) => {
      settleAll(tx, box, settlements, nowMs)
      notify(tx, box)
    }
    await this.#boxes.add<void>(box, undefined, {
      kind: 'settlement',
      nowMs,
      attempt: (tx) => {
        send(tx)
        return () => DONE
      },
      perform: async (tx) => {
        send(tx)
        return NOTHING
      },
    })
  }

  ackThrough(box: Uint8Array, receipt: string, consumer: Uint8Array, nowMs: number): Promise<void> {
    const { position } = parseReceipt(receipt)
    return this.#connection.transaction(async (tx) => {
      tx.send(LOCK_BOX, [box, nowMs])
      const where = `position <= $2 and dead is null and held = ${HELD.leased} and consumer = $3`
      remove(tx, box, where, [position, consumer])
      notify(tx, box)
    })
  }

  async read(box: Uint8Array, { after, maxMessages, maxBytes }: ReadRequest, nowMs: number) {
    const rows = await this.#page(box, 'dead is null', after, maxMessages, nowMs)
    return within(rows.map(messageOf), maxBytes)
  }

  async deadLetters(
    box: Uint8Array,
    { after, maxMessages, maxBytes }: ReadRequest,
    nowMs: number,
  ): Promise<readonly DeadLetter[]> {
    const rows = await this.#page(box, 'dead is not null', after, maxMessages, nowMs)
    return within(
      rows.map((row) => ({ ...messageOf(row), reason: row['dead'] as DeadReason })),
      maxBytes,
    )
  }

  settleDead(
    box: Uint8Array,
    positions: readonly number[] | undefined,
    verdict: 'redeliver' | 'remove',
    nowMs: number,
  ): Promise<number> {
    return this.#inBox(box, nowMs, 0, async (tx) => {
      const { rows } = await tx.query(
        `select position, size from noisecap_message where box = $1 and dead is not null
         and ($2::bigint[] is null or position = any($2)) order by position limit ${DEAD_MAX}`,
        [box, positions ?? null],
      )
      const found = rows.map((row) => Number(row['position']))
      if (verdict === 'remove') remove(tx, box, 'position = any($2)', [found])
      else revive(tx, box, found)
      notify(tx, box)
      return found.length
    })
  }

  async stat(box: Uint8Array, nowMs: number): Promise<BoxStat | undefined> {
    const [row] = await this.#connection.rows(OPEN_BOX, [box, nowMs])
    return row === undefined ? undefined : boxStat(boxOf(row))
  }

  async sweep(nowMs: number, max: number): Promise<number> {
    const boxes = await this.#connection.transaction(async (tx) => {
      const { rows } = await tx.query(
        `select id from noisecap_box where expires_ms > 0 and expires_ms <= $1
         order by expires_ms limit $2 for update skip locked`,
        [nowMs, max],
      )
      const ids = rows.map(({ id }) => id)
      if (ids.length > 0) dropBoxes(tx, ids)
      return ids
    })
    const due = await this.#connection.rows(
      'select box, id, position from noisecap_id where expires_ms <= $1 order by expires_ms limit $2',
      [nowMs, max],
    )
    for (const row of due) {
      const box = row['box'] as Uint8Array
      await this.#connection.transaction(async (tx) => {
        tx.send('select 1 from noisecap_box where id = $1 for update', [box])
        tx.send('delete from noisecap_id where box = $1 and id = $2', [box, row['id']])
        remove(tx, box, 'position = $2', [row['position']])
      })
    }
    return boxes.length + due.length + (await this.bodies.sweep(nowMs, max))
  }

  watch(box: Uint8Array, heard: () => void): () => void {
    return this.#listeners.add(hexEncode(box), heard)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#connection[Symbol.asyncDispose]()
  }

  #page(box: Uint8Array, where: string, after: number, max: number, nowMs: number): Promise<readonly Row[]> {
    return this.#connection.rows(
      `select position, envelope, deposited_ms, expires_ms, deliveries, dead from noisecap_message
       where box = $1 and position > $2 and expires_ms > $3 and ${where} order by position limit $4`,
      [box, after, nowMs, max],
    )
  }

  /** A transaction of its own under the lock of an open box.
   * @param otherwise - the result when there is no such box. */
  #inBox<T>(
    box: Uint8Array,
    nowMs: number,
    otherwise: T,
    work: (tx: PostgresTransaction, record: BoxRecord) => Promise<T>,
  ): Promise<T> {
    return this.#connection.transaction(async (tx) => {
      const [row] = (await tx.query(LOCK_BOX, [box, nowMs])).rows
      return row === undefined ? otherwise : work(tx, boxOf(row))
    })
  }
}
