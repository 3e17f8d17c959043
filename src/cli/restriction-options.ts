// The options by which `mint` and `attenuate` restrict a capability, and what users write behind them: names, moments, keys
// and claims. Leaves out what a restriction means (src/capability/restrictions.ts).
import { type Command, Option } from 'commander'
import { type Claims, PATTERN_NAMES, type PatternName, type Restrictions } from '../capability/index.js'
import { readDuration } from './input.js'
import { readPublicKey } from './public-key.js'
import { UsageError } from './usage-error.js'

/** Options by which a user restricts a capability. */
export interface RestrictionOptions {
  readonly methods?: string
  readonly expiresIn?: string
  readonly expiresAt?: string
  readonly notBefore?: string
  readonly holder?: string
  readonly patterns?: string
  readonly via?: string
}

const HOLDER_HINT = 'noisecap keygen --client prints the public key of a new client key'
const ISO_TIME = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d))?$/

/** Add the options to `command`. */
export function addRestrictionOptions(command: Command): Command {
  return command
    .option('--methods <names>', 'methods that may be called, with commas between')
    .option('--expires-in <duration>', 'life from now, such as 90s, 15m, 1h, 7d')
    .option('--expires-at <time>', 'end of its life, such as 2030-01-31 or 2030-01-31T12:00Z')
    .option('--not-before <time>', 'begin of its life: a time, or a duration from now')
    .option('--holder <key>', 'public key of the one client that may use it, hexadecimal or base64url')
    .addOption(
      new Option('--patterns <names>', 'handshakes that it may be used with, with commas between')
        .choices(PATTERN_NAMES)
        .argParser(String), // the choices are for help and completion: several may be named
    )
    .option('--via <text>', 'word for the audit trail')
}

/** Restrictions as the library takes them. */
export function readRestrictions(options: RestrictionOptions): Restrictions {
  const { methods, expiresIn, expiresAt, notBefore, holder, patterns, via } = options
  if (expiresIn !== undefined && expiresAt !== undefined) {
    throw new UsageError('Cannot restrict capability: expected --expires-in or --expires-at, got both')
  }
  return {
    ...(methods !== undefined && { methods: readNames(methods, '--methods') }),
    ...(expiresIn !== undefined && { expiresIn: readDuration(expiresIn, '--expires-in') }),
    ...(expiresAt !== undefined && { expiresAt: readTime(expiresAt, '--expires-at') }),
    ...(notBefore !== undefined && { notBefore: readStart(notBefore) }),
    ...(holder !== undefined && { holder: readPublicKey(holder, '--holder', HOLDER_HINT) }),
    ...(patterns !== undefined && { patterns: readPatterns(patterns) }),
    ...(via !== undefined && { via }),
  }
}

/** Claims of `name=value` pairs. A value that is JSON is what JSON says, anything else is text: `level=3`, `tier=gold`,
 * `zip='"01234"'`. */
export function readClaims(pairs: readonly string[]): Claims {
  const claims: Record<string, string | number | boolean> = Object.create(null)
  for (const pair of pairs) {
    const equals = pair.indexOf('=')
    if (equals < 1) throw new UsageError('Cannot read --claim: expected <name>=<value>, got something else')
    const name = pair.slice(0, equals)
    if (name in claims) throw new UsageError('Cannot read --claim: expected every name once, got one twice')
    claims[name] = readClaimValue(name, pair.slice(equals + 1))
  }
  return claims
}

function readClaimValue(name: string, text: string): string | number | boolean {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return text
  }
  if (typeof value === 'string' || typeof value === 'boolean' || Number.isSafeInteger(value)) {
    return value as string | number | boolean // just checked
  }
  throw new UsageError(
    `Cannot read --claim ${name}: expected text, a whole number below 2^53, true or false, got other JSON`,
    `If it shall be text, quote it as JSON, and once more for the shell: --claim '${name}="…"'`,
  )
}

function readNames(text: string, option: string): readonly string[] {
  const names = text.split(',').map((name) => name.trim())
  if (names.every((name) => name !== '')) return names
  throw new UsageError(`Cannot read ${option}: expected names with commas between, got an empty one`)
}

function readPatterns(text: string): readonly PatternName[] {
  return readNames(text, '--patterns').map((name) => {
    const pattern = PATTERN_NAMES.find((known) => known === name.toUpperCase())
    if (pattern !== undefined) return pattern
    throw new UsageError(
      `Cannot read --patterns: expected some of ${PATTERN_NAMES.join(', ')}, got another word`,
    )
  })
}

function readStart(text: string): Date {
  return /^\d+[a-z]$/.test(text)
    ? new Date(Date.now() + readDuration(text, '--not-before') * 1_000)
    : readTime(text, '--not-before')
}

/** A moment in ISO 8601, with a zone: a local time would mean something else at the service. */
function readTime(text: string, option: string): Date {
  const date = ISO_TIME.test(text) ? new Date(text) : undefined
  if (date !== undefined && !Number.isNaN(date.getTime())) return date
  throw new UsageError(
    `Cannot read ${option}: expected a time with its zone, such as 2030-01-31, 2030-01-31T12:00Z or 2030-01-31T13:00+01:00`,
  )
}
