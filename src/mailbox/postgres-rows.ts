// Rows of the mailbox's tables as records, and back. Numbers of 64 bits arrive as text; none here exceeds 2^53.
import type { BoxRecord, StateRecord } from './records.js'

/** Columns of a message without its envelope. */
export const STATE_COLUMNS =
  'position, id, depositor, size, body_bytes, deposited_ms, expires_ms, deliveries, held, until_ms, for_ms, consumer'

/** A row, as `pg` gives it. */
export type Row = Readonly<Record<string, unknown>>

export function stateOf(row: Row): StateRecord {
  return {
    id: row['id'] as Uint8Array,
    depositor: Number(row['depositor']),
    size: Number(row['size']),
    bodyBytes: Number(row['body_bytes']),
    depositedMs: Number(row['deposited_ms']),
    expiresMs: Number(row['expires_ms']),
    deliveries: Number(row['deliveries']),
    held: Number(row['held']),
    untilMs: Number(row['until_ms']),
    forMs: Number(row['for_ms']),
    consumer: row['consumer'] as Uint8Array,
  }
}

export function boxOf(row: Row): BoxRecord {
  return {
    maxMessages: Number(row['max_messages']),
    maxBytes: Number(row['max_bytes']),
    messageTtlSeconds: Number(row['ttl_seconds']),
    maxDeliveries: Number(row['max_deliveries']),
    ordered: Number(row['ordered']),
    expiresMs: Number(row['expires_ms']),
    messages: Number(row['messages']),
    bytes: Number(row['bytes']),
    deadLetters: Number(row['dead_letters']),
    deadBytes: Number(row['dead_bytes']),
    nextPosition: Number(row['next_position']),
    nextDepositor: Number(row['next_depositor']),
    refusals: Number(row['refusals']),
    refusedMs: Number(row['refused_ms']),
  }
}
