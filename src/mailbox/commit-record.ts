// What one commit says of late entries, as bytes, in its order: for each one byte what it is, two of the length of the key, four of the
// length of the value, big-endian, then both. Leaves out where records lie (late-changes.ts).
import { nameOf } from './key-name.js'
import type { LateEntries } from './late-entries.js'

const WHAT = { put: 0, dropped: 1 } as const
const HEAD_BYTES = 7
const FIRST_BYTES = 4_096

/** Writes records, one after the other. */
export class RecordWriter {
  #array = new Uint8Array(FIRST_BYTES)
  #length = 0

  put(key: Uint8Array, value: Uint8Array): void {
    this.#head(WHAT.put, key, value.length)
    this.#array.set(value, this.#length)
    this.#length += value.length
  }

  /** What earlier records say of this key counts no longer. */
  drop(key: Uint8Array): void {
    this.#head(WHAT.dropped, key, 0)
  }

  /** @returns the record, empty when nothing was written; holds until the next one is begun. */
  get bytes(): Uint8Array {
    return this.#array.subarray(0, this.#length)
  }

  /** Begin another. */
  clear(): void {
    this.#length = 0
  }

  #head(what: number, key: Uint8Array, valueBytes: number): void {
    this.#makeRoom(HEAD_BYTES + key.length + valueBytes)
    const array = this.#array
    let at = this.#length
    array[at++] = what
    array[at++] = key.length >>> 8
    array[at++] = key.length
    array[at++] = valueBytes >>> 24
    array[at++] = valueBytes >>> 16
    array[at++] = valueBytes >>> 8
    array[at++] = valueBytes
    array.set(key, at)
    this.#length = at + key.length
  }

  #makeRoom(bytes: number): void {
    const needed = this.#length + bytes
    if (needed <= this.#array.length) return
    const larger = new Uint8Array(2 * needed)
    larger.set(this.bytes)
    this.#array = larger
  }
}

/** Do to `late` what a record says.
 * @param record - borrowed. */
export function replay(record: Uint8Array, late: LateEntries): void {
  const view = new DataView(record.buffer, record.byteOffset, record.length)
  for (let at = 0; at < record.length; ) {
    const what = view.getUint8(at)
    const keyStart = at + HEAD_BYTES
    const valueStart = keyStart + view.getUint16(at + 1)
    const name = nameOf(record.subarray(keyStart, valueStart))
    at = valueStart + view.getUint32(at + 3)
    late.set(name, what === WHAT.put ? nameOf(record.subarray(valueStart, at)) : undefined)
  }
}
