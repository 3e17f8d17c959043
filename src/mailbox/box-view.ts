// What is read of a box of an OrderedStore: pages, dead letters, counters, and whether a lease would find anything.
// Leaves out what changes it (box-work.ts).
import { findAvailable } from './box-lease.js'
import { boxStat, GONE } from './box-stat.js'
import { endOf, type OrderedView } from './ordered-store.js'
import {
  type BoxRecord,
  decodeBox,
  decodeDead,
  decodeState,
  envelopeKeyOf,
  keyOf,
  positionOf,
  type StateRecord,
} from './records.js'
import type { BoxStat, DeadLetter, Leased, LeaseRequest, ReadRequest, StoredMessage } from './store.js'

const EMPTY = new Uint8Array(0)

/** The record of a box that has not ended. */
export function openRecord(view: OrderedView, box: Uint8Array, nowMs: number): BoxRecord | undefined {
  const bytes = view.get(keyOf.box(box))
  if (bytes === undefined) return undefined
  const record = decodeBox(bytes)
  return record.expiresMs > 0 && record.expiresMs <= nowMs ? undefined : record
}

/** The answer to a lease that takes nothing: who waits must not cost a commit each time it looks. */
export function nothingToLease(
  view: OrderedView,
  box: Uint8Array,
  request: LeaseRequest,
  nowMs: number,
): Leased | undefined {
  const record = openRecord(view, box, nowMs)
  if (record === undefined) return GONE
  const { picked, exhausted, nextMs } = findAvailable(
    view,
    box,
    record,
    { ...request, maxMessages: 1 },
    nowMs,
  )
  return picked.length + exhausted.length > 0 ? undefined : { messages: [], nextMs, open: true }
}

/** Messages in order of arrival, held or not. */
export function readPage(
  view: OrderedView,
  box: Uint8Array,
  request: ReadRequest,
  nowMs: number,
): readonly StoredMessage[] {
  const states = view.range(keyOf.state(box, request.after + 1), endOf(keyOf.state(box)))
  return page(view, box, request, nowMs, states, (value) => ({ state: decodeState(value) }))
}

export function deadPage(
  view: OrderedView,
  box: Uint8Array,
  request: ReadRequest,
  nowMs: number,
): readonly DeadLetter[] {
  const dead = view.range(keyOf.dead(box, request.after + 1), endOf(keyOf.dead(box)))
  return page(view, box, request, nowMs, dead, decodeDead)
}

export function statOf(view: OrderedView, box: Uint8Array, nowMs: number): BoxStat | undefined {
  const record = openRecord(view, box, nowMs)
  return record === undefined ? undefined : boxStat(record)
}

/** Up to `request` of the entries, with their envelopes. */
function page<Decoded extends { readonly state: StateRecord }>(
  view: OrderedView,
  box: Uint8Array,
  { maxMessages, maxBytes }: ReadRequest,
  nowMs: number,
  entries: Iterable<{ readonly key: Uint8Array; readonly value: Uint8Array }>,
  decode: (value: Uint8Array) => Decoded,
): readonly (StoredMessage & Omit<Decoded, 'state'>)[] {
  const found: { position: number; decoded: Decoded }[] = []
  let bytes = 0
  for (const { key, value } of entries) {
    if (found.length >= maxMessages) break
    const decoded = decode(value)
    if (decoded.state.expiresMs <= nowMs) continue
    bytes += decoded.state.size - (decoded.state.bodyBytes ?? 0)
    if (found.length > 0 && bytes > maxBytes) break
    found.push({ position: positionOf(key), decoded })
  }
  return found.map(({ position, decoded: { state, ...rest } }) => ({
    ...rest,
    position,
    envelope: view.get(envelopeKeyOf(box, position, state))?.slice() ?? EMPTY,
    depositedMs: state.depositedMs,
    expiresMs: state.expiresMs,
    deliveries: state.deliveries,
  }))
}
