// Putting messages into a box in Postgres (spec/mailbox.md §6.2), inside of a transaction that holds the lock of its row.
// Leaves out taking them out (postgres-lease.ts).
import { hexEncode } from '../bytes.js'
import { countRefusal, refusalOf } from './box-deposit.js'
import { ID_BYTES } from './content.js'
import { CHANNEL, notify } from './postgres-box.js'
import type { Answer, Outcome } from './postgres-box-queue.js'
import type { FreshEnvelopes } from './postgres-fresh.js'
import type { PostgresTransaction } from './postgres-transaction.js'
import type { BoxRecord } from './records.js'
import type { DepositRequest, DepositResult, NewMessage } from './store.js'

interface Taken {
  readonly message: NewMessage
  readonly request: DepositRequest
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

/** Deposit into a box that takes all of it, which is decided by the statement itself.
 * @param fresh - gets what is in the box then.
 * @returns the result of each, once that is committed; undefined when the box does not take all, or has some already. */
export function sendDeposit(
  tx: PostgresTransaction,
  box: Uint8Array,
  requests: readonly DepositRequest[],
  fresh: FreshEnvelopes,
): Answer<Outcome<readonly DepositResult[]>> {
  const ids = new Set<string>()
  for (const { messages, nowMs } of requests) {
    for (const { id, expiresMs } of messages) {
      const name = hexEncode(id)
      if (!(expiresMs > nowMs) || ids.has(name)) return () => undefined
      ids.add(name)
    }
  }
  const { sent, ...inserted } = insert(
    tx,
    box,
    requests.flatMap((request) => request.messages.map((message) => ({ message, request }))),
  )
  return async () => {
    const [row] = (await sent).rows
    if (row === undefined) return undefined
    fresh.keep(box, { first: Number(row['first']), ...inserted })
    return {
      result: requests.map(({ messages }) => ({
        accepted: messages.length,
        duplicates: 0,
        refusal: undefined,
      })),
    }
  }
}

/** Deposit into an open box, the requests in their order.
 * @returns the result of each, once that is committed. */
export async function depositIn(
  tx: PostgresTransaction,
  box: Uint8Array,
  record: BoxRecord,
  requests: readonly DepositRequest[],
): Promise<Answer<readonly DepositResult[]>> {
  const { rows } = await findKnown(tx, box, requests)
  const known = new Set(rows.map(({ id }) => hexEncode(id as Uint8Array)))
  const chosen = requests.map((request) => choose(record, known, request))
  const taken = chosen.flatMap((each) => each.taken)
  if (taken.length > 0 && (await insert(tx, box, taken).sent).rows.length === 0)
    throw new Error('Cannot deposit: expected room for what was chosen')
  if (chosen.some(({ result }) => result.refusal !== undefined)) {
    const { refusals, refusedMs } = record
    tx.send('update noisecap_box set refusals = $2, refused_ms = $3 where id = $1', [
      box,
      refusals,
      refusedMs,
    ])
    notify(tx, box)
  }
  return () => chosen.map(({ result }) => result)
}

/** Which are taken, up to the first that is refused; `record` counts them.
 * @param known - ids that are remembered, hexadecimal. */
function choose(
  record: BoxRecord,
  known: Set<string>,
  request: DepositRequest,
): { readonly taken: readonly Taken[]; readonly result: DepositResult } {
  const { messages, nowMs } = request
  const taken: Taken[] = []
  let duplicates = 0
  for (const [i, message] of messages.entries()) {
    const name = hexEncode(message.id)
    if (known.has(name)) {
      duplicates += 1
      continue
    }
    const refusal = refusalOf(record, message, nowMs)
    if (refusal !== undefined) {
      if (refusal !== 'expired') countRefusal(record, nowMs)
      return { taken, result: { accepted: i, duplicates, refusal } }
    }
    known.add(name)
    taken.push({ message, request })
    record.messages += 1
    record.bytes += message.envelope.length
  }
  return { taken, result: { accepted: messages.length, duplicates, refusal: undefined } }
}

/** All of it or, where there is no room for all or some is known, nothing and no row. Ids and envelopes come in one piece each,
 * since elements of an array travel as text: that of message n begins where those before it end. */
const INSERT = `
  with counted as (
    update noisecap_box set messages = messages + $2, bytes = bytes + $3, next_position = next_position + $2
    where id = $1 and messages + dead_letters + $2 <= max_messages and bytes + dead_bytes + $3 <= max_bytes
      and not exists (
        select from generate_series(0, $2::integer - 1) as n
        cross join lateral (
          select from noisecap_id where box = $1 and id = substr($4::bytea, ${ID_BYTES} * n + 1, ${ID_BYTES}) limit 1) as known)
    returning next_position - $2 as first, ttl_seconds * 1000 as ttl_ms),
  given as (
    select first + n - 1 as position, substr($4, ${ID_BYTES} * (n::integer - 1) + 1, ${ID_BYTES}) as id, depositor, size, start,
      deposited_ms, least(wanted_ms, deposited_ms + ttl_ms) as expires_ms
    from counted, unnest($6::bigint[], $7::integer[], $8::integer[], $9::bigint[], $10::bigint[])
      with ordinality as each(depositor, size, start, deposited_ms, wanted_ms, n)),
  put as (
    insert into noisecap_message (box, position, id, depositor, size, envelope, deposited_ms, expires_ms)
    select $1, position, id, depositor, size, substr($5::bytea, start + 1, size), deposited_ms, expires_ms from given),
  remembered as (
    insert into noisecap_id (box, id, position, expires_ms) select $1, id, position, expires_ms from given)
  select first, pg_notify($11, $12) from counted`

/** @returns what was sent; ids and envelopes in one piece each. */
function insert(tx: PostgresTransaction, box: Uint8Array, taken: readonly Taken[]) {
  const sizes = taken.map(({ message }) => message.envelope.length)
  const starts: number[] = []
  let length = 0
  for (const size of sizes) {
    starts.push(length)
    length += size
  }
  const bytes = Buffer.allocUnsafeSlow(length)
  const ids = new Uint8Array(ID_BYTES * taken.length)
  for (const [i, { message }] of taken.entries()) {
    bytes.set(message.envelope, starts[i])
    ids.set(message.id, ID_BYTES * i)
  }
  const sent = tx.query(INSERT, [
    box,
    taken.length,
    length,
    ids,
    bytes,
    arrayOf(taken.map(({ request }) => request.depositor)),
    arrayOf(sizes),
    arrayOf(starts),
    arrayOf(taken.map(({ request }) => request.nowMs)),
    arrayOf(taken.map(({ message }) => message.expiresMs)),
    CHANNEL,
    hexEncode(box),
  ])
  return { sent, ids, starts, bytes }
}

/** Numbers as Postgres reads an array: `pg` would quote each. */
function arrayOf(numbers: readonly number[]): string {
  return `{${numbers.join()}}`
}
