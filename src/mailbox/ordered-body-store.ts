// Large bodies of the boxes in an OrderedStore, each method one transaction (spec/mailbox.md §6.5).
// Leaves out the transactions themselves (box-pieces.ts).
import { appendPiece, beginUpload, pieceBytesOf, piecesOf } from './box-pieces.js'
import { openRecord } from './box-view.js'
import type { OrderedStore, OrderedTransaction } from './ordered-store.js'
import { type BoxRecord, decodeUpload, keyOf, type UploadRecord } from './records.js'
import type { BodyStore, NewMessage, UploadRefusal, UploadState } from './store.js'

type Begun = UploadState & { readonly refusal: UploadRefusal | undefined }

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
    const { id } = message
    const state = await this.#entries.write((tx): Begun => {
      const refused = { pieces: 0, complete: false }
      const record = openRecord(tx, box, nowMs)
      if (record === undefined) return { ...refused, refusal: 'gone' }
      if (tx.get(keyOf.id(box, id)) !== undefined)
        return { pieces: piecesOf(bodyBytes), complete: true, refusal: undefined }
      const before = uploadOf(tx, box, id, depositor)
      if (before !== undefined) {
        if (before.bodyBytes !== bodyBytes)
          throw new RangeError(`Cannot go on with upload: expected a body of ${before.bodyBytes} bytes`)
        return { pieces: before.pieces, complete: false, refusal: undefined }
      }
      return { ...refused, refusal: beginUpload(tx, box, record, depositor, message, bodyBytes, nowMs) }
    })
    if (state.refusal !== undefined) this.#tell(box)
    return state
  }

  async append(
    box: Uint8Array,
    depositor: number,
    id: Uint8Array,
    index: number,
    piece: Uint8Array,
    nowMs: number,
  ): Promise<UploadState | undefined> {
    const state = await this.#entries.write((tx): UploadState | undefined => {
      const record = openRecord(tx, box, nowMs)
      if (record === undefined) return undefined
      if (tx.get(keyOf.id(box, id)) !== undefined) return { pieces: index + 1, complete: true }
      const upload = uploadOf(tx, box, id, depositor)
      if (upload === undefined) return undefined
      if (index !== upload.pieces) return { pieces: upload.pieces, complete: false }
      checkLength(upload, index, piece)
      const complete = appendPiece(tx, box, record, id, upload, piece, nowMs)
      return { pieces: index + 1, complete }
    })
    if (state?.complete) this.#tell(box)
    return state
  }

  async read(box: Uint8Array, id: Uint8Array, index: number, nowMs: number): Promise<Uint8Array | undefined> {
    return this.#entries.read((view) => {
      const record: BoxRecord | undefined = openRecord(view, box, nowMs)
      // What is on its way is nobody's to read.
      if (record === undefined || view.get(keyOf.id(box, id)) === undefined) return undefined
      return view.get(keyOf.piece(box, id, index))?.slice()
    })
  }
}

/** An upload of this depositor; those of others are not there for him. */
function uploadOf(
  tx: OrderedTransaction,
  box: Uint8Array,
  id: Uint8Array,
  depositor: number,
): UploadRecord | undefined {
  const bytes = tx.get(keyOf.upload(box, id))
  const upload = bytes === undefined ? undefined : decodeUpload(bytes)
  return upload?.depositor === depositor ? upload : undefined
}

function checkLength({ bodyBytes }: UploadRecord, index: number, piece: Uint8Array): void {
  const expected = pieceBytesOf(bodyBytes, index)
  if (piece.length !== expected)
    throw new RangeError(`Cannot keep piece ${index}: expected ${expected} bytes, got ${piece.length}`)
}
