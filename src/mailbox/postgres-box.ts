// Changes of one box in Postgres, as statements inside of a transaction that holds the lock of its row. Counters of the box and its
// messages change together. Leaves out transactions and waiting (postgres.ts).
import { hexEncode } from '../bytes.js'
import { parseReceipt } from './box-lease.js'
import type { Row } from './postgres-rows.js'
import type { PostgresTransaction } from './postgres-transaction.js'
import { HELD } from './records.js'
import type { Alias, DeadReason, Settlement, StoredMessage } from './store.js'

/** Most that its column holds. */
const DELIVERIES_MAX = 2 ** 31 - 1

/** What relays listen to; the payload is the id of a box, hexadecimal. */
export const CHANNEL = 'noisecap_mailbox'

export function messageOf(row: Row): StoredMessage {
  return {
    position: Number(row['position']),
    envelope: row['envelope'] as Uint8Array,
    depositedMs: Number(row['deposited_ms']),
    expiresMs: Number(row['expires_ms']),
    deliveries: Number(row['deliveries']),
  }
}

export function within<T extends StoredMessage>(messages: readonly T[], maxBytes: number): readonly T[] {
  let bytes = 0
  return messages.filter(({ envelope }, i) => {
    bytes += envelope.length
    return i === 0 || bytes <= maxBytes
  })
}

export async function putAlias(
  tx: PostgresTransaction,
  box: Uint8Array,
  { hash, role }: Alias,
): Promise<void> {
  const { rows } = await tx.query(
    'update noisecap_box set next_depositor = next_depositor + 1 where id = $1 returning next_depositor - 1 as n',
    [box],
  )
  tx.send('insert into noisecap_alias values ($1, $2, $3, $4)', [hash, box, role, rows[0]?.['n']])
}

/** Take boxes away, with all that they have. No foreign key does it: each would look for its box again with every message. */
export function dropBoxes(tx: PostgresTransaction, ids: readonly unknown[]): void {
  // First, so that nobody puts anything in behind what follows.
  tx.send('delete from noisecap_box where id = any($1)', [ids])
  for (const table of ['alias', 'message', 'id']) {
    tx.send(`delete from noisecap_${table} where box = any($1)`, [ids])
  }
}

/** In their order; acknowledgements that follow each other as one statement. */
export function settleAll(
  tx: PostgresTransaction,
  box: Uint8Array,
  settlements: readonly Settlement[],
  nowMs: number,
): void {
  let acked: number[] = []
  const removeAcked = (): void => {
    if (acked.length > 0) remove(tx, box, 'position = any($2) and dead is null', [acked])
    acked = []
  }
  for (const settlement of settlements) {
    if (settlement.kind === 'ack') acked.push(parseReceipt(settlement.receipt).position)
    else {
      removeAcked()
      settleOther(tx, box, settlement, nowMs)
    }
  }
  removeAcked()
}

function settleOther(
  tx: PostgresTransaction,
  box: Uint8Array,
  settlement: Exclude<Settlement, { readonly kind: 'ack' }>,
  nowMs: number,
): void {
  const { position, deliveries } = parseReceipt(settlement.receipt)
  // No message was delivered as often; the server would refuse the number, and with it what else is in this transaction.
  if (deliveries > DELIVERIES_MAX) return
  const current = `box = $1 and position = $2 and deliveries = $3 and held = ${HELD.leased} and dead is null`
  const of = [box, position, deliveries]
  if (settlement.kind === 'reject') {
    bury(tx, current, of, 'rejected')
    return
  }
  const [held, forMs] =
    settlement.kind === 'nack' ? [HELD.delayed, settlement.delayMs] : [HELD.leased, settlement.leaseMs]
  const consumer = settlement.kind === 'nack' ? `, consumer = '\\x0000000000000000'` : ''
  tx.send(`update noisecap_message set held = $4, until_ms = $5, for_ms = $6${consumer} where ${current}`, [
    ...of,
    forMs > 0 ? held : HELD.no,
    nowMs + forMs,
    forMs,
  ])
}

/** Take messages out for good; their ids stay known. */
export function remove(tx: PostgresTransaction, box: Uint8Array, where: string, values: unknown[]): void {
  tx.send(
    `with gone as (delete from noisecap_message where box = $1 and ${where} returning size, dead)
     update noisecap_box set
       messages = messages - (select count(*) from gone where dead is null),
       bytes = bytes - (select coalesce(sum(size), 0) from gone where dead is null),
       dead_letters = dead_letters - (select count(*) from gone where dead is not null),
       dead_bytes = dead_bytes - (select coalesce(sum(size), 0) from gone where dead is not null) where id = $1`,
    [box, ...values],
  )
}

/** Make messages dead letters.
 * @param values - of `where`, the box first. */
export function bury(
  tx: PostgresTransaction,
  where: string,
  values: readonly unknown[],
  reason: DeadReason,
): void {
  tx.send(
    `with buried as (update noisecap_message set dead = $${values.length + 1} where ${where} returning size)
     update noisecap_box set
       messages = messages - (select count(*) from buried), bytes = bytes - (select coalesce(sum(size), 0) from buried),
       dead_letters = dead_letters + (select count(*) from buried),
       dead_bytes = dead_bytes + (select coalesce(sum(size), 0) from buried) where id = $1`,
    [...values, reason],
  )
}

export function revive(tx: PostgresTransaction, box: Uint8Array, positions: readonly number[]): void {
  tx.send(
    `with back as (update noisecap_message set dead = null, deliveries = 0, held = ${HELD.no}
       where box = $1 and position = any($2) returning size)
     update noisecap_box set
       messages = messages + (select count(*) from back), bytes = bytes + (select coalesce(sum(size), 0) from back),
       dead_letters = dead_letters - (select count(*) from back),
       dead_bytes = dead_bytes - (select coalesce(sum(size), 0) from back) where id = $1`,
    [box, positions],
  )
}

/** The statement that lets every relay know that a box may have changed. */
export function notification(box: Uint8Array): [text: string, values: unknown[]] {
  return ['select pg_notify($1, $2)', [CHANNEL, hexEncode(box)]]
}

export function notify(tx: PostgresTransaction, box: Uint8Array): void {
  tx.send(...notification(box))
}
