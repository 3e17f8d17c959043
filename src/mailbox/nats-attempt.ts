// A transaction on a copy of a box that may come to nothing: it runs on the entries, says what it has changed, and leaves them as they
// were. Envelopes are not kept among the entries but in the stream, and here is a reference of 8 bytes; of pieces of bodies there is
// nothing here, since their subjects say which they are.
// Leaves out where changes go (nats-box.ts).
import { hexEncode } from '../bytes.js'
import { sameBytes } from './box-lease.js'
import { type Change, encodeSequence, sizeOf } from './nats-entry.js'
import type { Entry, OrderedTransaction, OrderedView } from './ordered-store.js'
import { dueOf, isEnvelopeKey, keyOf, pieceOfKey } from './records.js'
import type { SortedEntries } from './sorted-entries.js'

/** A change, and what was there before. */
interface Replaced extends Change {
  readonly before: Uint8Array | undefined
}

/** What shall lie in the stream before an entry of the log counts on it. */
export interface Unplaced {
  readonly bytes: Uint8Array
  /** Which piece of a body it is; undefined: an envelope. */
  readonly piece: { readonly id: Uint8Array; readonly index: number } | undefined
}

/** What came of it. */
export interface Outcome {
  readonly changes: readonly Replaced[]
  /** Put these into the stream, and try again. */
  readonly unplaced: readonly Unplaced[]
  /** Places of pieces that are of use. */
  readonly pieces: readonly number[]
  /** Ids of messages whose bodies have ended. */
  readonly ended: readonly Uint8Array[]
  /** When the next of the box is due now and after the changes, Unix ms. */
  readonly due: { readonly before: number | undefined; readonly after: number | undefined }
}

/** The sequence at which the stream has an envelope, or a piece; undefined: it does not have it. */
export type PlaceOf = (bytes: Uint8Array, kind: 'envelope' | 'piece') => number | undefined

/** One try of a transaction. */
export class Attempt implements OrderedTransaction {
  readonly #entries: SortedEntries
  readonly #placeOf: PlaceOf
  readonly #touched = new Map<string, { readonly key: Uint8Array; readonly before: Uint8Array | undefined }>()
  readonly #unplaced: Unplaced[] = []
  readonly #pieces: number[] = []
  readonly #ended = new Map<string, Uint8Array>()
  readonly #box: Uint8Array
  readonly #dueBefore: number | undefined
  /** Of the changes so far, at most. */
  bytes = 0

  constructor(box: Uint8Array, entries: SortedEntries, placeOf: PlaceOf) {
    this.#box = box
    this.#entries = entries
    this.#placeOf = placeOf
    this.#dueBefore = firstDue(entries)
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#entries.get(key)
  }

  range(start: Uint8Array, end: Uint8Array): Iterable<Entry> {
    return this.#entries.range(start, end)
  }

  put(key: Uint8Array, value: Uint8Array): void {
    const piece = pieceOfKey(key)
    if (piece !== undefined) {
      const place = this.#placeOf(value, 'piece')
      if (place === undefined) this.#unplaced.push({ bytes: value, piece })
      else this.#pieces.push(place)
      return
    }
    const kept = isEnvelopeKey(key) ? this.#reference(value) : value
    this.#touch(key, kept)
    this.#entries.put(key, kept)
  }

  remove(key: Uint8Array): void {
    const piece = pieceOfKey(key)
    if (piece !== undefined) {
      if (piece.index === 0) this.#ended.set(hexEncode(piece.id), piece.id)
      return
    }
    this.#touch(key, undefined)
    this.#entries.remove(key)
  }

  /** Put everything back. */
  end(): Outcome {
    const after = firstDue(this.#entries)
    // Another upload of the same message may have taken its place.
    const ended = [...this.#ended.values()].filter(
      (id) => this.#entries.get(keyOf.head(this.#box, id)) === undefined,
    )
    const changes: Replaced[] = []
    for (const { key, before } of this.#touched.values()) {
      const value = this.#entries.get(key)
      if (!same(value, before)) changes.push({ key, value, before })
      if (before === undefined) this.#entries.remove(key)
      else this.#entries.put(key, before)
    }
    const due = { before: this.#dueBefore, after }
    return { changes, unplaced: this.#unplaced, pieces: this.#pieces, ended, due }
  }

  #touch(key: Uint8Array, value: Uint8Array | undefined): void {
    this.bytes += sizeOf({ key, value })
    const name = String.fromCharCode(...key)
    if (!this.#touched.has(name))
      this.#touched.set(name, { key: key.slice(), before: this.#entries.get(key) })
  }

  #reference(envelope: Uint8Array): Uint8Array {
    const place = this.#placeOf(envelope, 'envelope')
    if (place === undefined) this.#unplaced.push({ bytes: envelope, piece: undefined })
    return encodeSequence(place ?? 0)
  }
}

/** When the next of a box is due, Unix ms. */
export function firstDue(entries: OrderedView): number | undefined {
  for (const { key } of entries.range(keyOf.expiry(0), keyOf.expiry(Number.MAX_SAFE_INTEGER)))
    return dueOf(key)
  return undefined
}

function same(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return sameBytes(a, b)
}
