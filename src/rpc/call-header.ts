// The fields of a CALL between its id and its arguments (spec/rpc.md §3). Leaves out ids and arguments (calling.ts).
import type { ByteSink } from './byte-sink.js'
import type { Question, QuestionTarget } from './question.js'
import { CALL_FLAG, writeAnswerTarget, writeByte, writeBytes, writeVarint } from './wire.js'

/** Longest time a CALL can carry, ms. */
const REMAINING_MAX_MS = 0xffff_ffff

/** Write flags, target, method, remaining time and metadata. */
export function writeCallHeader(sink: ByteSink, question: Question, target: QuestionTarget): void {
  const { method, remainingMs, metadata } = question
  const hasDeadline = remainingMs !== Number.POSITIVE_INFINITY
  writeByte(
    sink,
    (question.wants ? CALL_FLAG.want : 0) |
      (question.isIdempotent ? CALL_FLAG.idempotent : 0) |
      (hasDeadline ? CALL_FLAG.deadline : 0) |
      (metadata === undefined ? 0 : CALL_FLAG.metadata),
  )
  if ('question' in target) writeAnswerTarget(sink, target.question.id!, target.path)
  else writeVarint(sink, target.exportId * 2)
  writeBytes(sink, method.encodedName)
  if (hasDeadline) writeVarint(sink, Math.min(REMAINING_MAX_MS, Math.ceil(remainingMs)))
  if (metadata === undefined) return
  writeVarint(sink, metadata.bytes.length)
  writeBytes(sink, metadata.bytes)
}
