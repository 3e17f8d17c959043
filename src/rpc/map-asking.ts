// Sends a MAP (spec/rpc.md §3, §4): the list by its answer where that is still to come, by its references where it is there,
// then the steps that were recorded. Leaves out the recording (map-recording.ts).
import { calledByGetter, inputFailed, inputRefused, tooLarge } from './call-errors.js'
import type { CallOptions } from './call-options.js'
import { OPEN_AUTHORITY } from './exports.js'
import { writeCounted, writeStepHead } from './map-plan.js'
import { RecordedLinks, type Recording } from './map-recording.js'
import { defineMethod } from './method-definition.js'
import type { Outbox } from './outbox.js'
import { Question, type QuestionOwner } from './question.js'
import type { QuestionTable } from './question-table.js'
import type { SessionLinks } from './session-links.js'
import { NotYet } from './value-refusal.js'
import { encodeValueInto } from './values.js'
import { CALL_FLAG, OP, writeByte, writeVarint } from './wire.js'

/** What asking needs of its session. */
export interface AskingParts {
  readonly owner: QuestionOwner
  readonly questions: QuestionTable
  readonly outbox: Outbox
  readonly links: SessionLinks
  readonly maxMessageBytes: number
}

const MAP = defineMethod('map')
/** Longest time a MAP can carry, ms. */
const REMAINING_MAX_MS = 0xffff_ffff

/** Ask for a MAP of `recording` over the answer of `list`. */
export function askMap(
  parts: AskingParts,
  list: Question,
  recording: Recording,
  options: CallOptions | undefined,
): Promise<unknown> {
  const question = new Question(parts.owner, MAP, undefined, options)
  if (!list.settled) list.support(question)
  const ask = (source: unknown): void =>
    parts.questions.enqueue(question, () => {
      if (question.settled) return
      const missing = send(parts, question, source, recording)
      missing?.then(ask, (cause: unknown) => question.reject(inputFailed(MAP.name, cause)))
    })
  ask(list.promise())
  return question.promise()
}

/** Write the MAP of `question`, or reject it.
 * @returns what must be there first. */
function send(
  { questions, outbox, links, maxMessageBytes }: AskingParts,
  question: Question,
  source: unknown,
  recording: Recording,
): PromiseLike<unknown> | undefined {
  if (outbox.isWriting) {
    question.reject(calledByGetter(MAP.name))
    return undefined
  }
  const { sink, mark } = outbox.beginMessage(OP.map)
  const id = questions.add(question)
  question.id = id
  writeVarint(sink, id)
  question.flagsAt = sink.length
  try {
    const { remainingMs } = question
    const hasDeadline = remainingMs !== Number.POSITIVE_INFINITY
    writeByte(sink, CALL_FLAG.want | (hasDeadline ? CALL_FLAG.deadline : 0))
    if (hasDeadline) writeVarint(sink, Math.min(REMAINING_MAX_MS, Math.ceil(remainingMs)))
    const session = links.beginWrite(OPEN_AUTHORITY)
    writeCounted(sink, () => encodeValueInto(sink, source, 'list', session))
    writeVarint(sink, recording.steps.length)
    const recorded = new RecordedLinks(session)
    for (const { on, name, input } of recording.steps) {
      writeStepHead(sink, on.step, on.path, name)
      writeCounted(sink, () => encodeValueInto(sink, input, 'input', recorded))
    }
    encodeValueInto(sink, recording.result, 'result', recorded)
    if (outbox.messageLength(mark) > maxMessageBytes) throw tooLarge(MAP.name)
  } catch (error) {
    links.rollBack()
    outbox.dropMessage(mark)
    questions.take(id)
    question.id = undefined
    if (error instanceof NotYet) return error.promise
    question.reject(inputRefused(MAP.name, error))
    return undefined
  }
  question.batch = outbox.batch
  const moved = outbox.endMessage(mark)
  if (moved < 0) question.batch = -1
  else question.flagsAt += moved
  for (const relied of links.relied ?? []) relied.support(question)
  return undefined
}
