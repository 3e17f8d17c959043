// Time, as everything that waits is given it: a clock that runs on, a clock for dates, and timers. A host has one clock
// (environment.ts) and hands it down; that of the machine is the default, one that stands still is for tests (src/testing).
// Leaves out files and directories, which have dates of their own.

/** What `setTimeout` gave; only for `clearTimeout`. */
export type Timer = object | number

/** Where time comes from. */
export interface Clock {
  /** Ms since some moment; never goes back. For durations and deadlines. */
  nowMs(): number
  /** Unix ms; may jump. For what is dated: the expiry of capabilities. */
  wallMs(): number
  /** Call `run` in `delayMs`. */
  setTimeout(run: () => void, delayMs: number): Timer
  /** Forget a timer; one that has fired is no mistake. */
  clearTimeout(timer: Timer): void
  /** A signal that is aborted in `delayMs` with a `TimeoutError`, as that of `AbortSignal.timeout`. */
  timeoutSignal(delayMs: number): AbortSignal
}

/** The clock of the machine. Globals are looked up at each use, so that fake timers of a test runner take effect. */
export const SYSTEM_CLOCK: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  setTimeout: (run, delayMs) => setTimeout(run, delayMs),
  // Given out by the line above, so it is what the platform takes.
  clearTimeout: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
  timeoutSignal: (delayMs) => AbortSignal.timeout(delayMs),
}

/** Let the process end although `timer` has not fired, where the platform knows of that: Node's timers do. */
export function letGo(timer: Timer): void {
  if (typeof timer === 'object' && 'unref' in timer && typeof timer.unref === 'function') timer.unref()
}

/** Resolves in `delayMs`. */
export function sleep(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.setTimeout(resolve, delayMs)
  })
}

/** Call `run` one turn of the event loop later. Taken when this file is loaded: bytes in memory arrive also while a test
 * runner has replaced the timers. */
export const nextTurn: (run: () => void) => unknown =
  typeof setImmediate === 'function' ? setImmediate : (run) => setTimeout(run, 0)
