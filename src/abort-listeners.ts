// All who wait for one signal, as one listener of it. Callers pass one signal to many calls: Node warns of a leak at eleven listeners
// of its own, and looks through all of them to forget one.

interface Heard {
  readonly runs: Set<() => void>
  readonly onAbort: () => void
}

const heardOf = new WeakMap<AbortSignal, Heard>()

/** Call `run` when `signal` is aborted from now on. Adding it twice is adding it once. */
export function addAbortListener(signal: AbortSignal | undefined, run: () => void): void {
  if (signal === undefined) return
  let heard = heardOf.get(signal)
  if (heard === undefined) {
    const runs = new Set<() => void>()
    const onAbort = () => {
      for (const each of runs) each()
      heardOf.delete(signal)
    }
    heard = { runs, onAbort }
    heardOf.set(signal, heard)
    signal.addEventListener('abort', onAbort, { once: true })
  }
  heard.runs.add(run)
}

/** Do not call `run`. The signal holds nothing of whoever has taken back all that was added. */
export function removeAbortListener(signal: AbortSignal | undefined, run: () => void): void {
  if (signal === undefined) return
  const heard = heardOf.get(signal)
  if (heard === undefined || !heard.runs.delete(run) || heard.runs.size > 0) return
  heardOf.delete(signal)
  signal.removeEventListener('abort', heard.onAbort)
}
