// Envelopes that this relay has put into boxes in Postgres and that nobody has taken yet: whoever takes them soon gets them from here,
// since from the server each comes as text of twice its length. Whether a message is in the box, and still the same (a server that
// lost its last transactions gives their positions to others), the server says by its id. Leaves out putting in and taking.
import { concat, hexEncode } from '../bytes.js'
import { ID_BYTES } from './content.js'

/** Memory for all boxes together, bytes. */
const FRESH_MAX_BYTES = 8_388_608
/** What a batch takes besides its bytes, about. */
const BATCH_COST_BYTES = 512

/** Messages that were put in together, one behind the other. Kept, not copied: memory of its own. */
export interface FreshBatch {
  /** Position of the first. */
  readonly first: number
  /** 16 bytes for each. */
  readonly ids: Uint8Array
  /** Where each envelope begins in `bytes`. */
  readonly starts: readonly number[]
  readonly bytes: Uint8Array
}

/** Some of what is here of a box, one behind the other. */
export interface FreshRange {
  /** Position of the first. */
  readonly from: number
  /** 16 bytes for each. */
  readonly ids: Uint8Array
  readonly envelopes: readonly Uint8Array[]
}

interface Fresh {
  /** The first that nobody has taken. */
  from: number
  /** They follow each other. */
  readonly batches: FreshBatch[]
}

/** Keeps them while there is room. */
export class FreshEnvelopes {
  /** The box that got something last is last. */
  readonly #boxes = new Map<string, Fresh>()
  readonly #maxBytes: number
  #bytes = 0

  constructor(maxBytes: number = FRESH_MAX_BYTES) {
    this.#maxBytes = maxBytes
  }

  /** They are in the box. What is here of it from before a gap is forgotten. */
  keep(box: Uint8Array, batch: FreshBatch): void {
    const name = hexEncode(box)
    const last = this.#boxes.get(name)?.batches.at(-1)
    if (last !== undefined && endOf(last) !== batch.first) this.forget(box)
    const fresh = this.#boxes.get(name) ?? { from: batch.first, batches: [] }
    fresh.batches.push(batch)
    this.#boxes.delete(name)
    this.#boxes.set(name, fresh)
    this.#bytes += costOf(batch)
    this.#makeRoom()
  }

  /** The oldest that are here of a box. */
  oldest(box: Uint8Array, max: number): FreshRange {
    const { from, batches } = this.#boxes.get(hexEncode(box)) ?? { from: 0, batches: [] }
    const ids: Uint8Array[] = []
    const envelopes: Uint8Array[] = []
    for (const batch of batches) {
      const begin = Math.max(0, from - batch.first)
      const end = Math.min(batch.starts.length, begin + max - envelopes.length)
      if (end <= begin) break
      ids.push(batch.ids.subarray(begin * ID_BYTES, end * ID_BYTES))
      for (let i = begin; i < end; i++)
        envelopes.push(batch.bytes.subarray(batch.starts[i], batch.starts[i + 1]))
    }
    return { from, ids: concat(...ids), envelopes }
  }

  /** Somebody has got what is up to this position. */
  taken(box: Uint8Array, through: number): void {
    const name = hexEncode(box)
    const fresh = this.#boxes.get(name)
    if (fresh === undefined) return
    fresh.from = Math.max(fresh.from, through + 1)
    const gone = fresh.batches.findIndex((batch) => endOf(batch) > fresh.from)
    this.#drop(name, fresh, gone < 0 ? fresh.batches.length : gone)
  }

  /** The box is no more. */
  forget(box: Uint8Array): void {
    const name = hexEncode(box)
    const fresh = this.#boxes.get(name)
    if (fresh !== undefined) this.#drop(name, fresh, fresh.batches.length)
  }

  #makeRoom(): void {
    for (const [name, fresh] of this.#boxes) {
      let count = 0
      let left = this.#bytes
      for (const batch of fresh.batches) {
        if (left <= this.#maxBytes) break
        left -= costOf(batch)
        count += 1
      }
      if (count === 0) return
      this.#drop(name, fresh, count)
    }
  }

  #drop(name: string, fresh: Fresh, count: number): void {
    for (const batch of fresh.batches.splice(0, count)) this.#bytes -= costOf(batch)
    const [first] = fresh.batches
    if (first === undefined) this.#boxes.delete(name)
    else fresh.from = Math.max(fresh.from, first.first)
  }
}

function endOf({ first, starts }: FreshBatch): number {
  return first + starts.length
}

function costOf({ ids, bytes }: FreshBatch): number {
  return ids.length + bytes.length + BATCH_COST_BYTES
}
