// The object behind a collect capability (spec/mailbox.md §7.3): long polls and streams of leased messages, settlement, reading
// without consuming, dead letters, further capabilities, the end of the box. A stream holds no more than its window.
// Leaves out deposits and notices (relay-box.ts).

import { hexEncode } from '../bytes.js'
import type { Capability } from '../capability/index.js'
import { MAILBOX_BATCH_MAX_BYTES } from '../limits.js'
import { type CallContext, Failure, type Handlers } from '../rpc/index.js'
import { Change } from './change.js'
import type { CollectInterface, InputOf } from './interfaces.js'
import { bodiesOf, gone, type RelayHost, tellFailures } from './relay-box.js'
import type { LeasedMessage, LeaseRequest, Settlement } from './store.js'

type CollectMethods = (typeof CollectInterface)['declared']
type Input<Name extends keyof CollectMethods> = InputOf<CollectMethods[Name]>

/** Messages that one lease of a stream asks for: few enough that those of a slow reader do not wait in its stream. */
const STREAM_BATCH = 64
/** Most that a stream with more to come waits for half of its window, ms. */
const LINGER_MS = 3
/** Without any hint when something may become available, ms. */
const LOOK_AGAIN_MS = 60_000

/** One box, as its owner sees it in one session. */
export class CollectObject implements Handlers<CollectMethods, CallContext> {
  readonly #host: RelayHost
  readonly #box: Uint8Array
  /** What streams of this session have handed out and nobody has settled: receipt to the end of its lease, by consumer. */
  readonly #unsettled = new Map<string, Unsettled>()

  constructor(host: RelayHost, box: Uint8Array) {
    this.#host = host
    this.#box = box
  }

  async receive(
    { consumer, leaseMs, maxMessages, waitMs }: Input<'receive'>,
    { signal }: CallContext,
  ): Promise<{ messages: readonly LeasedMessage[] }> {
    const { store, clock, now } = this.#host
    const request = { consumer, leaseMs, maxMessages, maxBytes: MAILBOX_BATCH_MAX_BYTES }
    const deadline = clock.nowMs() + waitMs
    using change = new Change(store, this.#box, clock)
    for (;;) {
      const { messages, nextMs, open } = await tellFailures(() => store.lease(this.#box, request, now()))
      if (!open) throw gone()
      const left = deadline - clock.nowMs()
      if (messages.length > 0 || left <= 0 || signal.aborted) return { messages }
      await change.next(Math.min(left, untilNext(nextMs, now())), signal)
    }
  }

  async *follow(
    { consumer, leaseMs, window }: Input<'follow'>,
    { signal }: CallContext,
  ): AsyncGenerator<LeasedMessage> {
    const { store, clock, now } = this.#host
    using change = new Change(store, this.#box, clock)
    const unsettled = new Unsettled(change)
    const name = hexEncode(consumer)
    this.#unsettled.set(name, unsettled)
    let behind = false
    const roomNow = () => window - unsettled.count(now())
    try {
      while (!signal.aborted) {
        // Who is behind gets the next messages in batches, not one for each that is settled: every lease is a commit.
        const deadline = clock.nowMs() + LINGER_MS
        for (
          let left = LINGER_MS;
          behind && left > 0 && roomNow() < window / 2;
          left = deadline - clock.nowMs()
        ) {
          await change.next(left, signal)
          if (signal.aborted) return
        }
        const room = roomNow()
        const request: LeaseRequest = {
          consumer,
          leaseMs,
          maxMessages: Math.min(room, STREAM_BATCH),
          maxBytes: MAILBOX_BATCH_MAX_BYTES,
        }
        const { messages, nextMs, open } =
          room <= 0
            ? { messages: [], nextMs: unsettled.firstEndMs, open: true }
            : await tellFailures(() => store.lease(this.#box, request, now()))
        if (!open) throw gone()
        behind = room > 0 && messages.length === request.maxMessages
        for (const { receipt } of messages) unsettled.add(receipt, now() + leaseMs)
        if (messages.length > 0) yield* await this.#within(window, messages, unsettled)
        else await change.next(untilNext(nextMs, now()), signal)
      }
    } finally {
      if (this.#unsettled.get(name) === unsettled) this.#unsettled.delete(name)
      await this.#giveBack(unsettled.receipts(now()))
    }
  }

  /** Room is counted while it is being made durable that there is any (see {@link settle}). Where that has failed, what is too much
   * goes back.
   * @returns what may be sent. */
  async #within(
    window: number,
    messages: readonly LeasedMessage[],
    unsettled: Unsettled,
  ): Promise<readonly LeasedMessage[]> {
    await unsettled.left()
    const excess = unsettled.count(this.#host.now()) - window
    if (excess <= 0) return messages
    const kept = messages.slice(0, Math.max(0, messages.length - excess))
    const back = messages.slice(kept.length).map(({ receipt }) => receipt)
    unsettled.forget(back)
    await this.#giveBack(back)
    return kept
  }

  /** Nobody listens to the stream that handed these out: they must not hold up what follows until their leases end. */
  async #giveBack(receipts: readonly string[]): Promise<void> {
    if (receipts.length === 0) return
    const { store, now } = this.#host
    const settlements = receipts.map((receipt) => ({ kind: 'nack', receipt, delayMs: 0 }) as const)
    await store.settle(this.#box, settlements, now()).catch(() => {}) // their leases end by themselves
  }

  async settle({ settlements }: Input<'settle'>): Promise<void> {
    const { store, now } = this.#host
    const settled = tellFailures(() => store.settle(this.#box, settlements.map(settlementOf), now()))
    // Streams count the room at once, so that what they lease then is in the same commit.
    const receipts = settlements.filter(({ kind }) => kind !== 'extend').map(({ receipt }) => receipt)
    for (const unsettled of this.#unsettled.values()) unsettled.leave(receipts, settled)
    await settled
  }

  async ackThrough({ receipt, consumer }: Input<'ackThrough'>): Promise<void> {
    const { store, now } = this.#host
    await tellFailures(() => store.ackThrough(this.#box, receipt, consumer, now()))
    this.#unsettled.get(hexEncode(consumer))?.settledThrough(receipt)
  }

  async read({ after, maxMessages }: Input<'read'>) {
    const { store, now } = this.#host
    const request = { after, maxMessages, maxBytes: MAILBOX_BATCH_MAX_BYTES }
    return { messages: await tellFailures(() => store.read(this.#box, request, now())) }
  }

  async readBody({ id, index }: Input<'readBody'>) {
    const { now } = this.#host
    const piece = await tellFailures(() => bodiesOf(this.#host).read(this.#box, id, index, now()))
    if (piece === undefined) throw new Failure('not_found', 'there is no such piece')
    return { piece }
  }

  async deadLetters({ after, maxMessages }: Input<'deadLetters'>) {
    const { store, now } = this.#host
    const request = { after, maxMessages, maxBytes: MAILBOX_BATCH_MAX_BYTES }
    return { messages: await tellFailures(() => store.deadLetters(this.#box, request, now())) }
  }

  settleDead({ positions, verdict }: Input<'settleDead'>): Promise<number> {
    const { store, now } = this.#host
    return tellFailures(() => store.settleDead(this.#box, positions, verdict, now()))
  }

  async stat() {
    const { store, now } = this.#host
    const stat = await tellFailures(() => store.stat(this.#box, now()))
    if (stat === undefined) throw gone()
    return stat
  }

  grant({ role, ttlSeconds }: Input<'grant'>): Promise<Capability> {
    return tellFailures(() => this.#host.grant(this.#box, role, ttlSeconds))
  }

  revoke({ capability }: Input<'revoke'>): Promise<void> {
    return tellFailures(() => this.#host.revoke(this.#box, capability))
  }

  drop(): Promise<void> {
    return tellFailures(() => this.#host.store.dropBox(this.#box))
  }
}

/** What one stream has handed out. */
class Unsettled {
  readonly #change: Change
  /** In order of delivery. */
  readonly #ends = new Map<string, number>()
  readonly #leaving = new Set<Promise<void>>()

  constructor(change: Change) {
    this.#change = change
  }

  /** How many are unsettled and still held. */
  count(nowMs: number): number {
    for (const [receipt, endMs] of this.#ends) {
      if (endMs > nowMs) break
      this.#ends.delete(receipt)
    }
    return this.#ends.size
  }

  /** Those that are unsettled and still held. */
  receipts(nowMs: number): readonly string[] {
    return this.count(nowMs) === 0 ? [] : [...this.#ends.keys()]
  }

  get firstEndMs(): number | undefined {
    for (const endMs of this.#ends.values()) return endMs
    return undefined
  }

  add(receipt: string, endMs: number): void {
    this.#ends.set(receipt, endMs)
  }

  /** They are being settled: they count no longer, unless `settled` rejects. */
  leave(receipts: readonly string[], settled: Promise<void>): void {
    const leaving: [receipt: string, endMs: number][] = []
    for (const receipt of receipts) {
      const endMs = this.#ends.get(receipt)
      if (endMs !== undefined) leaving.push([receipt, endMs])
    }
    if (leaving.length === 0) return
    this.forget(receipts)
    const known = settled.catch(() => {
      for (const [receipt, endMs] of leaving) this.#ends.set(receipt, endMs)
    })
    this.#leaving.add(known)
    void known.then(() => this.#leaving.delete(known))
    this.#change.changed()
  }

  /** Resolves once it is known of all that have left until now whether they were settled. */
  async left(): Promise<void> {
    await Promise.all(this.#leaving)
  }

  forget(receipts: readonly string[]): void {
    for (const receipt of receipts) this.#ends.delete(receipt)
  }

  settledThrough(receipt: string): void {
    if (!this.#ends.has(receipt)) return
    for (const earlier of [...this.#ends.keys()]) {
      this.#ends.delete(earlier)
      if (earlier === receipt) break
    }
    this.#change.changed()
  }
}

function settlementOf({
  kind,
  receipt,
  delayMs,
  leaseMs,
}: Input<'settle'>['settlements'][number]): Settlement {
  if (kind === 'nack') return { kind, receipt, delayMs: delayMs ?? 0 }
  if (kind !== 'extend') return { kind, receipt }
  if (leaseMs === undefined) throw new Failure('invalid_argument', 'expected leaseMs with extend')
  return { kind, receipt, leaseMs }
}

function untilNext(nextMs: number | undefined, nowMs: number): number {
  return nextMs === undefined ? LOOK_AGAIN_MS : Math.min(LOOK_AGAIN_MS, Math.max(1, nextMs - nowMs))
}
