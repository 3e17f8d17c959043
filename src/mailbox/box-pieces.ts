// What lies beside the messages of an OrderedStore for large bodies (spec/mailbox.md §6.5): pieces, and uploads that are not complete.
// Runs inside one transaction. Leaves out how an upload becomes a message (body-work.ts).
import { MAILBOX_PIECE_BYTES } from '../limits.js'
import type { OrderedTransaction } from './ordered-store.js'
import { type BoxRecord, keyOf, type UploadRecord } from './records.js'

/** How many pieces a body has. */
export function piecesOf(bodyBytes: number): number {
  return Math.ceil(bodyBytes / MAILBOX_PIECE_BYTES)
}

/** Bytes of the piece at `index`. */
export function pieceBytesOf(bodyBytes: number, index: number): number {
  return Math.min(MAILBOX_PIECE_BYTES, bodyBytes - index * MAILBOX_PIECE_BYTES)
}

/** Remove an upload that is not complete, and what it counts for. */
export function removeUpload(
  tx: OrderedTransaction,
  box: Uint8Array,
  record: BoxRecord,
  id: Uint8Array,
  upload: UploadRecord,
): void {
  removePieces(tx, box, id, upload.pieces)
  tx.remove(keyOf.head(box, id))
  forgetUpload(tx, box, id, upload)
  record.messages -= 1
  record.bytes -= upload.envelopeBytes + upload.bodyBytes
}

/** Remove the pieces of a body. */
export function removePieces(tx: OrderedTransaction, box: Uint8Array, id: Uint8Array, pieces: number): void {
  for (let index = 0; index < pieces; index++) tx.remove(keyOf.piece(box, id, index))
}

/** Remove what is known of an upload; its envelope and its pieces stay. */
export function forgetUpload(
  tx: OrderedTransaction,
  box: Uint8Array,
  id: Uint8Array,
  { sweepMs }: UploadRecord,
): void {
  tx.remove(keyOf.upload(box, id))
  tx.remove(keyOf.expiry(sweepMs, box, id))
}
