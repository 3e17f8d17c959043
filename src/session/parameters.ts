// What both sides tell each other in the handshake: budgets, and the salts of holder caveats (spec/session.md §3).
// Unknown keys are ignored, so that a later version can add some. Leaves out what budgets mean (src/rpc).
import { readHolderSalts } from '../capability/index.js'
import { type Dcbor, type DcborMap, decodeDcbor, encodeDcbor } from '../dcbor.js'
import {
  CALLS_IN_FLIGHT_MAX,
  EXPORTS_MAX,
  FRAGMENT_MAX_BYTES,
  MESSAGE_MAX_BYTES,
  PIPELINE_DEPTH_MAX,
  STREAM_MAX_BYTES,
} from '../limits.js'
import { nameOfCode, STATUS_CODES, type Status } from './wire.js'

/** What one side is willing to receive in this session. */
export interface SessionLimits {
  /** Reassembled message, bytes. */
  readonly maxMessageBytes: number
  /** Calls in flight that this side serves. */
  readonly maxCallsInFlight: number
  /** References that this side exports. */
  readonly maxExports: number
  /** Calls pipelined on each other. */
  readonly maxPipelineDepth: number
  /** First credit of a stream towards this side, bytes. */
  readonly initialStreamBytes: number
}

/** Limits of one side, with what the other is not told. */
export interface LocalLimits extends SessionLimits {
  /** To how much the credit of a stream towards this side may grow while its reader keeps up, bytes; those of a session
   * together grow by four times that. Default 4,194,304, or `initialStreamBytes` where that is given: then the credit of none changes. */
  readonly maxStreamBytes: number
}

/** The limits of DESIGN. */
export const DEFAULT_LIMITS: SessionLimits = {
  maxMessageBytes: MESSAGE_MAX_BYTES,
  maxCallsInFlight: CALLS_IN_FLIGHT_MAX,
  maxExports: EXPORTS_MAX,
  maxPipelineDepth: PIPELINE_DEPTH_MAX,
  initialStreamBytes: 16 * FRAGMENT_MAX_BYTES,
}

/** A peer may announce less than the default, never a number that would overflow ours. */
const LIMIT_MAX = 0x7fff_ffff

/** Limits as a user gives them, with defaults for the rest.
 * @throws RangeError for what is no whole number from 0 to 2^31 − 1: no peer would take it, and not a number would be no limit. */
export function localLimitsOf(given: Partial<LocalLimits> = {}): LocalLimits {
  for (const [name, value] of Object.entries(given)) {
    if (value !== undefined && !(Number.isInteger(value) && value >= 0 && value <= LIMIT_MAX))
      throw new RangeError(
        `Cannot use limits: expected ${name} to be a whole number from 0 to ${LIMIT_MAX}, got ${value}`,
      )
  }
  return { ...DEFAULT_LIMITS, maxStreamBytes: given.initialStreamBytes ?? STREAM_MAX_BYTES, ...given }
}

const LIMIT_KEYS = {
  maxMessageBytes: 1,
  maxCallsInFlight: 2,
  maxExports: 3,
  maxPipelineDepth: 4,
  initialStreamBytes: 5,
} as const satisfies Record<keyof SessionLimits, number>
const HOLDER_SALTS_KEY = 16

/** Parameters of message 1: the client's limits, and for IK and KK the salts of its holder caveats (XK: message 3). */
export interface ClientParameters {
  readonly limits: SessionLimits
  readonly holderSalts: readonly Uint8Array[]
}

/** The service's answer: contents of message 2, with XK of the service's first record. */
export interface ServiceAnswer {
  readonly status: Status
  readonly limits: SessionLimits
}

/** Encode the parameters of message 1. */
export function encodeClientParameters(parameters: ClientParameters): Uint8Array {
  const map = limitsToMap(parameters.limits)
  if (parameters.holderSalts.length > 0) map.set(HOLDER_SALTS_KEY, [...parameters.holderSalts])
  return encodeDcbor(map)
}

/** Decode the parameters of message 1; undefined when malformed. */
export function decodeClientParameters(bytes: Uint8Array): ClientParameters | undefined {
  const map = decodeMap(bytes)
  const limits = map && limitsFromMap(map)
  const holderSalts = map && holderSaltsFromMap(map)
  return limits && holderSalts && { limits, holderSalts }
}

/** Encode the payload of XK's message 3: a map with the salts of the client's holder caveats. */
export function encodeHolderSalts(salts: readonly Uint8Array[]): Uint8Array {
  return encodeDcbor(new Map(salts.length === 0 ? [] : [[HOLDER_SALTS_KEY, [...salts]]]))
}

/** Decode the payload of XK's message 3; undefined when malformed. */
export function decodeHolderSalts(bytes: Uint8Array): readonly Uint8Array[] | undefined {
  const map = decodeMap(bytes)
  return map && holderSaltsFromMap(map)
}

function holderSaltsFromMap(map: DcborMap): readonly Uint8Array[] | undefined {
  return readHolderSalts(map.get(HOLDER_SALTS_KEY) ?? [])
}

/** Encode the service's answer: [status, parameters, limits]. */
export function encodeServiceAnswer(answer: ServiceAnswer): Uint8Array {
  return encodeDcbor([STATUS_CODES[answer.status], new Map(), limitsToMap(answer.limits)])
}

/** Decode the service's answer; undefined when malformed. An unknown status is malformed: unknown means deny. */
export function decodeServiceAnswer(bytes: Uint8Array): ServiceAnswer | undefined {
  const value = decodeOrUndefined(bytes)
  if (!Array.isArray(value) || value.length < 3) return undefined
  const [code, parameters, limitsMap] = value as readonly Dcbor[]
  const status = nameOfCode(STATUS_CODES, code)
  const limits = limitsMap instanceof Map ? limitsFromMap(limitsMap) : undefined
  if (status === undefined || limits === undefined || !(parameters instanceof Map)) return undefined
  return { status, limits }
}

function limitsToMap(limits: SessionLimits): Map<string | number, Dcbor> {
  const map = new Map<string | number, Dcbor>()
  for (const name of limitNames) map.set(LIMIT_KEYS[name], limits[name])
  return map
}

const limitNames = Object.keys(LIMIT_KEYS) as (keyof SessionLimits)[]

function limitsFromMap(map: DcborMap): SessionLimits | undefined {
  const limits: { -readonly [Name in keyof SessionLimits]: number } = { ...DEFAULT_LIMITS }
  for (const name of limitNames) {
    const value = map.get(LIMIT_KEYS[name])
    if (value === undefined) continue
    if (typeof value !== 'number' || value < 0 || value > LIMIT_MAX) return undefined
    limits[name] = value
  }
  return limits
}

function decodeMap(bytes: Uint8Array): DcborMap | undefined {
  const value = decodeOrUndefined(bytes)
  return value instanceof Map ? value : undefined
}

function decodeOrUndefined(bytes: Uint8Array): Dcbor | undefined {
  try {
    return decodeDcbor(bytes)
  } catch {
    return undefined
  }
}
