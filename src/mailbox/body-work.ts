// What the methods of a BodyStore do to a box of an OrderedStore, each as one transaction (spec/mailbox.md §6.5); the same for files,
// memory and NATS. An upload counts from its beginning on; with its last piece it is a message. Leaves out its end (box-sweep.ts).
import { MAILBOX_UPLOAD_IDLE_MS } from '../limits.js'
import { countRefusal, putMessage, refusalOf } from './box-deposit.js'
import { forgetUpload, pieceBytesOf, piecesOf, removeUpload } from './box-pieces.js'
import { openRecord } from './box-view.js'
import type { OrderedTransaction } from './ordered-store.js'
import { type BoxRecord, decodeUpload, encodeBox, encodeUpload, keyOf, type UploadRecord } from './records.js'
import type { NewMessage, UploadRefusal, UploadState } from './store.js'

const EMPTY = new Uint8Array(0)

/** What came of a beginning. */
export type Begun = UploadState & { readonly refusal: UploadRefusal | undefined }

/** @throws RangeError when it was begun with another length. */
export function beginAt(
  tx: OrderedTransaction,
  box: Uint8Array,
  depositor: number,
  message: NewMessage,
  bodyBytes: number,
  nowMs: number,
): Begun {
  const { id } = message
  const refused = { pieces: 0, complete: false }
  const record = openRecord(tx, box, nowMs)
  if (record === undefined) return { ...refused, refusal: 'gone' }
  if (tx.get(keyOf.id(box, id)) !== undefined)
    return { pieces: piecesOf(bodyBytes), complete: true, refusal: undefined }
  const before = uploadOf(tx, box, id)
  if (before?.depositor === depositor) {
    checkBody(before.bodyBytes, bodyBytes)
    return { pieces: before.pieces, complete: false, refusal: undefined }
  }
  // Another depositor has the same message: what he has begun makes room for this, and counts no longer.
  if (before !== undefined) {
    removeUpload(tx, box, record, id, before)
    tx.put(keyOf.box(box), encodeBox(record))
  }
  return { ...refused, refusal: beginUpload(tx, box, record, depositor, message, bodyBytes, nowMs) }
}

/** @throws RangeError for a piece of another length than its place demands. */
export function appendAt(
  tx: OrderedTransaction,
  box: Uint8Array,
  depositor: number,
  id: Uint8Array,
  index: number,
  piece: Uint8Array,
  nowMs: number,
): UploadState | undefined {
  const record = openRecord(tx, box, nowMs)
  if (record === undefined) return undefined
  if (tx.get(keyOf.id(box, id)) !== undefined) return { pieces: index + 1, complete: true }
  const upload = uploadOf(tx, box, id)
  // Those of others are not there for him.
  if (upload?.depositor !== depositor) return undefined
  if (index !== upload.pieces) return { pieces: upload.pieces, complete: false }
  checkPiece(upload.bodyBytes, index, piece)
  return { pieces: index + 1, complete: appendPiece(tx, box, record, id, upload, piece, nowMs) }
}

/** Why a message with its body cannot be taken now; the same for every store. */
export function uploadRefusalOf(
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
function beginUpload(
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
function appendPiece(
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
  const { depositor, envelopeBytes, bodyBytes, expiresMs } = upload
  forgetUpload(tx, box, id, upload)
  putMessage(tx, box, record, { id, depositor, size: envelopeBytes + bodyBytes, bodyBytes, expiresMs, nowMs })
  tx.put(keyOf.box(box), encodeBox(record))
  return true
}

function uploadOf(tx: OrderedTransaction, box: Uint8Array, id: Uint8Array): UploadRecord | undefined {
  const bytes = tx.get(keyOf.upload(box, id))
  return bytes === undefined ? undefined : decodeUpload(bytes)
}

/** @throws RangeError unless an upload goes on with the length that it began with. */
export function checkBody(begun: number, bodyBytes: number): void {
  if (begun !== bodyBytes)
    throw new RangeError(`Cannot go on with upload: expected a body of ${begun} bytes, got ${bodyBytes}`)
}

/** @throws RangeError for a piece of another length than its place demands. */
export function checkPiece(bodyBytes: number, index: number, piece: Uint8Array): void {
  const expected = pieceBytesOf(bodyBytes, index)
  if (piece.length !== expected)
    throw new RangeError(`Cannot keep piece ${index}: expected ${expected} bytes, got ${piece.length}`)
}
