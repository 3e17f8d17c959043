// One box in NATS: its log in the stream, and a copy of what the log says, by which this relay decides. A transaction is decided on
// the copy and appended under the condition that nothing was appended meanwhile; else the copy catches up and it is decided again.
// So any number of relays may share a box, and none needs to tell another. Changes of all who wait are one entry (group commit).
// Leaves out what the transactions do (box-work.ts) and how the log is read and cut short (nats-log.ts).

import { hexEncode } from '../bytes.js'
import { primitives } from '../crypto/index.js'
import { sameBytes } from './box-lease.js'
import { type GroupWork, groupWork } from './group-work.js'
import { Attempt, type Outcome, type Unplaced } from './nats-attempt.js'
import { dueSubject, endedSubject } from './nats-due.js'
import { decodeSequence } from './nats-entry.js'
import { NatsLog } from './nats-log.js'
import { attempt, isRefusal, type NatsStream } from './nats-stream.js'
import type { OrderedTransaction, OrderedView } from './ordered-store.js'
import { aliasOfKey, isEnvelopeKey, keyOf } from './records.js'

/** Works, and bytes of changes, that one entry takes at most. */
const COMMIT_MAX_WORKS = 64
const COMMIT_MAX_BYTES = 256 * 1024
/** How long a transaction is tried, ms: meanwhile the server may be starting again. */
const TRY_MS = 8_000
/** After another relay was first, at most, ms: that one needs no look at the log to be first again, so who pauses for long never is. */
const LOST_PAUSE_MAX_MS = 2
/** Between two looks for a server that is not there, ms. */
const PAUSE_MS = 250

/** A box. */
export class NatsBox {
  readonly #id: Uint8Array
  readonly #stream: NatsStream
  readonly #log: NatsLog
  readonly #tell: () => void
  #waiting: GroupWork[] = []
  #committing: Promise<void> | undefined

  /** @param tell - called when something has changed. */
  constructor(id: Uint8Array, stream: NatsStream, tell: () => void) {
    this.#id = id.slice()
    this.#stream = stream
    this.#tell = tell
    this.#log = new NatsLog(this.#id, stream)
  }

  /** Entries in memory. */
  get size(): number {
    return this.#log.entries.size
  }

  get busy(): boolean {
    return this.#committing !== undefined
  }

  /** What is in memory may not be what is in the stream. */
  distrust(): void {
    this.#log.distrust()
  }

  /** Run `work` on all that was committed before this call. */
  async read<T>(work: (view: OrderedView) => T): Promise<T> {
    await this.#log.refresh()
    return work(this.#log.entries)
  }

  /** Run `work`, alone, and maybe more than once.
   * @returns once its changes are in the stream. */
  write<T>(work: (tx: OrderedTransaction) => T): Promise<T> {
    return groupWork(work, (waiting) => {
      this.#waiting.push(waiting)
      this.#committing ??= this.#commitAll()
    })
  }

  async #commitAll(): Promise<void> {
    // So that all of one turn are in the first entry.
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, COMMIT_MAX_WORKS)
      try {
        const committed = await attempt('change', () => this.#commit(batch))
        this.#waiting.unshift(...batch.slice(committed))
        for (const { done } of batch.slice(0, committed)) done()
        await this.#log.shorten()
      } catch (error) {
        for (const { failed } of batch) failed(error)
      }
    }
    this.#committing = undefined
  }

  /** @returns how many of the batch, from the first on, are in the stream. */
  async #commit(batch: readonly GroupWork[]): Promise<number> {
    const placed = new Map<Uint8Array, number>()
    const used = new Set<number>()
    const until = performance.now() + TRY_MS
    let fresh = false
    try {
      for (;;) {
        if (!this.#log.trusted) fresh = await this.#log.refresh()
        const { outcome, count, after } = this.#decide(batch, placed)
        if (outcome.unplaced.length > 0) {
          await this.#place(outcome.unplaced, placed)
          continue
        }
        if (outcome.changes.length === 0) {
          if (fresh) return count
          fresh = await this.#log.refresh()
          continue
        }
        if (await this.#append(outcome, after, until)) {
          for (const place of outcome.pieces) used.add(place)
          for (const { key, value } of outcome.changes)
            if (isEnvelopeKey(key) && value !== undefined) used.add(decodeSequence(value))
          return count
        }
        await pause(Math.random() * LOST_PAUSE_MAX_MS)
      }
    } finally {
      // What was decided differently in the end.
      void this.#stream.remove([...placed.values()].filter((sequence) => !used.has(sequence)))
    }
  }

  #decide(batch: readonly GroupWork[], placed: ReadonlyMap<Uint8Array, number>) {
    const trial = new Attempt(this.#id, this.#log.entries, (bytes, kind) => {
      const place = placed.get(bytes)
      const fence = kind === 'piece' ? this.#log.pieceFence : this.#log.fence
      return place !== undefined && place > fence ? place : undefined
    })
    let count = 0
    for (const { run } of batch) {
      if (count > 0 && trial.bytes > COMMIT_MAX_BYTES) break
      run(trial)
      count += 1
    }
    return { outcome: trial.end(), count, after: this.#log.last }
  }

  /** Put envelopes and pieces into the stream, where nobody looks for them until an entry of the log counts on them. */
  async #place(unplaced: readonly Unplaced[], placed: Map<Uint8Array, number>): Promise<void> {
    const { subjects } = this.#stream
    const put = unplaced.map(async ({ bytes, piece }) => {
      const subject =
        piece === undefined
          ? subjects.message(this.#id)
          : subjects.piece(this.#id, hexEncode(piece.id), piece.index)
      const place = await this.#stream.append(subject, bytes)
      // One that is below the fence, and must be there again, is not referred to.
      placed.set(bytes, place)
    })
    for (const result of await Promise.allSettled(put)) if (result.status === 'rejected') throw result.reason
  }

  /** @returns false when something else was appended meanwhile.
   * @throws when it cannot be told in time whether it was appended. */
  async #append({ changes, due, ended }: Outcome, after: number, until: number): Promise<boolean> {
    const transaction = primitives().randomBytes(16)
    const ends = changes.some(({ key, value }) => value === undefined && sameBytes(key, this.#boxKey))
    await this.#announce({ changes, due, ends })
    const appended = await this.#log.append(transaction, changes, after).then(
      () => true,
      (error: unknown) => this.#lookFor(transaction, error, until),
    )
    if (!appended) return false
    this.#tell()
    void this.#cleanUp(changes, ended, ends).catch(() => {}) // a sweep does it
    return true
  }

  /** What others find the box by, before it is there to be found. */
  async #announce({
    changes,
    due,
    ends,
  }: Pick<Outcome, 'changes' | 'due'> & { readonly ends: boolean }): Promise<void> {
    const { subjects } = this.#stream
    const announced: Promise<unknown>[] = []
    for (const { key, value } of changes) {
      const hash = aliasOfKey(key)
      if (hash !== undefined && value !== undefined)
        announced.push(this.#stream.append(subjects.alias(hash), this.#id))
    }
    if (due.after !== undefined && (due.before === undefined || due.after < due.before))
      announced.push(this.#stream.append(dueSubject(subjects, due.after, this.#id), new Uint8Array(0)))
    // If this relay ends before it has cleaned up, a sweep does that.
    if (ends) announced.push(this.#stream.append(endedSubject(subjects, this.#id), new Uint8Array(0)))
    await Promise.all(announced)
  }

  /** Nobody refers to these any more. */
  async #cleanUp(changes: Outcome['changes'], ended: readonly Uint8Array[], ends: boolean): Promise<void> {
    for (const { key, value } of changes) {
      const hash = aliasOfKey(key)
      if (hash !== undefined && value === undefined)
        await this.#stream.purge(this.#stream.subjects.alias(hash))
    }
    if (ends) return this.removeRest()
    const envelopes = changes.filter(({ key, value }) => isEnvelopeKey(key) && value === undefined)
    await this.#stream.remove(envelopes.map(({ before }) => decodeSequence(before!)))
    for (const id of ended) await this.#log.purgeBody(id)
  }

  /** Remove what an ended box has left in the stream. */
  async removeRest(): Promise<void> {
    const { subjects } = this.#stream
    await this.#stream.purge(subjects.message(this.#id))
    await this.#stream.purge(subjects.piece(this.#id, '*', '*'))
    await this.#stream.purge(subjects.snapshot(this.#id))
    await this.#stream.purge(subjects.log(this.#id))
    await this.#stream.purge(endedSubject(subjects, this.#id))
  }

  /** Whether a transaction whose answer was a refusal, or was lost, is in the log.
   * @throws when it is not and shall not be tried again: the server will not have it, or time is over. */
  async #lookFor(transaction: Uint8Array, error: unknown, until: number): Promise<boolean> {
    for (;;) {
      const found = await this.#log.catchUp(transaction).catch(() => undefined) // the server is not there
      if (found) return true
      if (isRefusal(error) || performance.now() > until) throw error
      if (found === false) return false
      await pause(PAUSE_MS)
    }
  }

  get #boxKey(): Uint8Array {
    return keyOf.box(this.#id)
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}
