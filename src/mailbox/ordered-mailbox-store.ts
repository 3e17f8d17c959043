// The embedded MailboxStore: boxes in an OrderedStore, each method one transaction (spec/mailbox.md §6). Wakes those who wait in
// this process, also for what other processes on the same files have done.
// Leaves out the transactions themselves (box-work.ts) and what is read (box-view.ts).
import { hexEncode } from '../bytes.js'
import { changesBox } from './box-deposit.js'
import { endBox, removeSlice, sweepIn } from './box-sweep.js'
import { deadPage, nothingToLease, openRecord, readPage, statOf } from './box-view.js'
import {
  ackThroughAt,
  addAliasAt,
  depositAt,
  leaseAt,
  openBoxAt,
  removeAliasAt,
  settleAt,
  settleDeadAt,
} from './box-work.js'
import { DepositQueue } from './deposit-queue.js'
import { Listeners } from './listeners.js'
import { MemoryOrderedStore } from './memory-store.js'
import { OrderedBodyStore } from './ordered-body-store.js'
import type { OrderedStore } from './ordered-store.js'
import { decodeAlias, keyOf } from './records.js'
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
const BEHIND_MAX = 1_000

/** Boxes in an {@link OrderedStore}, which is closed with it. */
export class OrderedMailboxStore implements MailboxStore {
  readonly bodies: OrderedBodyStore
  readonly #entries: OrderedStore
  readonly #listeners = new Listeners()
  /** Boxes of which the last lease got all that it asked for: there is more to come, most likely, so nobody looks first. */
  readonly #behind = new Set<string>()
  readonly #stopHearing: (() => void) | undefined
  /** Those of one box that wait for a commit read and write its record once. */
  readonly #deposits = new DepositQueue(async (box, requests) => {
    const results = await this.#entries.write((tx) => depositAt(tx, box, requests))
    if (results.some(changesBox)) this.#tell(box)
    return results
  })

  constructor(entries: OrderedStore) {
    this.#entries = entries
    this.bodies = new OrderedBodyStore(entries, (box) => this.#tell(box))
    this.#stopHearing = entries.onForeignChange?.(() => this.#listeners.tellAll())
  }

  openBox(box: NewBox, aliases: readonly Alias[]): Promise<void> {
    return this.#entries.write((tx) => openBoxAt(tx, box, aliases))
  }

  addAlias(box: Uint8Array, alias: Alias, nowMs: number): Promise<boolean> {
    return this.#entries.write((tx) => addAliasAt(tx, box, alias, nowMs))
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
      if (bytes !== undefined) removeAliasAt(tx, decodeAlias(bytes).box, hash)
    })
  }

  async dropBox(box: Uint8Array): Promise<void> {
    if (await this.#entries.write((tx) => endBox(tx, box))) await this.#removeRest(box)
  }

  deposit(
    box: Uint8Array,
    depositor: number,
    messages: readonly NewMessage[],
    nowMs: number,
  ): Promise<DepositResult> {
    return this.#deposits.add(box, { depositor, messages, nowMs })
  }

  async lease(box: Uint8Array, request: LeaseRequest, nowMs: number): Promise<Leased> {
    const name = hexEncode(box)
    const nothing = this.#behind.delete(name)
      ? undefined
      : this.#entries.read((view) => nothingToLease(view, box, request, nowMs))
    if (nothing !== undefined) return nothing
    const leased = await this.#entries.write((tx) => leaseAt(tx, box, request, nowMs))
    if (leased.messages.length === request.maxMessages) this.#isBehind(name)
    return leased
  }

  async settle(box: Uint8Array, settlements: readonly Settlement[], nowMs: number): Promise<void> {
    await this.#entries.write((tx) => settleAt(tx, box, settlements, nowMs))
    this.#tell(box)
  }

  async ackThrough(box: Uint8Array, receipt: string, consumer: Uint8Array, nowMs: number): Promise<void> {
    await this.#entries.write((tx) => ackThroughAt(tx, box, receipt, consumer, nowMs))
    this.#tell(box)
  }

  async read(box: Uint8Array, request: ReadRequest, nowMs: number): Promise<readonly StoredMessage[]> {
    return this.#entries.read((view) => readPage(view, box, request, nowMs))
  }

  async deadLetters(box: Uint8Array, request: ReadRequest, nowMs: number): Promise<readonly DeadLetter[]> {
    return this.#entries.read((view) => deadPage(view, box, request, nowMs))
  }

  async settleDead(
    box: Uint8Array,
    positions: readonly number[] | undefined,
    verdict: 'redeliver' | 'remove',
    nowMs: number,
  ): Promise<number> {
    const settled = await this.#entries.write((tx) => settleDeadAt(tx, box, positions, verdict, nowMs))
    this.#tell(box)
    return settled
  }

  async stat(box: Uint8Array, nowMs: number): Promise<BoxStat | undefined> {
    return this.#entries.read((view) => statOf(view, box, nowMs))
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

  #isBehind(name: string): void {
    // Of readers who never come again.
    if (this.#behind.size >= BEHIND_MAX) this.#behind.clear()
    this.#behind.add(name)
  }

  #tell(box: Uint8Array): void {
    this.#listeners.tell(hexEncode(box))
  }
}

/** A store that forgets everything with the process: for tests. */
export function memoryMailboxStore(): MailboxStore {
  return new OrderedMailboxStore(new MemoryOrderedStore())
}
