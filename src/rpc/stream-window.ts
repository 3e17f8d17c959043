// How much of one stream may be on its way to its reader (spec/rpc.md §4): what arrives is charged, what is read is granted
// again, half a window at a time. Leaves out how large a window is and what the windows of a session share (window-sizing.ts).
import type { WindowSizing } from './window-sizing.js'

/** The window of one stream. */
export class StreamWindow {
  readonly #sizing: WindowSizing
  #bytes: number
  /** Bytes that may still come. */
  #credit: number
  /** Bytes that were read and are not granted again yet. */
  #consumed = 0
  /** When the last grant was made, and the one before it: in between, and since, half a window each was read. */
  #grantedMs: number | undefined
  #grantedBeforeMs: number | undefined

  constructor(sizing: WindowSizing) {
    this.#sizing = sizing
    this.#bytes = sizing.initialBytes
    this.#credit = sizing.initialBytes
  }

  /** Take the credit of what has arrived, before it is looked at.
   * @returns false when there was none left. */
  charge(cost: number): boolean {
    if (this.#credit <= 0) return false
    this.#credit -= cost
    return true
  }

  /** The reader has taken something.
   * @returns what to grant now, bytes; 0 for nothing yet. */
  consume(cost: number): number {
    this.#consumed += cost
    if (this.#consumed * 2 < this.#bytes) return 0
    const granted = this.#consumed + this.#resize()
    this.#consumed = 0
    this.#credit += granted
    return granted
  }

  /** @returns by how much it grew; negative when it was halved: what was read makes up for that. */
  #resize(): number {
    const sizing = this.#sizing
    if (sizing.isFixed) return 0
    const nowMs = sizing.nowMs()
    const before = this.#bytes
    this.#bytes = sizing.resize(before, nowMs, this.#grantedBeforeMs)
    // A window of another size is judged once it was read in full.
    this.#grantedBeforeMs = this.#bytes === before ? this.#grantedMs : undefined
    this.#grantedMs = nowMs
    return this.#bytes - before
  }

  /** Nothing more is read: what it has grown by is for others. */
  close(): void {
    this.#sizing.giveBack(this.#bytes)
    this.#bytes = this.#sizing.initialBytes
  }
}
