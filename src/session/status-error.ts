// What a client raises for a status other than ok (spec/session.md §4): the service itself said so, to a genuine holder.
import { NoisecapError } from '../errors.js'
import type { Status } from './wire.js'

/** The error that a client raises for a status other than ok. */
export function statusError(status: Exclude<Status, 'ok'>): NoisecapError {
  switch (status) {
    case 'expired':
      return new NoisecapError(
        'session/expired',
        'Cannot open session: the capability has expired (caveat expires)',
        {
          hint: 'Ask whoever gave you the capability for a new one',
        },
      )
    case 'not_yet_valid':
      return new NoisecapError(
        'session/not_yet_valid',
        'Cannot open session: the capability is not valid yet (caveat notBefore)',
        { hint: 'Wait, or compare the clocks of both machines' },
      )
    case 'revoked':
      return new NoisecapError('session/revoked', 'Cannot open session: the capability was revoked', {
        hint: 'Ask whoever gave you the capability for a new one',
      })
    case 'pattern':
      return new NoisecapError(
        'session/denied',
        'Cannot open session: the capability does not allow this handshake pattern (caveat patterns)',
        { hint: 'Pass a client key to connect with IK, or none to connect with NK' },
      )
    case 'use':
      return new NoisecapError('session/denied', 'Cannot open session: the capability is not for calling')
    case 'unknown_caveat':
      return new NoisecapError(
        'session/denied',
        'Cannot open session: the service does not know one of the caveats',
      )
    case 'overloaded':
      return new NoisecapError(
        'session/overloaded',
        'Cannot open session: the service has too many handshakes',
        {
          hint: 'Try again later',
        },
      )
  }
}
