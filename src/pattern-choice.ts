// Which handshake pattern a client uses: its own wish, or the best that its key and the capability allow (spec/session.md §2).
// Whatever cannot work is refused before anything is sent. Leaves out the handshakes (src/session).
import { allowedPatterns, type Capability, PATTERN_NAMES, type PatternName } from './capability/index.js'
import type { KeyPair } from './crypto/index.js'
import { NoisecapError } from './errors.js'

/** Without a wish: one round trip first; XK where only that is allowed. KK needs a contact, so it is never guessed. */
const NAMED_BY_PREFERENCE = ['IK', 'XK'] as const

/** The pattern to use.
 * @param wish - what the caller asked for.
 * @throws TypeError when wish and key contradict each other; `session/denied` when the capability forbids every
 * pattern that is left. */
export function choosePattern(
  capability: Pick<Capability, 'caveats'>,
  keyPair: KeyPair | undefined,
  wish: PatternName | undefined,
): PatternName {
  checkWish(keyPair, wish)
  const allowed = allowedPatterns(capability)
  const wanted =
    wish ?? (keyPair === undefined ? 'NK' : NAMED_BY_PREFERENCE.find((name) => allowed.includes(name)))
  if (wanted !== undefined && allowed.includes(wanted)) return wanted
  if (keyPair === undefined && capability.caveats.some(({ type }) => type === 'holder')) {
    throw new NoisecapError(
      'session/denied',
      'Cannot connect: the capability is bound to a client key (caveat holder)',
      { hint: 'Pass that key: connect(capability, { key })' },
    )
  }
  throw new NoisecapError(
    'session/denied',
    `Cannot connect: expected a handshake pattern that the capability allows (${allowed.join(', ') || 'none'}), got ${wanted ?? 'a key without a wish'} (caveat patterns)`,
    { hint: hintFor(allowed, keyPair) },
  )
}

function checkWish(keyPair: KeyPair | undefined, wish: PatternName | undefined): void {
  if (wish === undefined) return
  if (!PATTERN_NAMES.includes(wish)) {
    throw new TypeError(`Cannot connect: expected pattern to be one of ${PATTERN_NAMES.join(', ')}`)
  }
  if (wish === 'NK' && keyPair !== undefined) {
    throw new TypeError('Cannot connect: NK is anonymous, expected no client key')
  }
  if (wish !== 'NK' && keyPair === undefined) {
    throw new TypeError(
      `Cannot connect: ${wish} logs in, expected a client key: connect(capability, { key })`,
    )
  }
}

function hintFor(allowed: readonly PatternName[], keyPair: KeyPair | undefined): string {
  if (allowed.length === 0) return 'Its caveats exclude each other; ask whoever narrowed it for another'
  if (keyPair === undefined) return 'Pass a client key: connect(capability, { key })'
  if (allowed.includes('NK')) return 'Pass no key, or ask for a capability that allows logging in'
  return "Ask for it: connect(capability, { key, pattern: 'KK' }); the service must know the key beforehand"
}
