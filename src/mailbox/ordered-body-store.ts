// Large bodies of the boxes in an OrderedStore, each method one transaction (spec/mailbox.md §6.5).
// Leaves out the transactions themselves (body-work.ts).
import { appendAt, type Begun, beginAt } from './body-work.js'
import { openRecord } from './box-view.js'
import type { OrderedStore } from './ordered-store.js'
import { keyOf } from './records.js'
import type { BodyStore, NewMessage, UploadState } from './store.js'

/** Pieces in an {@link OrderedStore}. */
export class OrderedBodyStore implements BodyStore {
  readonly #entries: OrderedStore
  readonly #tell: (box: Uint8Array) => void

  /** @param tell - called after something has changed in a box. */
  constructor(entries: OrderedStore, tell: (box: Uint8Array) => void) {
    this.#entries = entries
    this.#tell = tell
  }

  async begin(
    box: Uint8Array,
    depositor: number,
    message: NewMessage,
    bodyBytes: number,
    nowMs: number,
  ): Promise<Begun> {
    const begun = await this.#entries.write((tx) => beginAt(tx, box, depositor, message, bodyBytes, nowMs))
    if (begun.refusal !== undefined) this.#tell(box)
    return begun
  }

  async append(
    box: Uint8Array,
    depositor: number,
    id: Uint8Array,
    index: number,
    piece: Uint8Array,
    nowMs: number,
  ): Promise<UploadState | undefined> {
    const state = await this.#entries.write((tx) => appendAt(tx, box, depositor, id, index, piece, nowMs))
    if (state?.complete) this.#tell(box)
    return state
  }

  async read(box: Uint8Array, id: Uint8Array, index: number, nowMs: number): Promise<Uint8Array | undefined> {
    return this.#entries.read((view) => {
      // What is on its way is nobody's to read.
      if (openRecord(view, box, nowMs) === undefined || view.get(keyOf.id(box, id)) === undefined)
        return undefined
      return view.get(keyOf.piece(box, id, index))?.slice()
    })
  }
}
