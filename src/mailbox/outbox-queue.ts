// What an outbox keeps on disk: messages as they will be sent, sealed already, so that each has one id however often it is
// sent; and where its series stands. Leaves out sealing and sending (outbox.ts).
import { concat, utf8 } from '../bytes.js'
import { primitives } from '../crypto/index.js'
import type { DepositAddress } from './address.js'
import { ID_BYTES } from './content.js'
import { messageId } from './envelope.js'
import { endOf, type OrderedStore, type OrderedTransaction } from './ordered-store.js'

const KIND = { series: 0x73, queued: 0x71 } as const
const STATE_BYTES = 48
const ENTRY_START_BYTES = 24

/** Where a series stands. */
export interface SeriesState {
  /** 16 bytes. */
  readonly series: Uint8Array
  /** Of the next message. */
  readonly sequence: number
  /** Id of the one before it, 16 bytes; undefined before the first. */
  readonly previous: Uint8Array | undefined
  /** Place of the next message in the queue. */
  readonly place: number
}

/** A message that waits. */
export interface Queued {
  readonly key: Uint8Array
  readonly id: Uint8Array
  readonly expiresMs: number
  readonly envelope: Uint8Array
}

/** The queue of one deposit address in a store, which may hold others. */
export class OutboxQueue {
  readonly #store: OrderedStore
  readonly #prefix: Uint8Array

  constructor(store: OrderedStore, { box, capability }: DepositAddress) {
    this.#store = store
    const name = concat(utf8('noisecap/v1 outbox\0'), box, utf8(capability.object ?? ''))
    this.#prefix = primitives().hash('SHA256').hash(name).slice(0, ID_BYTES)
  }

  /** Put a message at the end, durably.
   * @param make - the envelope for this place in the series; called once, before anything has changed. */
  append(
    make: (state: SeriesState) => { readonly envelope: Uint8Array; readonly expiresMs: number },
  ): Promise<{
    readonly id: Uint8Array
    readonly sequence: number
  }> {
    return this.#store.write((tx) => {
      const state = this.#state(tx)
      const { envelope, expiresMs } = make(state)
      const id = messageId(envelope)
      const { series, sequence, place } = state
      tx.put(this.#key(KIND.queued, place), encodeEntry(id, expiresMs, envelope))
      const next = { series, sequence: sequence + 1, previous: id, place: place + 1 }
      tx.put(this.#key(KIND.series), encodeState(next))
      return { id, sequence }
    })
  }

  /** Put an envelope at the end that was sealed elsewhere. */
  appendSealed(envelope: Uint8Array, expiresMs: number): Promise<{ readonly id: Uint8Array }> {
    return this.#store.write((tx) => {
      const state = this.#state(tx)
      const id = messageId(envelope)
      tx.put(this.#key(KIND.queued, state.place), encodeEntry(id, expiresMs, envelope))
      // It belongs to another series, so that of this outbox does not move.
      tx.put(this.#key(KIND.series), encodeState({ ...state, place: state.place + 1 }))
      return { id }
    })
  }

  /** The first that wait, in order. */
  head(maxMessages: number, maxBytes: number): readonly Queued[] {
    return this.#store.read((view) => {
      const found: Queued[] = []
      let bytes = 0
      const prefix = this.#key(KIND.queued)
      for (const { key, value } of view.range(prefix, endOf(prefix))) {
        bytes += value.length
        if (found.length >= maxMessages || (found.length > 0 && bytes > maxBytes)) break
        found.push({ key: key.slice(), ...decodeEntry(value.slice()) })
      }
      return found
    })
  }

  /** How many wait. */
  count(): number {
    return this.#store.read((view) => {
      const prefix = this.#key(KIND.queued)
      let count = 0
      for (const _entry of view.range(prefix, endOf(prefix))) count += 1
      return count
    })
  }

  /** These wait no more. */
  remove(entries: readonly Queued[]): Promise<void> {
    return this.#store.write((tx) => {
      for (const { key } of entries) tx.remove(key)
    })
  }

  #state(tx: OrderedTransaction): SeriesState {
    const bytes = tx.get(this.#key(KIND.series))
    const first = { series: newSeries(), sequence: 0, previous: undefined, place: 0 }
    return bytes === undefined ? first : decodeState(bytes)
  }

  #key(kind: number, place?: number): Uint8Array {
    const start = concat(this.#prefix, Uint8Array.of(kind))
    if (place === undefined) return start
    const number = new Uint8Array(8)
    new DataView(number.buffer).setBigUint64(0, BigInt(place))
    return concat(start, number)
  }
}

function newSeries(): Uint8Array {
  return primitives().randomBytes(ID_BYTES)
}

function encodeState({ series, sequence, previous, place }: SeriesState): Uint8Array {
  const out = new Uint8Array(STATE_BYTES)
  out.set(series)
  const view = new DataView(out.buffer)
  view.setFloat64(16, sequence)
  view.setFloat64(40, place)
  if (previous !== undefined) out.set(previous, 24)
  return out
}

function decodeState(bytes: Uint8Array): SeriesState {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const sequence = view.getFloat64(16)
  return {
    series: bytes.slice(0, 16),
    sequence,
    previous: sequence === 0 ? undefined : bytes.slice(24, 40),
    place: view.getFloat64(40),
  }
}

function encodeEntry(id: Uint8Array, expiresMs: number, envelope: Uint8Array): Uint8Array {
  const start = new Uint8Array(ENTRY_START_BYTES)
  start.set(id)
  new DataView(start.buffer).setFloat64(16, expiresMs)
  return concat(start, envelope)
}

function decodeEntry(bytes: Uint8Array): Omit<Queued, 'key'> {
  return {
    id: bytes.subarray(0, 16),
    expiresMs: new DataView(bytes.buffer, bytes.byteOffset).getFloat64(16),
    envelope: bytes.subarray(ENTRY_START_BYTES),
  }
}
