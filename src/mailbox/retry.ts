// Whether trying again may help, and when: what all clients of a mailbox do when a relay is not there.
import { addAbortListener, removeAbortListener } from '../abort-listeners.js'
import { type Clock, letGo } from '../clock.js'
import { NoisecapError } from '../errors.js'
import { CallError } from '../rpc/index.js'

const FIRST_MS = 100
const LAST_MS = 30_000

/** Codes that do not change by waiting: the capability, the box or the message is at fault. */
const LASTING: ReadonlySet<string> = new Set([
  'session/denied',
  'session/expired',
  'session/revoked',
  'rpc/permission_denied',
  'rpc/not_found',
  'rpc/invalid_argument',
  'rpc/unimplemented',
  'rpc/unauthenticated',
  'rpc/bad_value',
])

/** Whether the same call may succeed later. */
export function isPassing(error: unknown): boolean {
  return error instanceof NoisecapError && !LASTING.has(error.code)
}

/** Delays between attempts: doubled each time, with chance in them, so that many clients do not come back at once. */
export class Backoff {
  #delayMs = FIRST_MS

  /** How long to wait after `error`, ms. */
  next(error?: unknown): number {
    const told = error instanceof CallError ? error.retryAfterMs : undefined
    const delayMs = this.#delayMs * (0.5 + Math.random() / 2)
    this.#delayMs = Math.min(LAST_MS, this.#delayMs * 2)
    return told === undefined ? delayMs : Math.min(LAST_MS, told)
  }

  /** It worked. */
  reset(): void {
    this.#delayMs = FIRST_MS
  }
}

/** Resolves in `delayMs`, or as soon as `signal` is aborted; does not keep the process alive. */
export function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const done = () => {
      clock.clearTimeout(timer)
      removeAbortListener(signal, done)
      resolve()
    }
    const timer = clock.setTimeout(done, delayMs)
    letGo(timer)
    addAbortListener(signal, done)
  })
}
