// The restrictions that SAVE carries (spec/rpc.md §3): a plain object with the members of `Restrictions`, each of which must be
// known, since one that is passed over would widen what is asked for. Leaves out what becomes of them (src/served-session.ts).
import { durationSeconds, PATTERN_NAMES, type PatternName, type Restrictions } from '../capability/index.js'
import { asPublicKey } from '../crypto/index.js'
import { Failure } from './failure.js'
import { decodeValue, encodeValue } from './values.js'

type Check = (value: unknown) => boolean

const isText: Check = (value) => typeof value === 'string'
const isDate: Check = (value) => value instanceof Date
const isListOf =
  (isMember: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(isMember)

const CHECKS: Readonly<Record<keyof Restrictions, Check>> = {
  methods: isListOf(isText),
  expiresIn: (value) => typeof value === 'number' && Number.isFinite(value) && value >= 0,
  expiresAt: isDate,
  notBefore: isDate,
  holder: (value) => value instanceof Uint8Array && value.length === 32,
  patterns: isListOf((value) => PATTERN_NAMES.includes(value as PatternName)),
  via: isText,
  claims: (value) => Object.getPrototypeOf(value ?? 0) === Object.prototype,
}

/** `restrictions` as they travel; a duration as seconds, so that it counts from the host's clock.
 * @throws TypeError, RangeError or `rpc/bad_value` for what cannot be expressed. */
export function encodeRestrictions(restrictions: Restrictions): Uint8Array {
  const value: Record<string, unknown> = {}
  for (const name of Object.keys(CHECKS) as (keyof Restrictions)[]) {
    const given = restrictions[name]
    if (given === undefined) continue
    value[name] = name === 'expiresIn' ? durationSeconds(restrictions.expiresIn!) : given
    if (!CHECKS[name](value[name]))
      throw new TypeError(`Cannot restrict capability: expected ${name} as Restrictions describe it`)
  }
  return encodeValue(value, 'restrictions')
}

/** The restrictions of a peer.
 * @throws Failure invalid_argument for anything but what {@link encodeRestrictions} writes. */
export function decodeRestrictions(bytes: Uint8Array): Restrictions {
  let value: unknown
  try {
    value = decodeValue(bytes)
  } catch {
    throw unreadable()
  }
  if (Object.getPrototypeOf(value ?? 0) !== Object.prototype) throw unreadable()
  const members = value as Record<string, unknown>
  for (const [name, member] of Object.entries(members))
    if (!Object.hasOwn(CHECKS, name) || !CHECKS[name as keyof Restrictions](member)) throw unreadable()
  if (members['holder'] !== undefined) asPublicKey(members['holder'] as Uint8Array)
  return members as Restrictions // every member was checked
}

function unreadable(): Failure {
  return new Failure('invalid_argument', 'a restriction is not known here, or not as it must be')
}
