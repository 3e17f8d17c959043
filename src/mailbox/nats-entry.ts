// Entries of a box's log in NATS: what a transaction has changed, or where a snapshot of the whole box lies. Internal to the store;
// KIND grows when the form changes. Leaves out what the changed keys and values are (records.ts).
//   entry    = kind ‖ u64 previous entry of this log, 0: none ‖ name of the transaction (16) ‖ changes, or u64 sequences of parts
//   changes  = (u16 length of key ‖ key ‖ u32 length of value + 1, or 0: removed ‖ value) …
import { concat } from '../bytes.js'

const KIND = { changes: 1, snapshot: 2 } as const
const START_BYTES = 25
const NAME_BYTES = 16

/** One entry under one key; without a value it was removed. */
export interface Change {
  readonly key: Uint8Array
  readonly value: Uint8Array | undefined
}

/** One entry of a log. */
export interface LogEntry {
  /** Sequence of the entry before it; 0 for the first. */
  readonly previous: number
  /** 16 random bytes, by which a relay knows its own transactions. */
  readonly transaction: Uint8Array
  readonly content:
    | { readonly kind: 'changes'; readonly changes: readonly Change[] }
    /** Sequences of its parts: changes that make the box from nothing. */
    | { readonly kind: 'snapshot'; readonly parts: readonly number[] }
}

export function encodeLogEntry({ previous, transaction, content }: LogEntry): Uint8Array {
  const start = new Uint8Array(START_BYTES)
  start[0] = KIND[content.kind]
  writeSequence(start, 1, previous)
  start.set(transaction, 9)
  return concat(
    start,
    content.kind === 'changes'
      ? encodeChanges(content.changes)
      : concat(...content.parts.map((part) => encodeSequence(part))),
  )
}

/** @throws TypeError for what is none. */
export function decodeLogEntry(bytes: Uint8Array): LogEntry {
  if (bytes.length < START_BYTES) throw malformed()
  const start = { previous: decodeSequence(bytes, 1), transaction: bytes.slice(9, 9 + NAME_BYTES) }
  const rest = bytes.subarray(START_BYTES)
  switch (bytes[0]) {
    case KIND.changes:
      return { ...start, content: { kind: 'changes', changes: decodeChanges(rest) } }
    case KIND.snapshot: {
      const parts: number[] = []
      for (let at = 0; at < rest.length; at += 8) parts.push(decodeSequence(rest, at))
      return { ...start, content: { kind: 'snapshot', parts } }
    }
    default:
      throw malformed()
  }
}

/** Bytes that a change takes in an entry. */
export function sizeOf({ key, value }: Change): number {
  return 6 + key.length + (value?.length ?? 0)
}

export function encodeChanges(changes: readonly Change[]): Uint8Array {
  const out = new Uint8Array(changes.reduce((sum, change) => sum + sizeOf(change), 0))
  const view = new DataView(out.buffer)
  let at = 0
  for (const { key, value } of changes) {
    view.setUint16(at, key.length)
    out.set(key, at + 2)
    at += 2 + key.length
    view.setUint32(at, value === undefined ? 0 : value.length + 1)
    if (value !== undefined) out.set(value, at + 4)
    at += 4 + (value?.length ?? 0)
  }
  return out
}

/** @throws TypeError for what are none. */
export function decodeChanges(bytes: Uint8Array): readonly Change[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const changes: Change[] = []
  let at = 0
  const take = (length: number) => {
    if (at + length > bytes.length) throw malformed()
    at += length
    return at - length
  }
  while (at < bytes.length) {
    const keyLength = view.getUint16(take(2))
    const keyAt = take(keyLength)
    const valueLength = view.getUint32(take(4))
    const key = bytes.slice(keyAt, keyAt + keyLength)
    if (valueLength === 0) {
      changes.push({ key, value: undefined })
      continue
    }
    const valueAt = take(valueLength - 1)
    changes.push({ key, value: bytes.slice(valueAt, valueAt + valueLength - 1) })
  }
  return changes
}

/** A sequence of the stream, 8 bytes. */
export function encodeSequence(sequence: number): Uint8Array {
  const out = new Uint8Array(8)
  writeSequence(out, 0, sequence)
  return out
}

/** @throws TypeError for what is none. */
export function decodeSequence(bytes: Uint8Array, at = 0): number {
  if (at + 8 > bytes.length) throw malformed()
  return Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(at))
}

function writeSequence(out: Uint8Array, at: number, sequence: number): void {
  new DataView(out.buffer).setBigUint64(at, BigInt(sequence))
}

function malformed(): TypeError {
  return new TypeError('expected an entry of a box, got something else')
}
