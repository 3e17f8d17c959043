// What a store says of a box: the same words whatever the box lies in.
import type { BoxRecord } from './records.js'
import type { BoxStat, Leased } from './store.js'

/** The answer to whoever asks a box that has ended. */
export const GONE: Leased = { messages: [], nextMs: undefined, open: false }

export function boxStat(record: BoxRecord): BoxStat {
  const { messages, bytes, deadLetters, deadBytes, refusals, nextPosition, ordered, expiresMs } = record
  const { maxMessages, maxBytes, messageTtlSeconds, maxDeliveries } = record
  return {
    ...{ messages, bytes, deadLetters, deadBytes, refusals, arrivals: nextPosition },
    limits: { maxMessages, maxBytes, messageTtlSeconds, maxDeliveries, ordered: ordered === 1 },
    expiresMs: expiresMs === 0 ? undefined : expiresMs,
  }
}
