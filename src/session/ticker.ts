// One coarse timer for all connections of the process, so that ten thousand idle sessions cost one timer.
// It never keeps the process alive. Leaves out what is checked at a tick (connection.ts).

const INTERVAL_MS = 1_000

/** Something with deadlines. */
interface Ticking {
  tick(nowMs: number): void
}

const ticking = new Set<Ticking>()
let timer: ReturnType<typeof setInterval> | undefined

/** Call `subject.tick` about once a second.
 * @returns call it to stop. */
export function startTicking(subject: Ticking): () => void {
  ticking.add(subject)
  if (timer === undefined) {
    timer = setInterval(tickAll, INTERVAL_MS)
    if (typeof timer === 'object') timer.unref()
  }
  return () => {
    ticking.delete(subject)
    if (ticking.size === 0 && timer !== undefined) {
      clearInterval(timer)
      timer = undefined
    }
  }
}

function tickAll(): void {
  const nowMs = performance.now()
  for (const subject of ticking) subject.tick(nowMs)
}
