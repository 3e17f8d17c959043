// From an error to what the user sees and the exit code: 1 when the operation failed, 2 when something given was wrong.
// No stack, no secret: whatever looks like the secret part of a capability is taken out of every message, since messages
// may quote arguments. Leaves out where it is written (output.ts).
import { CommanderError } from 'commander'
import { type ErrorCode, NoisecapError } from '../errors.js'
import type { CallError } from '../index.js'
import { toJsonValue } from './json-value.js'
import { DoctorFailure, UsageError } from './usage-error.js'

/** A failure as it is shown. */
export interface FailureView {
  readonly exitCode: 1 | 2
  readonly code: string
  readonly message: string
  readonly hint: string | undefined
  /** What else a failed call tells, for `--json`. */
  readonly call: Readonly<Record<string, unknown>> | undefined
}

/** Codes that mean: what was given is wrong. */
const BAD_INPUT: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'crypto/bad_public_key',
  'crypto/unavailable',
  'capability/malformed',
  'capability/key_mismatch',
  'capability/too_large',
  'capability/key_file',
  'capability/passphrase',
  'capability/revocation_file',
  'seal/malformed',
  'seal/version',
  'seal/too_large',
  'resolve/malformed',
  'resolve/registry',
  'transport/bad_location',
  'mailbox/address',
])

/** What to show of `error`. */
export function viewFailure(error: unknown): FailureView {
  const view = { hint: undefined, call: undefined }
  if (error instanceof UsageError) {
    return {
      ...view,
      exitCode: 2,
      code: 'cli/usage',
      message: clean(error.message),
      hint: cleanHint(error.hint),
    }
  }
  if (error instanceof DoctorFailure) {
    return {
      ...view,
      exitCode: 1,
      code: 'cli/doctor',
      message: clean(error.message),
      hint: cleanHint(error.hint),
    }
  }
  // Cleaning up failed as well: what failed first is what the user has to know.
  if (error instanceof Error && error.name === 'SuppressedError' && 'suppressed' in error)
    return viewFailure(error.suppressed)
  if (error instanceof CommanderError) return viewCommanderError(error)
  if (error instanceof NoisecapError) {
    const { code, message, hint } = error
    const call = isCallError(error) ? callDetails(error) : undefined
    const exitCode = BAD_INPUT.has(code) ? 2 : 1
    return { exitCode, code, message: clean(message), hint: cleanHint(hint), call }
  }
  const message = clean(error instanceof Error ? error.message : 'Failed for an unknown reason')
  // The library's way to say that an argument is wrong.
  const isArgument = error instanceof TypeError || error instanceof RangeError
  return { ...view, exitCode: isArgument ? 2 : 1, code: isArgument ? 'cli/usage' : 'cli/unexpected', message }
}

function viewCommanderError({ message }: CommanderError): FailureView {
  const [what = message, suggestion] = message.replace(/^error: /, '').split('\n')
  const hint = suggestion?.replace(/^\((.*)\)$/, '$1')
  const fallback = 'Run noisecap --help, or noisecap help <command>'
  return {
    exitCode: 2,
    code: 'cli/usage',
    message: clean(what),
    hint: cleanHint(hint === undefined || hint === '' ? fallback : hint),
    call: undefined,
  }
}

/** By what it has and not by its class, which would load all that calls are made of, for any command. */
function isCallError(error: NoisecapError): error is CallError {
  return 'mayHaveRun' in error
}

function callDetails(error: CallError): Record<string, unknown> {
  return {
    method: error.method,
    mayHaveRun: error.mayHaveRun,
    ...(error.errorId !== undefined && { errorId: error.errorId }),
    ...(error.failureName !== undefined && { name: error.failureName }),
    ...(error.data !== undefined && { data: toJsonValue(error.data) }),
    ...(error.retryAfterMs !== undefined && { retryAfterMs: error.retryAfterMs }),
  }
}

function cleanHint(hint: string | undefined): string | undefined {
  return hint === undefined ? undefined : clean(hint)
}

/** `text` in one line and without secrets. */
function clean(text: string): string {
  return redactSecrets(text.replaceAll(/\s*\n\s*/g, ' '))
}

/** `text` without what may be the secret part of a capability, also of one with a typing error. */
export function redactSecrets(text: string): string {
  return text
    .replaceAll(/(:[^\s#'"]*#)[^\s'"]+/g, '$1[redacted]')
    .replaceAll(/[A-Za-z0-9_-]{65,}/g, '[redacted]')
}
