// MailboxStore: what a relay keeps boxes in, whatever holds them (spec/mailbox.md §6). One interface and one conformance suite
// (test/mailbox/conformance.ts). Every method that changes something resolves once the change is durable, and not before.
// Time is an argument. Leaves out capabilities and sessions (relay.ts): a store never sees a name that a client uses.

/** What a name of a box is for. */
export type Role = 'deposit' | 'collect' | 'notify'

/** Bounds of one box. */
export interface BoxLimits {
  /** Messages in it, dead letters included. */
  readonly maxMessages: number
  /** Bytes of their envelopes. */
  readonly maxBytes: number
  /** Longest life of a message here, seconds; also how long its id is remembered. */
  readonly messageTtlSeconds: number
  /** Deliveries after which a message that was never acknowledged becomes a dead letter. */
  readonly maxDeliveries: number
  /** Whether a message waits for those that its depositor put in before it and that somebody else holds, or that are
   * delayed. False: whatever is available is delivered. */
  readonly ordered: boolean
}

/** A box that shall be there. */
export interface NewBox {
  /** 16 random bytes, known to the store alone. */
  readonly id: Uint8Array
  readonly limits: BoxLimits
  /** Unix ms at which it ends with all that is in it; undefined: when it is dropped. */
  readonly expiresMs: number | undefined
}

/** A name of a box: 16 bytes of a hash, from which the name that clients use does not follow. */
export interface Alias {
  readonly hash: Uint8Array
  readonly role: Role
}

/** What a name stands for. */
export interface AliasEntry {
  readonly box: Uint8Array
  readonly role: Role
  /** Deposit: number of the depositor in its box; messages of one number keep their order. */
  readonly depositor: number
}

/** A message to keep. */
export interface NewMessage {
  /** 16 bytes, computed from the envelope. */
  readonly id: Uint8Array
  /** Borrowed until the method has resolved. */
  readonly envelope: Uint8Array
  /** Unix ms. */
  readonly expiresMs: number
}

/** Why a message was not taken. */
export type DepositRefusal = 'quota_messages' | 'quota_bytes' | 'expired' | 'gone'

/** Why an upload was not begun: as for a message, or it is more than the box could ever hold. */
export type UploadRefusal = DepositRefusal | 'too_large'

/** Where the upload of a large body stands. */
export interface UploadState {
  /** Pieces that are here, from the first on. */
  readonly pieces: number
  /** Whether all are here: its message is in the box then, or was. */
  readonly complete: boolean
}

/** Bodies that do not fit into their message (spec/mailbox.md §6.5): the message is in the box once the last piece is, and they
 * go when it goes. */
export interface BodyStore {
  /** Begin an upload, or go on with it. What it will take is counted at once.
   * @param message - what shall be in the box with the body.
   * @param bodyBytes - of all pieces together.
   * @throws RangeError when it was begun with another length. */
  begin(
    box: Uint8Array,
    depositor: number,
    message: NewMessage,
    bodyBytes: number,
    nowMs: number,
  ): Promise<UploadState & { readonly refusal: UploadRefusal | undefined }>
  /** Keep the next piece; one that is here already, or not the next, changes nothing.
   * @param id - of the message, 16 bytes.
   * @returns undefined when there is no such upload of this depositor.
   * @throws RangeError for a piece of another length than its place demands. */
  append(
    box: Uint8Array,
    depositor: number,
    id: Uint8Array,
    index: number,
    piece: Uint8Array,
    nowMs: number,
  ): Promise<UploadState | undefined>
  /** A piece of the body of a message that is in the box. */
  read(box: Uint8Array, id: Uint8Array, index: number, nowMs: number): Promise<Uint8Array | undefined>
}

/** One call of `deposit`. */
export interface DepositRequest {
  readonly depositor: number
  readonly messages: readonly NewMessage[]
  readonly nowMs: number
}

/** What became of messages that were deposited together: the first `accepted` are in the box, none after them. */
export interface DepositResult {
  readonly accepted: number
  /** Of those, how many were there before. */
  readonly duplicates: number
  readonly refusal: DepositRefusal | undefined
}

/** What a consumer asks for. */
export interface LeaseRequest {
  /** 8 bytes that name the consumer: what it holds does not hold up what follows. */
  readonly consumer: Uint8Array
  readonly maxMessages: number
  /** Of envelopes; one message is given even if it is longer. */
  readonly maxBytes: number
  readonly leaseMs: number
}

/** A message in a box. */
export interface StoredMessage {
  /** Its place in the box; grows with each arrival. */
  readonly position: number
  readonly envelope: Uint8Array
  readonly depositedMs: number
  readonly expiresMs: number
  /** Deliveries so far, this one included. */
  readonly deliveries: number
}

/** A message that a consumer holds. */
export interface LeasedMessage extends StoredMessage {
  /** For {@link Settlement}; of use in this box alone, at most 128 characters. */
  readonly receipt: string
}

/** What was leased. */
export interface Leased {
  readonly messages: readonly LeasedMessage[]
  /** Unix ms at which something that is held or delayed now may become available; undefined when nothing is. */
  readonly nextMs: number | undefined
  /** False once the box has ended. */
  readonly open: boolean
}

/** What a consumer says of a message that it holds. Late or repeated ones change nothing that is not so already: an `ack`
 * always removes, the others count only for the delivery that they speak of. */
export type Settlement =
  | { readonly kind: 'ack'; readonly receipt: string }
  | { readonly kind: 'nack'; readonly receipt: string; readonly delayMs: number }
  | { readonly kind: 'extend'; readonly receipt: string; readonly leaseMs: number }
  | { readonly kind: 'reject'; readonly receipt: string }

/** Why a message is a dead letter. */
export type DeadReason = 'deliveries' | 'rejected'

/** A dead letter. */
export interface DeadLetter extends StoredMessage {
  readonly reason: DeadReason
}

/** Where to read without consuming. */
export interface ReadRequest {
  /** The position after which to begin; −1 for all. */
  readonly after: number
  readonly maxMessages: number
  readonly maxBytes: number
}

/** What is in a box. */
export interface BoxStat {
  /** Waiting or held, dead letters not included. */
  readonly messages: number
  readonly bytes: number
  readonly deadLetters: number
  readonly deadBytes: number
  /** Messages that ever arrived. */
  readonly arrivals: number
  /** Grows when the quota refuses; once a second at most. */
  readonly refusals: number
  readonly limits: BoxLimits
  readonly expiresMs: number | undefined
}

/** Keeps boxes. A method that is given a box that is not there does nothing, and says so where it has a result. */
export interface MailboxStore extends AsyncDisposable {
  /** @throws `mailbox/store` when it cannot be kept; so do all others. */
  openBox(box: NewBox, aliases: readonly Alias[], nowMs: number): Promise<void>
  /** A further name.
   * @returns false when there is no such box. */
  addAlias(box: Uint8Array, alias: Alias, nowMs: number): Promise<boolean>
  /** @param hash - 16 bytes. */
  find(hash: Uint8Array, nowMs: number): Promise<AliasEntry | undefined>
  /** Forget a name. */
  removeAlias(hash: Uint8Array): Promise<void>
  /** End a box, its names and all that is in it. */
  dropBox(box: Uint8Array): Promise<void>
  /** Put messages in, in order, up to the first that is refused. */
  deposit(
    box: Uint8Array,
    depositor: number,
    messages: readonly NewMessage[],
    nowMs: number,
  ): Promise<DepositResult>
  /** Hold what is available, the oldest first. */
  lease(box: Uint8Array, request: LeaseRequest, nowMs: number): Promise<Leased>
  /** @throws RangeError for a receipt that no store of this kind writes. */
  settle(box: Uint8Array, settlements: readonly Settlement[], nowMs: number): Promise<void>
  /** Acknowledge this message and every earlier one that the same consumer holds. */
  ackThrough(box: Uint8Array, receipt: string, consumer: Uint8Array, nowMs: number): Promise<void>
  /** Messages in order of arrival, held or not; nothing changes. */
  read(box: Uint8Array, request: ReadRequest, nowMs: number): Promise<readonly StoredMessage[]>
  deadLetters(box: Uint8Array, request: ReadRequest, nowMs: number): Promise<readonly DeadLetter[]>
  /** Make dead letters available again, as if never delivered, or remove them.
   * @param positions - undefined: all, a thousand at most in one call.
   * @returns how many. */
  settleDead(
    box: Uint8Array,
    positions: readonly number[] | undefined,
    verdict: 'redeliver' | 'remove',
    nowMs: number,
  ): Promise<number>
  stat(box: Uint8Array, nowMs: number): Promise<BoxStat | undefined>
  /** Remove what has expired.
   * @param max - at most so many messages and boxes.
   * @returns how many. */
  sweep(nowMs: number, max: number): Promise<number>
  /** Be told soon after something may have changed in a box, wherever that was. False alarms are allowed; a lost one is
   * made up for by polling.
   * @returns call it to hear no more. */
  watch(box: Uint8Array, heard: () => void): () => void
  /** Large bodies; absent where this kind of store keeps none. */
  readonly bodies?: BodyStore | undefined
}
