// Outbox: sends messages to one box, now or when the relay can be reached (spec/mailbox.md §7.2). What `send` has accepted is on
// disk: it goes out later, in order, and once, whatever is killed in between.
// Leaves out the queue on disk (outbox-queue.ts) and the type of messages (message-codec.ts).
import { hexDecode, hexEncode } from '../bytes.js'
import { type Capability, durationSeconds } from '../capability/index.js'
import { type Clock, SYSTEM_CLOCK } from '../clock.js'
import { NoisecapError } from '../errors.js'
import { MAILBOX_BATCH_MAX_BYTES, MAILBOX_TTL_SECONDS } from '../limits.js'
import type { Calls, Stub } from '../rpc/index.js'
import type { WriterIdentity } from '../seal/index.js'
import type { DepositAddress } from './address.js'
import type { MessageContent } from './content.js'
import { EnvelopeWriter } from './envelope.js'
import { DepositInterface } from './interfaces.js'
import { codecOf, type MessageCodec, type MessageType } from './message-codec.js'
import type { OrderedStore } from './ordered-store.js'
import { OutboxQueue, type Queued } from './outbox-queue.js'
import { connectionOf, type Reach } from './relay-client.js'
import { Backoff, isPassing, pause } from './retry.js'

/** Messages in one deposit: the next leaves when it is answered, so that their order holds. */
const BATCH = 64
const DEPOSIT_TIMEOUT_MS = 60_000

/** Options of an outbox. */
export interface OutboxOptions<In> extends Reach {
  /** What messages are; default whatever JSON can say. */
  readonly message?: MessageType<In, unknown> | undefined
  /** As whom to seal; default N: the recipient learns nothing about the sender. */
  readonly as?: WriterIdentity | undefined
  /** A capability of the recipient's for sealing, to seal under its PSK too. */
  readonly sealTo?: Capability<unknown> | undefined
  /** Told of a message that will not go out any more: its time was over, or the box is gone. It has been removed. */
  readonly onFailed?: ((failed: FailedMessage) => void) | undefined
  readonly clock?: Clock | undefined
}

/** A message that was not delivered. */
export interface FailedMessage {
  /** Hexadecimal. */
  readonly id: string
  readonly reason: 'expired' | 'gone'
}

/** What may be said of one message. */
export interface SendOptions {
  /** Its life: seconds, or `'90s'`, `'15m'`, `'1h'`, `'7d'`; default 7 days, at most 365. */
  readonly ttl?: string | number | undefined
  /** Where answers go: a deposit address of the sender's own box. */
  readonly reply?: DepositAddress | undefined
  /** Where a receipt goes once the message was acknowledged, if the recipient sends such. */
  readonly receipt?: DepositAddress | undefined
  /** Text by name, sealed like the body; at most 32. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly contentType?: string | undefined
  /** Id of the message that this one answers, hexadecimal. */
  readonly inReplyTo?: string | undefined
}

/** A message that an outbox has taken. */
export interface SentMessage {
  /** 32 hexadecimal digits: what the recipient sees as `id`. */
  readonly id: string
}

/** Sends to one box. */
export class Outbox<In = unknown> implements AsyncDisposable {
  readonly #queue: OutboxQueue
  readonly #writer: EnvelopeWriter
  readonly #codec: MessageCodec<In, unknown>
  readonly #address: DepositAddress
  readonly #options: OutboxOptions<In>
  readonly #clock: Clock
  readonly #ending = new AbortController()
  /** Resolved whenever the queue has moved. */
  #moved = new Signal()
  #pumping: Promise<void> | undefined
  #waiting = new AbortController()
  #lasting: unknown

  /** @param store - kept open by its owner; one may serve many outboxes.
   * @throws as {@link EnvelopeWriter}. */
  constructor(store: OrderedStore, address: DepositAddress, options: OutboxOptions<In>) {
    this.#queue = new OutboxQueue(store, address)
    this.#address = address
    this.#options = options
    this.#codec = codecOf(options.message)
    this.#clock = options.clock ?? SYSTEM_CLOCK
    this.#writer = new EnvelopeWriter({ to: options.sealTo ?? address.to, box: address.box }, options.as)
    this.#pump()
  }

  /** Take a message.
   * @returns once it is durable here; it goes out in the background.
   * @throws TypeError or RangeError for what cannot be sent, `mailbox/too_large`, `mailbox/store`. */
  async send(value: In, options: SendOptions = {}): Promise<SentMessage> {
    this.#checkOpen()
    const body = this.#codec.encode(value)
    const times = this.#times(options)
    const { id } = await this.#queue.append(({ series, sequence, previous }) => {
      const header = { series, sequence, previous, ...headerOf(options, this.#codec.contentType), ...times }
      return { envelope: this.#writer.seal({ header, body }), expiresMs: times.expires * 1_000 }
    })
    this.#pump()
    return { id: hexEncode(id) }
  }

  /** Take an envelope that was sealed elsewhere, such as one of a group.
   * @param expiresMs - Unix ms; as in the seal. */
  async sendSealed(envelope: Uint8Array, expiresMs: number): Promise<SentMessage> {
    this.#checkOpen()
    const { id } = await this.#queue.appendSealed(envelope, expiresMs)
    this.#pump()
    return { id: hexEncode(id) }
  }

  /** How many messages wait. */
  get waiting(): number {
    return this.#queue.count()
  }

  /** Wait until everything was deposited.
   * @throws what keeps the outbox from sending for good, such as `session/revoked`; the reason of `signal`. */
  async flush({ signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    for (;;) {
      signal?.throwIfAborted()
      const moved = this.#moved.promise
      if (this.waiting === 0) return
      if (this.#lasting !== undefined) throw this.#lasting
      this.#checkOpen()
      this.#pump()
      await (signal === undefined ? moved : Promise.race([moved, aborted(signal)]))
    }
  }

  /** Try again at once, also after a lasting failure: the network is back, the capability was renewed. */
  retry(): void {
    this.#lasting = undefined
    this.#waiting.abort()
    this.#pump()
  }

  /** Stop sending; what waits stays on disk. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort()
    this.#waiting.abort()
    this.#tellMoved()
    await this.#pumping
    this.#writer[Symbol.dispose]()
  }

  #times({ ttl = MAILBOX_TTL_SECONDS }: SendOptions): { readonly sentAt: number; readonly expires: number } {
    const sentAt = Math.floor(this.#clock.wallMs() / 1_000)
    return { sentAt, expires: sentAt + Math.floor(durationSeconds(ttl)) }
  }

  #pump(): void {
    if (this.#pumping !== undefined || this.#ending.signal.aborted || this.#lasting !== undefined) return
    this.#pumping = this.#sendAll().finally(() => {
      this.#pumping = undefined
      this.#tellMoved()
      // What came between the last look and now.
      if (this.#lasting === undefined && !this.#ending.signal.aborted && this.waiting > 0) this.#pump()
    })
  }

  async #sendAll(): Promise<void> {
    const { signal } = this.#ending
    const backoff = new Backoff()
    let relay: Stub<Calls<(typeof DepositInterface)['declared']>> | undefined
    try {
      while (!signal.aborted) {
        const head = await this.#head()
        if (head.length === 0) return
        try {
          relay ??= await this.#options.connect(
            this.#address.capability,
            DepositInterface,
            connectionOf(this.#options, signal),
          )
          const messages = head.map(({ envelope, expiresMs }) => ({ envelope, expiresMs }))
          const answer = await relay.deposit({ messages }, { signal, timeoutMs: DEPOSIT_TIMEOUT_MS })
          await this.#deposited(head, answer.accepted, answer.refusal)
          if (answer.refusal?.startsWith('quota') !== true) {
            backoff.reset()
            continue
          }
          await this.#wait(answer.retryAfterMs ?? backoff.next())
        } catch (error) {
          if (signal.aborted) return
          if (!isPassing(error)) {
            this.#lasting = error
            return
          }
          await this.#wait(backoff.next(error))
        }
      }
    } finally {
      relay?.[Symbol.dispose]()
    }
  }

  /** The first that wait and may still go. */
  async #head(): Promise<readonly Queued[]> {
    for (;;) {
      const head = this.#queue.head(BATCH, MAILBOX_BATCH_MAX_BYTES)
      const over = head.filter(({ expiresMs }) => expiresMs <= this.#clock.wallMs())
      if (over.length === 0) return head
      await this.#fail(over, 'expired')
    }
  }

  async #deposited(head: readonly Queued[], accepted: number, refusal: string | undefined): Promise<void> {
    if (accepted > 0) await this.#queue.remove(head.slice(0, accepted))
    if (refusal === 'expired') await this.#fail(head.slice(accepted, accepted + 1), 'expired')
    if (refusal === 'gone') {
      await this.#fail(head.slice(accepted), 'gone')
      throw new NoisecapError('mailbox/gone', 'Cannot deposit: the box is gone', {
        hint: 'Ask its owner for another address',
      })
    }
    this.#tellMoved()
  }

  async #fail(entries: readonly Queued[], reason: FailedMessage['reason']): Promise<void> {
    await this.#queue.remove(entries)
    for (const { id } of entries) this.#options.onFailed?.({ id: hexEncode(id), reason })
    this.#tellMoved()
  }

  async #wait(delayMs: number): Promise<void> {
    this.#waiting = new AbortController()
    if (!this.#ending.signal.aborted) await pause(this.#clock, delayMs, this.#waiting.signal)
  }

  #tellMoved(): void {
    const moved = this.#moved
    this.#moved = new Signal()
    moved.give()
  }

  #checkOpen(): void {
    if (this.#ending.signal.aborted) throw new TypeError('Cannot send: the outbox has been closed')
  }
}

/** Something that happens once. */
class Signal {
  give!: () => void
  readonly promise = new Promise<void>((resolve) => {
    this.give = resolve
  })
}

/** What a header says besides its series and times. */
export function headerOf(options: SendOptions, contentType: string) {
  const { reply, receipt, headers = {}, inReplyTo } = options
  return {
    contentType: options.contentType ?? contentType,
    headers,
    reply: reply?.export(),
    receipt: receipt?.export(),
    inReplyTo: inReplyTo === undefined ? undefined : hexDecode(inReplyTo),
  } satisfies Partial<MessageContent['header']>
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
