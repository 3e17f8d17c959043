// Cells that many rows of the table of attackers share, and short ways to write the others. Every expectation is written
// by hand; the tests hold the attacks to it.
import type { PatternName } from '../../../src/capability/index.js'
import type { Cell, Power } from './table.js'

export const NAMED = ['XK', 'IK', 'KK'] as const satisfies readonly PatternName[]
export const EVERY = ['NK', ...NAMED] as const satisfies readonly PatternName[]

type Patterns = Cell['patterns']

export const can = (
  patterns: Patterns,
  by: readonly Power[],
  why: string,
  dhs?: Partial<Record<PatternName, number>>,
): Cell => ({ can: true, patterns, by, why, ...(dhs === undefined ? {} : { dhs }) })

export const cannot = (
  patterns: Patterns,
  needs: readonly Power[] | 'never',
  because: string,
  why: string,
): Cell => ({ can: false, patterns, needs, because, why })

/** Reasons as the attacks give them. */
export const SEALED = 'does not open'
export const UNHEARD = 'nothing was heard'
export const NO_KEY = 'no key of a caller shows'
export const SILENCE = 'silence'
export const FOREIGN = 'session/handshake'

/** Message 1, for who lacks the static key. */
export const message1Sealed = (needs: readonly Power[] = ['staticKey']): Cell =>
  cannot(EVERY, needs, SEALED, "message 1 is encrypted to the service's static key")

/** Everything from message 2 on, for who lacks the ephemeral keys. */
export const restSealed = (needs: readonly Power[] = ['dhSecrets', 'capability']): Cell =>
  cannot(EVERY, needs, SEALED, 'what is said from message 2 on is under both ephemeral keys and the PSK')

/** NK has no key of the caller. */
export const anonymous = cannot(['NK'], 'never', NO_KEY, 'with NK there is no key of the caller')

/** The caller's key, for who lacks the static key. */
export const callerHidden = (
  needs: readonly Power[] = ['staticKey'],
  patterns: Patterns = NAMED,
  because = NO_KEY,
): readonly Cell[] => [
  because === NO_KEY ? anonymous : cannot(['NK'], 'never', because, 'with NK there is no key of the caller'),
  cannot(
    patterns,
    needs,
    because,
    "the caller's key is encrypted (XK, IK) or not sent (KK), and the tag of KK names her only to who has her capability",
  ),
]

/** The object, for who lacks the static key. */
export const objectHidden = (
  needs: readonly Power[] = ['staticKey'],
  patterns: Patterns = EVERY,
  because = SEALED,
): Cell => cannot(patterns, needs, because, 'the object stands in message 1 only')

/** What a hello with a good mac1 costs. */
export const costsFirstDhs = (by: readonly Power[]): Cell =>
  can(EVERY, by, 'mac1 is good, so message 1 is opened; the proof is not, so that is all', {
    NK: 1,
    XK: 1,
    IK: 2,
    KK: 2,
  })

/** What a proven hello costs, by who is no contact. */
export const costsHandshake = (by: readonly Power[]): Cell =>
  can(EVERY, by, 'a capability that proves itself is answered, in force or not; KK only for contacts', {
    NK: 2,
    XK: 3,
    IK: 4,
    KK: 2,
  })

/** Acting as the caller, for who has neither her capability nor her key. */
export const notTheCaller = (because = SILENCE): readonly Cell[] => [
  cannot(['NK'], ['capability'], because, 'the hello must prove the capability'),
  cannot(
    NAMED,
    ['capability', 'callerKey'],
    because,
    "the hello must prove the capability, and the handshake the caller's key",
  ),
]

/** Acting as the caller, for who has a capability and a key of his own. */
export const onlyHimself = (needs: readonly Power[], because = 'not as the caller'): readonly Cell[] => [
  cannot(['XK', 'IK'], needs, because, 'the service sees the key that was proven, his own'),
  cannot(['KK'], needs, SILENCE, 'under his key he is no contact, under hers he cannot make message 1'),
]

/** Reaching the object without any capability of it. */
export const unreachable = (because = SILENCE): Cell =>
  cannot('any', ['capability'], because, 'the hello must prove a capability of that object')

/** Posing as the service. */
export const notTheService = (needs: readonly Power[], patterns: Patterns = EVERY): Cell =>
  cannot(
    patterns,
    needs,
    FOREIGN,
    "the answer must be made with the service's static key and the PSK of the caller's capability",
  )
