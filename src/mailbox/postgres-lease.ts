// Taking messages out of a box in Postgres (spec/mailbox.md §6.3), inside of a transaction that holds the lock of its row.
// Leaves out what is available, which is the same for every store (box-lease.ts).
import { Choice, receiptOf } from './box-lease.js'
import { bury, messageOf } from './postgres-box.js'
import type { Answer } from './postgres-box-queue.js'
import { STATE_COLUMNS, stateOf } from './postgres-rows.js'
import type { PostgresTransaction } from './postgres-transaction.js'
import { type BoxRecord, HELD } from './records.js'
import type { Leased, LeaseRequest } from './store.js'

/** Messages that are looked at at once: as many as are wanted, and some that are not available, such as those that the consumer
 * holds already; then more. */
const FIRST_PAGE_SPARE = 64
const PAGE = 256

/** Messages of the first page. */
function firstLimit({ maxMessages }: Pick<LeaseRequest, 'maxMessages'>): number {
  return Math.min(PAGE, maxMessages + FIRST_PAGE_SPARE)
}

/** Ask for the states of the first messages, which the lock of their box holds as they are. */
export function pageOf(
  tx: PostgresTransaction,
  box: Uint8Array,
  request: Pick<LeaseRequest, 'maxMessages'>,
  after = -1,
  limit = firstLimit(request),
) {
  return tx.query(
    `select ${STATE_COLUMNS} from noisecap_message where box = $1 and position > $2 and dead is null
     order by position limit $3`,
    [box, after, limit],
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
  firstPage: ReturnType<typeof pageOf>,
): Promise<Answer<Leased>> {
  const { picked, exhausted, nextMs } = await choose(tx, box, record, request, nowMs, firstPage)
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
  firstPage: ReturnType<typeof pageOf>,
): Promise<Choice> {
  const choice = new Choice(record, request, nowMs)
  for (let page = firstPage, limit = firstLimit(request); ; limit = PAGE) {
    const { rows } = await page
    let after = -1
    for (const row of rows) {
      after = Number(row['position'])
      if (!choice.consider(after, stateOf(row))) return choice
    }
    if (rows.length < limit) return choice
    page = pageOf(tx, box, request, after, PAGE)
  }
}
