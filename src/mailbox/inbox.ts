// Inbox: receives the messages of one box (spec/mailbox.md §7.3). Each is opened here, dropped if it was seen before, and held
// by a lease that is extended while it is being handled. Connections that are lost are made again.
// Leaves out one message (received.ts), settlement on the wire (settler.ts) and receipts (receipts.ts).
import { addAbortListener, removeAbortListener } from '../abort-listeners.js'
import { hexEncode } from '../bytes.js'
import { type Clock, letGo, SYSTEM_CLOCK, type Timer } from '../clock.js'
import { type KeyPair, primitives } from '../crypto/index.js'
import { CLOCK_LEEWAY_SECONDS, MAILBOX_LEASE_MS, MAILBOX_WINDOW_MAX } from '../limits.js'
import type { Calls, Stub } from '../rpc/index.js'
import type { Acceptance, ByteStream } from '../seal/index.js'
import type { CollectAddress } from './address.js'
import { attachedBody, inlineBody, type ReadPiece } from './attached-body.js'
import { EnvelopeReader, messageId, type OpenedMessage } from './envelope.js'
import { CollectInterface } from './interfaces.js'
import { codecOf, type MessageCodec, type MessageReader } from './message-codec.js'
import type { OrderedStore } from './ordered-store.js'
import { sendReceipt } from './receipts.js'
import { type Holder, RECEIPT_TYPE, Received } from './received.js'
import { connectionOf, type Reach } from './relay-client.js'
import { Backoff, isPassing, pause } from './retry.js'
import { SeenSet } from './seen.js'
import { Settler } from './settler.js'
import type { LeasedMessage } from './store.js'

const CONSUMER_BYTES = 8
const WINDOW = 16
const RETRY_DELAY_MS = 1_000
/** What is accepted where the owner says nothing: anybody may write, and who says who he is must prove it. */
const ANYBODY = [
  { pattern: 'N' },
  { pattern: 'X', writers: 'anyone' },
] as const satisfies readonly Acceptance[]
type Anybody = (typeof ANYBODY)[number]
type CollectStub = Stub<Calls<(typeof CollectInterface)['declared']>>

/** Options of an inbox. */
export interface InboxOptions<Accepted extends Acceptance = Anybody> extends Reach {
  /** Where ids of messages that were taken are kept; without it a message may come twice. Kept open by its owner. */
  readonly seen?: OrderedStore | undefined
  /** Patterns and writers that are accepted; default N, and X of anybody. Others become dead letters. */
  readonly accept?: readonly Accepted[] | undefined
  /** Names of groups whose messages are taken, 16 bytes each. */
  readonly groups?: readonly Uint8Array[] | undefined
  /** Messages that are held here at once; default 16. */
  readonly window?: number | undefined
  /** How long the relay keeps a message for this inbox after it was last heard of, ms; default 30,000. */
  readonly leaseMs?: number | undefined
  /** Until a message that was given back comes again, ms; default 1,000. */
  readonly retryDelayMs?: number | undefined
  /** Ends the iteration. */
  readonly signal?: AbortSignal | undefined
  /** Whether senders that ask for a receipt get one; default false. */
  readonly receipts?: boolean | undefined
  /** Told of messages that cannot be opened or read; they become dead letters. */
  readonly onUnreadable?: ((error: unknown) => void) | undefined
  readonly clock?: Clock | undefined
}

/** The messages of one box, in the order of each sender. `for await` once. */
export class Inbox<Out = unknown, const Accepted extends Acceptance = Anybody>
  implements AsyncIterable<Received<Out, Accepted>>
{
  readonly #address: CollectAddress
  readonly #options: InboxOptions<Accepted>
  readonly #reader: EnvelopeReader<Accepted>
  readonly #codec: MessageCodec<never, Out>
  readonly #seen: SeenSet | undefined
  readonly #clock: Clock
  readonly #retries = new Set<() => void>()
  /** What was handed out and is not settled, by id; it outlives the connection that brought it. */
  readonly #held = new Map<string, Received<unknown, never>>()

  /** @param key - to which messages are sealed; referred to, its owner disposes it later.
   * @param message - what messages are; undefined for whatever JSON can say. */
  constructor(
    address: CollectAddress,
    key: KeyPair,
    message: MessageReader<Out> | undefined,
    options: InboxOptions<Accepted>,
  ) {
    const { accept = ANYBODY as never, groups, seen, window = WINDOW } = options
    if (!(Number.isSafeInteger(window) && window >= 1 && window <= MAILBOX_WINDOW_MAX))
      throw new RangeError(`Cannot make inbox: expected a window of 1 to ${MAILBOX_WINDOW_MAX}`)
    this.#address = address
    this.#options = options
    this.#reader = new EnvelopeReader<Accepted>({ key, box: address.box, accept, groups })
    this.#codec = codecOf(message)
    this.#seen = seen === undefined ? undefined : new SeenSet(seen, address.box)
    this.#clock = options.clock ?? SYSTEM_CLOCK
  }

  /** Messages as they come, until `signal` is aborted or the loop is left; what is held then is given back.
   * @throws what keeps the inbox from collecting for good, such as `session/revoked`. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Received<Out, Accepted>, void, undefined> {
    const ending = new AbortController()
    const end = () => ending.abort()
    const { signal } = this.#options
    addAbortListener(signal, end)
    if (signal?.aborted) end()
    const backoff = new Backoff()
    try {
      while (!ending.signal.aborted) {
        try {
          for await (const message of this.#session(ending.signal)) {
            backoff.reset()
            yield message
          }
        } catch (error) {
          if (ending.signal.aborted) return
          if (!isPassing(error)) throw error
          await this.#pause(backoff.next(error), ending.signal)
        }
      }
    } finally {
      removeAbortListener(signal, end)
      end()
      this.#giveBack()
    }
  }

  /** Connect again at once, where this waits after a failure. */
  retry(): void {
    for (const wake of this.#retries) wake()
  }

  /** Handle messages, several at once: acknowledged when `handle` resolves, given back when it throws.
   * @param handle - its `signal` is that of the options.
   * @returns when `signal` is aborted and the last handler has ended. */
  async run(
    handle: (message: Received<Out, Accepted>) => Promise<void> | void,
    { concurrency = 1 }: { readonly concurrency?: number | undefined } = {},
  ): Promise<void> {
    const running = new Set<Promise<void>>()
    for await (const message of this) {
      const one = this.#handle(message, handle).finally(() => running.delete(one))
      running.add(one)
      if (running.size >= concurrency) await Promise.race(running)
    }
    await Promise.all(running)
  }

  async #handle(
    message: Received<Out, Accepted>,
    handle: (message: Received<Out, Accepted>) => Promise<void> | void,
  ): Promise<void> {
    try {
      await handle(message)
    } catch {
      await message.nack().catch(() => {}) // its lease ends by itself
      return
    }
    await message.ack().catch(() => {}) // remembered as seen; the relay is told at its next delivery
  }

  /** Messages of one connection. */
  async *#session(signal: AbortSignal): AsyncGenerator<Received<Out, Accepted>, void, undefined> {
    const { window = WINDOW, leaseMs = MAILBOX_LEASE_MS } = this.#options
    const stub: CollectStub = await this.#options.connect(
      this.#address.capability,
      CollectInterface,
      connectionOf(this.#options, signal),
    )
    // New each time: what a relay had leased for the connection before and never sent must not be overtaken.
    const consumer = primitives().randomBytes(CONSUMER_BYTES)
    const settler = new Settler(stub)
    const extending = this.#extendEvery(leaseMs, settler)
    let lost = false
    try {
      for await (const leased of stub.follow({ consumer, leaseMs, window }, { signal })) {
        const message = await this.#receive(leased, settler, stub)
        if (message === undefined) continue
        this.#held.set(message.id, message as Received<unknown, never>)
        yield message
      }
    } catch (error) {
      // What is being handled goes on, and is settled over the next connection.
      lost = !signal.aborted
      throw error
    } finally {
      extending()
      if (!lost) this.#giveBack()
      await settler.end()
      stub[Symbol.dispose]()
    }
  }

  /** Until {@link retry} is called, or time is over. */
  async #pause(delayMs: number, signal: AbortSignal): Promise<void> {
    const retried = new AbortController()
    const wake = () => retried.abort()
    this.#retries.add(wake)
    addAbortListener(signal, wake)
    if (!signal.aborted) await pause(this.#clock, delayMs, retried.signal)
    removeAbortListener(signal, wake)
    this.#retries.delete(wake)
  }

  #giveBack(): void {
    for (const message of this.#held.values()) message[Symbol.dispose]()
    this.#held.clear()
  }

  /** Open a message; what cannot be delivered is settled here, and what is being handled already is not handed out again. */
  async #receive(
    leased: LeasedMessage,
    settler: Settler,
    stub: CollectStub,
  ): Promise<Received<Out, Accepted> | undefined> {
    const id = messageId(leased.envelope)
    if (await this.#seen?.has(id)) return void settler.quietly({ kind: 'ack', receipt: leased.receipt })
    const held = this.#held.get(hexEncode(id))
    if (held !== undefined) return void held.cameAgain(leased.receipt, this.#holder(settler))
    try {
      const opened = this.#reader.open(leased.envelope)
      const nowSeconds = this.#clock.wallMs() / 1_000
      if (opened.header.expires + CLOCK_LEEWAY_SECONDS < nowSeconds)
        return void settler.quietly({ kind: 'ack', receipt: leased.receipt })
      return new Received<Out, Accepted>(this.#valueOf(opened), {
        id,
        receiptAtRelay: leased.receipt,
        opened,
        depositedMs: leased.depositedMs,
        deliveries: leased.deliveries,
        body: bodyOf(opened, async (index) => (await stub.readBody({ id, index })).piece),
        holder: this.#holder(settler),
      })
    } catch (error) {
      this.#options.onUnreadable?.(error)
      return void settler.quietly({ kind: 'reject', receipt: leased.receipt })
    }
  }

  /** Neither a receipt nor a body of bytes has a value. */
  #valueOf(opened: OpenedMessage<Accepted>): Out {
    const { header, body } = opened
    const none = header.raw === true || header.contentType === RECEIPT_TYPE
    return none ? (undefined as Out) : this.#codec.decode(body)
  }

  #holder(settler: Settler): Holder {
    const { retryDelayMs = RETRY_DELAY_MS, receipts = false } = this.#options
    const over = (message: Received) => this.#held.delete(message.id)
    return {
      ack: async (message) => {
        const { id, opened, receiptAtRelay } = message.parts
        const expiresMs = (opened.header.expires + CLOCK_LEEWAY_SECONDS) * 1_000
        await this.#seen?.add(id, expiresMs, this.#clock.wallMs())
        over(message)
        if (receipts) await sendReceipt(opened.header, id, this.#options, this.#clock)
        await settler.settle({ kind: 'ack', receipt: receiptAtRelay })
      },
      nack: async (message, delayMs = retryDelayMs) => {
        over(message)
        await settler.settle({ kind: 'nack', receipt: message.parts.receiptAtRelay, delayMs })
      },
      reject: async (message) => {
        over(message)
        await settler.settle({ kind: 'reject', receipt: message.parts.receiptAtRelay })
      },
    }
  }

  /** Extend the leases of what is held, well before they end.
   * @returns call it to stop. */
  #extendEvery(leaseMs: number, settler: Settler): () => void {
    let timer: Timer
    const extend = () => {
      for (const { parts } of this.#held.values()) {
        settler.quietly({ kind: 'extend', receipt: parts.receiptAtRelay, leaseMs })
      }
      later()
    }
    const later = () => {
      timer = this.#clock.setTimeout(extend, Math.ceil(leaseMs / 3))
      letGo(timer)
    }
    later()
    return () => this.#clock.clearTimeout(timer)
  }
}

function bodyOf({ header, body }: OpenedMessage, read: ReadPiece): ByteStream {
  return header.attached === undefined ? inlineBody(body) : attachedBody(header.attached, read)
}
