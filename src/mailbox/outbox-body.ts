// Bodies that are given to an outbox as bytes (spec/mailbox.md §4.1): short ones go into their message; others are sealed as a
// stream to a key of their own and put on disk in pieces, so that memory stays flat. What the message then says of it is the only way to open it.
// Leaves out sending the pieces (outbox-upload.ts) and reading them (attached-body.ts).
import { concat } from '../bytes.js'
import { generateKeyPair } from '../crypto/index.js'
import { NoisecapError } from '../errors.js'
import {
  MAILBOX_BODY_MAX_BYTES,
  MAILBOX_HEADER_MAX_BYTES,
  MAILBOX_MESSAGE_MAX_BYTES,
  MAILBOX_PIECE_BYTES,
} from '../limits.js'
import { type ByteSource, SealWriter, sealStream } from '../seal/index.js'
import { iterateReadable } from '../web-stream.js'
import { BODY_CONTEXT, BODY_PADDING_BYTES } from './attached-body.js'
import type { AttachedBody } from './content.js'
import { newBodyName, type OutboxQueue, type QueuedBody } from './outbox-queue.js'

/** A body up to here always fits into a message, whatever its header: length and the byte that says that there is a value. */
const INLINE_MAX_BYTES = MAILBOX_MESSAGE_MAX_BYTES - MAILBOX_HEADER_MAX_BYTES - 3

type Pieces = AsyncGenerator<Uint8Array, void, undefined>

/** A body that was taken: in the message, or on disk beside it. */
export type TakenBody =
  | { readonly inline: Uint8Array }
  | { readonly attached: AttachedBody; readonly queued: QueuedBody }

/** Read `source` to its end.
 * @throws what the source fails with, TypeError for pieces that are no bytes, `mailbox/too_large`, `mailbox/store`: then nothing
 * of it is kept. */
export async function takeBody(source: ByteSource, queue: OutboxQueue, nowMs: number): Promise<TakenBody> {
  const pieces = piecesFrom(source)
  const start: Uint8Array[] = []
  let length = 0
  while (length <= INLINE_MAX_BYTES) {
    const { done, value } = await pieces.next()
    if (done === true) return { inline: concat(...start) }
    start.push(value.slice())
    length += value.length
  }
  return spool(new Content(start, pieces), queue, newBodyName(nowMs))
}

/** Seal a body to a key of its own, and keep it. */
async function spool(content: Content, queue: OutboxQueue, name: Uint8Array): Promise<TakenBody> {
  using key = generateKeyPair()
  using writer = new SealWriter({ to: key.publicKey })
  const sealed = sealStream(content, writer, { context: BODY_CONTEXT })
  let index = 0
  let sealedBytes = 0
  try {
    for await (const piece of recut(sealed, MAILBOX_PIECE_BYTES)) {
      sealedBytes += piece.length
      if (sealedBytes > MAILBOX_BODY_MAX_BYTES) throw tooLarge()
      await queue.putPiece(name, index, piece)
      index += 1
    }
  } catch (error) {
    await queue.removePieces(name, index)
    throw error
  }
  const attached = { key: key.secretKey.slice(), bytes: content.bytes, sealedBytes, tail: sealed.tail! } // it was read to its end
  return { attached, queued: { name, bytes: sealedBytes } }
}

/** The pieces of a source, whatever it is.
 * @throws TypeError for one that is no bytes, such as text. */
async function* piecesFrom(source: ByteSource): Pieces {
  if (source instanceof Uint8Array) return yield source
  const iterable =
    Symbol.asyncIterator in source || Symbol.iterator in source
      ? source
      : { [Symbol.asyncIterator]: () => iterateReadable(source) }
  for await (const piece of iterable) {
    if (!(piece instanceof Uint8Array))
      throw new TypeError('Cannot send body: expected pieces that are bytes')
    yield piece
  }
}

/** What is sealed: the body, and zeros up to the size class. */
class Content implements AsyncIterable<Uint8Array> {
  /** Of the body, so far. */
  bytes = 0
  readonly #start: Uint8Array[]
  readonly #rest: Pieces

  constructor(start: Uint8Array[], rest: Pieces) {
    this.#start = start
    this.#rest = rest
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for (const piece of this.#start.splice(0)) yield this.#counted(piece)
      for (;;) {
        const { done, value } = await this.#rest.next()
        if (done === true) break
        yield this.#counted(value)
      }
    } finally {
      await this.#rest.return()
    }
    const over = this.bytes % BODY_PADDING_BYTES
    if (over > 0) yield new Uint8Array(BODY_PADDING_BYTES - over)
  }

  #counted(piece: Uint8Array): Uint8Array {
    this.bytes += piece.length
    return piece
  }
}

/** The same bytes in pieces of `size`, the last one shorter; each is valid until the next is asked for. */
async function* recut(source: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array> {
  const piece = new Uint8Array(size)
  let filled = 0
  for await (const bytes of source) {
    for (let at = 0; at < bytes.length; ) {
      const count = Math.min(size - filled, bytes.length - at)
      piece.set(bytes.subarray(at, at + count), filled)
      filled += count
      at += count
      if (filled < size) continue
      yield piece
      filled = 0
    }
  }
  if (filled > 0) yield piece.subarray(0, filled)
}

function tooLarge(): NoisecapError {
  return new NoisecapError(
    'mailbox/too_large',
    `Cannot send message: expected a body that is at most ${MAILBOX_BODY_MAX_BYTES} bytes when sealed`,
    { hint: 'Split it into several messages, or send where it can be fetched' },
  )
}
