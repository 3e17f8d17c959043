// What a caller may say of one call, and what a handler learns of it.
import type { PublicKey } from '../crypto/index.js'
import type { Metadata } from './metadata.js'

/** Options of one call. */
export interface CallOptions {
  /** Cancels the call: rejects at once here, aborts the handler's signal there. */
  readonly signal?: AbortSignal | undefined
  /** Deadline from now, ms; travels with the call. */
  readonly timeoutMs?: number | undefined
  /** Text by name for the handler and for interceptors; at most 32 names, and 4,096 bytes as a value. Encrypted like the
   * input, and readable by whoever serves the call. */
  readonly metadata?: Metadata | undefined
  /** Calling twice is as good as calling once, as for a method that is declared so: on an object that `connect` gave, the
   * call is made again when it was lost with the connection. Its input must not be altered till the answer is there. */
  readonly idempotent?: boolean | undefined
}

/** What a handler learns of its caller. All but `metadata` comes from the grant and the
 * handshake, never from what the caller says. */
export interface CallContext {
  /** Aborted when the caller cancels, the deadline passes or the session ends. Made on first use. */
  readonly signal: AbortSignal
  /** Until the deadline, ms; Infinity without one. */
  readonly remainingMs: number
  /** The caller's proven key; undefined for an anonymous caller. */
  readonly client: PublicKey | undefined
  /** What the caller says besides the input: its own word, unlike the rest. Frozen; empty when it says nothing. */
  readonly metadata: Metadata
}
