// Large bodies of an OrderedStore (spec/mailbox.md §6.5): uploads, which count from their beginning on, and their pieces, which
// become the body of a message with the last one. Runs inside one transaction. Leaves out who may (ordered-body-store.ts).
import { MAILBOX_PIECE_BYTES, MAILBOX_UPLOAD_IDLE_MS } from '../limits.js'
import { countRefusal, putMessage, refusalOf } from './box-deposit.js'
import type { OrderedTransaction } from './ordered-store.js'
import { type BoxRecord, encodeBox, encodeUpload, keyOf, type UploadRecord } from './records.js'
import type { NewMessage, UploadRefusal } from './store.js'

const EMPTY = new Uint8Array(0)

/** How many pieces a body has. */
export function piecesOf(bodyBytes: number): number {
  return Math.ceil(bodyBytes / MAILBOX_PIECE_BYTES)
}

/** Bytes of the piece at `index`. */
export function pieceBytesOf(bodyBytes: number, index: number): number {
  return Math.min(MAILBOX_PIECE_BYTES, bodyBytes - index * MAILBOX_PIECE_BYTES)
}

/** Why a message with its body cannot be taken now; the same for every store. */
function uploadRefusalOf(
  record: BoxRecord,
  message: NewMessage,
  bodyBytes: number,
  nowMs: number,
): UploadRefusal | undefined {
  if (message.envelope.length + bodyBytes > record.maxBytes) return 'too_large'
  return refusalOf(record, message, nowMs, bodyBytes)
}

/** Make room for a message with its body.
 * @returns why not. */
export function beginUpload(
  tx: OrderedTransaction,
  box: Uint8Array,
  record: BoxRecord,
  depositor: number,
  message: NewMessage,
  bodyBytes: number,
  nowMs: number,
): UploadRefusal | undefined {
  const refusal = uploadRefusalOf(record, message, bodyBytes, nowMs)
  if (refusal !== undefined) {
    if (refusal.startsWith('quota') && countRefusal(record, nowMs)) tx.put(keyOf.box(box), encodeBox(record))
    return refusal
  }
  const { id, envelope } = message
  const expiresMs = Math.min(message.expiresMs, nowMs + record.messageTtlSeconds * 1_000)
  const untilMs = Math.min(expiresMs, nowMs + MAILBOX_UPLOAD_IDLE_MS)
  const envelopeBytes = envelope.length
  const upload = { depositor, envelopeBytes, bodyBytes, expiresMs, untilMs, sweepMs: untilMs, pieces: 0 }
  tx.put(keyOf.upload(box, id), encodeUpload(upload))
  tx.put(keyOf.head(box, id), envelope)
  tx.put(keyOf.expiry(untilMs, box, id), EMPTY)
  record.messages += 1
  record.bytes += envelopeBytes + bodyBytes
  tx.put(keyOf.box(box), encodeBox(record))
  return undefined
}

/** Keep the next piece; with the last one the message is in the box.
 * @returns whether it was the last. */
export function appendPiece(
  tx: OrderedTransaction,
  box: Uint8Array,
  record: BoxRecord,
  id: Uint8Array,
  upload: UploadRecord,
  piece: Uint8Array,
  nowMs: number,
): boolean {
  tx.put(keyOf.piece(box, id, upload.pieces), piece)
  upload.pieces += 1
  upload.untilMs = Math.min(upload.expiresMs, nowMs + MAILBOX_UPLOAD_IDLE_MS)
  if (upload.pieces < piecesOf(upload.bodyBytes)) {
    tx.put(keyOf.upload(box, id), encodeUpload(upload))
    return false
  }
  const { depositor, bodyBytes, expiresMs } = upload
  const envelope = tx.get(keyOf.head(box, id))?.slice() ?? EMPTY
  forgetUpload(tx, box, id, upload)
  putMessage(tx, box, record, { id, envelope, depositor, bodyBytes, expiresMs, nowMs })
  tx.put(keyOf.box(box), encodeBox(record))
  return true
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
  forgetUpload(tx, box, id, upload)
  record.messages -= 1
  record.bytes -= upload.envelopeBytes + upload.bodyBytes
}

/** Remove the pieces of a body. */
export function removePieces(tx: OrderedTransaction, box: Uint8Array, id: Uint8Array, pieces: number): void {
  for (let index = 0; index < pieces; index++) tx.remove(keyOf.piece(box, id, index))
}

function forgetUpload(
  tx: OrderedTransaction,
  box: Uint8Array,
  id: Uint8Array,
  { sweepMs }: UploadRecord,
): void {
  tx.remove(keyOf.upload(box, id))
  tx.remove(keyOf.head(box, id))
  tx.remove(keyOf.expiry(sweepMs, box, id))
}
