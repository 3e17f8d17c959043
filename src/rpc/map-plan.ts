// The fields of a MAP behind its flags (spec/rpc.md §3, §4): a source, at most 64 steps, and what each element becomes.
// Everything is judged before anything runs: a step builds only on the element and on steps before it, so that no plan can
// refer to itself. Leaves out what is allowed to whom (map-calls.ts) and the running (map-run.ts).
import {
  MAP_STEPS_MAX,
  METHOD_NAME_MAX_BYTES,
  PIPELINE_PATH_MAX_KEYS,
  VALUE_KEY_MAX_BYTES,
} from '../limits.js'
import type { ByteSink } from './byte-sink.js'
import { Failure } from './failure.js'
import { answersNeeded } from './guard-links.js'
import type { PathKey } from './value-links.js'
import { judgeSessionValue } from './values.js'
import { FieldReader, WireError, writeByte, writeText, writeVarint } from './wire.js'

/** A value within the bytes of a plan. */
interface Span {
  readonly start: number
  readonly end: number
  /** Elements and steps that it refers to: 0 is the element, n the result of the n-th step. */
  readonly needs: readonly number[]
}

/** One call for each element. */
export interface PlannedStep {
  /** 0 for the element, n for the result of the n-th step. */
  readonly on: number
  readonly path: readonly PathKey[]
  readonly name: string
  readonly args: Span
}

/** What a MAP asks for; `bytes` are its own. */
export interface Plan {
  readonly bytes: Uint8Array
  readonly source: Span
  readonly steps: readonly PlannedStep[]
  readonly result: Span
  /** Length of what is read anew for each element, bytes. */
  readonly length: number
}

/** Read a plan.
 * @param bytes - kept: nothing else may write to them.
 * @throws WireError where the wire format is broken; {@link Failure} for a plan that is refused. */
export function readPlan(bytes: Uint8Array): Plan {
  const reader = new FieldReader()
  reader.reset(bytes, 0, bytes.length)
  const source = spanOf(reader, bytes, Number.POSITIVE_INFINITY)
  const count = reader.varint()
  if (count === 0 || count > MAP_STEPS_MAX)
    throw new Failure('resource_exhausted', `a map has 1 to ${MAP_STEPS_MAX} steps`)
  const steps: PlannedStep[] = []
  let length = 0
  for (let before = 0; before < count; before++) {
    const on = reader.varint()
    const path = readPlanPath(reader)
    const name = reader.text(METHOD_NAME_MAX_BYTES)
    if (on > before) throw buildsOnLater()
    const args = spanOf(reader, bytes, before)
    steps.push({ on, path, name, args })
    length += args.end - args.start
  }
  const result = judged(bytes, reader.at, bytes.length, count)
  return { bytes, source, steps, result, length: length + result.end - result.start }
}

function spanOf(reader: FieldReader, bytes: Uint8Array, before: number): Span {
  const length = reader.varint()
  const end = reader.at + length
  if (end > reader.end) throw new WireError('value ends too early')
  const span = judged(bytes, reader.at, end, before)
  reader.at = end
  return span
}

function judged(bytes: Uint8Array, start: number, end: number, before: number): Span {
  try {
    judgeSessionValue(bytes, start, end)
  } catch (error) {
    throw new Failure('invalid_argument', error instanceof Error ? error.message : 'bad value')
  }
  const needs = [...answersNeeded()]
  if (needs.some((step) => step > before)) throw buildsOnLater()
  return { start, end, needs }
}

function buildsOnLater(): Failure {
  return new Failure('invalid_argument', 'a step builds on one that is not before it')
}

/** As the path of a CALL, but too long a one fails the map alone. */
function readPlanPath(reader: FieldReader): PathKey[] {
  const count = reader.varint()
  if (count > PIPELINE_PATH_MAX_KEYS)
    throw new Failure('invalid_argument', `a path has at most ${PIPELINE_PATH_MAX_KEYS} steps`)
  const path: PathKey[] = []
  for (let i = 0; i < count; i++)
    path.push(reader.byte() === 0 ? reader.text(VALUE_KEY_MAX_BYTES) : reader.varint())
  return path
}

/** Append a value counted by a varint. */
export function writeCounted(sink: ByteSink, write: () => void): void {
  const start = sink.length
  write()
  // Its length is known only now: the value moves behind it.
  const value = sink.bytes.slice(start, sink.length)
  sink.length = start
  writeVarint(sink, value.length)
  sink.reserve(value.length)
  sink.bytes.set(value, sink.length)
  sink.length += value.length
}

/** Append the head of a step: what it is called on, and the method. */
export function writeStepHead(sink: ByteSink, on: number, path: readonly PathKey[], name: string): void {
  writeVarint(sink, on)
  writeVarint(sink, path.length)
  for (const key of path) {
    writeByte(sink, typeof key === 'number' ? 1 : 0)
    if (typeof key === 'number') writeVarint(sink, key)
    else writeText(sink, key)
  }
  writeText(sink, name)
}
