// Writes RETURN and FAIL (spec/rpc.md §3, §6). What cannot be encoded becomes another answer, never none.
// Leaves out which answer a call gets (dispatch.ts).
import { utf8 } from '../bytes.js'
import { FAILURE_CODES, Failure } from './failure.js'
import type { Outbox } from './outbox.js'
import { encodeValueInto } from './values.js'
import { FAIL_FLAG, OP, writeByte, writeBytes, writeVarint } from './wire.js'

const MESSAGE_MAX_CHARS = 1_000

/** Answers of one session. */
export class AnswerWriter {
  readonly #outbox: Outbox

  constructor(outbox: Outbox) {
    this.#outbox = outbox
  }

  /** RETURN.
   * @throws what the encoder throws; nothing was written then. */
  result(id: number, value: unknown): void {
    const { sink, mark } = this.#outbox.beginMessage(OP.return)
    writeVarint(sink, id)
    try {
      encodeValueInto(sink, value, 'result')
    } catch (error) {
      this.#outbox.dropMessage(mark)
      throw error
    }
    this.#outbox.endMessage(mark)
  }

  /** FAIL. */
  failure(id: number, mayHaveRun: boolean, failure: Failure, errorId?: Uint8Array): void {
    const { sink, mark } = this.#outbox.beginMessage(OP.fail)
    const message = utf8(failure.message.slice(0, MESSAGE_MAX_CHARS))
    const name = failure.failureName === undefined ? undefined : utf8(failure.failureName)
    const data = failure.reason === 'declared'
    writeVarint(sink, id)
    writeVarint(sink, FAILURE_CODES[failure.reason])
    writeByte(
      sink,
      (mayHaveRun ? FAIL_FLAG.mayHaveRun : 0) |
        (errorId === undefined ? 0 : FAIL_FLAG.errorId) |
        (name === undefined ? 0 : FAIL_FLAG.name) |
        FAIL_FLAG.message |
        (failure.retryAfterMs === undefined ? 0 : FAIL_FLAG.retryAfter) |
        (data ? FAIL_FLAG.data : 0),
    )
    if (errorId !== undefined) writeBytes(sink, errorId)
    if (name !== undefined) {
      writeVarint(sink, name.length)
      writeBytes(sink, name)
    }
    writeVarint(sink, message.length)
    writeBytes(sink, message)
    if (failure.retryAfterMs !== undefined)
      writeVarint(sink, Math.min(0xffff_ffff, Math.max(0, failure.retryAfterMs)))
    if (data && !this.#appendData(failure, mark)) {
      this.failure(id, mayHaveRun, new Failure('internal', 'the data of the declared error cannot be sent'))
      return
    }
    this.#outbox.endMessage(mark)
  }

  #appendData(failure: Failure, mark: number): boolean {
    const sink = this.#outbox.sink
    try {
      encodeValueInto(sink, failure.data, 'data')
      return true
    } catch {
      this.#outbox.dropMessage(mark)
      return false
    }
  }
}
