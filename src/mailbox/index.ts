// Door of the mailbox: store and forward through relays that learn neither content nor identities. Free of Node; what needs
// files or a database is behind `noisecap/mailbox/lmdb` and the like.
export { CollectAddress, DepositAddress } from './address.js'
export { Group, type GroupOptions, newGroupName } from './group.js'
export { Inbox, type InboxOptions } from './inbox.js'
export { CollectInterface, DepositInterface, NotifyInterface, RelayInterface } from './interfaces.js'
export { MemoryOrderedStore } from './memory-store.js'
export type { MessageReader, MessageType } from './message-codec.js'
export { memoryMailboxStore, OrderedMailboxStore } from './ordered-mailbox-store.js'
export type { Entry, OrderedStore, OrderedTransaction, OrderedView } from './ordered-store.js'
export {
  type FailedMessage,
  type MessageBody,
  Outbox,
  type OutboxOptions,
  type SentMessage,
  type UploadProgress,
} from './outbox.js'
export { Received } from './received.js'
export { Relay, type RelayOptions } from './relay.js'
export { type BoxOptions, type OpenedBox, type Reach, RelayClient } from './relay-client.js'
export type { SendOptions } from './send-options.js'
export type {
  Alias,
  AliasEntry,
  BodyStore,
  BoxLimits,
  BoxStat,
  DeadLetter,
  DeadReason,
  DepositRefusal,
  DepositResult,
  Leased,
  LeasedMessage,
  LeaseRequest,
  MailboxStore,
  NewBox,
  NewMessage,
  ReadRequest,
  Role,
  Settlement,
  StoredMessage,
  UploadRefusal,
  UploadState,
} from './store.js'
