// The opened epochs of a reader (spec/seal.md §6), by their commitment: public-key work is done once for all values of an
// epoch. Bounded; of those that were not used lately the oldest goes first.
// Leaves out opening them (header-opener.ts).
import { primitives } from '../crypto/index.js'
import { forget, type OpenedEpoch } from './header-opener.js'
import { standsIn } from './known-header.js'
import { EPOCH_ID_BYTES, OFFSET } from './layout.js'

/** An epoch, with its id beside it: to look it up then touches nothing else. */
interface Entry {
  readonly epoch: OpenedEpoch
  readonly id0: number
  readonly id1: number
  readonly id2: number
  readonly id3: number
  used: boolean
}

/** Opened epochs; `using` wipes their keys. */
export class EpochCache implements Disposable {
  /** By 30 bits that follow from the epoch id, a small integer for V8. Two epochs that share them take turns. */
  readonly #entries = new Map<number, Entry>()
  readonly #max: number
  /** Four odd numbers, secret: no writer can make an epoch that drives out that of another. */
  readonly #factors: Uint32Array

  constructor(max: number) {
    this.#max = max
    const bytes = primitives().randomBytes(EPOCH_ID_BYTES)
    this.#factors = new Uint32Array(bytes.buffer).map((factor) => factor | 1)
  }

  /** The epoch whose header, as it was opened, stands at the start of the value `sealed`; undefined when it is not here. `header`
   * is that one afterwards. */
  byHeader(sealed: Uint8Array): OpenedEpoch | undefined {
    const entry = this.#entries.get(this.#keyAt(sealed, OFFSET.commitment))
    if (entry === undefined || !carries(sealed, entry.epoch)) return undefined
    entry.used = true
    return entry.epoch
  }

  /** The epoch whose commitment stands in `bytes` at `offset`; undefined when it is not here. */
  byCommitment(bytes: Uint8Array, offset: number): OpenedEpoch | undefined {
    const epoch = this.byId(bytes, offset)
    return epoch !== undefined && standsIn(bytes, offset, epoch.commitment) ? epoch : undefined
  }

  /** The epoch whose id stands in `bytes` at `offset`; undefined when it is not here. */
  byId(bytes: Uint8Array, offset: number): OpenedEpoch | undefined {
    const id0 = wordAt(bytes, offset)
    const id1 = wordAt(bytes, offset + 4)
    const id2 = wordAt(bytes, offset + 8)
    const id3 = wordAt(bytes, offset + 12)
    const entry = this.#entries.get(this.#keyOf(id0, id1, id2, id3))
    if (entry === undefined) return undefined
    if (entry.id0 !== id0 || entry.id1 !== id1 || entry.id2 !== id2 || entry.id3 !== id3) return undefined
    entry.used = true
    return entry.epoch
  }

  add(epoch: OpenedEpoch): void {
    const { commitment } = epoch
    const key = this.#keyAt(commitment, 0)
    this.#drop(key)
    while (this.#entries.size >= this.#max) this.#evict()
    const [id0, id1] = [wordAt(commitment, 0), wordAt(commitment, 4)]
    const [id2, id3] = [wordAt(commitment, 8), wordAt(commitment, 12)]
    this.#entries.set(key, { epoch, id0, id1, id2, id3, used: false })
  }

  [Symbol.dispose](): void {
    for (const { epoch } of this.#entries.values()) forget(epoch)
    this.#entries.clear()
  }

  /** Second chance: an entry that was used since it was last looked at goes to the end. */
  #evict(): void {
    for (const [key, entry] of this.#entries) {
      if (!entry.used) {
        this.#drop(key)
        return
      }
      entry.used = false
      this.#entries.delete(key)
      this.#entries.set(key, entry)
    }
  }

  #keyAt(bytes: Uint8Array, offset: number): number {
    return this.#keyOf(
      wordAt(bytes, offset),
      wordAt(bytes, offset + 4),
      wordAt(bytes, offset + 8),
      wordAt(bytes, offset + 12),
    )
  }

  #keyOf(id0: number, id1: number, id2: number, id3: number): number {
    const factors = this.#factors
    let mixed = Math.imul(id0, factors[0]!)
    mixed = (mixed + Math.imul(id1, factors[1]!)) | 0
    mixed = (mixed + Math.imul(id2, factors[2]!)) | 0
    mixed = (mixed + Math.imul(id3, factors[3]!)) | 0
    return mixed >>> 2
  }

  #drop(key: number): void {
    const entry = this.#entries.get(key)
    if (entry !== undefined) forget(entry.epoch)
    this.#entries.delete(key)
  }
}

/** Whether `sealed` begins with the header of `epoch`; one of a moment ago changes places with the present one. */
function carries(sealed: Uint8Array, epoch: OpenedEpoch): boolean {
  if (epoch.header.beginsValue(sealed)) return true
  const { header, formerHeader } = epoch
  if (formerHeader === undefined || !formerHeader.beginsValue(sealed)) return false
  epoch.header = formerHeader
  epoch.formerHeader = header
  return true
}

/** Four bytes as a small integer of V8. */
function wordAt(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
}
