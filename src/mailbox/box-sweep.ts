// What time does to boxes of an OrderedStore (spec/mailbox.md §6.4): messages, remembered ids and whole boxes end; and the
// slices in which a large box is removed, so that no transaction is long. Runs inside one transaction.

import { removeMessage } from './box-lease.js'
import { piecesOf, removePieces, removeUpload } from './box-pieces.js'
import { endOf, type OrderedTransaction } from './ordered-store.js'
import {
  type BoxRecord,
  decodeBox,
  decodeDead,
  decodeId,
  decodeState,
  decodeUpload,
  encodeBox,
  encodeUpload,
  envelopeKeyOf,
  expiryOf,
  hashOf,
  keyOf,
} from './records.js'

const EMPTY = new Uint8Array(0)

/** Remove what has expired by `nowMs`.
 * @returns how many entries, and boxes whose rest is to be removed with {@link removeSlice}. */
export function sweepIn(
  tx: OrderedTransaction,
  nowMs: number,
  max: number,
): { removed: number; ended: readonly Uint8Array[] } {
  const due: Uint8Array[] = []
  for (const { key } of tx.range(keyOf.expiry(0), keyOf.expiry(nowMs + 1))) {
    if (due.length >= max) break
    due.push(key.slice())
  }
  const ended: Uint8Array[] = []
  for (const key of due) {
    const { box, id } = expiryOf(key)
    tx.remove(key)
    if (id !== undefined) forget(tx, box, id, nowMs)
    else if (endBox(tx, box)) ended.push(box)
  }
  return { removed: due.length, ended }
}

/** The id of a message, and the message if it is still there. */
function forget(tx: OrderedTransaction, box: Uint8Array, id: Uint8Array, nowMs: number): void {
  const position = tx.get(keyOf.id(box, id))
  if (position === undefined) {
    giveUp(tx, box, id, nowMs)
    return
  }
  const at = decodeId(position)
  tx.remove(keyOf.id(box, id))
  const bytes = tx.get(keyOf.box(box))
  if (bytes === undefined) return
  const record = decodeBox(bytes)
  const state = tx.get(keyOf.state(box, at))
  if (state !== undefined) removeMessage(tx, box, record, at, decodeState(state))
  else if (!removeDead(tx, box, record, at)) return
  tx.put(keyOf.box(box), encodeBox(record))
}

/** An upload of which nothing was heard in its time. */
function giveUp(tx: OrderedTransaction, box: Uint8Array, id: Uint8Array, nowMs: number): void {
  const bytes = tx.get(keyOf.upload(box, id))
  const ofBox = tx.get(keyOf.box(box))
  if (bytes === undefined || ofBox === undefined) return
  const upload = decodeUpload(bytes)
  if (upload.untilMs > nowMs) {
    tx.put(keyOf.upload(box, id), encodeUpload({ ...upload, sweepMs: upload.untilMs }))
    tx.put(keyOf.expiry(upload.untilMs, box, id), EMPTY)
    return
  }
  const record = decodeBox(ofBox)
  removeUpload(tx, box, record, id, upload)
  tx.put(keyOf.box(box), encodeBox(record))
}

/** @returns whether there was a dead letter. */
export function removeDead(
  tx: OrderedTransaction,
  box: Uint8Array,
  record: BoxRecord,
  position: number,
): boolean {
  const dead = tx.get(keyOf.dead(box, position))
  if (dead === undefined) return false
  const { state } = decodeDead(dead)
  const { id, size, bodyBytes = 0 } = state
  record.deadLetters -= 1
  record.deadBytes -= size
  if (bodyBytes > 0) removePieces(tx, box, id, piecesOf(bodyBytes))
  tx.remove(keyOf.dead(box, position))
  tx.remove(envelopeKeyOf(box, position, state))
  return true
}

/** End a box: it and its names are gone at once, what is in it with {@link removeSlice}.
 * @returns whether it was there. */
export function endBox(tx: OrderedTransaction, box: Uint8Array): boolean {
  const bytes = tx.get(keyOf.box(box))
  if (bytes === undefined) return false
  const { expiresMs } = decodeBox(bytes)
  const names = [...tx.range(keyOf.aliasOf(box), endOf(keyOf.aliasOf(box)))].map(({ key }) => key.slice())
  for (const name of names) {
    tx.remove(keyOf.alias(hashOf(name)))
    tx.remove(name)
  }
  tx.remove(keyOf.box(box))
  if (expiresMs > 0) tx.remove(keyOf.expiry(expiresMs, box))
  return true
}

/** Where everything lies that ends with a box, besides its names. */
const ALL_OF_A_BOX = [
  keyOf.state,
  keyOf.envelope,
  keyOf.dead,
  keyOf.id,
  keyOf.upload,
  keyOf.head,
  keyOf.piece,
] as const

/** Remove some of what an ended box has left.
 * @returns whether there may be more. */
export function removeSlice(tx: OrderedTransaction, box: Uint8Array, max: number): boolean {
  let left = max
  for (const prefix of ALL_OF_A_BOX.map((prefixOf) => prefixOf(box))) {
    const keys: Uint8Array[] = []
    for (const { key } of tx.range(prefix, endOf(prefix))) {
      if (keys.length >= left) break
      keys.push(key.slice())
    }
    for (const key of keys) tx.remove(key)
    left -= keys.length
    if (left === 0) return true
  }
  return false
}
