// The errors of calls that end on this side: too large, canceled, cut off, built on what failed (spec/rpc.md §6).
// Leaves out what the other side answers (answers.ts).
import { NoisecapError } from '../errors.js'
import { type CloseOutcome, type CloseReason, refusalError } from '../session/index.js'
import { CallError } from './failure.js'
import type { Question } from './question.js'
import { BudgetExceeded } from './value-refusal.js'

export function tooLarge(method: string): CallError {
  return new CallError(
    'rpc/resource_exhausted',
    `Cannot call ${method}: the input is larger than the service takes`,
    {
      method,
      mayHaveRun: false,
    },
  )
}

export function malformedAnswer(): NoisecapError {
  return new NoisecapError('session/protocol', 'the answer breaks the wire format')
}

export function disconnected(method: string, mayHaveRun: boolean, cause: NoisecapError): CallError {
  return new CallError('rpc/disconnected', `Call ${method} failed: ${cause.message}`, {
    method,
    mayHaveRun,
    cause,
    hint: cause.hint,
  })
}

export function canceledBefore(method: string, cause: unknown): CallError {
  const message = `Call ${method} was canceled by its caller`
  return new CallError('rpc/canceled', message, { method, mayHaveRun: false, cause })
}

export function brokenReference(question: Question, reason: CloseReason): CallError {
  const method = question.method.name
  const cause = refusalError(reason)
  return new CallError('rpc/permission_denied', `Call ${method} was broken off: ${cause.message}`, {
    method,
    mayHaveRun: question.id !== undefined,
    cause,
    hint: cause.hint,
  })
}

export function letGo(method: string): CallError {
  return new CallError('rpc/failed_precondition', `Cannot use the answer of ${method}: it was let go`, {
    method,
    mayHaveRun: true,
    hint: 'Await it, or hold it with `using`, to call it later',
  })
}

export function inputFailed(method: string, cause: unknown): CallError {
  const code = cause instanceof CallError ? cause.code : 'rpc/aborted'
  return new CallError(code, `Call ${method} was not made: a promise in its input was rejected`, {
    method,
    mayHaveRun: false,
    cause,
  })
}

/** The host answered SAVE with something else. */
export function noCapabilityInAnswer(): CallError {
  return new CallError('rpc/bad_value', 'Cannot make capability: the host answered with something else', {
    method: 'capabilityOf',
    mayHaveRun: true,
  })
}

/** A getter of a value that was being sent made a call. */
export function calledByGetter(method: string): CallError {
  return new CallError('rpc/bad_value', 'Cannot call from a getter of a value that is being sent', {
    method,
    mayHaveRun: false,
    hint: 'Call before, and put the answer into the value',
  })
}

/** Why an input cannot be sent: the caller's own mistake as it is, a budget of the session as the failure of this call. */
export function inputRefused(method: string, error: unknown): unknown {
  if (!(error instanceof BudgetExceeded)) return error
  const { message, hint } = error
  return new CallError('rpc/resource_exhausted', message, { method, mayHaveRun: false, hint })
}

/** What open calls and streams learn of a session that ended without an error.
 * @param isBatch - whether the pipe carried one batch each way: then this is how each session ends. */
export function closedError({ by, reason }: CloseOutcome, isBatch: boolean): NoisecapError {
  const hint =
    'Over HTTP references end with the answer, and a stream brings its first 256 KiB; for more use a location of ws: or tcp:'
  return new NoisecapError(
    'session/closed',
    `Session was closed by ${by}: ${reason}`,
    isBatch ? { hint } : {},
  )
}
