// How much of one stream may be on its way to its reader (spec/rpc.md §4): what arrives is charged, what is read is granted
// again, half a window at a time. Leaves out when a window grows and what the windows of a session share (window-growth.ts).
import type { WindowGrowth } from './window-growth.js'

/** The window of one stream. */
export class StreamWindow {
  readonly #growth: WindowGrowth
  #bytes: number
  /** Bytes that may still come. */
  #credit: number
  /** Bytes that were read and are not granted again yet. */
  #consumed = 0
  /** When the last grant was made, and the one before it: in between, and since, half a window each was read. */
  #grantedMs: number | undefined
  #grantedBeforeMs: number | undefined

  constructor(growth: WindowGrowth) {
    this.#growth = growth
    this.#bytes = growth.initialBytes
    this.#credit = growth.initialBytes
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
    const granted = this.#consumed + this.#grow()
    this.#consumed = 0
    this.#credit += granted
    return granted
  }

  #grow(): number {
    const growth = this.#growth
    if (this.#bytes >= growth.maxBytes) return 0
    const nowMs = growth.nowMs()
    const sinceMs = this.#grantedBeforeMs
    this.#grantedBeforeMs = this.#grantedMs
    this.#grantedMs = nowMs
    const grown = growth.grow(this.#bytes, nowMs, sinceMs)
    // The larger window is judged once it was read in full.
    if (grown > 0) this.#grantedBeforeMs = undefined
    this.#bytes += grown
    return grown
  }

  /** Nothing more is read: what it has grown by is for others. */
  close(): void {
    this.#growth.giveBack(this.#bytes - this.#growth.initialBytes)
    this.#bytes = this.#growth.initialBytes
  }
}
