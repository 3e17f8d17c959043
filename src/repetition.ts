// When an idempotent call is made again: it was lost with the connection, or the service asked for that with `retryAfterMs`;
// within its deadline, a few times, and never with an input that can be sent once only (docs/interceptors.md).
// Leaves out how calls are made (root.ts).
import { type Clock, sleep } from './clock.js'
import { CallError, type CallOptions, isSpent } from './rpc/index.js'
import { untilAborted } from './until-aborted.js'

/** A call that ends the service each time must not be made for ever. */
const REPEATS_MAX = 3
/** Longest wait that a service may ask for of a call without a deadline, ms. */
const WAIT_MAX_MS = 10_000

/** A call that failed once. */
export interface Repetition {
  readonly input: unknown
  readonly options: CallOptions | undefined
  /** When it was made first, by `clock`. */
  readonly beganMs: number
  readonly clock: Clock
  /** Make it once more, over a session that is opened if need be. */
  again(options: CallOptions): Promise<unknown>
}

/** The answer after all.
 * @throws CallError of the last attempt; `mayHaveRun` when any attempt may have run. */
export async function repeatCall(first: unknown, call: Repetition): Promise<unknown> {
  let error = first
  let mayHaveRun = false
  for (let repeats = 0; ; ) {
    if (!(error instanceof CallError)) throw mayHaveRun ? first : error
    mayHaveRun ||= error.mayHaveRun
    const leftMs = (call.options?.timeoutMs ?? Number.POSITIVE_INFINITY) - (call.clock.nowMs() - call.beganMs)
    const waitMs = waitBefore(error, leftMs, repeats > 0)
    if (waitMs === undefined || isSpent(call.input)) throw ofAll(error, mayHaveRun)
    // Dialling in vain is no repeat: it has a backoff of its own.
    if (!isAway(error) && ++repeats > REPEATS_MAX) throw ofAll(error, mayHaveRun)
    try {
      if (waitMs > 0) await wait(call, waitMs, error)
      const timeoutMs = leftMs === Number.POSITIVE_INFINITY ? undefined : Math.max(1, leftMs - waitMs)
      return await call.again({ ...call.options, timeoutMs })
    } catch (next) {
      error = next
    }
  }
}

/** Ms until the next attempt; undefined for none. */
function waitBefore(error: CallError, leftMs: number, wasRepeated: boolean): number | undefined {
  if (leftMs <= 0) return undefined
  if (error.code === 'rpc/disconnected') return 0
  if (error.code !== 'rpc/unavailable' && error.code !== 'rpc/resource_exhausted') return undefined
  const { retryAfterMs } = error
  if (retryAfterMs !== undefined) {
    const mostMs = leftMs === Number.POSITIVE_INFINITY ? WAIT_MAX_MS : leftMs
    return retryAfterMs < mostMs ? retryAfterMs : undefined
  }
  return wasRepeated && isAway(error) && leftMs !== Number.POSITIVE_INFINITY ? 0 : undefined
}

/** Whether no session could be opened. */
function isAway({ code, mayHaveRun, retryAfterMs }: CallError): boolean {
  return code === 'rpc/unavailable' && !mayHaveRun && retryAfterMs === undefined
}

async function wait({ clock, options }: Repetition, waitMs: number, { method }: CallError): Promise<void> {
  const { signal } = options ?? {}
  if (signal === undefined) return sleep(clock, waitMs)
  await untilAborted(sleep(clock, waitMs), signal).catch((cause: unknown) => {
    const message = `Call ${method} was canceled by its caller`
    throw new CallError('rpc/canceled', message, { method, mayHaveRun: false, cause })
  })
}

function ofAll(error: CallError, mayHaveRun: boolean): CallError {
  if (error.mayHaveRun === mayHaveRun) return error
  const { code, message, method, errorId, failureName, data, retryAfterMs, hint, cause } = error
  const details = { method, mayHaveRun, errorId, failureName, data, retryAfterMs, hint, cause }
  return new CallError(code, message, details)
}
