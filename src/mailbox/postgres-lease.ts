// Taking messages out of a box in Postgres (spec/mailbox.md §6.3), inside of a transaction that holds the lock of its row.
// Leaves out what is available, which is the same for every store (box-lease.ts).
import { EMPTY } from '../bytes.js'
import { Choice, receiptOf } from './box-lease.js'
import { ID_BYTES } from './content.js'
import { bury, messageOf } from './postgres-box.js'
import type { Answer, Outcome } from './postgres-box-queue.js'
import type { FreshEnvelopes, FreshRange } from './postgres-fresh.js'
import { STATE_COLUMNS, stateOf } from './postgres-rows.js'
import type { PostgresTransaction } from './postgres-transaction.js'
import { type BoxRecord, HELD } from './records.js'
import type { Leased, LeasedMessage, LeaseRequest } from './store.js'

/** Messages that are looked at at once. */
const PAGE = 256

/** Whether somebody holds a message, or it is delayed, as box-lease.ts has it. */
const IS_HELD = `held <> ${HELD.no} and until_ms > $2 and until_ms - $2 <= for_ms`
const ALIVE = 'box = $1 and dead is null and expires_ms > $2'

/** The oldest that are free, unless one of them was delivered too often, or may wait for one that another holds: then nothing. All
 * that is taken comes as one row, which costs less than one for each. */
const LEASE = `
  with free as (
    select position, deliveries, size - body_bytes as bytes, sum(size - body_bytes) over (order by position) as through
    from (
      select position, deliveries, size, body_bytes from noisecap_message
      where ${ALIVE} and not (${IS_HELD}) order by position limit $3) as oldest),
  plain as (
    select from noisecap_box where id = $1 and not exists (select from free where deliveries >= max_deliveries)
      and (ordered = 0 or not exists (
        select from noisecap_message where ${ALIVE} and position < (select max(position) from free)
          and ${IS_HELD} and not (held = ${HELD.leased} and consumer = $5)))),
  taken as (
    update noisecap_message set deliveries = deliveries + 1, held = ${HELD.leased}, until_ms = $2::bigint + $6, for_ms = $6, consumer = $5
    where box = $1 and position = any(array(select position from free where through <= $4 or through = bytes))
      and exists (select from plain)
    returning position, deposited_ms, expires_ms, deliveries,
      case when (
        case when position between $7 and $8 then id = substr($9::bytea, ${ID_BYTES} * (position - $7)::integer + 1, ${ID_BYTES}) end
      ) then null else envelope end as envelope)
  select exists (select from plain) as plain,
    case when (select count(*) from free) < $3 then (select min(until_ms) from noisecap_message where ${ALIVE} and ${IS_HELD}) end as next_ms,
    string_agg(position || ' ' || deposited_ms || ' ' || expires_ms || ' ' || deliveries || ' ' || coalesce(length(envelope), -1), ',') as facts,
    string_agg(envelope, '') as envelopes
  from taken`

/** Hold what is available, the oldest first, where that is plain.
 * @param fresh - what need not be read.
 * @returns what is leased, once that is committed; undefined when that is for {@link leaseFrom}. */
export function sendLease(
  tx: PostgresTransaction,
  box: Uint8Array,
  { maxMessages, maxBytes, consumer, leaseMs }: LeaseRequest,
  nowMs: number,
  fresh: FreshEnvelopes,
): Answer<Outcome<Leased>> {
  const range = fresh.oldest(box, maxMessages)
  const { from, ids, envelopes } = range
  const to = from + envelopes.length - 1
  const sent = tx.query(LEASE, [box, nowMs, maxMessages, maxBytes, consumer, leaseMs, from, to, ids])
  return async () => {
    const [row] = (await sent).rows
    if (row?.['plain'] !== true) return undefined
    const nextMs = row['next_ms'] === null ? undefined : Number(row['next_ms'])
    if (row['facts'] === null) return { result: { messages: [], nextMs, open: true } }
    const messages = messagesOf(row['facts'] as string, (row['envelopes'] ?? EMPTY) as Uint8Array, range)
    fresh.taken(box, messages.at(-1)?.position ?? -1)
    return { result: { messages, nextMs, open: true } }
  }
}

/** @param facts - numbers of each message, in the order of the envelopes; the last is negative for those in `range`. */
function messagesOf(facts: string, envelopes: Uint8Array, range: FreshRange): readonly LeasedMessage[] {
  let start = 0
  const messages = facts.split(',').map((each) => {
    const [position = 0, depositedMs = 0, expiresMs = 0, deliveries = 0, length = 0] = each
      .split(' ')
      .map(Number)
    const here = length < 0 ? range.envelopes[position - range.from] : undefined
    const envelope = here ?? envelopes.subarray(start, start + length)
    if (here === undefined) start += length
    const receipt = receiptOf(position, deliveries)
    return { position, envelope, depositedMs, expiresMs, deliveries, receipt }
  })
  return messages.sort((a, b) => a.position - b.position)
}

/** Ask for the states of messages, which the lock of their box holds as they are. */
export function pageOf(tx: PostgresTransaction, box: Uint8Array, after: number) {
  return tx.query(
    `select ${STATE_COLUMNS} from noisecap_message where box = $1 and position > $2 and dead is null
     order by position limit ${PAGE}`,
    [box, after],
  )
}

/** Hold what is available, the oldest first.
 * @returns what is leased, once that is committed. */
export async function leaseFrom(
  tx: PostgresTransaction,
  box: Uint8Array,
  record: BoxRecord,
  request: LeaseRequest,
  nowMs: number,
): Promise<Answer<Leased>> {
  const { picked, exhausted, nextMs } = await choose(tx, box, record, request, nowMs)
  if (exhausted.length > 0) {
    const positions = exhausted.map(({ position }) => position)
    bury(tx, 'box = $1 and position = any($2)', [box, positions], 'deliveries')
  }
  if (picked.length === 0) return () => ({ messages: [], nextMs, open: true })
  const held = tx.query(
    `update noisecap_message set deliveries = deliveries + 1, held = ${HELD.leased}, until_ms = $3, for_ms = $4, consumer = $5
     where box = $1 and position = any($2) returning position, envelope, deposited_ms, expires_ms, deliveries`,
    [box, picked.map(({ position }) => position), nowMs + request.leaseMs, request.leaseMs, request.consumer],
  )
  return async () => {
    const messages = (await held).rows
      .map(messageOf)
      .sort((a, b) => a.position - b.position)
      .map((message) => ({ ...message, receipt: receiptOf(message.position, message.deliveries) }))
    return { messages, nextMs, open: true }
  }
}

async function choose(
  tx: PostgresTransaction,
  box: Uint8Array,
  record: BoxRecord,
  request: LeaseRequest,
  nowMs: number,
): Promise<Choice> {
  const choice = new Choice(record, request, nowMs)
  for (let after = -1; ; ) {
    const { rows } = await pageOf(tx, box, after)
    for (const row of rows) {
      after = Number(row['position'])
      if (!choice.consider(after, stateOf(row))) return choice
    }
    if (rows.length < PAGE) return choice
  }
}
