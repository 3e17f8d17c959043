// How a call fails: what a handler throws (Failure) and what the caller catches (CallError), with the numbers of the
// codes on the wire (spec/rpc.md §6). Two classes, so that an error received from elsewhere and thrown on by a handler
// never crosses with its message: it becomes `internal` with an id, like any other.
import { NoisecapError, type RpcErrorCode } from '../errors.js'

/** Reasons that a handler may give; the Connect/gRPC set. */
export type FailureReason =
  | 'canceled'
  | 'unknown'
  | 'invalid_argument'
  | 'deadline_exceeded'
  | 'not_found'
  | 'already_exists'
  | 'permission_denied'
  | 'resource_exhausted'
  | 'failed_precondition'
  | 'aborted'
  | 'out_of_range'
  | 'unimplemented'
  | 'internal'
  | 'unavailable'
  | 'data_loss'
  | 'unauthenticated'
  | 'declared'

/** Number of each reason on the wire: gRPC's, and 32 for declared errors. */
export const FAILURE_CODES = {
  canceled: 1,
  unknown: 2,
  invalid_argument: 3,
  deadline_exceeded: 4,
  not_found: 5,
  already_exists: 6,
  permission_denied: 7,
  resource_exhausted: 8,
  failed_precondition: 9,
  aborted: 10,
  out_of_range: 11,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  data_loss: 15,
  unauthenticated: 16,
  declared: 32,
} as const satisfies Record<FailureReason, number>

/** What may accompany a {@link Failure}. */
export interface FailureDetails {
  /** Name of a declared error. */
  readonly name?: string | undefined
  /** Data of a declared error. */
  readonly data?: unknown
  /** When the caller may try again, ms. */
  readonly retryAfterMs?: number | undefined
}

/** Thrown by a handler to tell its caller why: reason, message and data cross as they are. */
export class Failure extends Error {
  readonly reason: FailureReason
  readonly failureName: string | undefined
  readonly data: unknown
  readonly retryAfterMs: number | undefined

  constructor(reason: FailureReason, message: string, details: FailureDetails = {}) {
    super(message)
    this.reason = reason
    this.failureName = details.name
    this.data = details.data
    this.retryAfterMs = details.retryAfterMs
  }

  override get name(): string {
    return 'Failure'
  }
}

/** What may accompany a {@link CallError}. */
export interface CallErrorDetails {
  readonly method: string
  readonly mayHaveRun: boolean
  readonly errorId?: string | undefined
  readonly failureName?: string | undefined
  readonly data?: unknown
  readonly retryAfterMs?: number | undefined
  readonly hint?: string | undefined
  readonly cause?: unknown
}

/** Caught by a caller. */
export class CallError extends NoisecapError<RpcErrorCode> {
  /** The method that was called. */
  readonly method: string
  /** Whether the handler may have begun: false means that repeating is safe. */
  readonly mayHaveRun: boolean
  /** Finds the error in the service's log, for `rpc/internal`. */
  readonly errorId: string | undefined
  /** Name of the declared error, for `rpc/declared`. */
  readonly failureName: string | undefined
  /** Data of the declared error, validated. */
  readonly data: unknown
  /** When to try again, ms. */
  readonly retryAfterMs: number | undefined

  constructor(code: RpcErrorCode, message: string, details: CallErrorDetails) {
    super(code, message, {
      ...(details.hint === undefined ? {} : { hint: details.hint }),
      ...(details.cause === undefined ? {} : { cause: details.cause }),
    })
    this.method = details.method
    this.mayHaveRun = details.mayHaveRun
    this.errorId = details.errorId
    this.failureName = details.failureName
    this.data = details.data
    this.retryAfterMs = details.retryAfterMs
  }

  override get name(): string {
    return 'CallError'
  }
}

/** What was built on an answer that failed was never made. */
export function buildsOnFailure(method: string, cause: unknown, on?: string): CallError {
  const code = cause instanceof CallError ? cause.code : 'rpc/aborted'
  const what = on ?? 'the call'
  const message = `Call ${method} was not made: ${what}, on which it builds, failed`
  return new CallError(code, message, { method, mayHaveRun: false, cause })
}
