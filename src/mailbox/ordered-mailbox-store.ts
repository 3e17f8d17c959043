// The embedded MailboxStore: boxes in an OrderedStore, each method one transaction (spec/mailbox.md §6). Wakes those who wait in
// this process, also for what other processes on the same files have done.
// Leaves out the transactions themselves (box-deposit.ts, box-lease.ts, box-sweep.ts).
import { hexEncode } from '../bytes.js'
import { depositIn } from './box-deposit.js'
import { ackThroughIn, findAvailable, leaseFrom, settleIn } from './box-lease.js'
import { boxStat, GONE } from './box-stat.js'
import { endBox, removeDead, removeSlice, sweepIn } from './box-sweep.js'
import { Listeners } from './listeners.js'
import { MemoryOrderedStore } from './memory-store.js'
import { endOf, type OrderedStore, type OrderedTransaction, type OrderedView } from './ordered-store.js'
import {
  type BoxRecord,
  decodeAlias,
  decodeBox,
  decodeDead,
  decodeState,
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
  AliasEntry,
  BoxStat,
  DeadLetter,
  DepositResult,
  Leased,
  LeaseRequest,
  MailboxStore,
  NewBox,
  NewMessage,
  ReadRequest,
  Settlement,
  StoredMessage,
} from './store.js'

/** Entries of an ended box that one transaction removes. */
const SLICE = 1_000
const EMPTY = new Uint8Array(0)

/** Boxes in an {@link OrderedStore}, which is closed with it. */
export class OrderedMailboxStore implements MailboxStore {
  readonly #entries: OrderedStore
  readonly #listeners = new Listeners()
  readonly #stopHearing: (() => void) | undefined

  constructor(entries: OrderedStore) {
    this.#entries = entries
    this.#stopHearing = entries.onForeignChange?.(() => this.#listeners.tellAll())
  }

  openBox({ id, limits, expiresMs }: NewBox, aliases: readonly Alias[]): Promise<void> {
    return this.#entries.write((tx) => {
      const record = newBox(limits, expiresMs)
      if (expiresMs !== undefined) tx.put(keyOf.expiry(expiresMs, id), EMPTY)
      for (const alias of aliases) putAlias(tx, id, record, alias)
      tx.put(keyOf.box(id), encodeBox(record))
    })
  }

  addAlias(box: Uint8Array, alias: Alias, nowMs: number): Promise<boolean> {
    return this.#entries.write((tx) => {
      const record = openRecord(tx, box, nowMs)
      if (record === undefined) return false
      putAlias(tx, box, record, alias)
      tx.put(keyOf.box(box), encodeBox(record))
      return true
    })
  }

  async find(hash: Uint8Array, nowMs: number): Promise<AliasEntry | undefined> {
    return this.#entries.read((view) => {
      const bytes = view.get(keyOf.alias(hash))
      if (bytes === undefined) return undefined
      const entry = decodeAlias(bytes)
      return openRecord(view, entry.box, nowMs) === undefined ? undefined : entry
    })
  }

  removeAlias(hash: Uint8Array): Promise<void> {
    return this.#entries.write((tx) => {
      const bytes = tx.get(keyOf.alias(hash))
      if (bytes === undefined) return
      tx.remove(keyOf.aliasOf(decodeAlias(bytes).box, hash))
      tx.remove(keyOf.alias(hash))
    })
  }

  async dropBox(box: Uint8Array): Promise<void> {
    if (await this.#entries.write((tx) => endBox(tx, box))) await this.#removeRest(box)
  }

  async deposit(
    box: Uint8Array,
    depositor: number,
    messages: readonly NewMessage[],
    nowMs: number,
  ): Promise<DepositResult> {
    const result = await this.#entries.write((tx): DepositResult => {
      const record = openRecord(tx, box, nowMs)
      if (record === undefined) return { accepted: 0, duplicates: 0, refusal: 'gone' }
      return depositIn(tx, box, record, depositor, messages, nowMs)
    })
    if (result.accepted > result.duplicates || result.refusal !== undefined) this.#tell(box)
    return result
  }

  async lease(box: Uint8Array, request: LeaseRequest, nowMs: number): Promise<Leased> {
    const nothing = this.#entries.read((view) => nothingToLease(view, box, request, nowMs))
    if (nothing !== undefined) return nothing
    return this.#entries.write((tx): Leased => {
      const record = openRecord(tx, box, nowMs)
      if (record === undefined) return GONE
      return leaseFrom(tx, box, record, request, nowMs)
    })
  }

  async settle(box: Uint8Array, settlements: readonly Settlement[], nowMs: number): Promise<void> {
    await this.#entries.write((tx) => {
      const record = openRecord(tx, box, nowMs)
      if (record !== undefined) settleIn(tx, box, record, settlements, nowMs)
    })
    this.#tell(box)
  }

  async ackThrough(box: Uint8Array, receipt: string, consumer: Uint8Array, nowMs: number): Promise<void> {
    await this.#entries.write((tx) => {
      const record = openRecord(tx, box, nowMs)
      if (record !== undefined) ackThroughIn(tx, box, record, receipt, consumer)
    })
    this.#tell(box)
  }

  async read(box: Uint8Array, request: ReadRequest, nowMs: number): Promise<readonly StoredMessage[]> {
    return this.#entries.read((view) => {
      const states = view.range(keyOf.state(box, request.after + 1), endOf(keyOf.state(box)))
      return page(view, box, request, nowMs, states, (value) => ({ state: decodeState(value) }))
    })
  }

  async deadLetters(box: Uint8Array, request: ReadRequest, nowMs: number): Promise<readonly DeadLetter[]> {
    return this.#entries.read((view) => {
      const dead = view.range(keyOf.dead(box, request.after + 1), endOf(keyOf.dead(box)))
      return page(view, box, request, nowMs, dead, decodeDead)
    })
  }

  async settleDead(
    box: Uint8Array,
    positions: readonly number[] | undefined,
    verdict: 'redeliver' | 'remove',
    nowMs: number,
  ): Promise<number> {
    const settled = await this.#entries.write((tx) => {
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
    })
    this.#tell(box)
    return settled
  }

  async stat(box: Uint8Array, nowMs: number): Promise<BoxStat | undefined> {
    return this.#entries.read((view) => {
      const record = openRecord(view, box, nowMs)
      return record === undefined ? undefined : boxStat(record)
    })
  }

  async sweep(nowMs: number, max: number): Promise<number> {
    const { removed, ended } = await this.#entries.write((tx) => sweepIn(tx, nowMs, max))
    for (const box of ended) await this.#removeRest(box)
    return removed
  }

  watch(box: Uint8Array, heard: () => void): () => void {
    return this.#listeners.add(hexEncode(box), heard)
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#stopHearing?.()
    return this.#entries[Symbol.asyncDispose]() as Promise<void>
  }

  async #removeRest(box: Uint8Array): Promise<void> {
    while (await this.#entries.write((tx) => removeSlice(tx, box, SLICE))) {
      // The next slice.
    }
    this.#tell(box)
  }

  #tell(box: Uint8Array): void {
    this.#listeners.tell(hexEncode(box))
  }
}

/** The answer to a lease that takes nothing: who waits must not cost a commit each time it looks. */
function nothingToLease(
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

/** A store that forgets everything with the process: for tests. */
export function memoryMailboxStore(): MailboxStore {
  return new OrderedMailboxStore(new MemoryOrderedStore())
}

function openRecord(view: OrderedView, box: Uint8Array, nowMs: number): BoxRecord | undefined {
  const bytes = view.get(keyOf.box(box))
  if (bytes === undefined) return undefined
  const record = decodeBox(bytes)
  return record.expiresMs > 0 && record.expiresMs <= nowMs ? undefined : record
}

function putAlias(tx: OrderedTransaction, box: Uint8Array, record: BoxRecord, { hash, role }: Alias): void {
  const depositor = role === 'deposit' ? record.nextDepositor++ : 0
  tx.put(keyOf.alias(hash), encodeAlias(role, depositor, box))
  tx.put(keyOf.aliasOf(box, hash), EMPTY)
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
    bytes += decoded.state.size
    if (found.length > 0 && bytes > maxBytes) break
    found.push({ position: positionOf(key), decoded })
  }
  return found.map(({ position, decoded: { state, ...rest } }) => ({
    ...rest,
    position,
    envelope: view.get(keyOf.envelope(box, position))?.slice() ?? EMPTY,
    depositedMs: state.depositedMs,
    expiresMs: state.expiresMs,
    deliveries: state.deliveries,
  }))
}

function deadPositions(tx: OrderedTransaction, box: Uint8Array): readonly number[] {
  const positions: number[] = []
  for (const { key } of tx.range(keyOf.dead(box), endOf(keyOf.dead(box)))) {
    if (positions.length >= SLICE) break
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
