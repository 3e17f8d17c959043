// What a message holds inside its seal (spec/mailbox.md §4): a header in deterministic CBOR and the body as it is.
// Written by the sender, read by the recipient, never seen by a relay. Leaves out sealing and padding (envelope.ts).
import { type Dcbor, type DcborMap, decodeDcbor, encodeDcbor } from '../dcbor.js'
import { NoisecapError } from '../errors.js'
import {
  MAILBOX_BODY_MAX_BYTES,
  MAILBOX_HEADER_MAX_BYTES,
  MAILBOX_HEADER_VALUE_MAX_CHARS,
  MAILBOX_HEADERS_MAX,
  MAILBOX_MESSAGE_MAX_BYTES,
  MAILBOX_NAME_MAX_CHARS,
  MAILBOX_TTL_MAX_SECONDS,
} from '../limits.js'

/** Id of a message, and of the outbox that numbers it, bytes. */
export const ID_BYTES = 16
const LENGTH_BYTES = 2
const KEY_BYTES = 32
const TAIL_BYTES = 48
/** Of the list that says where a large body lies. */
const ATTACHED_ITEMS = 4
/** Characters of a deposit address as text (box.ts). */
const ADDRESS_MAX_CHARS = 8_400

/** What a sender says of a message, inside the seal. */
export interface MessageHeader {
  /** 16 random bytes that name the series in which `sequence` counts. */
  readonly series: Uint8Array
  /** Place in the series, from 0. */
  readonly sequence: number
  /** Id of the message before it in the series, 16 bytes; undefined for the first. */
  readonly previous: Uint8Array | undefined
  /** Unix seconds. */
  readonly sentAt: number
  /** Unix seconds after which the recipient drops it. */
  readonly expires: number
  readonly contentType: string
  /** The application's own words; without the empty name. */
  readonly headers: Readonly<Record<string, string>>
  /** Deposit address for answers, as text with its secret. */
  readonly reply: string | undefined
  /** Deposit address for a receipt, as text with its secret. */
  readonly receipt: string | undefined
  /** Id of the message that this one answers, 16 bytes. */
  readonly inReplyTo: Uint8Array | undefined
  /** Whether the body is bytes as they are, and not of the type of the box's messages. */
  readonly raw?: boolean | undefined
  /** A body that lies apart from its message; then it is raw, and none is here. */
  readonly attached?: AttachedBody | undefined
}

/** How to open a large body (spec/mailbox.md §4.1). */
export interface AttachedBody {
  /** Secret key to which it is sealed, and nothing else; 32 bytes. */
  readonly key: Uint8Array
  /** Bytes of the body itself. */
  readonly bytes: number
  /** Bytes of the sealed stream. */
  readonly sealedBytes: number
  /** Tail of the sealed stream, 48 bytes. */
  readonly tail: Uint8Array
}

/** A message as it is sealed. */
export interface MessageContent {
  readonly header: MessageHeader
  readonly body: Uint8Array
}

/** Keys of the header's map. */
const KEY = {
  series: 0,
  sequence: 1,
  previous: 2,
  sentAt: 3,
  expires: 4,
  contentType: 5,
  headers: 6,
  reply: 7,
  receipt: 8,
  inReplyTo: 9,
  raw: 10,
  attached: 11,
} as const

/** length(2) ‖ header ‖ body.
 * @param content - borrowed.
 * @throws TypeError or RangeError for a header that breaks a limit of spec/mailbox.md §9, `mailbox/too_large`. */
export function encodeContent({ header, body }: MessageContent): Uint8Array {
  checkHeader(header)
  const encoded = encodeDcbor(headerMap(header))
  if (encoded.length > MAILBOX_HEADER_MAX_BYTES) {
    throw new RangeError(
      `Cannot send message: expected headers and addresses of at most ${MAILBOX_HEADER_MAX_BYTES} bytes together`,
    )
  }
  const length = LENGTH_BYTES + encoded.length + body.length
  // One byte more says that there is a value (spec/seal.md §7).
  if (length + 1 > MAILBOX_MESSAGE_MAX_BYTES) {
    throw new NoisecapError(
      'mailbox/too_large',
      `Cannot send message: expected at most ${MAILBOX_MESSAGE_MAX_BYTES} bytes with its header`,
      { hint: 'Send its bytes instead of a value: they may be of any length that the box has room for' },
    )
  }
  const out = new Uint8Array(length)
  new DataView(out.buffer).setUint16(0, encoded.length)
  out.set(encoded, LENGTH_BYTES)
  out.set(body, LENGTH_BYTES + encoded.length)
  return out
}

/** The message of its encoding.
 * @param bytes - authentic; its body is a view of them.
 * @throws `mailbox/malformed` for what {@link encodeContent} would not have written. */
export function decodeContent(bytes: Uint8Array): MessageContent {
  if (bytes.length < LENGTH_BYTES) throw malformed()
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint16(0)
  const bodyStart = LENGTH_BYTES + length
  if (length > MAILBOX_HEADER_MAX_BYTES || bodyStart > bytes.length) throw malformed()
  try {
    const header = headerOf(decodeDcbor(bytes.subarray(LENGTH_BYTES, bodyStart)))
    checkHeader(header)
    const body = bytes.subarray(bodyStart)
    if (header.attached !== undefined && body.length > 0) throw malformed()
    return { header, body }
  } catch {
    throw malformed() // the reason may quote what was sealed
  }
}

function headerMap(header: MessageHeader): DcborMap {
  const map = new Map<number, Dcbor>([
    [KEY.series, header.series],
    [KEY.sequence, header.sequence],
    [KEY.sentAt, header.sentAt],
    [KEY.expires, header.expires],
    [KEY.contentType, header.contentType],
  ])
  const names = Object.entries(header.headers)
  if (names.length > 0) map.set(KEY.headers, new Map(names))
  for (const name of ['previous', 'reply', 'receipt', 'inReplyTo'] as const) {
    const value = header[name]
    if (value !== undefined) map.set(KEY[name], value)
  }
  if (header.raw === true) map.set(KEY.raw, true)
  const { attached } = header
  if (attached !== undefined)
    map.set(KEY.attached, [attached.key, attached.bytes, attached.sealedBytes, attached.tail])
  return map
}

function headerOf(value: Dcbor): MessageHeader {
  if (!(value instanceof Map)) throw malformed()
  for (const key of value.keys()) if (!KEYS.has(key)) throw malformed()
  if (value.get(KEY.raw) === false) throw malformed()
  const headers = value.get(KEY.headers) ?? new Map()
  if (!(headers instanceof Map)) throw malformed()
  // Whatever is of another type is refused by checkHeader.
  return {
    series: value.get(KEY.series),
    sequence: value.get(KEY.sequence),
    previous: value.get(KEY.previous),
    sentAt: value.get(KEY.sentAt),
    expires: value.get(KEY.expires),
    contentType: value.get(KEY.contentType),
    headers: Object.assign(Object.create(null), Object.fromEntries(headers)),
    reply: value.get(KEY.reply),
    receipt: value.get(KEY.receipt),
    inReplyTo: value.get(KEY.inReplyTo),
    raw: value.get(KEY.raw),
    attached: attachedOf(value.get(KEY.attached)),
  } as MessageHeader
}

function attachedOf(value: Dcbor | undefined): unknown {
  if (value === undefined) return undefined
  if (!Array.isArray(value) || value.length !== ATTACHED_ITEMS) throw malformed()
  const [key, bytes, sealedBytes, tail] = value
  return { key, bytes, sealedBytes, tail }
}

const KEYS: ReadonlySet<unknown> = new Set(Object.values(KEY))

function checkHeader(header: MessageHeader): void {
  const { series, sequence, previous, sentAt, expires, contentType, headers } = header
  checkId(series, 'series')
  if (!isWhole(sequence)) throw new RangeError('Cannot send message: expected a sequence from 0')
  if ((previous === undefined) !== (sequence === 0)) {
    throw new TypeError('Cannot send message: expected a previous id with every sequence above 0')
  }
  if (previous !== undefined) checkId(previous, 'previous id')
  if (header.inReplyTo !== undefined) checkId(header.inReplyTo, 'id that is answered')
  const life = expires - sentAt
  if (!isWhole(sentAt) || !isWhole(expires) || life < 1 || life > MAILBOX_TTL_MAX_SECONDS) {
    throw new RangeError(
      `Cannot send message: expected a life of 1 to ${MAILBOX_TTL_MAX_SECONDS} seconds, got ${life}`,
    )
  }
  checkText(contentType, MAILBOX_NAME_MAX_CHARS, 'content type')
  const entries = Object.entries(headers)
  if (entries.length > MAILBOX_HEADERS_MAX) {
    throw new RangeError(`Cannot send message: expected at most ${MAILBOX_HEADERS_MAX} headers`)
  }
  for (const [name, value] of entries) {
    checkText(name, MAILBOX_NAME_MAX_CHARS, 'name of a header')
    if (value !== '') checkText(value, MAILBOX_HEADER_VALUE_MAX_CHARS, 'value of a header')
  }
  checkBody(header)
  for (const address of [header.reply, header.receipt]) {
    if (address !== undefined) checkText(address, ADDRESS_MAX_CHARS, 'deposit address')
  }
}

function checkBody({ raw, attached }: MessageHeader): void {
  if (raw !== undefined && typeof raw !== 'boolean')
    throw new TypeError('Cannot send message: expected a boolean as raw')
  if (attached === undefined) return
  const { key, bytes, sealedBytes, tail } = attached
  const possible =
    raw === true &&
    isBytes(key, KEY_BYTES) &&
    isBytes(tail, TAIL_BYTES) &&
    isWhole(bytes) &&
    isWhole(sealedBytes) &&
    sealedBytes > bytes &&
    sealedBytes <= MAILBOX_BODY_MAX_BYTES
  if (!possible) throw new TypeError('Cannot send message: expected a raw body that lies apart')
}

function isBytes(value: unknown, length: number): boolean {
  return value instanceof Uint8Array && value.length === length
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function checkId(id: unknown, what: string): void {
  if (!(id instanceof Uint8Array) || id.length !== ID_BYTES)
    throw new TypeError(`Cannot send message: expected 16 bytes as ${what}`)
}

function checkText(text: unknown, maxChars: number, what: string): void {
  if (typeof text !== 'string' || text === '' || text.length > maxChars || !text.isWellFormed()) {
    throw new TypeError(
      `Cannot send message: expected well-formed text of 1 to ${maxChars} characters as ${what}`,
    )
  }
}

function malformed(): NoisecapError {
  return new NoisecapError(
    'mailbox/malformed',
    'Cannot read message: it is authentic, yet not what a sender of version 1 writes',
    { hint: 'Update this side if its senders are newer' },
  )
}
