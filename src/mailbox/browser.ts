// Door of `noisecap/mailbox/browser`: the mailbox of a page, with its outboxes and seen-sets in IndexedDB and the `connect` of
// browsers. What is the same everywhere is behind `noisecap/mailbox`. Leaves out relays, which pages are not.
import { connect } from '../browser-index.js'
import type { Capability } from '../capability/index.js'
import type { KeyPair } from '../crypto/index.js'
import type { Acceptance } from '../seal/index.js'
import type { CollectAddress, DepositAddress } from './address.js'
import { Inbox as CoreInbox, type InboxOptions as CoreInboxOptions } from './inbox.js'
import { IndexedDbOrderedStore } from './indexed-db-store.js'
import type { MessageReader } from './message-codec.js'
import type { OrderedStore } from './ordered-store.js'
import { Outbox as CoreOutbox, type OutboxOptions as CoreOutboxOptions } from './outbox.js'
import { RelayClient as CoreRelayClient, type Reach } from './relay-client.js'

export { CollectAddress, DepositAddress } from './address.js'
export { IndexedDbOrderedStore }

/** `connect` is that of browsers unless given. */
type WithoutConnect<Options extends Reach> = Omit<Options, 'connect'> & Partial<Pick<Reach, 'connect'>>

/** Options of an {@link Outbox} of a page. */
export type OutboxOptions<In> = WithoutConnect<CoreOutboxOptions<In>>
/** Options of an {@link Inbox} of a page. */
export type InboxOptions<Accepted extends Acceptance> = WithoutConnect<CoreInboxOptions<Accepted>>

/** Opens boxes at a relay. */
export class RelayClient extends CoreRelayClient {
  constructor(capability: Capability<unknown>, reach: Partial<Reach> = {}) {
    super(capability, { connect, ...reach })
  }
}

/** An outbox of a page. Several tabs may have it open: one of them sends at a time, and when it is closed another goes on.
 * @example await new Outbox(await IndexedDbOrderedStore.open(), deposit).send({ hello: 'ada' }) */
export class Outbox<In = unknown> extends CoreOutbox<In> {
  /** @param store - kept open by its owner; one may serve many outboxes and inboxes. */
  constructor(store: OrderedStore, address: DepositAddress, options: OutboxOptions<In> = {}) {
    super(store, address, { connect, ...options })
  }
}

/** An inbox of a page.
 * @example for await (using m of new Inbox(collect, ada, Message, { seen: store })) await m.ack() */
export class Inbox<Out = unknown, const Accepted extends Acceptance = AnybodyOf> extends CoreInbox<
  Out,
  Accepted
> {
  /** @throws RangeError. */
  constructor(
    address: CollectAddress,
    key: KeyPair,
    message?: MessageReader<Out> | undefined,
    options: InboxOptions<Accepted> = {},
  ) {
    super(address, key, message, { connect, ...options })
  }
}
type AnybodyOf = CoreInbox extends CoreInbox<unknown, infer Accepted> ? Accepted : never
