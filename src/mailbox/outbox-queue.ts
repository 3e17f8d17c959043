// What an outbox keeps on disk: messages as they will be sent, sealed already, so that each has one id however often it is
// sent; and where its series stands. Leaves out sealing and sending (outbox.ts).
import { concat, EMPTY, hexEncode, utf8 } from '../bytes.js'
import { primitives } from '../crypto/index.js'
import type { DepositAddress } from './address.js'
import { piecesOf } from './box-pieces.js'
import { ID_BYTES } from './content.js'
import { messageId } from './envelope.js'
import { endOf, type OrderedStore, type OrderedView } from './ordered-store.js'

const KIND = { series: 0x73, queued: 0x71, body: 0x62, piece: 0x70 } as const
const STATE_BYTES = 56
const ENTRY_START_BYTES = 24
const NUMBER_BYTES = 8
/** After which pieces without a message are given up, ms. */
const ORPHAN_MS = 7 * 86_400_000

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
  /** Messages in the queue. */
  readonly count: number
}

/** A message that waits. */
export interface Queued {
  readonly key: Uint8Array
  readonly id: Uint8Array
  readonly expiresMs: number
  readonly envelope: Uint8Array
  /** Its large body, which lies in pieces. */
  readonly body: QueuedBody | undefined
}

/** The large body of a message that waits, or will. */
export interface QueuedBody {
  /** 16 bytes that name it here: when it was begun, Unix ms, and 8 random ones. */
  readonly name: Uint8Array
  /** As it is sealed. */
  readonly bytes: number
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
   * @param make - the envelope for this place in the series; called once, before anything has changed.
   * @param body - a large one, whose pieces are here. */
  append(
    make: (state: SeriesState) => { readonly envelope: Uint8Array; readonly expiresMs: number },
    body?: QueuedBody,
  ): Promise<{
    readonly id: Uint8Array
    readonly sequence: number
  }> {
    return this.#store.write((tx) => {
      const state = this.#state(tx)
      const { envelope, expiresMs } = make(state)
      const id = messageId(envelope)
      const { series, sequence, place, count } = state
      tx.put(this.#key(KIND.queued, place), encodeEntry(id, expiresMs, envelope))
      if (body !== undefined) tx.put(this.#key(KIND.body, place), encodeBody(body))
      const next = { series, sequence: sequence + 1, previous: id, place: place + 1, count: count + 1 }
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
      tx.put(
        this.#key(KIND.series),
        encodeState({ ...state, place: state.place + 1, count: state.count + 1 }),
      )
      return { id }
    })
  }

  /** The first that wait, in order; one with a large body is alone. */
  head(maxMessages: number, maxBytes: number): readonly Queued[] {
    return this.#store.read((view) => {
      const found: Queued[] = []
      let bytes = 0
      const prefix = this.#key(KIND.queued)
      for (const { key, value } of view.range(prefix, endOf(prefix))) {
        bytes += value.length
        if (found.length >= maxMessages || (found.length > 0 && bytes > maxBytes)) break
        const body = decodeBody(view.get(this.#bodyKeyOf(key)))
        if (body !== undefined && found.length > 0) break
        found.push({ key: key.slice(), ...decodeEntry(value.slice()), body })
        if (body !== undefined) break
      }
      return found
    })
  }

  /** How many wait. */
  count(): number {
    return this.#store.read((view) => this.#state(view).count)
  }

  /** These wait no more. */
  remove(entries: readonly Queued[]): Promise<void> {
    return this.#store.write((tx) => {
      const state = this.#state(tx)
      const there = entries.filter(({ key }) => tx.get(key) !== undefined)
      tx.put(this.#key(KIND.series), encodeState({ ...state, count: state.count - there.length }))
      for (const { key, body } of there) {
        tx.remove(key)
        if (body === undefined) continue
        tx.remove(this.#bodyKeyOf(key))
        for (let index = 0; index < piecesOf(body.bytes); index++) tx.remove(this.#pieceKey(body.name, index))
      }
    })
  }

  /** Keep a piece of a large body, durably. */
  putPiece(name: Uint8Array, index: number, piece: Uint8Array): Promise<void> {
    const key = this.#pieceKey(name, index)
    return this.#store.apart?.put(key, piece) ?? this.#store.write((tx) => tx.put(key, piece))
  }

  /** A piece of a large body that waits. */
  async piece({ name }: QueuedBody, index: number): Promise<Uint8Array> {
    const key = this.#pieceKey(name, index)
    const { apart } = this.#store
    const piece = apart === undefined ? this.#store.read((view) => view.get(key)?.slice()) : apart.get(key)
    return (await piece) ?? EMPTY
  }

  /** See what others have put in or taken out. */
  catchUp(): Promise<void> {
    return this.#store.catchUp?.() ?? Promise.resolve()
  }

  /** Be told when somebody else put something in or took something out, where they send in turn: whoever is left sends it all.
   * @returns call it to hear no more. */
  onForeignChange(heard: () => void): () => void {
    const told = this.#store.inTurn === undefined ? undefined : this.#store.onForeignChange?.(heard)
    return told ?? (() => {})
  }

  /** Send from it while nobody else does, where the store can tell. */
  inTurn(signal: AbortSignal, send: () => Promise<void>): Promise<void> {
    return this.#store.inTurn?.(hexEncode(this.#prefix), signal, send) ?? send()
  }

  /** Remove a body that is not to be sent after all. */
  removePieces(name: Uint8Array, pieces: number): Promise<void> {
    return this.#store.write((tx) => {
      for (let index = 0; index < pieces; index++) tx.remove(this.#pieceKey(name, index))
    })
  }

  /** Remove old pieces that belong to no message: their process ended while it took them. Younger ones may be those of another
   * process that still does. */
  async removeOrphans(nowMs: number): Promise<void> {
    const names = this.#store.read((view) => {
      const bodies = this.#key(KIND.body)
      const used = new Set<string>()
      for (const { value } of view.range(bodies, endOf(bodies))) used.add(hexEncode(decodeBody(value)!.name))
      const firsts = this.#key(KIND.piece)
      const orphans = new Map<string, { name: Uint8Array; pieces: number }>()
      for (const { key } of view.range(firsts, endOf(firsts))) {
        const name = key.slice(-NUMBER_BYTES - ID_BYTES, -NUMBER_BYTES)
        const text = hexEncode(name)
        const old = startOf(name) < nowMs - ORPHAN_MS
        if (old && !used.has(text)) orphans.set(text, { name, pieces: (orphans.get(text)?.pieces ?? 0) + 1 })
      }
      return [...orphans.values()]
    })
    for (const { name, pieces } of names) await this.removePieces(name, pieces)
  }

  #pieceKey(name: Uint8Array, index: number): Uint8Array {
    return concat(this.#key(KIND.piece), name, numberBytes(index))
  }

  /** The key of the body of the entry at `key`. */
  #bodyKeyOf(key: Uint8Array): Uint8Array {
    const bodyKey = Uint8Array.from(key) // that of a Buffer would not be a copy
    bodyKey[ID_BYTES] = KIND.body
    return bodyKey
  }

  #state(view: OrderedView): SeriesState {
    const bytes = view.get(this.#key(KIND.series))
    const first = { series: newSeries(), sequence: 0, previous: undefined, place: 0, count: 0 }
    return bytes === undefined ? first : decodeState(bytes)
  }

  #key(kind: number, place?: number): Uint8Array {
    const start = concat(this.#prefix, Uint8Array.of(kind))
    if (place === undefined) return start
    return concat(start, numberBytes(place))
  }
}

function numberBytes(number: number): Uint8Array {
  const bytes = new Uint8Array(NUMBER_BYTES)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(number))
  return bytes
}

/** A name for a body that is taken now. */
export function newBodyName(nowMs: number): Uint8Array {
  return concat(
    numberBytes(Math.max(0, Math.floor(nowMs))),
    primitives().randomBytes(ID_BYTES - NUMBER_BYTES),
  )
}

function startOf(name: Uint8Array): number {
  return Number(new DataView(name.buffer, name.byteOffset).getBigUint64(0))
}

function encodeBody({ name, bytes }: QueuedBody): Uint8Array {
  return concat(name, numberBytes(bytes))
}

function decodeBody(bytes: Uint8Array | undefined): QueuedBody | undefined {
  if (bytes === undefined) return undefined
  const number = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(ID_BYTES)
  return { name: bytes.slice(0, ID_BYTES), bytes: Number(number) }
}

function newSeries(): Uint8Array {
  return primitives().randomBytes(ID_BYTES)
}

function encodeState({ series, sequence, previous, place, count }: SeriesState): Uint8Array {
  const out = new Uint8Array(STATE_BYTES)
  out.set(series)
  const view = new DataView(out.buffer)
  view.setFloat64(16, sequence)
  view.setFloat64(40, place)
  view.setFloat64(48, count)
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
    count: view.getFloat64(48),
  }
}

function encodeEntry(id: Uint8Array, expiresMs: number, envelope: Uint8Array): Uint8Array {
  const start = new Uint8Array(ENTRY_START_BYTES)
  start.set(id)
  new DataView(start.buffer).setFloat64(16, expiresMs)
  return concat(start, envelope)
}

function decodeEntry(bytes: Uint8Array): Omit<Queued, 'key' | 'body'> {
  return {
    id: bytes.subarray(0, 16),
    expiresMs: new DataView(bytes.buffer, bytes.byteOffset).getFloat64(16),
    envelope: bytes.subarray(ENTRY_START_BYTES),
  }
}
