// Taking messages out of a box of an OrderedStore (spec/mailbox.md §6.3): leases, order of depositors, acknowledgement, delay,
// dead letters. Runs inside one transaction. Leaves out what puts them in (box-deposit.ts) and expiry (box-sweep.ts).
import { piecesOf, removePieces } from './box-pieces.js'
import { endOf, type OrderedTransaction, type OrderedView } from './ordered-store.js'
import {
  type BoxRecord,
  decodeState,
  encodeBox,
  encodeDead,
  encodeState,
  envelopeKeyOf,
  HELD,
  keyOf,
  NOBODY,
  positionOf,
  type StateRecord,
} from './records.js'
import type { DeadReason, Leased, LeasedMessage, LeaseRequest, Settlement } from './store.js'

/** States that one lease looks at: more are held only where consumers hold that many. */
const SCAN_MAX = 8_192

interface Found {
  readonly position: number
  readonly state: StateRecord
}

/** What a lease would take, and bury. */
export interface Available {
  readonly picked: readonly Found[]
  readonly exhausted: readonly Found[]
  readonly nextMs: number | undefined
}

/** Look for what is available for `consumer`, the oldest first; nothing changes. */
export function findAvailable(
  view: OrderedView,
  box: Uint8Array,
  record: BoxRecord,
  request: LeaseRequest,
  nowMs: number,
): Available {
  const choice = new Choice(record, request, nowMs)
  let scanned = 0
  const prefix = keyOf.state(box)
  for (const { key, value } of view.range(prefix, endOf(prefix))) {
    if (++scanned > SCAN_MAX || !choice.consider(positionOf(key), decodeState(value))) break
  }
  return choice
}

/** Chooses among the messages of a box, shown in order, what a lease takes; the same for every store. */
export class Choice implements Available {
  readonly picked: Found[] = []
  readonly exhausted: Found[] = []
  nextMs: number | undefined
  readonly #record: Pick<BoxRecord, 'maxDeliveries' | 'ordered'>
  readonly #request: LeaseRequest
  readonly #nowMs: number
  readonly #heldUp = new Set<number>()
  #bytes = 0

  constructor(record: Pick<BoxRecord, 'maxDeliveries' | 'ordered'>, request: LeaseRequest, nowMs: number) {
    this.#record = record
    this.#request = request
    this.#nowMs = nowMs
  }

  /** @returns false when no further message is of interest. */
  consider(position: number, state: StateRecord): boolean {
    const { maxMessages, maxBytes, consumer } = this.#request
    if (this.picked.length >= maxMessages) return false
    if (state.expiresMs <= this.#nowMs) return true // the sweep removes it
    if (isHeld(state, this.#nowMs)) {
      const own = state.held === HELD.leased && sameBytes(state.consumer, consumer)
      if (!own && this.#record.ordered === 1) this.#heldUp.add(state.depositor)
      this.nextMs = Math.min(this.nextMs ?? Number.POSITIVE_INFINITY, state.untilMs)
      return true
    }
    if (this.#heldUp.has(state.depositor)) return true
    if (state.deliveries >= this.#record.maxDeliveries) {
      this.exhausted.push({ position, state })
      return true
    }
    const bytes = state.size - (state.bodyBytes ?? 0)
    if (this.picked.length > 0 && this.#bytes + bytes > maxBytes) return false
    this.#bytes += bytes
    this.picked.push({ position, state })
    return true
  }
}

/** Hold what is available for `consumer`, the oldest first. */
export function leaseFrom(
  tx: OrderedTransaction,
  box: Uint8Array,
  record: BoxRecord,
  request: LeaseRequest,
  nowMs: number,
): Leased {
  const { picked, exhausted, nextMs } = findAvailable(tx, box, record, request, nowMs)
  for (const { position, state } of exhausted) bury(tx, box, record, position, state, 'deliveries')
  if (exhausted.length > 0) tx.put(keyOf.box(box), encodeBox(record))
  const messages = picked.map(({ position, state }) => take(tx, box, position, state, request, nowMs))
  return { messages, nextMs, open: true }
}

function take(
  tx: OrderedTransaction,
  box: Uint8Array,
  position: number,
  state: StateRecord,
  { consumer, leaseMs }: LeaseRequest,
  nowMs: number,
): LeasedMessage {
  state.deliveries += 1
  hold(state, HELD.leased, leaseMs, nowMs, consumer)
  tx.put(keyOf.state(box, position), encodeState(state))
  const { depositedMs, expiresMs, deliveries } = state
  const envelope = tx.get(envelopeKeyOf(box, position, state))?.slice() ?? new Uint8Array(0)
  return { position, envelope, depositedMs, expiresMs, deliveries, receipt: receiptOf(position, deliveries) }
}

/** Apply what a consumer says.
 * @throws RangeError, before anything has changed, for a receipt that is none. */
export function settleIn(
  tx: OrderedTransaction,
  box: Uint8Array,
  record: BoxRecord,
  settlements: readonly Settlement[],
  nowMs: number,
): void {
  const parsed = settlements.map((settlement) => ({ settlement, ...parseReceipt(settlement.receipt) }))
  let counted = false
  for (const { settlement, position, deliveries } of parsed) {
    const stateKey = keyOf.state(box, position)
    const bytes = tx.get(stateKey)
    if (bytes === undefined) continue
    const state = decodeState(bytes)
    if (settlement.kind === 'ack') {
      removeMessage(tx, box, record, position, state)
      counted = true
      continue
    }
    if (state.deliveries !== deliveries || state.held !== HELD.leased) continue
    if (settlement.kind === 'reject') {
      bury(tx, box, record, position, state, 'rejected')
      counted = true
      continue
    }
    if (settlement.kind === 'nack') hold(state, HELD.delayed, settlement.delayMs, nowMs, NOBODY)
    else hold(state, HELD.leased, settlement.leaseMs, nowMs, state.consumer)
    tx.put(stateKey, encodeState(state))
  }
  if (counted) tx.put(keyOf.box(box), encodeBox(record))
}

/** Acknowledge all that `consumer` holds up to this message. */
export function ackThroughIn(
  tx: OrderedTransaction,
  box: Uint8Array,
  record: BoxRecord,
  receipt: string,
  consumer: Uint8Array,
): void {
  const last = parseReceipt(receipt).position
  const acknowledged: { position: number; state: StateRecord }[] = []
  for (const { key, value } of tx.range(keyOf.state(box), keyOf.state(box, last + 1))) {
    const state = decodeState(value)
    if (state.held === HELD.leased && sameBytes(state.consumer, consumer))
      acknowledged.push({ position: positionOf(key), state })
  }
  for (const { position, state } of acknowledged) removeMessage(tx, box, record, position, state)
  if (acknowledged.length > 0) tx.put(keyOf.box(box), encodeBox(record))
}

/** Take a message out for good; its id stays known until its expiry. */
export function removeMessage(
  tx: OrderedTransaction,
  box: Uint8Array,
  record: BoxRecord,
  position: number,
  state: StateRecord,
): void {
  const { id, size, bodyBytes = 0 } = state
  tx.remove(keyOf.state(box, position))
  tx.remove(envelopeKeyOf(box, position, state))
  if (bodyBytes > 0) removePieces(tx, box, id, piecesOf(bodyBytes))
  record.messages -= 1
  record.bytes -= size
}

function bury(
  tx: OrderedTransaction,
  box: Uint8Array,
  record: BoxRecord,
  position: number,
  state: StateRecord,
  reason: DeadReason,
): void {
  tx.remove(keyOf.state(box, position))
  tx.put(keyOf.dead(box, position), encodeDead(reason, state))
  record.messages -= 1
  record.bytes -= state.size
  record.deadLetters += 1
  record.deadBytes += state.size
}

function hold(state: StateRecord, held: number, forMs: number, nowMs: number, consumer: Uint8Array): void {
  state.held = forMs > 0 ? held : HELD.no
  state.untilMs = nowMs + forMs
  state.forMs = forMs
  state.consumer = consumer
}

/** Whether somebody holds it, or it is delayed. A clock that went back does not make it longer than it was meant to be. */
function isHeld({ held, untilMs, forMs }: StateRecord, nowMs: number): boolean {
  return held !== HELD.no && nowMs < untilMs && untilMs - nowMs <= forMs
}

/** What a consumer settles with: the place of the message, and which delivery of it. */
export function receiptOf(position: number, deliveries: number): string {
  return `${position}.${deliveries}`
}

/** @throws RangeError for a receipt that is none. */
export function parseReceipt(receipt: string): { position: number; deliveries: number } {
  const match = /^(\d{1,16})\.(\d{1,10})$/.exec(receipt)
  const position = Number(match?.[1])
  if (!Number.isSafeInteger(position)) {
    throw new RangeError('Cannot settle message: expected a receipt that came with a message of this box')
  }
  return { position, deliveries: Number(match?.[2]) }
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}
