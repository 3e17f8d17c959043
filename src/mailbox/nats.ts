// Door of `noisecap/mailbox/nats`: boxes in a stream of NATS JetStream, which several relays share. Needs the packages
// `@nats-io/jetstream` and `@nats-io/transport-node`, optional peers, and nats-server 2.9 or later.
// Leaves out one box (nats-box.ts), large bodies (nats-bodies.ts) and what the methods do to it (box-work.ts).
import { connect, type NodeConnectionOptions } from '@nats-io/transport-node'
import { hexEncode } from '../bytes.js'
import { parseReceipt } from './box-lease.js'
import { endBox, sweepIn } from './box-sweep.js'
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
import { Listeners } from './listeners.js'
import { firstDue } from './nats-attempt.js'
import { NatsBodies } from './nats-bodies.js'
import { NatsBoxes } from './nats-boxes.js'
import { type Due, DueList, dueSubject } from './nats-due.js'
import { decodeSequence } from './nats-entry.js'
import { attempt, NatsStream } from './nats-stream.js'
import type { OrderedView } from './ordered-store.js'
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

/** Between two looks for what no notice told, ms. */
const POLL_MS = 1_000
const RECONNECT_MS = 200
/** Until a server has to take a connection, ms; the client's own 20 s are longer than those who wait are willing to. */
const DIAL_MS = 2_000
const EMPTY = new Uint8Array(0)

/** Options of {@link openNatsMailboxStore}: those of a connection of `@nats-io/transport-node`, and where boxes lie. */
export interface NatsMailboxOptions extends NodeConnectionOptions {
  /** Name of the stream, and first part of its subjects; default `noisecap`. */
  readonly stream?: string | undefined
  /** Servers of a cluster that keep a copy, when the stream is made here: 1, 3 or 5; default 1. */
  readonly replicas?: number | undefined
}

/** Boxes in a stream, which is made when it is not there.
 * @throws `mailbox/store`. */
export async function openNatsMailboxStore(options: NatsMailboxOptions = {}): Promise<MailboxStore> {
  const { stream = 'noisecap', replicas = 1, ...connection } = options
  const patience = { maxReconnectAttempts: -1, reconnectTimeWait: RECONNECT_MS, timeout: DIAL_MS }
  const given = { ...patience, ...connection, noEcho: true }
  const connected = await attempt('open', () => connect(given))
  try {
    return new NatsMailboxStore(await NatsStream.open(connected, { stream, replicas }))
  } catch (error) {
    await connected.close()
    throw error
  }
}

class NatsMailboxStore implements MailboxStore {
  readonly bodies: NatsBodies
  readonly #stream: NatsStream
  readonly #listeners = new Listeners()
  readonly #boxes: NatsBoxes
  readonly #dues: DueList
  readonly #timer: ReturnType<typeof setInterval>

  constructor(stream: NatsStream) {
    this.#stream = stream
    this.bodies = new NatsBodies(stream, (box) => this.#boxes.of(box))
    this.#dues = new DueList(stream)
    this.#boxes = new NatsBoxes(stream, (box) => {
      this.#listeners.tell(box)
      stream.tell(box)
    })
    stream.onNotice((box) => this.#listeners.tell(box))
    stream.onReconnected(() => {
      this.#boxes.distrust()
      this.#listeners.tellAll()
    })
    this.#timer = setInterval(() => this.#listeners.tellAll(), POLL_MS)
    this.#timer.unref()
  }

  openBox(box: NewBox, aliases: readonly Alias[]): Promise<void> {
    return this.#boxes.of(box.id).write((tx) => openBoxAt(tx, box, aliases))
  }

  addAlias(box: Uint8Array, alias: Alias, nowMs: number): Promise<boolean> {
    return this.#boxes.of(box).write((tx) => addAliasAt(tx, box, alias, nowMs))
  }

  find(hash: Uint8Array, nowMs: number): Promise<AliasEntry | undefined> {
    return attempt('read', async () => {
      const box = await this.#boxOf(hash)
      if (box === undefined) return undefined
      return this.#boxes.of(box).read((view) => {
        const bytes = view.get(keyOf.alias(hash))
        if (bytes === undefined || openRecord(view, box, nowMs) === undefined) return undefined
        return decodeAlias(bytes)
      })
    })
  }

  async removeAlias(hash: Uint8Array): Promise<void> {
    const box = await attempt('read', () => this.#boxOf(hash))
    if (box !== undefined) await this.#boxes.of(box).write((tx) => removeAliasAt(tx, box, hash))
  }

  async dropBox(box: Uint8Array): Promise<void> {
    await this.#boxes.of(box).write((tx) => endBox(tx, box))
  }

  async deposit(
    box: Uint8Array,
    depositor: number,
    messages: readonly NewMessage[],
    nowMs: number,
  ): Promise<DepositResult> {
    const request = { depositor, messages, nowMs }
    const [result] = await this.#boxes.of(box).write((tx) => depositAt(tx, box, [request]))
    return result! // one for each
  }

  async lease(box: Uint8Array, request: LeaseRequest, nowMs: number): Promise<Leased> {
    const nothing = await this.#view(box, (view) => nothingToLease(view, box, request, nowMs))
    if (nothing !== undefined) return nothing
    const leased = await this.#boxes.of(box).write((tx) => leaseAt(tx, box, request, nowMs))
    return { ...leased, messages: await this.#withEnvelopes(leased.messages) }
  }

  async settle(box: Uint8Array, settlements: readonly Settlement[], nowMs: number): Promise<void> {
    for (const { receipt } of settlements) parseReceipt(receipt)
    await this.#boxes.of(box).write((tx) => settleAt(tx, box, settlements, nowMs))
  }

  ackThrough(box: Uint8Array, receipt: string, consumer: Uint8Array, nowMs: number): Promise<void> {
    return this.#boxes.of(box).write((tx) => ackThroughAt(tx, box, receipt, consumer, nowMs))
  }

  async read(box: Uint8Array, request: ReadRequest, nowMs: number): Promise<readonly StoredMessage[]> {
    return this.#withEnvelopes(await this.#view(box, (view) => readPage(view, box, request, nowMs)))
  }

  async deadLetters(box: Uint8Array, request: ReadRequest, nowMs: number): Promise<readonly DeadLetter[]> {
    return this.#withEnvelopes(await this.#view(box, (view) => deadPage(view, box, request, nowMs)))
  }

  settleDead(
    box: Uint8Array,
    positions: readonly number[] | undefined,
    verdict: 'redeliver' | 'remove',
    nowMs: number,
  ): Promise<number> {
    return this.#boxes.of(box).write((tx) => settleDeadAt(tx, box, positions, verdict, nowMs))
  }

  stat(box: Uint8Array, nowMs: number): Promise<BoxStat | undefined> {
    return this.#view(box, (view) => statOf(view, box, nowMs))
  }

  sweep(nowMs: number, max: number): Promise<number> {
    return attempt('change', async () => {
      let removed = 0
      for (const due of await this.#dues.until(nowMs)) {
        if (removed >= max) return removed
        removed += await this.#sweepBox(due, nowMs, max - removed)
      }
      this.#dues.swept(nowMs)
      return removed
    })
  }

  watch(box: Uint8Array, heard: () => void): () => void {
    return this.#listeners.add(hexEncode(box), heard)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    await this.#stream.close()
  }

  #view<T>(box: Uint8Array, work: (view: OrderedView) => T): Promise<T> {
    return attempt('read', () => this.#boxes.of(box).read(work))
  }

  /** The box that has this name, as the subject of the name says; the box itself knows better. */
  async #boxOf(hash: Uint8Array): Promise<Uint8Array | undefined> {
    return (await this.#stream.last(this.#stream.subjects.alias(hash)))?.data
  }

  /** With envelopes in the place of references; without messages that somebody has acknowledged meanwhile. */
  #withEnvelopes<M extends StoredMessage>(messages: readonly M[]): Promise<readonly M[]> {
    return attempt('read', async () => {
      const found = await Promise.all(
        messages.map(async (message) => {
          const envelope = await this.#stream.at(decodeSequence(message.envelope))
          return envelope && { ...message, envelope }
        }),
      )
      return found.filter((message) => message !== undefined)
    })
  }

  /** @returns how much was removed. */
  async #sweepBox({ subject, ms, box: id }: Due, nowMs: number, max: number): Promise<number> {
    const box = this.#boxes.of(id)
    const { removed } = await box.write((tx) => sweepIn(tx, nowMs, max))
    const { next, there } = await box.read((view) => ({
      next: firstDue(view),
      there: view.get(keyOf.box(id)) !== undefined,
    }))
    if (!there) await box.removeRest()
    if (next !== undefined && next <= nowMs) return removed // more than `max` was due
    if (there && next !== undefined)
      await this.#stream.append(dueSubject(this.#stream.subjects, next, id), EMPTY)
    if (next !== ms) await this.#stream.purge(subject)
    return removed
  }
}
