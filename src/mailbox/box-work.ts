// What the methods of a MailboxStore do to a box of an OrderedStore, each as one transaction; the same for files, memory and NATS.
// Leaves out how each changes messages (box-deposit.ts, box-lease.ts, box-sweep.ts).
import { depositIn } from './box-deposit.js'
import { ackThroughIn, leaseFrom, settleIn } from './box-lease.js'
import { GONE } from './box-stat.js'
import { removeDead } from './box-sweep.js'
import { openRecord } from './box-view.js'
import { endOf, type OrderedTransaction } from './ordered-store.js'
import {
  type BoxRecord,
  decodeDead,
  encodeAlias,
  encodeBox,
  encodeState,
  HELD,
  keyOf,
  NOBODY,
  newBox,
  positionOf,
  type StateRecord,
} from './records.js'
import type {
  Alias,
  DepositRequest,
  DepositResult,
  Leased,
  LeaseRequest,
  NewBox,
  Settlement,
} from './store.js'

/** Dead letters that one call without positions settles. */
const DEAD_MAX = 1_000
const EMPTY = new Uint8Array(0)

export function openBoxAt(
  tx: OrderedTransaction,
  { id, limits, expiresMs }: NewBox,
  aliases: readonly Alias[],
): void {
  const record = newBox(limits, expiresMs)
  if (expiresMs !== undefined) tx.put(keyOf.expiry(expiresMs, id), EMPTY)
  for (const alias of aliases) putAlias(tx, id, record, alias)
  tx.put(keyOf.box(id), encodeBox(record))
}

export function addAliasAt(tx: OrderedTransaction, box: Uint8Array, alias: Alias, nowMs: number): boolean {
  const record = openRecord(tx, box, nowMs)
  if (record === undefined) return false
  putAlias(tx, box, record, alias)
  tx.put(keyOf.box(box), encodeBox(record))
  return true
}

export function removeAliasAt(tx: OrderedTransaction, box: Uint8Array, hash: Uint8Array): void {
  tx.remove(keyOf.aliasOf(box, hash))
  tx.remove(keyOf.alias(hash))
}

/** @param requests - at least one, in their order.
 * @returns the result of each. */
export function depositAt(
  tx: OrderedTransaction,
  box: Uint8Array,
  requests: readonly DepositRequest[],
): readonly DepositResult[] {
  const record = openRecord(tx, box, requests.at(-1)?.nowMs ?? 0)
  if (record === undefined) return requests.map(() => ({ accepted: 0, duplicates: 0, refusal: 'gone' }))
  return depositIn(tx, box, record, requests)
}

export function leaseAt(
  tx: OrderedTransaction,
  box: Uint8Array,
  request: LeaseRequest,
  nowMs: number,
): Leased {
  const record = openRecord(tx, box, nowMs)
  return record === undefined ? GONE : leaseFrom(tx, box, record, request, nowMs)
}

export function settleAt(
  tx: OrderedTransaction,
  box: Uint8Array,
  settlements: readonly Settlement[],
  nowMs: number,
): void {
  const record = openRecord(tx, box, nowMs)
  if (record !== undefined) settleIn(tx, box, record, settlements, nowMs)
}

export function ackThroughAt(
  tx: OrderedTransaction,
  box: Uint8Array,
  receipt: string,
  consumer: Uint8Array,
  nowMs: number,
): void {
  const record = openRecord(tx, box, nowMs)
  if (record !== undefined) ackThroughIn(tx, box, record, receipt, consumer)
}

/** @returns how many dead letters there were. */
export function settleDeadAt(
  tx: OrderedTransaction,
  box: Uint8Array,
  positions: readonly number[] | undefined,
  verdict: 'redeliver' | 'remove',
  nowMs: number,
): number {
  const record = openRecord(tx, box, nowMs)
  if (record === undefined) return 0
  let count = 0
  for (const position of positions ?? deadPositions(tx, box)) {
    const bytes = tx.get(keyOf.dead(box, position))
    if (bytes === undefined) continue
    count += 1
    if (verdict === 'remove') removeDead(tx, box, record, position)
    else revive(tx, box, record, position, decodeDead(bytes).state)
  }
  if (count > 0) tx.put(keyOf.box(box), encodeBox(record))
  return count
}

function putAlias(tx: OrderedTransaction, box: Uint8Array, record: BoxRecord, { hash, role }: Alias): void {
  const depositor = role === 'deposit' ? record.nextDepositor++ : 0
  tx.put(keyOf.alias(hash), encodeAlias(role, depositor, box))
  tx.put(keyOf.aliasOf(box, hash), EMPTY)
}

function deadPositions(tx: OrderedTransaction, box: Uint8Array): readonly number[] {
  const positions: number[] = []
  for (const { key } of tx.range(keyOf.dead(box), endOf(keyOf.dead(box)))) {
    if (positions.length >= DEAD_MAX) break
    positions.push(positionOf(key))
  }
  return positions
}

function revive(
  tx: OrderedTransaction,
  box: Uint8Array,
  record: BoxRecord,
  position: number,
  state: StateRecord,
): void {
  tx.remove(keyOf.dead(box, position))
  const fresh = { ...state, deliveries: 0, held: HELD.no, untilMs: 0, forMs: 0, consumer: NOBODY }
  tx.put(keyOf.state(box, position), encodeState(fresh))
  record.deadLetters -= 1
  record.deadBytes -= state.size
  record.messages += 1
  record.bytes += state.size
}
