// Waiting until a box may have changed: whoever looks first and listens afterwards would miss what happens in between, so a
// Change listens from the beginning and remembers. Leaves out what is looked at.
import { addAbortListener, removeAbortListener } from '../abort-listeners.js'
import type { Clock, Timer } from '../clock.js'
import type { MailboxStore } from './store.js'

/** Hears of one box; `using` stops it. */
export class Change implements Disposable {
  readonly #clock: Clock
  readonly #stop: () => void
  #changed = false
  #wake: (() => void) | undefined

  constructor(store: MailboxStore, box: Uint8Array, clock: Clock) {
    this.#clock = clock
    this.#stop = store.watch(box, () => this.changed())
  }

  /** Something may have changed. */
  changed(): void {
    this.#changed = true
    this.#wake?.()
  }

  /** Resolves when something has changed since the last call, at the latest in `waitMs`, or when `signal` is aborted. */
  async next(waitMs: number, signal: AbortSignal): Promise<void> {
    if (!this.#changed && !signal.aborted && waitMs > 0) await this.#sleep(waitMs, signal)
    this.#changed = false
  }

  [Symbol.dispose](): void {
    this.#stop()
  }

  #sleep(waitMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      let timer: Timer | undefined
      const done = () => {
        if (timer !== undefined) this.#clock.clearTimeout(timer)
        removeAbortListener(signal, done)
        this.#wake = undefined
        resolve()
      }
      timer = this.#clock.setTimeout(done, waitMs)
      addAbortListener(signal, done)
      this.#wake = done
    })
  }
}
