// What a caller may say of one call, and what a handler learns of it.
import type { PublicKey } from '../crypto/index.js'

/** Options of one call. */
export interface CallOptions {
  /** Cancels the call: rejects at once here, aborts the handler's signal there. */
  readonly signal?: AbortSignal | undefined
  /** Deadline from now, ms; travels with the call. */
  readonly timeoutMs?: number | undefined
}

/** What a handler learns of its caller. Values come from the grant and the handshake, never from what the caller says. */
export interface CallContext {
  /** Aborted when the caller cancels, the deadline passes or the session ends. Made on first use. */
  readonly signal: AbortSignal
  /** Until the deadline, ms; Infinity without one. */
  readonly remainingMs: number
  /** The caller's proven key; undefined for an anonymous caller. */
  readonly client: PublicKey | undefined
}
