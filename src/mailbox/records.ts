// How boxes lie in an OrderedStore: keys and fixed binary records. Internal to one store, so it is no part of the wire format;
// VERSION changes with it. What a message holds lies apart from its state, which changes with every delivery.
// Leaves out what is done with them (deposit.ts, lease.ts, sweep.ts).
import { concat } from '../bytes.js'
import { lastingArray } from '../lasting.js'
import type { BoxLimits, DeadReason, Role } from './store.js'

/** Kind of an entry: first byte of its key. */
const KIND = {
  alias: 0x61,
  box: 0x62,
  aliasOf: 0x6c,
  state: 0x73,
  envelope: 0x6d,
  id: 0x69,
  expiry: 0x78,
  dead: 0x64,
  upload: 0x75,
  head: 0x68,
  piece: 0x70,
} as const
/** First byte of keys that come in no order. */
export const ID_KIND: number = KIND.id
const ROLES: readonly Role[] = ['deposit', 'collect', 'notify']
const REASONS: readonly DeadReason[] = ['deliveries', 'rejected']
const BOX_BYTES = 16
const KIND_BYTES = 1
const NUMBER_BYTES = 8

/** Keys. */
export const keyOf = {
  alias: (hash: Uint8Array) => key(KIND.alias, hash),
  box: (box: Uint8Array) => key(KIND.box, box),
  /** All names of a box; without a hash the prefix of them. */
  aliasOf: (box: Uint8Array, hash?: Uint8Array) => key(KIND.aliasOf, box, hash),
  state: (box: Uint8Array, position?: number) => placeKey(KIND.state, box, position),
  envelope: (box: Uint8Array, position?: number) => placeKey(KIND.envelope, box, position),
  dead: (box: Uint8Array, position?: number) => placeKey(KIND.dead, box, position),
  id: (box: Uint8Array, id?: Uint8Array) => key(KIND.id, box, id),
  /** A large body that is being uploaded. */
  upload: (box: Uint8Array, id?: Uint8Array) => key(KIND.upload, box, id),
  /** The envelope of a message with a large body, from the beginning of its upload on. */
  head: (box: Uint8Array, id?: Uint8Array) => key(KIND.head, box, id),
  /** A piece of a large body, uploaded or on the way. */
  piece: (box: Uint8Array, id?: Uint8Array, index?: number) =>
    key(KIND.piece, box, id === undefined ? undefined : concat(id, numberBytes(index) ?? new Uint8Array(0))),
  /** By time; without an id it is the expiry of the box itself. */
  expiry: (ms: number, box?: Uint8Array, id?: Uint8Array) =>
    box === undefined
      ? key(KIND.expiry, numberBytes(ms)!)
      : key(KIND.expiry, numberBytes(ms)!, concat(box, id ?? new Uint8Array(0))),
}

/** The position at the end of a key of `state`, `envelope` or `dead`. */
export function positionOf(entryKey: Uint8Array): number {
  return readNumber(entryKey, KIND_BYTES + BOX_BYTES)
}

/** Where the envelope of a message lies. */
export function envelopeKeyOf(
  box: Uint8Array,
  position: number,
  { id, bodyBytes = 0 }: Pick<StateRecord, 'id' | 'bodyBytes'>,
): Uint8Array {
  return bodyBytes > 0 ? keyOf.head(box, id) : keyOf.envelope(box, position)
}

/** Whether the entry under this key is an envelope. */
export function isEnvelopeKey(entryKey: Uint8Array): boolean {
  return entryKey[0] === KIND.envelope || entryKey[0] === KIND.head
}

/** Whether the entry under this key is there as long as a large body is, uploaded or on the way. */
export function isHeadKey(entryKey: Uint8Array): boolean {
  return entryKey[0] === KIND.head
}

/** The id of the message whose piece this is, and which of its pieces; undefined for other keys. */
export function pieceOfKey(entryKey: Uint8Array): { id: Uint8Array; index: number } | undefined {
  if (entryKey[0] !== KIND.piece) return undefined
  const idStart = KIND_BYTES + BOX_BYTES
  return { id: entryKey.slice(idStart, idStart + 16), index: readNumber(entryKey, idStart + 16) }
}

/** The hash of a key of `alias`; undefined for other keys. */
export function aliasOfKey(entryKey: Uint8Array): Uint8Array | undefined {
  return entryKey[0] === KIND.alias ? entryKey.slice(KIND_BYTES) : undefined
}

/** When an entry of `expiry` is due, Unix ms. */
export function dueOf(entryKey: Uint8Array): number {
  return readNumber(entryKey, KIND_BYTES)
}

/** What a key of `expiry` says. */
export function expiryOf(entryKey: Uint8Array): { box: Uint8Array; id: Uint8Array | undefined } {
  const boxStart = KIND_BYTES + 8
  const idStart = boxStart + BOX_BYTES
  return {
    box: entryKey.slice(boxStart, idStart),
    id: entryKey.length === idStart ? undefined : entryKey.slice(idStart),
  }
}

/** The hash at the end of a key of `aliasOf`. */
export function hashOf(entryKey: Uint8Array): Uint8Array {
  return entryKey.slice(KIND_BYTES + BOX_BYTES)
}

function key(kind: number, first: Uint8Array, second?: Uint8Array): Uint8Array {
  const out = new Uint8Array(KIND_BYTES + first.length + (second?.length ?? 0))
  out[0] = kind
  out.set(first, KIND_BYTES)
  if (second !== undefined) out.set(second, KIND_BYTES + first.length)
  return out
}

/** A place in a box; without a position the prefix of all. */
function placeKey(kind: number, box: Uint8Array, position: number | undefined): Uint8Array {
  if (position === undefined) return key(kind, box)
  const out = new Uint8Array(KIND_BYTES + BOX_BYTES + NUMBER_BYTES)
  out[0] = kind
  out.set(box, KIND_BYTES)
  writeNumber(out, KIND_BYTES + BOX_BYTES, position)
  return out
}

function numberBytes(value: number | undefined): Uint8Array | undefined {
  if (value === undefined) return undefined
  const out = new Uint8Array(NUMBER_BYTES)
  writeNumber(out, 0, value)
  return out
}

/** Eight bytes, big-endian, so that they sort by value. No DataView: that moves a short array out of V8's heap (lasting.ts). */
function writeNumber(out: Uint8Array, at: number, value: number): void {
  let part = Math.floor(value / 0x1_0000_0000)
  for (let i = at + 3; i >= at; i--, part >>>= 8) out[i] = part & 0xff
  part = value >>> 0
  for (let i = at + 7; i >= at + 4; i--, part >>>= 8) out[i] = part & 0xff
}

function readNumber(bytes: Uint8Array, at: number): number {
  let number = 0
  for (let i = at; i < at + NUMBER_BYTES; i++) number = number * 256 + bytes[i]!
  return number
}

/** A copy, which costs less than a view while it is short. */
function shortCopy(bytes: Uint8Array, start: number, length: number): Uint8Array {
  const out = new Uint8Array(length)
  for (let i = 0; i < length; i++) out[i] = bytes[start + i]!
  return out
}

/** What a box says of itself; counters change with its messages. */
export interface BoxRecord {
  maxMessages: number
  maxBytes: number
  messageTtlSeconds: number
  maxDeliveries: number
  /** 0 or 1. */
  ordered: number
  /** Unix ms; 0: never. */
  expiresMs: number
  messages: number
  bytes: number
  deadLetters: number
  deadBytes: number
  nextPosition: number
  nextDepositor: number
  refusals: number
  refusedMs: number
}
const BOX_FIELDS = [
  'maxMessages',
  'maxBytes',
  'messageTtlSeconds',
  'maxDeliveries',
  'ordered',
  'expiresMs',
  'messages',
  'bytes',
  'deadLetters',
  'deadBytes',
  'nextPosition',
  'nextDepositor',
  'refusals',
  'refusedMs',
] as const satisfies readonly (keyof BoxRecord)[]

/** A box without messages. */
export function newBox(limits: BoxLimits, expiresMs: number | undefined): BoxRecord {
  const counters = { messages: 0, bytes: 0, deadLetters: 0, deadBytes: 0, nextPosition: 0, nextDepositor: 0 }
  return {
    ...limits,
    ordered: limits.ordered ? 1 : 0,
    expiresMs: expiresMs ?? 0,
    ...counters,
    refusals: 0,
    refusedMs: 0,
  }
}

export function encodeBox(record: BoxRecord): Uint8Array {
  return encodeNumbers(BOX_FIELDS.map((field) => record[field]))
}

export function decodeBox(bytes: Uint8Array): BoxRecord {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const record = {} as BoxRecord // every field is set below
  for (let i = 0; i < BOX_FIELDS.length; i++) record[BOX_FIELDS[i]!] = view.getFloat64(8 * i)
  return record
}

/** What may happen to a message next. */
export const HELD = { no: 0, leased: 1, delayed: 2 } as const

/** What is known of a message besides its envelope. */
export interface StateRecord {
  readonly id: Uint8Array
  readonly depositor: number
  /** What it counts for, bytes: its envelope, and its body where that is large. */
  readonly size: number
  /** Of `size`, the bytes of the large body; 0 or undefined where it has none. */
  readonly bodyBytes?: number | undefined
  readonly depositedMs: number
  readonly expiresMs: number
  deliveries: number
  held: number
  untilMs: number
  /** How long it was to be held, ms: longer than that from now on means that the clock went back. */
  forMs: number
  consumer: Uint8Array
}

export const NOBODY: Uint8Array = new Uint8Array(8)
const STATE_BYTES = 80
const encodedState = lastingArray(STATE_BYTES)
const encodedStateView = new DataView(encodedState.buffer)

/** @returns bytes that hold until the next call: a store takes them at once, many a second. */
export function encodeState(record: StateRecord): Uint8Array {
  const out = encodedState
  const view = encodedStateView
  out.set(record.id)
  view.setUint32(16, record.depositor)
  view.setUint32(20, record.size - (record.bodyBytes ?? 0))
  view.setFloat64(24, record.depositedMs)
  view.setFloat64(32, record.expiresMs)
  view.setUint32(40, record.deliveries)
  view.setUint8(44, record.held)
  view.setFloat64(48, record.untilMs)
  view.setFloat64(56, record.forMs)
  out.set(record.consumer, 64)
  view.setFloat64(72, record.bodyBytes ?? 0)
  return out
}

export function decodeState(bytes: Uint8Array): StateRecord {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  // Shorter in stores from before large bodies.
  const bodyBytes = bytes.length < STATE_BYTES ? 0 : view.getFloat64(72)
  return {
    id: shortCopy(bytes, 0, 16),
    depositor: view.getUint32(16),
    size: view.getUint32(20) + bodyBytes,
    bodyBytes,
    depositedMs: view.getFloat64(24),
    expiresMs: view.getFloat64(32),
    deliveries: view.getUint32(40),
    held: view.getUint8(44),
    untilMs: view.getFloat64(48),
    forMs: view.getFloat64(56),
    consumer: shortCopy(bytes, 64, 8),
  }
}

/** A dead letter: the reason and its last state. */
export function encodeDead(reason: DeadReason, state: StateRecord): Uint8Array {
  return concat(Uint8Array.of(REASONS.indexOf(reason)), encodeState(state))
}

export function decodeDead(bytes: Uint8Array): { reason: DeadReason; state: StateRecord } {
  return { reason: REASONS[bytes[0]!] ?? 'rejected', state: decodeState(bytes.subarray(1)) }
}

/** A large body on its way. */
export interface UploadRecord {
  readonly depositor: number
  readonly envelopeBytes: number
  readonly bodyBytes: number
  /** Unix ms at which its message expires. */
  readonly expiresMs: number
  /** Unix ms at which it is given up, and where it stands among what expires. */
  untilMs: number
  readonly sweepMs: number
  pieces: number
}
const UPLOAD_FIELDS = [
  'depositor',
  'envelopeBytes',
  'bodyBytes',
  'expiresMs',
  'untilMs',
  'sweepMs',
  'pieces',
] as const satisfies readonly (keyof UploadRecord)[]

export function encodeUpload(record: UploadRecord): Uint8Array {
  return encodeNumbers(UPLOAD_FIELDS.map((field) => record[field]))
}

export function decodeUpload(bytes: Uint8Array): UploadRecord {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const entries = UPLOAD_FIELDS.map((field, i) => [field, view.getFloat64(8 * i)])
  return Object.fromEntries(entries) as UploadRecord // every field is set above
}

function encodeNumbers(numbers: readonly number[]): Uint8Array {
  const out = new Uint8Array(8 * numbers.length)
  const view = new DataView(out.buffer)
  for (const [i, number] of numbers.entries()) view.setFloat64(8 * i, number)
  return out
}

/** What a name stands for: role, depositor, box. */
export function encodeAlias(role: Role, depositor: number, box: Uint8Array): Uint8Array {
  const out = new Uint8Array(5 + BOX_BYTES)
  out[0] = ROLES.indexOf(role)
  new DataView(out.buffer).setUint32(1, depositor)
  out.set(box, 5)
  return out
}

export function decodeAlias(bytes: Uint8Array): { box: Uint8Array; role: Role; depositor: number } {
  const depositor = new DataView(bytes.buffer, bytes.byteOffset).getUint32(1)
  return { role: ROLES[bytes[0]!] ?? 'notify', depositor, box: bytes.slice(5) }
}

const encodedId = lastingArray(NUMBER_BYTES)

/** What is remembered under a message's id: its position, until its expiry.
 * @returns bytes that hold until the next call. */
export function encodeId(position: number): Uint8Array {
  writeNumber(encodedId, 0, position)
  return encodedId
}

export function decodeId(bytes: Uint8Array): number {
  return readNumber(bytes, 0)
}
