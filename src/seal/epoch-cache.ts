// The opened epochs of a reader (spec/seal.md §6), by their commitment: public-key work is done once for all values of an
// epoch. Bounded; of those that were not used lately the oldest goes first.
// Leaves out opening them (header-opener.ts).
import { primitives } from '../crypto/index.js'
import { forget, type OpenedEpoch } from './header-opener.js'
import { COMMITMENT_BYTES, EPOCH_ID_BYTES, OFFSET } from './layout.js'

interface Entry {
  readonly epoch: OpenedEpoch
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

  /** The epoch whose header, as it was opened, stands at the start of `bytes`; undefined when it is not here. `body` is that
   * header's afterwards. */
  byHeader(bytes: Uint8Array): OpenedEpoch | undefined {
    const entry = this.#entries.get(this.#keyAt(bytes, OFFSET.commitment))
    if (entry === undefined || !hasBody(bytes, entry.epoch)) return undefined
    entry.used = true
    return entry.epoch
  }

  /** The epoch whose commitment stands in `bytes` at `offset`; undefined when it is not here. */
  byCommitment(bytes: Uint8Array, offset: number): OpenedEpoch | undefined {
    return this.#find(bytes, offset, COMMITMENT_BYTES)
  }

  /** The epoch whose id stands in `bytes` at `offset`; undefined when it is not here. */
  byId(bytes: Uint8Array, offset: number): OpenedEpoch | undefined {
    return this.#find(bytes, offset, EPOCH_ID_BYTES)
  }

  add(epoch: OpenedEpoch): void {
    const key = this.#keyAt(epoch.commitment, 0)
    this.#drop(key)
    while (this.#entries.size >= this.#max) this.#evict()
    this.#entries.set(key, { epoch, used: false })
  }

  [Symbol.dispose](): void {
    for (const { epoch } of this.#entries.values()) forget(epoch)
    this.#entries.clear()
  }

  #find(bytes: Uint8Array, offset: number, length: number): OpenedEpoch | undefined {
    const entry = this.#entries.get(this.#keyAt(bytes, offset))
    if (entry === undefined) return undefined
    const { commitment } = entry.epoch
    for (let i = 0; i < length; i++) if (commitment[i] !== bytes[offset + i]) return undefined
    entry.used = true
    return entry.epoch
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
    let mixed = 0
    for (let word = 0; word < 4; word++) {
      const at = offset + 4 * word
      const value = (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
      mixed = (mixed + Math.imul(value, this.#factors[word]!)) | 0
    }
    return mixed >>> 2
  }

  #drop(key: number): void {
    const entry = this.#entries.get(key)
    if (entry !== undefined) forget(entry.epoch)
    this.#entries.delete(key)
  }
}

/** Whether `bytes` begin with the header of `epoch`; one of a moment ago changes places with the present one. */
function hasBody(bytes: Uint8Array, epoch: OpenedEpoch): boolean {
  if (standsIn(bytes, OFFSET.core, epoch.body)) return true
  const { body, formerBody } = epoch
  if (formerBody === undefined || !standsIn(bytes, OFFSET.core, formerBody)) return false
  epoch.body = formerBody
  epoch.formerBody = body
  return true
}

/** Node's own comparison, which takes two fifths of the time of a loop over a header. */
const compare = (globalThis as { Buffer?: typeof Buffer }).Buffer?.prototype.compare

/** Whether `part` stands in `bytes` at `offset`. Public bytes: compared without regard to time. */
export function standsIn(bytes: Uint8Array, offset: number, part: Uint8Array): boolean {
  const { length } = part
  if (bytes.length < offset + length) return false
  if (compare !== undefined)
    return compare.call(bytes as Buffer, part, 0, length, offset, offset + length) === 0 // it takes any Uint8Array
  for (let i = 0; i < length; i++) if (bytes[offset + i] !== part[i]) return false
  return true
}
