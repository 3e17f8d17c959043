// Reads RETURN and FAIL for a question, validates what the method declares, and settles its promise (spec/rpc.md §3, §6).
// Results are checked here, at the receiver; a result that does not fit is the service's fault and says so.
import { hexEncode } from '../bytes.js'
import type { RpcErrorCode } from '../errors.js'
import { nameOfCode } from '../session/index.js'
import { CallError, FAILURE_CODES, type FailureReason } from './failure.js'
import type { Question } from './question.js'
import { describeIssues, type SchemaResult, type StandardSchema } from './standard-schema.js'
import { decodeValue } from './values.js'
import { ERROR_ID_BYTES, FAIL_FLAG, type FieldReader } from './wire.js'

const NAME_MAX_BYTES = 128
const MESSAGE_TEXT_MAX_BYTES = 4_096

/** Settle `question` with the value of a RETURN. */
export function readResult(question: Question, reader: FieldReader, bytes: Uint8Array): void {
  const { method } = question
  let value: unknown
  try {
    value = decodeValue(bytes, reader.at, reader.end)
  } catch (cause) {
    question.reject(badResult(question, 'it is not a value', cause))
    return
  }
  if (method.output === undefined) {
    settleWith(question, value)
    return
  }
  validate(
    method.output,
    value,
    (result) => {
      if (result.issues === undefined) settleWith(question, result.value)
      else question.reject(badResult(question, describeIssues(result.issues)))
    },
    (cause) => question.reject(badResult(question, 'its schema threw', cause)),
  )
}

/** A decoded value with a `then` is data, and a promise cannot hold it without calling it: refuse, never await. */
function settleWith(question: Question, value: unknown): void {
  if (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { then?: unknown }).then === 'function'
  ) {
    question.reject(badResult(question, 'it has a method then'))
  } else question.resolve(value)
}

/** Settle `question` with the error of a FAIL. */
export function readFailure(question: Question, reader: FieldReader, bytes: Uint8Array): void {
  const { method } = question
  const reason = nameOfCode<FailureReason>(FAILURE_CODES, reader.varint()) ?? 'unknown'
  const flags = reader.byte()
  const errorId = flags & FAIL_FLAG.errorId ? hexEncode(reader.take(ERROR_ID_BYTES)) : undefined
  const failureName = flags & FAIL_FLAG.name ? reader.text(NAME_MAX_BYTES) : undefined
  const text = flags & FAIL_FLAG.message ? reader.text(MESSAGE_TEXT_MAX_BYTES) : undefined
  const retryAfterMs = flags & FAIL_FLAG.retryAfter ? reader.varint() : undefined
  const details = {
    method: method.name,
    mayHaveRun: (flags & FAIL_FLAG.mayHaveRun) !== 0,
    errorId,
    failureName,
    retryAfterMs,
    hint: errorId === undefined ? undefined : `Look for error ${errorId} in the service's log`,
  }
  const code: RpcErrorCode = `rpc/${reason}`
  const fail = (data: unknown): void =>
    question.reject(
      new CallError(code, `Call ${method.name} failed: ${text ?? reason}`, { ...details, data }),
    )
  if ((flags & FAIL_FLAG.data) === 0) {
    fail(undefined)
    return
  }
  const schema = failureName === undefined ? undefined : method.errors.get(failureName)
  let data: unknown
  try {
    data = decodeValue(bytes, reader.at, reader.end)
  } catch (cause) {
    question.reject(badResult(question, 'the data of its error is not a value', cause))
    return
  }
  if (schema === undefined) fail(undefined)
  else
    validate(
      schema,
      data,
      (result) => {
        if (result.issues === undefined) fail(result.value)
        else question.reject(badResult(question, `the data of its error: ${describeIssues(result.issues)}`))
      },
      (cause) => question.reject(badResult(question, 'the schema of its error threw', cause)),
    )
}

/** Run a validator that may answer at once or later. */
export function validate(
  schema: StandardSchema,
  value: unknown,
  done: (result: SchemaResult<unknown>) => void,
  failed: (error: unknown) => void,
): void {
  let result: SchemaResult<unknown> | Promise<SchemaResult<unknown>>
  try {
    result = schema['~standard'].validate(value)
  } catch (error) {
    failed(error)
    return
  }
  if (result instanceof Promise) result.then(done, failed)
  else done(result)
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
