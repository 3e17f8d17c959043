// Putting messages into a box in Postgres (spec/mailbox.md §6.2), inside of a transaction that holds the lock of its row.
// Leaves out taking them out (postgres-lease.ts).
import type { PoolClient } from 'pg'
import { hexEncode } from '../bytes.js'
import { refusalOf } from './box-deposit.js'
import { notify } from './postgres-box.js'
import type { Row } from './postgres-rows.js'
import type { BoxRecord } from './records.js'
import type { DepositResult, NewMessage } from './store.js'

/** One call of `deposit`. */
export interface DepositRequest {
  readonly depositor: number
  readonly messages: readonly NewMessage[]
  readonly nowMs: number
}

interface Taken {
  readonly message: NewMessage
  readonly position: number
  readonly expiresMs: number
}

/** Deposit into an open box, the requests in their order.
 * @returns the result of each. */
export async function depositIn(
  client: PoolClient,
  box: Uint8Array,
  record: BoxRecord,
  requests: readonly DepositRequest[],
): Promise<readonly DepositResult[]> {
  const ids = requests.flatMap(({ messages }) => messages.map(({ id }) => id))
  const { rows } = await client.query<Row>('select id from noisecap_id where box = $1 and id = any($2)', [
    box,
    ids,
  ])
  const known = new Set(rows.map(({ id }) => hexEncode(id as Uint8Array)))
  const chosen = requests.map((request) => ({ request, ...choose(record, known, request) }))
  await insert(client, box, chosen)
  const quotaMs = chosen.flatMap(({ request, result }) =>
    result.refusal?.startsWith('quota') === true ? [request.nowMs] : [],
  )
  const refusedMs = quotaMs.find((nowMs) => Math.abs(nowMs - record.refusedMs) >= 1_000)
  await client.query(
    `update noisecap_box set messages = $2, bytes = $3, next_position = $4,
       refusals = refusals + $5, refused_ms = case when $5 = 1 then $6 else refused_ms end where id = $1`,
    [
      box,
      record.messages,
      record.bytes,
      record.nextPosition,
      refusedMs === undefined ? 0 : 1,
      refusedMs ?? 0,
    ],
  )
  if (chosen.some(({ taken, result }) => taken.length > 0 || result.refusal !== undefined))
    await notify(client, box)
  return chosen.map(({ result }) => result)
}

/** Which are taken, up to the first that is refused; `record` counts them.
 * @param known - ids that are remembered, hexadecimal. */
function choose(
  record: BoxRecord,
  known: Set<string>,
  { messages, nowMs }: DepositRequest,
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
  chosen: readonly { readonly request: DepositRequest; readonly taken: readonly Taken[] }[],
): Promise<void> {
  const rows = chosen.flatMap(({ request, taken }) => taken.map((each) => ({ ...each, request })))
  if (rows.length === 0) return
  const [ids, positions, expiries] = [
    rows.map(({ message }) => message.id),
    rows.map(({ position }) => position),
    rows.map(({ expiresMs }) => expiresMs),
  ]
  await client.query(
    `insert into noisecap_message (box, position, id, depositor, size, envelope, deposited_ms, expires_ms)
     select $1, p, i, d, length(e), e, n, x
     from unnest($2::bigint[], $3::bytea[], $4::bytea[], $5::bigint[], $6::bigint[], $7::bigint[]) as t(p, i, e, x, d, n)`,
    [
      box,
      positions,
      ids,
      rows.map(({ message }) => message.envelope),
      expiries,
      rows.map(({ request }) => request.depositor),
      rows.map(({ request }) => request.nowMs),
    ],
  )
  await client.query(
    `insert into noisecap_id (box, id, position, expires_ms)
     select $1, i, p, x from unnest($2::bytea[], $3::bigint[], $4::bigint[]) as t(i, p, x)`,
    [box, ids, positions, expiries],
  )
}
