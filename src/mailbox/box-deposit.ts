// Putting messages into a box of an OrderedStore (spec/mailbox.md §6.2): idempotent by id, within the quota, in order up to the
// first that is refused. Runs inside one transaction. Leaves out taking them out (box-lease.ts).
import { removeUpload } from './box-pieces.js'
import { endOf, type OrderedTransaction } from './ordered-store.js'
import {
  type BoxRecord,
  decodeUpload,
  encodeBox,
  encodeId,
  encodeState,
  HELD,
  keyOf,
  NOBODY,
} from './records.js'
import type { DepositRefusal, DepositRequest, DepositResult, NewMessage } from './store.js'

/** Between two counted refusals, ms: what is refused must not cost the store more than what is taken. */
const REFUSAL_COUNT_MS = 1_000
const EMPTY = new Uint8Array(0)

/** Deposit into an open box, the requests in their order.
 * @returns the result of each. */
export function depositIn(
  tx: OrderedTransaction,
  box: Uint8Array,
  record: BoxRecord,
  requests: readonly DepositRequest[],
): readonly DepositResult[] {
  const uploads = hasUploads(tx, box)
  const results = requests.map((request) => depositOne(tx, box, record, request, uploads))
  if (results.some(changesBox)) tx.put(keyOf.box(box), encodeBox(record))
  return results
}

/** Whether anything came of a deposit: a message, or a refusal. */
export function changesBox({ accepted, duplicates, refusal }: DepositResult): boolean {
  return accepted > duplicates || refusal !== undefined
}

/** One of the requests; what `record` counts is its caller's to keep. */
function depositOne(
  tx: OrderedTransaction,
  box: Uint8Array,
  record: BoxRecord,
  { depositor, messages, nowMs }: DepositRequest,
  uploads: boolean,
): DepositResult {
  let duplicates = 0
  for (const [i, message] of messages.entries()) {
    if (tx.get(keyOf.id(box, message.id)) !== undefined) {
      duplicates += 1
      continue
    }
    const { id, envelope } = message
    const refusal = refusalOf(record, message, nowMs)
    if (refusal !== undefined) {
      if (refusal !== 'expired') countRefusal(record, nowMs)
      return { accepted: i, duplicates, refusal }
    }
    // Whole now: what has come of it in pieces is of no use.
    const upload = uploads ? tx.get(keyOf.upload(box, id)) : undefined
    if (upload !== undefined) removeUpload(tx, box, record, id, decodeUpload(upload))
    const expiresMs = Math.min(message.expiresMs, nowMs + record.messageTtlSeconds * 1_000)
    const size = envelope.length
    const position = putMessage(tx, box, record, { id, depositor, size, bodyBytes: 0, expiresMs, nowMs })
    tx.put(keyOf.envelope(box, position), envelope)
    record.messages += 1
    record.bytes += size
  }
  return { accepted: messages.length, duplicates, refusal: undefined }
}

function hasUploads(tx: OrderedTransaction, box: Uint8Array): boolean {
  const prefix = keyOf.upload(box)
  for (const _ of tx.range(prefix, endOf(prefix))) return true
  return false
}

/** A message as it is put in. */
interface Placed {
  readonly id: Uint8Array
  readonly depositor: number
  readonly size: number
  readonly bodyBytes: number
  readonly expiresMs: number
  readonly nowMs: number
}

/** Put a message at the end; its envelope, and what it counts for, are its caller's business.
 * @returns its position. */
export function putMessage(
  tx: OrderedTransaction,
  box: Uint8Array,
  record: BoxRecord,
  { id, depositor, size, bodyBytes, expiresMs, nowMs }: Placed,
): number {
  const position = record.nextPosition++
  const state = {
    id,
    depositor,
    size,
    bodyBytes,
    depositedMs: nowMs,
    expiresMs,
    deliveries: 0,
    held: HELD.no,
    untilMs: 0,
    forMs: 0,
    consumer: NOBODY,
  }
  tx.put(keyOf.state(box, position), encodeState(state))
  tx.put(keyOf.id(box, id), encodeId(position))
  tx.put(keyOf.expiry(expiresMs, box, id), EMPTY)
  return position
}

/** Why a message cannot be taken now; the same for every store.
 * @param bodyBytes - of a large body that it has. */
export function refusalOf(
  record: BoxRecord,
  { envelope, expiresMs }: Pick<NewMessage, 'envelope' | 'expiresMs'>,
  nowMs: number,
  bodyBytes = 0,
): DepositRefusal | undefined {
  // Written so that a time that is no number is refused.
  if (!(expiresMs > nowMs)) return 'expired'
  if (record.messages + record.deadLetters >= record.maxMessages) return 'quota_messages'
  if (record.bytes + record.deadBytes + envelope.length + bodyBytes > record.maxBytes) return 'quota_bytes'
  return undefined
}

/** @returns whether it was counted. */
export function countRefusal(record: BoxRecord, nowMs: number): boolean {
  if (Math.abs(nowMs - record.refusedMs) < REFUSAL_COUNT_MS) return false
  record.refusals += 1
  record.refusedMs = nowMs
  return true
}
