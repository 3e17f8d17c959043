// A transaction on a copy of a box that may come to nothing: it runs on the entries, says what it has changed, and leaves them as they
// were. Envelopes are not kept among the entries but in the stream, and here is a reference of 8 bytes.
// Leaves out where changes go (nats-box.ts).
import { sameBytes } from './box-lease.js'
import { type Change, encodeSequence, sizeOf } from './nats-entry.js'
import type { Entry, OrderedTransaction, OrderedView } from './ordered-store.js'
import { dueOf, isEnvelopeKey, keyOf } from './records.js'
import type { SortedEntries } from './sorted-entries.js'

/** A change, and what was there before. */
interface Replaced extends Change {
  readonly before: Uint8Array | undefined
}

/** What came of it. */
export interface Outcome {
  readonly changes: readonly Replaced[]
  /** Envelopes without a place in the stream: put them there, and try again. */
  readonly unplaced: readonly Uint8Array[]
  /** When the next of the box is due now and after the changes, Unix ms. */
  readonly due: { readonly before: number | undefined; readonly after: number | undefined }
}

/** One try of a transaction. */
export class Attempt implements OrderedTransaction {
  readonly #entries: SortedEntries
  readonly #placeOf: (envelope: Uint8Array) => number | undefined
  readonly #touched = new Map<string, { readonly key: Uint8Array; readonly before: Uint8Array | undefined }>()
  readonly #unplaced: Uint8Array[] = []
  readonly #dueBefore: number | undefined
  /** Of the changes so far, at most. */
  bytes = 0

  /** @param placeOf - the sequence at which the stream has an envelope; undefined: it does not have it. */
  constructor(entries: SortedEntries, placeOf: (envelope: Uint8Array) => number | undefined) {
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
    const kept = isEnvelopeKey(key) ? this.#reference(value) : value
    this.#touch(key, kept)
    this.#entries.put(key, kept)
  }

  remove(key: Uint8Array): void {
    this.#touch(key, undefined)
    this.#entries.remove(key)
  }

  /** Put everything back. */
  end(): Outcome {
    const after = firstDue(this.#entries)
    const changes: Replaced[] = []
    for (const { key, before } of this.#touched.values()) {
      const value = this.#entries.get(key)
      if (!same(value, before)) changes.push({ key, value, before })
      if (before === undefined) this.#entries.remove(key)
      else this.#entries.put(key, before)
    }
    return { changes, unplaced: this.#unplaced, due: { before: this.#dueBefore, after } }
  }

  #touch(key: Uint8Array, value: Uint8Array | undefined): void {
    this.bytes += sizeOf({ key, value })
    const name = String.fromCharCode(...key)
    if (!this.#touched.has(name))
      this.#touched.set(name, { key: key.slice(), before: this.#entries.get(key) })
  }

  #reference(envelope: Uint8Array): Uint8Array {
    const place = this.#placeOf(envelope)
    if (place === undefined) this.#unplaced.push(envelope)
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
