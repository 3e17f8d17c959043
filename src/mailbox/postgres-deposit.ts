// Putting messages into a box in Postgres (spec/mailbox.md §6.2), inside of a transaction that holds the lock of its row.
// Leaves out taking them out (postgres-lease.ts).
import type { PoolClient } from 'pg'
import { hexEncode } from '../bytes.js'
import { refusalOf } from './box-deposit.js'
import { notify } from './postgres-box.js'
import type { Row } from './postgres-rows.js'
import type { BoxRecord } from './records.js'
import type { DepositResult, NewMessage } from './store.js'

interface Taken {
  readonly message: NewMessage
  readonly position: number
  readonly expiresMs: number
}

/** Deposit into an open box. */
export async function depositIn(
  client: PoolClient,
  box: Uint8Array,
  record: BoxRecord,
  depositor: number,
  messages: readonly NewMessage[],
  nowMs: number,
): Promise<DepositResult> {
  const ids = messages.map(({ id }) => id)
  const { rows } = await client.query<Row>('select id from noisecap_id where box = $1 and id = any($2)', [
    box,
    ids,
  ])
  const { taken, result } = choose(
    record,
    new Set(rows.map(({ id }) => hexEncode(id as Uint8Array))),
    messages,
    nowMs,
  )
  await insert(client, box, depositor, taken, nowMs)
  const refused = result.refusal?.startsWith('quota') === true && Math.abs(nowMs - record.refusedMs) >= 1_000
  await client.query(
    `update noisecap_box set messages = $2, bytes = $3, next_position = $4,
       refusals = refusals + $5, refused_ms = case when $5 = 1 then $6 else refused_ms end where id = $1`,
    [box, record.messages, record.bytes, record.nextPosition, refused ? 1 : 0, nowMs],
  )
  if (taken.length > 0 || result.refusal !== undefined) await notify(client, box)
  return result
}

/** Which are taken, up to the first that is refused; `record` counts them.
 * @param known - ids that are remembered, hexadecimal. */
function choose(
  record: BoxRecord,
  known: Set<string>,
  messages: readonly NewMessage[],
  nowMs: number,
): { readonly taken: readonly Taken[]; readonly result: DepositResult } {
  const taken: Taken[] = []
  let duplicates = 0
  for (const [i, message] of messages.entries()) {
    if (known.has(hexEncode(message.id))) {
      duplicates += 1
      continue
    }
    const refusal = refusalOf(record, message, nowMs)
    if (refusal !== undefined) return { taken, result: { accepted: i, duplicates, refusal } }
    known.add(hexEncode(message.id))
    const expiresMs = Math.min(message.expiresMs, nowMs + record.messageTtlSeconds * 1_000)
    taken.push({ message, position: record.nextPosition++, expiresMs })
    record.messages += 1
    record.bytes += message.envelope.length
  }
  return { taken, result: { accepted: messages.length, duplicates, refusal: undefined } }
}

async function insert(
  client: PoolClient,
  box: Uint8Array,
  depositor: number,
  taken: readonly Taken[],
  nowMs: number,
): Promise<void> {
  if (taken.length === 0) return
  const [ids, positions, expiries] = [
    taken.map(({ message }) => message.id),
    taken.map(({ position }) => position),
    taken.map(({ expiresMs }) => expiresMs),
  ]
  await client.query(
    `insert into noisecap_message (box, position, id, depositor, size, envelope, deposited_ms, expires_ms)
     select $1, p, i, $2, length(e), e, $3, x from unnest($4::bigint[], $5::bytea[], $6::bytea[], $7::bigint[]) as t(p, i, e, x)`,
    [box, depositor, nowMs, positions, ids, taken.map(({ message }) => message.envelope), expiries],
  )
  await client.query(
    `insert into noisecap_id (box, id, position, expires_ms)
     select $1, i, p, x from unnest($2::bytea[], $3::bigint[], $4::bigint[]) as t(i, p, x)`,
    [box, ids, positions, expiries],
  )
}
