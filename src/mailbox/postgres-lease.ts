// Taking messages out of a box in Postgres (spec/mailbox.md §6.3), inside of a transaction that holds the lock of its row.
// Leaves out what is available, which is the same for every store (box-lease.ts).
import type { PoolClient } from 'pg'
import { Choice, receiptOf } from './box-lease.js'
import { bury, messageOf } from './postgres-box.js'
import { type Row, STATE_COLUMNS, stateOf } from './postgres-rows.js'
import { type BoxRecord, HELD } from './records.js'
import type { Leased, LeaseRequest } from './store.js'

/** Messages that are looked at at once. */
const PAGE = 256

/** Hold what is available, the oldest first. */
export async function leaseFrom(
  client: PoolClient,
  box: Uint8Array,
  record: BoxRecord,
  request: LeaseRequest,
  nowMs: number,
): Promise<Leased> {
  const { picked, exhausted, nextMs } = await choose(client, box, record, request, nowMs)
  for (const { position, state } of exhausted) await bury(client, box, position, state.size, 'deliveries')
  const { rows } = await client.query<Row>(
    `update noisecap_message set deliveries = deliveries + 1, held = ${HELD.leased}, until_ms = $3, for_ms = $4, consumer = $5
     where box = $1 and position = any($2) returning position, envelope, deposited_ms, expires_ms, deliveries`,
    [box, picked.map(({ position }) => position), nowMs + request.leaseMs, request.leaseMs, request.consumer],
  )
  const messages = rows
    .map(messageOf)
    .sort((a, b) => a.position - b.position)
    .map((message) => ({ ...message, receipt: receiptOf(message.position, message.deliveries) }))
  return { messages, nextMs, open: true }
}

async function choose(
  client: PoolClient,
  box: Uint8Array,
  record: BoxRecord,
  request: LeaseRequest,
  nowMs: number,
): Promise<Choice> {
  const choice = new Choice(record, request, nowMs)
  for (let after = -1; ; ) {
    const { rows } = await client.query<Row>(
      `select ${STATE_COLUMNS} from noisecap_message where box = $1 and position > $2 and dead is null
       order by position limit ${PAGE} for update skip locked`,
      [box, after],
    )
    for (const row of rows) {
      after = Number(row['position'])
      if (!choice.consider(after, stateOf(row))) return choice
    }
    if (rows.length < PAGE) return choice
  }
}
