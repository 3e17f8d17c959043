// Waiting for a promise no longer than a signal allows.

import { addAbortListener, removeAbortListener } from './abort-listeners.js'

/** `promise`, or a rejection with the signal's reason if that comes first. */
export function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason)
    if (signal.aborted) onAbort()
    addAbortListener(signal, onAbort)
    promise.then(resolve, reject).finally(() => removeAbortListener(signal, onAbort))
  })
}
