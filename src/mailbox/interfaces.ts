// What is called at a relay (spec/mailbox.md §7): four interfaces, one for each kind of capability. A method that is idempotent is
// so by what the store does with ids and receipts. Leaves out the objects behind them (relay-*.ts).
import {
  MAILBOX_BATCH_MAX,
  MAILBOX_BODY_MAX_BYTES,
  MAILBOX_DELAY_MAX_MS,
  MAILBOX_ENVELOPE_MAX_BYTES,
  MAILBOX_LEASE_MAX_MS,
  MAILBOX_PIECE_BYTES,
  MAILBOX_TTL_MAX_SECONDS,
  MAILBOX_WAIT_MAX_MS,
  MAILBOX_WINDOW_MAX,
} from '../limits.js'
import { iface, type Method, method, type StandardSchema, type StreamMethod, stream } from '../rpc/index.js'
import {
  bytesOf,
  type Check,
  isBoolean,
  isCapability,
  listOf,
  objectOf,
  oneOf,
  optionally,
  schema,
  textTo,
  wholeFrom,
} from './schemas.js'

const RECEIPT_MAX_CHARS = 128
const TIME_MAX_MS = 2 ** 52
const COUNT = wholeFrom(0)
const TIME = wholeFrom(0, TIME_MAX_MS)

const isNothing: Check<undefined> = (value): value is undefined => value === undefined
const nothing = schema(isNothing, 'nothing') as unknown as StandardSchema<void, void> // so that it may be left out

const boxLimits = objectOf({
  maxMessages: wholeFrom(1),
  maxBytes: wholeFrom(1),
  messageTtlSeconds: wholeFrom(1, MAILBOX_TTL_MAX_SECONDS),
  maxDeliveries: wholeFrom(1, 1_000_000),
  ordered: isBoolean,
})
const wantedLimits = objectOf({
  maxMessages: optionally(wholeFrom(1)),
  maxBytes: optionally(wholeFrom(1)),
  messageTtlSeconds: optionally(wholeFrom(1, MAILBOX_TTL_MAX_SECONDS)),
  maxDeliveries: optionally(wholeFrom(1, 1_000_000)),
  ordered: optionally(isBoolean),
  ttlSeconds: optionally(wholeFrom(1)),
})
const opened = objectOf({ deposit: isCapability, collect: isCapability, notify: isCapability })

/** Opens boxes; behind a capability for calls. */
export const RelayInterface = iface('Relay', {
  openBox: method(schema(wantedLimits, 'limits of a box'), schema(opened, 'three capabilities')),
})

const toDeposit = objectOf({
  messages: listOf(
    objectOf({ envelope: bytesOf(1, MAILBOX_ENVELOPE_MAX_BYTES), expiresMs: TIME }),
    MAILBOX_BATCH_MAX,
  ),
})
const messageId = bytesOf(16)
const uploadState = { pieces: COUNT, complete: isBoolean }
const begun = objectOf({
  ...uploadState,
  refusal: optionally(oneOf('quota_messages', 'quota_bytes', 'expired', 'gone', 'too_large')),
  retryAfterMs: optionally(COUNT),
})
const toAppend = objectOf({ id: messageId, index: COUNT, piece: bytesOf(1, MAILBOX_PIECE_BYTES) })

const deposited = objectOf({
  accepted: COUNT,
  duplicates: COUNT,
  refusal: optionally(oneOf('quota_messages', 'quota_bytes', 'expired', 'gone')),
  retryAfterMs: optionally(COUNT),
})

/** Puts messages into one box. */
export const DepositInterface = iface('Deposit', {
  deposit: method(schema(toDeposit, 'envelopes with their expiry'), schema(deposited, 'what was taken'), {
    idempotent: true,
  }),
  limits: method(nothing, schema(boxLimits, 'limits of a box'), { idempotent: true }),
  /** Begin to upload a message whose body follows in pieces, or go on with it. */
  beginBody: method(
    schema(
      objectOf({
        envelope: bytesOf(1, MAILBOX_ENVELOPE_MAX_BYTES),
        expiresMs: TIME,
        bodyBytes: wholeFrom(1, MAILBOX_BODY_MAX_BYTES),
      }),
      'an envelope with its expiry and the length of its body',
    ),
    schema(begun, 'where the upload stands'),
    { idempotent: true },
  ),
  /** The next piece; the last one puts the message into the box. */
  appendBody: method(
    schema(toAppend, 'an id, an index and a piece'),
    schema(objectOf(uploadState), 'where the upload stands'),
    { idempotent: true },
  ),
})

const messageMembers = {
  position: COUNT,
  envelope: bytesOf(0, MAILBOX_ENVELOPE_MAX_BYTES),
  depositedMs: TIME,
  expiresMs: TIME,
  deliveries: COUNT,
}
const leased = objectOf({ ...messageMembers, receipt: textTo(RECEIPT_MAX_CHARS) })
const leaseMembers = {
  consumer: bytesOf(8),
  leaseMs: wholeFrom(1, MAILBOX_LEASE_MAX_MS),
}
const page = schema(
  objectOf({ after: wholeFrom(-1), maxMessages: wholeFrom(1, MAILBOX_BATCH_MAX) }),
  'a position and a number of messages',
)
const receipt = textTo(RECEIPT_MAX_CHARS)
const settlement = objectOf({
  kind: oneOf('ack', 'nack', 'extend', 'reject'),
  receipt,
  delayMs: optionally(wholeFrom(0, MAILBOX_DELAY_MAX_MS)),
  leaseMs: optionally(wholeFrom(1, MAILBOX_LEASE_MAX_MS)),
})
const stat = objectOf({
  messages: COUNT,
  bytes: COUNT,
  deadLetters: COUNT,
  deadBytes: COUNT,
  arrivals: COUNT,
  refusals: COUNT,
  limits: boxLimits,
  expiresMs: optionally(TIME),
})
const dead = objectOf({ ...messageMembers, reason: oneOf('deliveries', 'rejected') })

/** Takes messages out of one box, and rules over it. */
export const CollectInterface = iface('Collect', {
  /** Long poll: answers when there is something, or after `waitMs`. */
  receive: method(
    schema(
      objectOf({
        ...leaseMembers,
        maxMessages: wholeFrom(1, MAILBOX_BATCH_MAX),
        waitMs: wholeFrom(0, MAILBOX_WAIT_MAX_MS),
      }),
      'consumer, lease, number of messages and time to wait',
    ),
    schema(objectOf({ messages: listOf(leased, MAILBOX_BATCH_MAX) }), 'messages'),
  ),
  /** Messages as they come, while fewer than `window` of them are unsettled. */
  follow: stream(
    schema(
      objectOf({ ...leaseMembers, window: wholeFrom(1, MAILBOX_WINDOW_MAX) }),
      'consumer, lease and window',
    ),
    schema(leased, 'a message'),
  ),
  settle: method(
    schema(objectOf({ settlements: listOf(settlement, MAILBOX_BATCH_MAX) }), 'settlements'),
    nothing,
    { idempotent: true },
  ),
  ackThrough: method(
    schema(objectOf({ receipt, consumer: leaseMembers.consumer }), 'a receipt and its consumer'),
    nothing,
    { idempotent: true },
  ),
  read: method(page, schema(objectOf({ messages: listOf(objectOf(messageMembers), 4_096) }), 'messages'), {
    idempotent: true,
  }),
  /** A piece of the large body of a message that is in the box. */
  readBody: method(
    schema(objectOf({ id: messageId, index: COUNT }), 'an id and an index'),
    schema(objectOf({ piece: bytesOf(1, MAILBOX_PIECE_BYTES) }), 'a piece'),
    { idempotent: true },
  ),
  deadLetters: method(page, schema(objectOf({ messages: listOf(dead, 4_096) }), 'dead letters'), {
    idempotent: true,
  }),
  settleDead: method(
    schema(
      objectOf({
        positions: optionally(listOf(COUNT, MAILBOX_BATCH_MAX)),
        verdict: oneOf('redeliver', 'remove'),
      }),
      'positions and a verdict',
    ),
    schema(COUNT, 'a number'),
    { idempotent: true },
  ),
  stat: method(nothing, schema(stat, 'what is in the box'), { idempotent: true }),
  /** A further capability with an alias of its own. */
  grant: method(
    schema(
      objectOf({ role: oneOf('deposit', 'notify'), ttlSeconds: optionally(wholeFrom(1)) }),
      'a role and a life in seconds',
    ),
    schema(isCapability, 'a capability'),
  ),
  /** Revoke a capability of this box, or one that was narrowed from it. */
  revoke: method(schema(objectOf({ capability: isCapability }), 'a capability'), nothing, {
    idempotent: true,
  }),
  drop: method(nothing, nothing, { idempotent: true }),
})

const counters = objectOf({ arrivals: COUNT, refusals: COUNT })

/** Learns that something arrived in one box, or was refused for its quota, and nothing else. */
export const NotifyInterface = iface('Notify', {
  /** Answers when the counters are not these any more, or after `waitMs`. */
  wait: method(
    schema(
      objectOf({
        arrivals: wholeFrom(-1),
        refusals: wholeFrom(-1),
        waitMs: wholeFrom(0, MAILBOX_WAIT_MAX_MS),
      }),
      'counters and time to wait',
    ),
    schema(counters, 'counters'),
    { idempotent: true },
  ),
  /** The counters now, and again whenever they have changed. */
  watch: stream(nothing, schema(counters, 'counters')),
})

/** What a handler of a method is given. */
export type InputOf<M> =
  M extends Method<infer _In, infer Received, infer _Out, infer _OutReceived, infer _Errors>
    ? Received
    : M extends StreamMethod<infer _In, infer Received, infer _Item, infer _ItemReceived, infer _Errors>
      ? Received
      : never
