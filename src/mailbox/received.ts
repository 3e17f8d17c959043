// One message as its recipient gets it. It is held by a lease until it is acknowledged or given back; `using` gives it back when
// neither was done. Leaves out where it comes from (inbox.ts).
import { hexEncode } from '../bytes.js'
import { redact } from '../redact.js'
import type { Acceptance, ByteStream, Provenance } from '../seal/index.js'
import { DepositAddress } from './address.js'
import type { OpenedMessage } from './envelope.js'

/** Content type of a receipt (spec/mailbox.md §7.5). */
export const RECEIPT_TYPE = 'application/vnd.noisecap.receipt'

/** What a message does about itself. */
export interface Holder {
  ack(message: Received): Promise<void>
  nack(message: Received, delayMs: number | undefined): Promise<void>
  reject(message: Received): Promise<void>
}

/** What an inbox knows of a message besides its value. */
export interface ReceivedParts<Accepted extends Acceptance> {
  readonly id: Uint8Array
  readonly receiptAtRelay: string
  readonly opened: OpenedMessage<Accepted>
  readonly depositedMs: number
  readonly deliveries: number
  readonly body: ByteStream
  readonly holder: Holder
}

/** A message that was received; a body of bytes has no `value`. */
export class Received<out Value = unknown, Accepted extends Acceptance = Acceptance> implements Disposable {
  readonly value: Value
  #parts: ReceivedParts<Accepted>
  #settled = false

  constructor(value: Value, parts: ReceivedParts<Accepted>) {
    this.value = value
    this.#parts = parts
  }

  /** The bytes of its body, large or not, to be read once and before it is acknowledged. Only when reading ends without an error
   * is it complete. */
  get body(): ByteStream {
    return this.#parts.body
  }

  /** 32 hexadecimal digits; the same for each delivery of one message. */
  get id(): string {
    return hexEncode(this.#parts.id)
  }

  /** Who sealed it, as far as the pattern proves it. */
  get from(): Provenance<Accepted['pattern']> {
    return this.#parts.opened.from
  }

  /** When it was sent, by the clock of the sender. */
  get sentAt(): Date {
    return new Date(this.#parts.opened.header.sentAt * 1_000)
  }

  /** When it was deposited, by the word of the relay. */
  get depositedAt(): Date {
    return new Date(this.#parts.depositedMs)
  }

  /** After which it would have been dropped. */
  get expires(): Date {
    return new Date(this.#parts.opened.header.expires * 1_000)
  }

  /** Name of the sender's series, hexadecimal, and its place there, from 0: a gap means that something was held back. */
  get series(): { readonly name: string; readonly sequence: number } {
    const { series, sequence } = this.#parts.opened.header
    return { name: hexEncode(series), sequence }
  }

  get contentType(): string {
    return this.#parts.opened.header.contentType
  }

  get headers(): Readonly<Record<string, string>> {
    return this.#parts.opened.header.headers
  }

  /** Where answers go; undefined where the sender wants none.
   * @throws `mailbox/address` when the sender gave something else. */
  get reply(): DepositAddress | undefined {
    const { reply } = this.#parts.opened.header
    return reply === undefined ? undefined : DepositAddress.parse(reply)
  }

  /** Id of the message that this one answers, hexadecimal. */
  get inReplyTo(): string | undefined {
    const { inReplyTo } = this.#parts.opened.header
    return inReplyTo === undefined ? undefined : hexEncode(inReplyTo)
  }

  /** Whether it says no more than that `inReplyTo` was acknowledged. */
  get isReceipt(): boolean {
    return this.contentType === RECEIPT_TYPE
  }

  /** Name of the group to which it was sent, hexadecimal. */
  get group(): string | undefined {
    const { group } = this.#parts.opened
    return group === undefined ? undefined : hexEncode(group)
  }

  /** How often it was delivered, this time included, by the word of the relay. */
  get deliveries(): number {
    return this.#parts.deliveries
  }

  /** For inboxes. */
  get parts(): ReceivedParts<Accepted> {
    return this.#parts
  }

  /** For inboxes: the relay has delivered it again while it is being handled, over another connection. */
  cameAgain(receiptAtRelay: string, holder: Holder): void {
    this.#parts = { ...this.#parts, receiptAtRelay, holder }
  }

  /** It is done: remembered here as seen, then taken out of the box.
   * @returns once both are durable; rejected when the relay cannot be reached. It will not come again in either case, where
   * the inbox keeps a seen-set. */
  async ack(): Promise<void> {
    if (this.#settled) return
    this.#settled = true
    await this.#parts.holder.ack(this)
  }

  /** Give it back: it comes again in `delayMs`, to this consumer or another. */
  async nack({ delayMs }: { readonly delayMs?: number | undefined } = {}): Promise<void> {
    if (this.#settled) return
    this.#settled = true
    await this.#parts.holder.nack(this, delayMs)
  }

  /** It can never be handled: put it among the dead letters. */
  async reject(): Promise<void> {
    if (this.#settled) return
    this.#settled = true
    await this.#parts.holder.reject(this)
  }

  /** Give it back unless it was settled. */
  [Symbol.dispose](): void {
    this.nack().catch(() => {}) // its lease ends by itself
  }
}

redact(Received, ({ id }) => `Received ${id} [redacted]`)
