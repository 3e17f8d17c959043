// Writes RETURN and FAIL (spec/rpc.md §3, §6). What cannot be encoded becomes another answer, never none.
// Leaves out which answer a call gets (dispatch.ts).
import type { ByteSink } from './byte-sink.js'
import type { Authority } from './exports.js'
import { FAILURE_CODES, Failure } from './failure.js'
import type { Outbox } from './outbox.js'
import type { SessionLinks } from './session-links.js'
import { encodeValueInto } from './values.js'
import { FAIL_FLAG, OP, writeByte, writeBytes, writeText, writeVarint } from './wire.js'

const MESSAGE_MAX_CHARS = 1_000

/** Answers of one session. */
export class AnswerWriter {
  readonly #outbox: Outbox
  readonly #links: SessionLinks
  readonly #maxMessageBytes: number

  /** @param maxMessageBytes - of the other side. */
  constructor(outbox: Outbox, links: SessionLinks, maxMessageBytes: number) {
    this.#outbox = outbox
    this.#maxMessageBytes = maxMessageBytes
    this.#links = links
  }

  /** RETURN.
   * @param authority - under which references in it are exported.
   * @throws what the encoder throws; nothing was written then. */
  result(id: number, value: unknown, authority: Authority): void {
    const { sink, mark } = this.#outbox.beginMessage(OP.return)
    writeVarint(sink, id)
    try {
      encodeValueInto(sink, value, 'result', this.#links.beginWrite(authority))
      if (this.#outbox.messageLength(mark) > this.#maxMessageBytes)
        throw new Failure('resource_exhausted', 'the result is larger than the other side takes')
    } catch (error) {
      this.#links.rollBack()
      this.#outbox.dropMessage(mark)
      throw error
    }
    this.#outbox.endMessage(mark)
  }

  /** FAIL. */
  failure(id: number, mayHaveRun: boolean, failure: Failure, errorId?: Uint8Array): void {
    const { sink, mark } = this.#outbox.beginMessage(OP.fail)
    writeVarint(sink, id)
    writeFailure(sink, mayHaveRun, failure, errorId)
    this.#outbox.endMessage(mark)
  }
}

const UNSENDABLE = new Failure('internal', 'the data of the declared error cannot be sent')

/** The fields of FAIL behind its call, and of END behind its stream. What cannot be written, a handler's own data or a
 * Failure that is a Proxy, becomes another failure. */
export function writeFailure(
  sink: ByteSink,
  mayHaveRun: boolean,
  failure: Failure,
  errorId: Uint8Array | undefined,
): void {
  const start = sink.length
  try {
    writeFields(sink, mayHaveRun, failure, errorId)
  } catch {
    sink.length = start
    writeFields(sink, mayHaveRun, UNSENDABLE, undefined)
  }
}

function writeFields(
  sink: ByteSink,
  mayHaveRun: boolean,
  failure: Failure,
  errorId: Uint8Array | undefined,
): void {
  const { failureName: name, message, reason, retryAfterMs } = failure
  const hasData = reason === 'declared'
  writeVarint(sink, FAILURE_CODES[reason])
  writeByte(
    sink,
    (mayHaveRun ? FAIL_FLAG.mayHaveRun : 0) |
      (errorId === undefined ? 0 : FAIL_FLAG.errorId) |
      (name === undefined ? 0 : FAIL_FLAG.name) |
      FAIL_FLAG.message |
      (retryAfterMs === undefined ? 0 : FAIL_FLAG.retryAfter) |
      (hasData ? FAIL_FLAG.data : 0),
  )
  if (errorId !== undefined) writeBytes(sink, errorId)
  if (name !== undefined) writeText(sink, name)
  writeText(sink, message.slice(0, MESSAGE_MAX_CHARS))
  if (retryAfterMs !== undefined) writeVarint(sink, Math.min(0xffff_ffff, Math.max(0, retryAfterMs)))
  if (hasData) encodeValueInto(sink, failure.data, 'data')
}
