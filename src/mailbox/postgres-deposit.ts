// Putting messages into a box in Postgres (spec/mailbox.md §6.2), inside of a transaction that holds the lock of its row.
// Leaves out taking them out (postgres-lease.ts).
import { hexEncode } from '../bytes.js'
import { countRefusal, refusalOf } from './box-deposit.js'
import { notify } from './postgres-box.js'
import type { Answer } from './postgres-box-queue.js'
import type { PostgresTransaction } from './postgres-transaction.js'
import type { BoxRecord } from './records.js'
import type { DepositRequest, DepositResult, NewMessage } from './store.js'

interface Taken {
  readonly message: NewMessage
  readonly position: number
  readonly expiresMs: number
}

/** Ask which of the ids are remembered. */
export function findKnown(tx: PostgresTransaction, box: Uint8Array, requests: readonly DepositRequest[]) {
  const ids = requests.flatMap(({ messages }) => messages.map(({ id }) => id))
  return tx.query(
    `select known.id from unnest($2::bytea[]) as asked(id)
     cross join lateral (select id from noisecap_id where box = $1 and id = asked.id limit 1) known`,
    [box, ids],
  )
}

/** Deposit into an open box, the requests in their order.
 * @param remembered - what {@link findKnown} asked.
 * @returns the result of each, once that is committed. */
export async function depositIn(
  tx: PostgresTransaction,
  box: Uint8Array,
  record: BoxRecord,
  requests: readonly DepositRequest[],
  remembered: ReturnType<typeof findKnown>,
): Promise<Answer<readonly DepositResult[]>> {
  const known = new Set((await remembered).rows.map(({ id }) => hexEncode(id as Uint8Array)))
  const before = { ...record }
  const chosen = requests.map((request) => ({ request, ...choose(record, known, request) }))
  insert(tx, box, chosen)
  const { messages, bytes, nextPosition, refusals, refusedMs } = record
  // By how much, since others of this transaction count as well.
  tx.send(
    `update noisecap_box set messages = messages + $2, bytes = bytes + $3, next_position = $4, refusals = $5,
     refused_ms = $6 where id = $1`,
    [box, messages - before.messages, bytes - before.bytes, nextPosition, refusals, refusedMs],
  )
  if (chosen.some(({ taken, result }) => taken.length > 0 || result.refusal !== undefined)) notify(tx, box)
  return () => chosen.map(({ result }) => result)
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
    if (refusal !== undefined) {
      if (refusal !== 'expired') countRefusal(record, nowMs)
      return { taken, result: { accepted: i, duplicates, refusal } }
    }
    known.add(hexEncode(message.id))
    const expiresMs = Math.min(message.expiresMs, nowMs + record.messageTtlSeconds * 1_000)
    taken.push({ message, position: record.nextPosition++, expiresMs })
    record.messages += 1
    record.bytes += message.envelope.length
  }
  return { taken, result: { accepted: messages.length, duplicates, refusal: undefined } }
}

function insert(
  tx: PostgresTransaction,
  box: Uint8Array,
  chosen: readonly { readonly request: DepositRequest; readonly taken: readonly Taken[] }[],
): void {
  const rows = chosen.flatMap(({ request, taken }) => taken.map((each) => ({ ...each, request })))
  if (rows.length === 0) return
  const [ids, positions, expiries, sizes] = [
    rows.map(({ message }) => message.id),
    rows.map(({ position }) => position),
    rows.map(({ expiresMs }) => expiresMs),
    rows.map(({ message }) => message.envelope.length),
  ]
  const starts = [1] // as SQL counts
  for (const size of sizes) starts.push(starts.at(-1)! + size) // never empty
  tx.send(
    `insert into noisecap_message (box, position, id, depositor, size, envelope, deposited_ms, expires_ms)
     select $1, p, i, d, s, substr($4::bytea, f, s), n, x
     from unnest($2::bigint[], $3::bytea[], $5::bigint[], $6::bigint[], $7::bigint[], $8::integer[], $9::integer[])
       as t(p, i, x, d, n, s, f)`,
    [
      box,
      positions,
      ids,
      // In one piece, since elements of an array travel as text.
      Buffer.concat(rows.map(({ message }) => message.envelope)),
      expiries,
      rows.map(({ request }) => request.depositor),
      rows.map(({ request }) => request.nowMs),
      sizes,
      starts.slice(0, -1),
    ],
  )
  tx.send(
    `insert into noisecap_id (box, id, position, expires_ms)
     select $1, i, p, x from unnest($2::bytea[], $3::bigint[], $4::bigint[]) as t(i, p, x)`,
    [box, ids, positions, expiries],
  )
}
