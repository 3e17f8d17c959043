// Large bodies of the boxes in NATS (spec/mailbox.md §6.5): the log of a box knows the upload or the message, and each piece is an
// entry of a subject that says which it is, in the stream before the log counts it.
// Leaves out the transactions (body-work.ts), and removing pieces (nats-log.ts).
import { hexEncode } from '../bytes.js'
import { appendAt, type Begun, beginAt } from './body-work.js'
import { openRecord } from './box-view.js'
import type { NatsBox } from './nats-box.js'
import { attempt, type NatsStream } from './nats-stream.js'
import { keyOf } from './records.js'
import type { BodyStore, NewMessage, UploadState } from './store.js'

/** Pieces in a stream. */
export class NatsBodies implements BodyStore {
  readonly #stream: NatsStream
  readonly #boxOf: (id: Uint8Array) => NatsBox

  constructor(stream: NatsStream, boxOf: (id: Uint8Array) => NatsBox) {
    this.#stream = stream
    this.#boxOf = boxOf
  }

  begin(
    box: Uint8Array,
    depositor: number,
    message: NewMessage,
    bodyBytes: number,
    nowMs: number,
  ): Promise<Begun> {
    return this.#boxOf(box).write((tx) => beginAt(tx, box, depositor, message, bodyBytes, nowMs))
  }

  append(
    box: Uint8Array,
    depositor: number,
    id: Uint8Array,
    index: number,
    piece: Uint8Array,
    nowMs: number,
  ): Promise<UploadState | undefined> {
    return this.#boxOf(box).write((tx) => appendAt(tx, box, depositor, id, index, piece, nowMs))
  }

  read(box: Uint8Array, id: Uint8Array, index: number, nowMs: number): Promise<Uint8Array | undefined> {
    return attempt('read', async () => {
      const isThere = await this.#boxOf(box).read((view) => {
        // What is on its way is nobody's to read.
        const [arrived, head] = [view.get(keyOf.id(box, id)), view.get(keyOf.head(box, id))]
        return openRecord(view, box, nowMs) !== undefined && arrived !== undefined && head !== undefined
      })
      if (!isThere) return undefined
      return (await this.#stream.last(this.#stream.subjects.piece(box, hexEncode(id), index)))?.data
    })
  }
}
