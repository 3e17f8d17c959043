// The log of one box in the stream, and the entries that it amounts to: reading what was appended, appending, and cutting it short by
// a snapshot. Each entry names the one before it, so that a gap is seen; after one the box is read again from its last snapshot.
// Leaves out what is decided by the entries (nats-box.ts).
import { hexDecode, hexEncode } from '../bytes.js'
import { primitives } from '../crypto/index.js'
import { sameBytes } from './box-lease.js'
import {
  type Change,
  decodeChanges,
  decodeLogEntry,
  decodeSequence,
  encodeChanges,
  encodeLogEntry,
  sizeOf,
} from './nats-entry.js'
import type { NatsStream, StreamEntry } from './nats-stream.js'
import { endOf } from './ordered-store.js'
import { isHeadKey, keyOf } from './records.js'
import { SortedEntries } from './sorted-entries.js'

/** A snapshot is made after so many entries of the log, and after as many as a part of what it would hold. */
const SNAPSHOT_AFTER = 256
const SNAPSHOT_SHARE = 16
const PART_MAX_BYTES = 512 * 1024
/** How often a box is read anew when others cut its log short meanwhile. */
const READ_TRIES = 16
const ALL = { start: new Uint8Array(0), end: Uint8Array.of(0xff) }

/** A log, and what it says. */
export class NatsLog {
  readonly entries = new SortedEntries()
  readonly #box: Uint8Array
  readonly #stream: NatsStream
  /** Sequence of the last entry that was applied; 0: none. */
  #last = 0
  /** Envelopes up to here that nothing refers to have been, or will be, removed: nothing may refer to them later. */
  #fence = 0
  /** The same of pieces: here the last body ended. */
  #pieceFence = 0
  #since = 0
  #trusted = false
  #reading: Promise<unknown> = Promise.resolve()

  constructor(box: Uint8Array, stream: NatsStream) {
    this.#box = box
    this.#stream = stream
  }

  /** Sequence of the last entry that is in `entries`. */
  get last(): number {
    return this.#last
  }

  get fence(): number {
    return this.#fence
  }

  get pieceFence(): number {
    return this.#pieceFence
  }

  /** Whether the entries are those of some moment. */
  get trusted(): boolean {
    return this.#trusted
  }

  distrust(): void {
    this.#trusted = false
  }

  /** Bring the entries up to what is in the log now.
   * @returns true. */
  refresh(): Promise<boolean> {
    return this.#alone(async () => {
      const last = await this.#stream.last(this.#subject)
      // Less than what is known: the server has lost its last entries.
      if (last === undefined || last.sequence < this.#last) this.#reset()
      if (last !== undefined && (!this.#trusted || last.sequence !== this.#last)) await this.#read(undefined)
      this.#trusted = true
      return true
    })
  }

  /** Bring the entries up, after something else was appended, or it is not known what.
   * @returns whether this transaction was among what was read. */
  catchUp(transaction: Uint8Array): Promise<boolean> {
    return this.#alone(async () => {
      const found = await this.#read(transaction)
      this.#trusted = true
      return found
    })
  }

  /** Append what a transaction changes, unless something was appended after `previous`.
   * @throws what the server says. */
  async append(transaction: Uint8Array, changes: readonly Change[], previous: number): Promise<void> {
    const entry = encodeLogEntry({ previous, transaction, content: { kind: 'changes', changes } })
    const sequence = await this.#stream.append(this.#subject, entry, previous)
    await this.#alone(async () => {
      // Somebody who only read may have come across it.
      if (this.#last === previous) this.#apply(changes, sequence)
    })
  }

  /** Put a snapshot into the log when it has grown long, and remove what nobody needs then. Whatever fails is tried after the
   * next transaction. */
  async shorten(): Promise<void> {
    if (!this.#trusted || this.#since < Math.max(SNAPSHOT_AFTER, this.entries.size / SNAPSHOT_SHARE)) return
    const previous = this.#last
    const encoded = [...this.#parts()] // at one moment: the entries may change while it is sent
    const parts: number[] = []
    try {
      for (const part of encoded) parts.push(await this.#stream.append(this.#snapshots, part))
      const content = { kind: 'snapshot', parts } as const
      const entry = encodeLogEntry({ previous, transaction: primitives().randomBytes(16), content })
      const sequence = await this.#stream.append(this.#subject, entry, previous)
      await this.#alone(async () => {
        if (this.#last === previous) this.#applySnapshot(previous, sequence)
      })
      await this.#stream.purge(this.#subject, sequence)
      await this.#stream.purge(this.#snapshots, parts[0]!)
      await this.#stream.purge(this.#stream.subjects.message(this.#box), this.#firstNeeded(previous))
      // Of relays that ended before they had cleaned up.
      for (const subject of await this.#stream.list(this.#stream.subjects.piece(this.#box, '*', 0)))
        await this.purgeBody(hexDecode(subject.split('.').at(-2)!))
    } catch {
      this.#since = 0 // after as many entries again
    }
  }

  /** Remove the pieces of a message that has no body any more, as far as is known here. */
  async purgeBody(id: Uint8Array): Promise<void> {
    if (this.entries.get(keyOf.head(this.#box, id)) !== undefined) return
    // What came later may be of another upload of the same message.
    await this.#stream.purge(this.#stream.subjects.piece(this.#box, hexEncode(id), '*'), this.#last + 1)
  }

  get #subject(): string {
    return this.#stream.subjects.log(this.#box)
  }

  get #snapshots(): string {
    return this.#stream.subjects.snapshot(this.#box)
  }

  /** One reading at a time. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#reading.then(work, work)
    this.#reading = result.catch(() => {}) // told to whoever asked
    return result
  }

  async #read(transaction: Uint8Array | undefined): Promise<boolean> {
    if (!this.#trusted) this.#reset()
    for (let tries = 0; tries < READ_TRIES; tries++) {
      const found = await this.#readOn(transaction)
      if (found !== undefined) return found
      this.#reset()
    }
    throw new TypeError('a box in the stream cannot be read: its log has gaps')
  }

  /** @returns undefined when there is a gap. */
  async #readOn(transaction: Uint8Array | undefined): Promise<boolean | undefined> {
    let found = false
    for (let at = this.#last + 1; ; ) {
      const next = await this.#stream.next(this.#subject, at)
      if (next === undefined) return found
      at = next.sequence + 1
      const outcome = await this.#take(next, transaction)
      if (outcome === 'gap') return undefined
      if (outcome === 'own') found = true
    }
  }

  async #take(
    { sequence, data }: StreamEntry,
    transaction: Uint8Array | undefined,
  ): Promise<'taken' | 'own' | 'gap'> {
    const { previous, content, transaction: name } = decodeLogEntry(data)
    const own = transaction !== undefined && sameBytes(transaction, name) ? 'own' : 'taken'
    if (this.#last === previous) {
      if (content.kind === 'changes') this.#apply(content.changes, sequence)
      else this.#applySnapshot(previous, sequence)
      return own
    }
    if (this.#last !== 0) return 'gap'
    // What is left of a log that was being cut short when its relay ended: the snapshot comes.
    if (content.kind === 'changes') return own
    for (const part of content.parts) {
      const bytes = await this.#stream.at(part)
      if (bytes === undefined) return 'gap'
      for (const { key, value } of decodeChanges(bytes)) this.entries.put(key, value!)
    }
    this.#applySnapshot(previous, sequence)
    return own
  }

  #apply(changes: readonly Change[], sequence: number): void {
    for (const { key, value } of changes) {
      if (value === undefined) this.entries.remove(key)
      else this.entries.put(key, value)
      if (value === undefined && isHeadKey(key)) this.#pieceFence = sequence
    }
    // With its record a box ends, and all that is in it.
    if (this.entries.get(keyOf.box(this.#box)) === undefined) this.entries.clear()
    this.#last = sequence
    this.#since += 1
  }

  #applySnapshot(asOf: number, sequence: number): void {
    this.#last = sequence
    this.#fence = asOf
    this.#pieceFence = asOf
    this.#since = 0
  }

  #reset(): void {
    this.#trusted = false
    this.entries.clear()
    this.#last = 0
    this.#fence = 0
    this.#pieceFence = 0
    this.#since = 0
  }

  /** The place of the first envelope that must stay when the log was cut short as of `asOf`. */
  #firstNeeded(asOf: number): number {
    let first = asOf
    for (const envelopes of [keyOf.envelope(this.#box), keyOf.head(this.#box)])
      for (const { value } of this.entries.range(envelopes, endOf(envelopes)))
        first = Math.min(first, decodeSequence(value))
    return first
  }

  /** All entries, in parts that a message of NATS holds. */
  *#parts(): Iterable<Uint8Array> {
    let part: Change[] = []
    let bytes = 0
    for (const entry of this.entries.range(ALL.start, ALL.end)) {
      if (bytes > 0 && bytes + sizeOf(entry) > PART_MAX_BYTES) {
        yield encodeChanges(part)
        part = []
        bytes = 0
      }
      part.push(entry)
      bytes += sizeOf(entry)
    }
    yield encodeChanges(part)
  }
}
