// What a client raises when the genuine service refuses or ends a capability: as a status of the handshake, as the answer to
// a presentation, or as the reason why a reference broke (spec/session.md §4, §8). The same words wherever it is said.
import { NoisecapError } from '../errors.js'
import { type CloseReason, STATUS_CODES, type Status } from './wire.js'

/** Why a capability is refused, or is over. */
export type Refusal = Exclude<Status, 'ok'> | 'holder' | 'claims' | 'object'

const REFUSALS: ReadonlySet<string> = new Set([...Object.keys(STATUS_CODES), 'holder', 'claims', 'object'])

/** The error for a refusal, or for the reason of a close record that no refusal names. */
export function refusalError(reason: Refusal | CloseReason): NoisecapError {
  return isRefusal(reason)
    ? errorOf(reason)
    : new NoisecapError('session/closed', `The service ended it: ${reason}`)
}

/** The error for a refusal that the service names; a name that is not known here is a peer's text, and is not repeated. */
export function namedRefusalError(name: string | undefined): NoisecapError {
  return isRefusal(name) ? errorOf(name) : denied('the service refuses it')
}

function isRefusal(name: string | undefined): name is Refusal {
  return name !== undefined && name !== 'ok' && REFUSALS.has(name)
}

function denied(message: string, hint?: string): NoisecapError {
  return new NoisecapError(
    'session/denied',
    `Cannot use capability: ${message}`,
    hint === undefined ? {} : { hint },
  )
}

function errorOf(refusal: Refusal): NoisecapError {
  switch (refusal) {
    case 'expired':
      return new NoisecapError('session/expired', 'Cannot use capability: it has expired (caveat expires)', {
        hint: 'Ask whoever gave you the capability for a new one',
      })
    case 'not_yet_valid':
      return new NoisecapError(
        'session/not_yet_valid',
        'Cannot use capability: it is not valid yet (caveat notBefore)',
        { hint: 'Wait, or compare the clocks of both machines' },
      )
    case 'revoked':
      return new NoisecapError('session/revoked', 'Cannot use capability: it was revoked', {
        hint: 'Ask whoever gave you the capability for a new one',
      })
    case 'pattern':
      return denied(
        'it does not allow this handshake pattern (caveat patterns)',
        'Pass a client key and one of the patterns that it allows: connect(capability, { key, pattern })',
      )
    case 'use':
      return denied('it is not for calling')
    case 'unknown_caveat':
      return denied('the service does not know one of its caveats')
    case 'holder':
      return denied('it is bound to another client key (caveat holder)')
    case 'claims':
      return denied('the service does not accept a claim of it (caveat claims)')
    case 'object':
      return denied('the service does not offer its object')
    case 'overloaded':
      return new NoisecapError(
        'session/overloaded',
        'Cannot open session: the service has too many handshakes',
        { hint: 'Try again later' },
      )
  }
}
