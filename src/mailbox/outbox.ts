// Outbox: sends messages to one box, now or when the relay can be reached (spec/mailbox.md §7.2). What `send` has accepted is on
// disk: it goes out later, in order, and once, whatever is killed in between.
// Leaves out the queue on disk (outbox-queue.ts) and the type of messages (message-codec.ts).
import { EMPTY, hexEncode } from '../bytes.js'
import { type Capability, durationSeconds } from '../capability/index.js'
import { type Clock, SYSTEM_CLOCK } from '../clock.js'
import { NoisecapError } from '../errors.js'
import { MAILBOX_BATCH_MAX_BYTES, MAILBOX_TTL_SECONDS } from '../limits.js'
import type { Calls, Stub } from '../rpc/index.js'
import type { WriterIdentity } from '../seal/index.js'
import type { DepositAddress } from './address.js'
import { piecesOf } from './box-pieces.js'
import { EnvelopeWriter } from './envelope.js'
import { DepositInterface } from './interfaces.js'
import { codecOf, type MessageCodec, type MessageType } from './message-codec.js'
import type { OrderedStore } from './ordered-store.js'
import { takeBody } from './outbox-body.js'
import { OutboxQueue, type Queued, type QueuedBody } from './outbox-queue.js'
import { type Uploaded, upload } from './outbox-upload.js'
import { connectionOf, type Reach } from './relay-client.js'
import { Backoff, isPassing, pause } from './retry.js'
import { headerOf, type SaidOfMessage, type SendOptions } from './send-options.js'

/** Messages in one deposit: the next leaves when it is answered, so that their order holds. */
const BATCH = 64
const DEPOSIT_TIMEOUT_MS = 60_000
/** Content type of a body of which nothing else is said. */
const BYTES_TYPE = 'application/octet-stream'

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
  /** Told how much of a large body is at the relay. */
  readonly onUpload?: ((progress: UploadProgress) => void) | undefined
  readonly clock?: Clock | undefined
}

/** How far the upload of a large body has come. */
export interface UploadProgress {
  /** Of its message, hexadecimal. */
  readonly id: string
  readonly sentBytes: number
  /** As it is sealed. */
  readonly totalBytes: number
}

/** A message that was not delivered. */
export interface FailedMessage {
  /** Hexadecimal. */
  readonly id: string
  /** `too_large`: the box could never hold it; `unsupported`: its relay keeps no large bodies. */
  readonly reason: 'expired' | 'gone' | 'too_large' | 'unsupported'
}

/** A body that is bytes as they are, of any length that the box has room for. */
export type MessageBody = Uint8Array | AsyncIterable<Uint8Array> | ReadableStream<Uint8Array>

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
  readonly #hearNoMore: () => void
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
    this.#queue.removeOrphans(this.#clock.wallMs()).catch(() => {}) // tried again with the next outbox
    this.#hearNoMore = this.#queue.onForeignChange(() => {
      this.#tellMoved()
      if (this.waiting > 0) this.#pump()
    })
    this.#pump()
  }

  /** Take a message.
   * @param value - of the type of the messages; or a body of bytes, such as a stream of Node or of the web, which is read to its end
   * and kept on disk when it is long. A `Uint8Array` is such a body unless a type of messages was given.
   * @returns once it is durable here; it goes out in the background.
   * @throws TypeError or RangeError for what cannot be sent, `mailbox/too_large`, `mailbox/store`; what the stream fails with. */
  async send(value: In | MessageBody, options: SendOptions = {}): Promise<SentMessage> {
    this.#checkOpen()
    if (this.#isBody(value)) return this.#sendBody(value, options)
    return this.#append(this.#codec.encode(value), headerOf(options, this.#codec.contentType), options)
  }

  #isBody(value: In | MessageBody): value is MessageBody {
    if (value instanceof Uint8Array) return this.#options.message === undefined
    if (typeof value !== 'object' || value === null) return false
    return Symbol.asyncIterator in value || value instanceof ReadableStream
  }

  async #sendBody(source: MessageBody, options: SendOptions): Promise<SentMessage> {
    const taken = await takeBody(source, this.#queue, this.#clock.wallMs())
    const header = { ...headerOf(options, BYTES_TYPE), raw: true }
    if ('inline' in taken) return this.#append(taken.inline, header, options)
    try {
      return await this.#append(EMPTY, { ...header, attached: taken.attached }, options, taken.queued)
    } catch (error) {
      await this.#queue.removePieces(taken.queued.name, piecesOf(taken.queued.bytes))
      throw error
    }
  }

  async #append(
    body: Uint8Array,
    said: SaidOfMessage,
    options: SendOptions,
    queued?: QueuedBody,
  ): Promise<SentMessage> {
    const times = this.#times(options)
    const { id } = await this.#queue.append(({ series, sequence, previous }) => {
      const header = { series, sequence, previous, ...said, ...times }
      return { envelope: this.#writer.seal({ header, body }), expiresMs: times.expires * 1_000 }
    }, queued)
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
    const ended = signal === undefined ? [] : [aborted(signal)]
    for (;;) {
      signal?.throwIfAborted()
      const moved = this.#moved.promise
      if (this.waiting === 0) return
      if (this.#lasting !== undefined) throw this.#lasting
      this.#checkOpen()
      this.#pump()
      await Promise.race([moved, ...ended])
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
    this.#hearNoMore()
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
    this.#pumping = this.#sendInTurn().finally(() => {
      this.#pumping = undefined
      this.#tellMoved()
      // What came between the last look and now.
      if (this.#lasting === undefined && !this.#ending.signal.aborted && this.waiting > 0) this.#pump()
    })
  }

  async #sendInTurn(): Promise<void> {
    const { signal } = this.#ending
    try {
      await this.#queue.inTurn(signal, () => this.#sendAll())
    } catch (error) {
      if (!signal.aborted) this.#lasting = error
    }
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
          const answer = await this.#deposit(relay, head)
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

  async #deposit(
    relay: Stub<Calls<(typeof DepositInterface)['declared']>>,
    head: readonly Queued[],
  ): Promise<Uploaded & { readonly accepted: number }> {
    const options = { signal: this.#ending.signal, timeoutMs: DEPOSIT_TIMEOUT_MS }
    const [first] = head
    if (first?.body !== undefined) {
      const told = { id: hexEncode(first.id), totalBytes: first.body.bytes }
      const onSent = (sentBytes: number) => this.#options.onUpload?.({ ...told, sentBytes })
      const uploaded = await upload(relay, this.#queue, first, first.body, { ...options, onSent })
      return { ...uploaded, accepted: uploaded.refusal === undefined ? 1 : 0 }
    }
    const messages = head.map(({ envelope, expiresMs }) => ({ envelope, expiresMs }))
    return relay.deposit({ messages }, options)
  }

  /** The first that wait and may still go. */
  async #head(): Promise<readonly Queued[]> {
    await this.#queue.catchUp()
    for (;;) {
      const head = this.#queue.head(BATCH, MAILBOX_BATCH_MAX_BYTES)
      const over = head.filter(({ expiresMs }) => expiresMs <= this.#clock.wallMs())
      if (over.length === 0) return head
      await this.#fail(over, 'expired')
    }
  }

  async #deposited(head: readonly Queued[], accepted: number, refusal: string | undefined): Promise<void> {
    if (accepted > 0) await this.#queue.remove(head.slice(0, accepted))
    if (refusal === 'expired' || refusal === 'too_large' || refusal === 'unsupported')
      await this.#fail(head.slice(accepted, accepted + 1), refusal)
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

/** Rejects when `signal` is aborted, whoever waits for it by then. */
function aborted(signal: AbortSignal): Promise<never> {
  const ended = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
  ended.catch(() => {})
  return ended
}
