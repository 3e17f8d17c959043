// Door of `noisecap/mailbox/lmdb`: the mailbox in LMDB files, with the `connect` of Node. Needs the package `lmdb`, an optional
// peer; Node only. What is the same everywhere is behind `noisecap/mailbox`.
import type { Capability } from '../capability/index.js'
import type { KeyPair } from '../crypto/index.js'
import { connect } from '../index.js'
import type { Acceptance } from '../seal/index.js'
import type { CollectAddress, DepositAddress } from './address.js'
import { Group as CoreGroup, type GroupOptions as CoreGroupOptions } from './group.js'
import { Inbox as CoreInbox, type InboxOptions as CoreInboxOptions } from './inbox.js'
import { LmdbOrderedStore } from './lmdb-store.js'
import type { MessageReader } from './message-codec.js'
import { OrderedMailboxStore } from './ordered-mailbox-store.js'
import type { OrderedStore } from './ordered-store.js'
import { Outbox as CoreOutbox, type OutboxOptions as CoreOutboxOptions } from './outbox.js'
import { ID_KIND } from './records.js'
import { RelayClient as CoreRelayClient, type Reach } from './relay-client.js'
import type { MailboxStore } from './store.js'

export { LmdbOrderedStore }

/** `connect` is that of Node unless given. */
type WithoutConnect<Options extends Reach> = Omit<Options, 'connect'> & Partial<Pick<Reach, 'connect'>>

/** Options of an {@link Outbox} in files. */
export type OutboxOptions<In> = WithoutConnect<CoreOutboxOptions<In>>
/** Options of an {@link Inbox}; `seen` may be the path of a directory. */
export type InboxOptions<Accepted extends Acceptance> = Omit<
  WithoutConnect<CoreInboxOptions<Accepted>>,
  'seen'
> & {
  /** A directory for the ids of messages that were taken, or a store of the caller's. */
  readonly seen?: string | OrderedStore | undefined
}
/** Options of a {@link Group} in files. */
export type GroupOptions<In> = WithoutConnect<CoreGroupOptions<In>>

/** The boxes of a relay in a directory, which is made with mode 0700 if missing; several processes may open it.
 * @param path - a directory on a local disk.
 * @throws `mailbox/store`. */
export function openLmdbMailboxStore(path: string): MailboxStore {
  return new OrderedMailboxStore(new LmdbOrderedStore(path, ID_KIND))
}

/** Opens boxes at a relay. */
export class RelayClient extends CoreRelayClient {
  constructor(capability: Capability<unknown>, reach: Partial<Reach> = {}) {
    super(capability, { connect, ...reach })
  }
}

/** An outbox in a directory.
 * @example await new Outbox('./out', deposit).send({ hello: 'ada' }, { ttl: '7d' }) */
export class Outbox<In = unknown> extends CoreOutbox<In> {
  readonly #own: LmdbOrderedStore | undefined

  /** @param where - a directory, made if missing, or a store that its owner closes.
   * @throws `mailbox/store`. */
  constructor(where: string | OrderedStore, address: DepositAddress, options: OutboxOptions<In> = {}) {
    const own = typeof where === 'string' ? new LmdbOrderedStore(where) : undefined
    super(own ?? (where as OrderedStore), address, { connect, ...options })
    this.#own = own
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]()
    await this.#own?.[Symbol.asyncDispose]()
  }
}

/** An inbox whose seen-set may be a directory.
 * @example for await (using m of new Inbox(collect, ada, Message, { seen: './seen' })) await m.ack() */
export class Inbox<Out = unknown, const Accepted extends Acceptance = AnybodyOf> extends CoreInbox<
  Out,
  Accepted
> {
  readonly #own: LmdbOrderedStore | undefined

  /** @throws `mailbox/store`, RangeError. */
  constructor(
    address: CollectAddress,
    key: KeyPair,
    message?: MessageReader<Out> | undefined,
    options: InboxOptions<Accepted> = {},
  ) {
    const { seen, ...rest } = options
    const own = typeof seen === 'string' ? new LmdbOrderedStore(seen) : undefined
    super(address, key, message, { connect, ...rest, seen: own ?? (seen as OrderedStore | undefined) })
    this.#own = own
  }

  /** Close the seen-set, once the iteration has ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#own?.[Symbol.asyncDispose]()
  }
}
type AnybodyOf = CoreInbox extends CoreInbox<unknown, infer Accepted> ? Accepted : never

/** A group whose queues are in a directory. */
export class Group<In = unknown> extends CoreGroup<In> {
  readonly #own: LmdbOrderedStore | undefined

  /** @param where - a directory, made if missing, or a store that its owner closes.
   * @throws `mailbox/store`. */
  constructor(where: string | OrderedStore, name: Uint8Array, options: GroupOptions<In> = {}) {
    const own = typeof where === 'string' ? new LmdbOrderedStore(where) : undefined
    super(own ?? (where as OrderedStore), name, { connect, ...options })
    this.#own = own
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]()
    await this.#own?.[Symbol.asyncDispose]()
  }
}
