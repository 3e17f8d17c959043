// A message with a large body on its way to the relay (spec/mailbox.md §7.2): begun, then piece after piece, a few in flight. An
// upload that was interrupted goes on where the relay says that it is. Leaves out when to try again (outbox.ts).
import { MAILBOX_PIECE_BYTES } from '../limits.js'
import { CallError, type Calls, type Stub } from '../rpc/index.js'
import { piecesOf } from './box-pieces.js'
import type { DepositInterface } from './interfaces.js'
import type { OutboxQueue, Queued, QueuedBody } from './outbox-queue.js'

/** Pieces that are on their way at once. */
const IN_FLIGHT = 4

type DepositStub = Stub<Calls<(typeof DepositInterface)['declared']>>

/** What became of it. */
export interface Uploaded {
  readonly refusal?: string | undefined
  readonly retryAfterMs?: number | undefined
}

/** How it is sent. */
interface UploadOptions {
  readonly signal: AbortSignal
  readonly timeoutMs: number
  /** Told how many bytes are at the relay. */
  readonly onSent: (bytes: number) => void
}

/** Upload one message with its body.
 * @throws what the relay or the way to it fails with; what has been uploaded is not lost by that. */
export async function upload(
  relay: DepositStub,
  queue: OutboxQueue,
  { id, envelope, expiresMs }: Queued,
  body: QueuedBody,
  { onSent, ...options }: UploadOptions,
): Promise<Uploaded> {
  const begun = await orUnsupported(relay.beginBody({ envelope, expiresMs, bodyBytes: body.bytes }, options))
  if (begun.refusal !== undefined) return begun
  const count = piecesOf(body.bytes)
  let { pieces, complete } = begun
  while (!complete) {
    const length = Math.min(IN_FLIGHT, count - pieces)
    const first = pieces
    const states = await Promise.all(
      Array.from({ length }, async (_, i) => {
        const index = first + i
        return relay.appendBody({ id, index, piece: await queue.piece(body, index) }, options)
      }),
    )
    ;({ pieces, complete } = states.at(-1)!) // there is one as long as it is not complete
    onSent(Math.min(body.bytes, pieces * MAILBOX_PIECE_BYTES))
  }
  return { refusal: undefined }
}

/** A relay whose store keeps no large bodies never will. */
async function orUnsupported(begun: ReturnType<DepositStub['beginBody']>) {
  try {
    return await begun
  } catch (error) {
    if (!(error instanceof CallError) || error.code !== 'rpc/unimplemented') throw error
    return { refusal: 'unsupported', pieces: 0, complete: false }
  }
}
