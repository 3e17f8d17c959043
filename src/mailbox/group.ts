// Group: one message for many boxes (spec/mailbox.md §5). With pattern N it is sealed once for all members; with X and K, which
// prove the sender to one reader each, once for each. Members are kept on disk, and each has an outbox of its own, so that one
// whose relay is away does not hold up the others. Leaves out outboxes (outbox.ts).
import { concat, hexEncode, utf8, utf8Decode } from '../bytes.js'
import { durationSeconds } from '../capability/index.js'
import { type Clock, SYSTEM_CLOCK } from '../clock.js'
import { primitives } from '../crypto/index.js'
import { MAILBOX_TTL_SECONDS, SEAL_WRAPS_MAX } from '../limits.js'
import { DepositAddress } from './address.js'
import { ID_BYTES, type MessageHeader } from './content.js'
import { sealToGroup } from './envelope.js'
import { codecOf, type MessageCodec } from './message-codec.js'
import { endOf, type OrderedStore } from './ordered-store.js'
import { Outbox, type OutboxOptions, type SentMessage } from './outbox.js'
import { headerOf, type SendOptions } from './send-options.js'

/** Options of a group: those of the outboxes of its members. */
export type GroupOptions<In> = Omit<OutboxOptions<In>, 'sealTo'>

/** Sends to all members of a group. */
export class Group<In = unknown> implements AsyncDisposable {
  readonly #store: OrderedStore
  readonly #name: Uint8Array
  readonly #options: GroupOptions<In>
  readonly #codec: MessageCodec<In, unknown>
  readonly #clock: Clock
  readonly #outboxes = new Map<string, { readonly address: DepositAddress; readonly outbox: Outbox<In> }>()

  /** @param store - kept open by its owner.
   * @param name - 16 bytes that members know; {@link newGroupName} draws one. */
  constructor(store: OrderedStore, name: Uint8Array, options: GroupOptions<In>) {
    if (name.length !== ID_BYTES) throw new RangeError('Cannot make group: expected a name of 16 bytes')
    this.#store = store
    this.#name = name.slice()
    this.#options = options
    this.#codec = codecOf(options.message)
    this.#clock = options.clock ?? SYSTEM_CLOCK
    const prefix = this.#key()
    const texts = store.read((view) =>
      [...view.range(prefix, endOf(prefix))].map(({ value }) => utf8Decode(value)),
    )
    for (const text of texts) this.#open(DepositAddress.parse(text))
  }

  /** Addresses of its members. */
  get members(): readonly DepositAddress[] {
    return [...this.#outboxes.values()].map(({ address }) => address)
  }

  /** Add a member, durably; it gets what is sent from now on. One address for each box.
   * @throws RangeError past 64 members. */
  async add(address: DepositAddress): Promise<void> {
    const box = hexEncode(address.box)
    if (!this.#outboxes.has(box) && this.#outboxes.size >= SEAL_WRAPS_MAX)
      throw new RangeError(`Cannot add member: expected at most ${SEAL_WRAPS_MAX}`)
    await this.#store.write((tx) => tx.put(this.#key(address.box), utf8(address.export())))
    await this.#outboxes.get(box)?.outbox[Symbol.asyncDispose]()
    this.#open(address)
  }

  /** Remove a member, durably; what was sent before still goes out while this group is open. */
  async remove(address: DepositAddress): Promise<void> {
    const box = hexEncode(address.box)
    await this.#store.write((tx) => tx.remove(this.#key(address.box)))
    const member = this.#outboxes.get(box)
    this.#outboxes.delete(box)
    await member?.outbox[Symbol.asyncDispose]()
  }

  /** Take a message for all members.
   * @returns once it is durable here for each; ids differ, since each gets an envelope of its own.
   * @throws as `Outbox.send`. */
  async send(value: In, options: SendOptions = {}): Promise<readonly SentMessage[]> {
    const members = [...this.#outboxes.values()]
    if (members.length === 0) return []
    if (this.#options.as !== undefined && this.#options.as.pattern !== 'N')
      return Promise.all(members.map(({ outbox }) => outbox.send(value, options)))
    const header = this.#header(options)
    const readers = members.map(({ address }) => address.to)
    const envelopes = sealToGroup(this.#name, readers, { header, body: this.#codec.encode(value) })
    return Promise.all(
      members.map(({ outbox }, i) => outbox.sendSealed(envelopes[i]!, header.expires * 1_000)),
    )
  }

  /** Wait until everything was deposited. */
  async flush(options?: { readonly signal?: AbortSignal | undefined }): Promise<void> {
    await Promise.all([...this.#outboxes.values()].map(({ outbox }) => outbox.flush(options)))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#outboxes.values()].map(({ outbox }) => outbox[Symbol.asyncDispose]()))
  }

  #open(address: DepositAddress): void {
    this.#outboxes.set(hexEncode(address.box), {
      address,
      outbox: new Outbox<In>(this.#store, address, this.#options),
    })
  }

  /** A message for many is alone in its series: ids differ by member, so none can name the one before it. */
  #header(options: SendOptions): MessageHeader {
    const sentAt = Math.floor(this.#clock.wallMs() / 1_000)
    const expires = sentAt + Math.floor(durationSeconds(options.ttl ?? MAILBOX_TTL_SECONDS))
    const series = primitives().randomBytes(ID_BYTES)
    const place = { series, sequence: 0, previous: undefined, sentAt, expires }
    return { ...place, ...headerOf(options, this.#codec.contentType) }
  }

  #key(box: Uint8Array = new Uint8Array(0)): Uint8Array {
    return concat(utf8('g'), this.#name, box)
  }
}

/** A name for a group: 16 random bytes, which its members are told. */
export function newGroupName(): Uint8Array {
  return primitives().randomBytes(ID_BYTES)
}
