// Envelopes that this relay has put into boxes in Postgres and that nobody has taken yet: whoever takes them soon gets them from here,
// since from the server each comes as text of twice its length. No other message ever has the same position in the same box, so what is
// here is right whatever others do meanwhile; whether it is still in the box, the server says. Leaves out putting in and taking.
import { hexEncode } from '../bytes.js'

/** Memory for all boxes together, bytes. */
const FRESH_MAX_BYTES = 8_388_608
/** What a batch takes besides its bytes, about. */
const BATCH_COST_BYTES = 512

/** Envelopes that were put in together, one behind the other. */
export interface FreshBatch {
  /** Position of the first. */
  readonly first: number
  /** Where each begins in `bytes`. */
  readonly starts: readonly number[]
  /** Kept, not copied: memory of its own. */
  readonly bytes: Uint8Array
}

/** What is here of a box: all from one position to another. */
export interface FreshRange {
  readonly from: number
  /** Below `from` when there is nothing. */
  readonly to: number
  /** @returns what is at a position of the range, even if it is forgotten meanwhile. */
  readonly envelopeOf: (position: number) => Uint8Array | undefined
}

const NOTHING: FreshRange = { from: 0, to: -1, envelopeOf: () => undefined }

/** Keeps them while there is room. */
export class FreshEnvelopes {
  /** Batches that follow each other; the box that got something last is last. */
  readonly #boxes = new Map<string, FreshBatch[]>()
  readonly #maxBytes: number
  #bytes = 0

  constructor(maxBytes: number = FRESH_MAX_BYTES) {
    this.#maxBytes = maxBytes
  }

  /** They are in the box. What is here of it from before a gap is forgotten. */
  keep(box: Uint8Array, batch: FreshBatch): void {
    const name = hexEncode(box)
    const last = this.#boxes.get(name)?.at(-1)
    if (last !== undefined && endOf(last) !== batch.first) this.forget(box)
    const batches = this.#boxes.get(name) ?? []
    batches.push(batch)
    this.#boxes.delete(name)
    this.#boxes.set(name, batches)
    this.#bytes += costOf(batch)
    this.#makeRoom()
  }

  rangeOf(box: Uint8Array): FreshRange {
    const batches = this.#boxes.get(hexEncode(box))?.slice() ?? []
    const [first, last] = [batches[0], batches.at(-1)]
    if (first === undefined || last === undefined) return NOTHING
    return { from: first.first, to: endOf(last) - 1, envelopeOf: (position) => find(batches, position) }
  }

  /** Somebody has got what is up to this position. */
  taken(box: Uint8Array, through: number): void {
    const name = hexEncode(box)
    const batches = this.#boxes.get(name)
    if (batches === undefined) return
    const gone = batches.findIndex((batch) => endOf(batch) > through + 1)
    this.#drop(name, batches, gone < 0 ? batches.length : gone)
  }

  /** The box is no more. */
  forget(box: Uint8Array): void {
    const name = hexEncode(box)
    const batches = this.#boxes.get(name)
    if (batches !== undefined) this.#drop(name, batches, batches.length)
  }

  #makeRoom(): void {
    for (const [name, batches] of this.#boxes) {
      let count = 0
      for (let left = this.#bytes; left > this.#maxBytes && count < batches.length; count++)
        left -= costOf(batches[count]!) // there are as many
      if (count === 0) return
      this.#drop(name, batches, count)
    }
  }

  #drop(name: string, batches: FreshBatch[], count: number): void {
    for (const batch of batches.splice(0, count)) this.#bytes -= costOf(batch)
    if (batches.length === 0) this.#boxes.delete(name)
  }
}

function endOf({ first, starts }: FreshBatch): number {
  return first + starts.length
}

function costOf({ bytes }: FreshBatch): number {
  return bytes.length + BATCH_COST_BYTES
}

/** @param batches - in their order. */
function find(batches: readonly FreshBatch[], position: number): Uint8Array | undefined {
  let [low, high] = [0, batches.length - 1]
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (batches[middle]!.first <= position)
      low = middle // between the two
    else high = middle - 1
  }
  const batch = batches[low]
  const start = batch?.starts[position - batch.first]
  if (batch === undefined || start === undefined) return undefined
  return batch.bytes.subarray(start, batch.starts[position - batch.first + 1])
}
