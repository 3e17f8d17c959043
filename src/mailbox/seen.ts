// The seen-set of a recipient (spec/mailbox.md §4): ids of messages that it has taken, until each would be dropped as expired
// anyway; so it is bounded by what arrives within the messages' lifetime. Leaves out the messages.
import { concat, utf8 } from '../bytes.js'
import { primitives } from '../crypto/index.js'
import { ID_BYTES } from './content.js'
import type { OrderedStore } from './ordered-store.js'

const KIND = { id: 0x69, expiry: 0x78 } as const
/** Expired ids that each new one takes with it. */
const PRUNED_EACH = 4
const EMPTY = new Uint8Array(0)

/** The ids of one box in a store, which may hold others. */
export class SeenSet {
  readonly #store: OrderedStore
  readonly #prefix: Uint8Array

  /** @param box - name of the box, 16 bytes. */
  constructor(store: OrderedStore, box: Uint8Array) {
    this.#store = store
    this.#prefix = primitives().hash('SHA256').hash(utf8('noisecap/v1 seen\0'), box).slice(0, ID_BYTES)
  }

  async has(id: Uint8Array): Promise<boolean> {
    await this.#store.catchUp?.()
    return this.#store.read((view) => view.get(this.#key(KIND.id, id)) !== undefined)
  }

  /** Remember ids, durably; forget some that are over.
   * @param expiresMs - Unix ms until which each is remembered. */
  add(id: Uint8Array, expiresMs: number, nowMs: number): Promise<void> {
    return this.#store.write((tx) => {
      const over: Uint8Array[] = []
      const ended = this.#key(KIND.expiry, timeBytes(nowMs))
      for (const { key } of tx.range(this.#key(KIND.expiry, EMPTY), ended)) {
        if (over.length >= PRUNED_EACH) break
        over.push(key.slice())
      }
      for (const key of over) {
        tx.remove(key)
        tx.remove(this.#key(KIND.id, key.slice(-ID_BYTES)))
      }
      tx.put(this.#key(KIND.id, id), EMPTY)
      tx.put(this.#key(KIND.expiry, concat(timeBytes(expiresMs), id)), EMPTY)
    })
  }

  #key(kind: number, rest: Uint8Array): Uint8Array {
    return concat(this.#prefix, Uint8Array.of(kind), rest)
  }
}

function timeBytes(ms: number): Uint8Array {
  const out = new Uint8Array(8)
  new DataView(out.buffer).setBigUint64(0, BigInt(Math.max(0, Math.floor(ms))))
  return out
}
