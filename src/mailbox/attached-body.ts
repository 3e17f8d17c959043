// Large bodies as their recipient reads them (spec/mailbox.md §4.1): pieces from the relay, a few at a time, opened on the way.
// What a chunk holds is handed out when it is authentic; that nothing is missing is known at the end, which throws where something is.
// Leaves out how they are made (outbox-body.ts).
import { asSecretKey, KeyPair, primitives } from '../crypto/index.js'
import { NoisecapError } from '../errors.js'
import { CallError } from '../rpc/index.js'
import { ByteStream, openStream, SealReader } from '../seal/index.js'
import { piecesOf } from './box-pieces.js'
import type { AttachedBody } from './content.js'

/** What a large body is sealed for: no other stream opens in its place. */
export const BODY_CONTEXT = 'noisecap/v1 mailbox body'
/** The content of a sealed body is a multiple of this, bytes. */
export const BODY_PADDING_BYTES = 65_536
/** Pieces that are asked for ahead. */
const AHEAD = 4

/** A piece of the sealed body. */
export type ReadPiece = (index: number) => Promise<Uint8Array>

/** The bytes of a body that stands in its message. */
export function inlineBody(body: Uint8Array): ByteStream {
  const pieces = (async function* () {
    if (body.length > 0) yield body.slice()
  })()
  return new ByteStream(pieces, async () => void (await pieces.return()))
}

/** The bytes of a large body.
 * @returns reading it fails with `seal/altered`, `seal/truncated` or `seal/malformed` for anything but what was sealed,
 * `mailbox/malformed`, `mailbox/gone` when the message is no longer in the box. */
export function attachedBody(attached: AttachedBody, read: ReadPiece): ByteStream {
  const pieces = contentOf(attached, read)
  return new ByteStream(pieces, async () => void (await pieces.return()))
}

async function* contentOf(
  { key: secret, bytes, sealedBytes, tail }: AttachedBody,
  read: ReadPiece,
): AsyncGenerator<Uint8Array, void, undefined> {
  using key = KeyPair.fromSecretKey(primitives().dh('25519'), asSecretKey(secret.slice()))
  using reader = new SealReader({ keys: key, accept: [{ pattern: 'N' }], maxEpochs: 1 })
  const sealed = sealedPieces(piecesOf(sealedBytes), read)
  await using stream = await openStream(sealed, reader, { context: BODY_CONTEXT })
  let left = bytes
  let padding = 0
  for await (const piece of stream) {
    const content = piece.subarray(0, left)
    left -= content.length
    padding += piece.length - content.length
    if (piece.subarray(content.length).some((byte) => byte !== 0)) throw malformed()
    if (content.length > 0) yield content
  }
  const own = stream.tail
  if (left > 0 || padding >= BODY_PADDING_BYTES || own === undefined || !sameBytes(own, tail))
    throw malformed()
}

/** The pieces in their order, some asked for before they are needed. */
async function* sealedPieces(count: number, read: ReadPiece): AsyncGenerator<Uint8Array, void, undefined> {
  const asked: Promise<Uint8Array>[] = []
  for (let next = 0, index = 0; index < count; index++) {
    for (; next < Math.min(count, index + AHEAD); next++) {
      const piece = read(next)
      piece.catch(() => {}) // told when its turn comes
      asked.push(piece)
    }
    yield await orGone(asked.shift()!)
  }
}

async function orGone(piece: Promise<Uint8Array>): Promise<Uint8Array> {
  try {
    return await piece
  } catch (error) {
    if (!(error instanceof CallError) || error.code !== 'rpc/not_found') throw error
    throw new NoisecapError('mailbox/gone', 'Cannot read body: its message is no longer in the box', {
      hint: 'It was acknowledged by another consumer, or its time is over',
      cause: error,
    })
  }
}

function malformed(): NoisecapError {
  return new NoisecapError('mailbox/malformed', 'Cannot read body: it is not the one that its message names')
}

/** Both are authentic by now, so time tells nothing. */
function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}
