// Reads RETURN and FAIL for a question, validates what the method declares, and settles its promise (spec/rpc.md §3, §6).
// Results are checked here, at the receiver; a result that does not fit is the service's fault and says so.
import { hexEncode } from '../bytes.js'
import type { RpcErrorCode } from '../errors.js'
import { nameOfCode } from '../session/index.js'
import { describeIssues, type SchemaResult, type StandardSchema } from '../standard-schema.js'
import { CallError, FAILURE_CODES, type FailureReason } from './failure.js'
import { IncomingStream } from './incoming-stream.js'
import type { Question } from './question.js'
import type { LinkProblem, SessionLinks } from './session-links.js'
import { callerOf, isReference, releaseStub, watchStub } from './stub.js'
import { decodeSessionValue, decodeValue } from './values.js'
import { ERROR_ID_BYTES, FAIL_FLAG, type FieldReader } from './wire.js'

const NAME_MAX_BYTES = 128
const MESSAGE_TEXT_MAX_BYTES = 4_096

/** Settle `question` with the value of a RETURN.
 * @param links - after `beginRead`. */
export function readResult(
  question: Question,
  reader: FieldReader,
  bytes: Uint8Array,
  links: SessionLinks,
): void {
  const { method } = question
  let value: unknown
  try {
    value = decodeSessionValue(bytes, reader.at, reader.end, links)
  } catch (cause) {
    question.reject(badResult(question, 'it is not a value', cause))
    return
  }
  const { arrived } = links
  if (links.problem !== undefined || question.settled) {
    // Nobody will hold what came along.
    if (arrived !== undefined) letGo(arrived)
    question.reject(badResult(question, LINK_PROBLEM_TEXT[links.problem ?? 'no_reference']))
    return
  }
  if (arrived !== undefined) own(arrived, `the answer of ${method.name}`)
  if (method.output === undefined || method.kind !== 'call') {
    settleWith(question, value)
    return
  }
  let result: SchemaResult<unknown> | Promise<SchemaResult<unknown>>
  try {
    result = method.output['~standard'].validate(value)
  } catch (cause) {
    question.reject(schemaThrew(question, cause))
    return
  }
  // No closure for a schema that answers at once: that is nearly every one.
  if (result instanceof Promise) settleLater(question, result)
  else settleValidated(question, result)
}

function settleLater(question: Question, result: Promise<SchemaResult<unknown>>): void {
  result.then(
    (validated) => settleValidated(question, validated),
    (cause: unknown) => question.reject(schemaThrew(question, cause)),
  )
}

function settleValidated(question: Question, result: SchemaResult<unknown>): void {
  if (result.issues === undefined) settleWith(question, result.value)
  else question.reject(badResult(question, describeIssues(result.issues)))
}

function schemaThrew(question: Question, cause: unknown): CallError {
  return badResult(question, 'its schema threw', cause)
}

/** What arrives in a result or an item belongs to whoever gets it: it is let go when that one forgot to.
 * @param origin - for the warning. */
export function own(arrived: readonly object[], origin: string): void {
  for (const thing of arrived) if (isReference(thing)) watchStub(thing, callerOf(thing), origin)
}

/** Nobody takes what a value brought. */
export function letGo(arrived: readonly object[]): void {
  for (const thing of arrived) {
    if (isReference(thing)) void releaseStub(thing)
    else if (thing instanceof IncomingStream) void thing.return()
  }
}

/** What is wrong with a value that refers to what is not there. */
export const LINK_PROBLEM_TEXT: Readonly<Record<LinkProblem, string>> = {
  no_reference: 'it names a reference that is not there',
  no_answer: 'it names an answer that is not there, or more of answers than is copied for one call',
  capability: 'it holds a capability that is malformed',
  exports: 'it brings more references than were announced',
  streams: 'it brings more streams than are allowed',
}

/** A decoded value with a `then` is data, and a promise cannot hold it without calling it: refuse, never await. */
function settleWith(question: Question, value: unknown): void {
  if (
    typeof value === 'object' &&
    value !== null &&
    !isReference(value) &&
    typeof (value as { then?: unknown }).then === 'function'
  ) {
    question.reject(badResult(question, 'it has a method then'))
  } else question.resolve(value)
}

/** Settle `question` with the error of a FAIL. */
export function readFailure(question: Question, reader: FieldReader, bytes: Uint8Array): void {
  const { method } = question
  const received = readFields(reader, bytes)
  if (received.problem !== undefined) {
    question.reject(badResult(question, 'the data of its error is not a value', received.problem))
    return
  }
  const { failureName } = received.details
  const schema = failureName === undefined ? undefined : method.errors.get(failureName)
  const fail = (data: unknown): void =>
    question.reject(failed(`Call ${method.name} failed`, method.name, received, data))
  if (schema === undefined || !received.hasData) fail(undefined)
  else
    validated(schema, received.data).then(
      (result) => {
        if (result.issues === undefined) fail(result.value)
        else question.reject(badResult(question, `the data of its error: ${describeIssues(result.issues)}`))
      },
      (cause: unknown) => question.reject(badResult(question, 'the schema of its error threw', cause)),
    )
}

async function validated(schema: StandardSchema, value: unknown): Promise<SchemaResult<unknown>> {
  return schema['~standard'].validate(value)
}

/** The error of an END. Data of a declared error is the raw value: whoever knows the method validates it. */
export function readFailureError(reader: FieldReader, bytes: Uint8Array): CallError {
  const received = readFields(reader, bytes)
  return failed('Stream failed', '', received, received.data)
}

interface ReceivedFailure {
  readonly reason: FailureReason
  readonly text: string | undefined
  readonly details: {
    readonly mayHaveRun: boolean
    readonly errorId: string | undefined
    readonly failureName: string | undefined
    readonly retryAfterMs: number | undefined
  }
  readonly hasData: boolean
  readonly data: unknown
  /** Why its data cannot be read. */
  readonly problem: unknown
}

function readFields(reader: FieldReader, bytes: Uint8Array): ReceivedFailure {
  const reason = nameOfCode<FailureReason>(FAILURE_CODES, reader.varint()) ?? 'unknown'
  const flags = reader.byte()
  const details = {
    mayHaveRun: (flags & FAIL_FLAG.mayHaveRun) !== 0,
    errorId: flags & FAIL_FLAG.errorId ? hexEncode(reader.take(ERROR_ID_BYTES)) : undefined,
    failureName: flags & FAIL_FLAG.name ? reader.text(NAME_MAX_BYTES) : undefined,
  }
  const text = flags & FAIL_FLAG.message ? reader.text(MESSAGE_TEXT_MAX_BYTES) : undefined
  const retryAfterMs = flags & FAIL_FLAG.retryAfter ? reader.varint() : undefined
  const hasData = (flags & FAIL_FLAG.data) !== 0
  let data: unknown
  let problem: unknown
  try {
    if (hasData) data = decodeValue(bytes, reader.at, reader.end)
  } catch (error) {
    problem = error
  }
  return { reason, text, details: { ...details, retryAfterMs }, hasData, data, problem }
}

function failed(
  what: string,
  method: string,
  { reason, text, details }: ReceivedFailure,
  data: unknown,
): CallError {
  const { errorId } = details
  const code: RpcErrorCode = `rpc/${reason}`
  return new CallError(code, `${what}: ${text ?? reason}`, {
    ...details,
    method,
    data,
    hint: errorId === undefined ? undefined : `Look for error ${errorId} in the service's log`,
  })
}

function badResult(question: Question, why: string, cause?: unknown): CallError {
  return new CallError(
    'rpc/bad_value',
    `Call ${question.method.name} ran, but its result cannot be used: ${why}`,
    {
      method: question.method.name,
      mayHaveRun: true,
      cause,
    },
  )
}
