// What a service finds out about a capability that somebody hands to it whole, such as a leaked one: whether it is one of
// its own, whether its secret is genuine, and the ids of all its links; spec/capability.md §8. For those who operate a
// service: in a handshake nobody shows a secret (src/session). Leaves out revoking itself (revocation.ts).
import { equalConstantTime, hexEncode } from '../bytes.js'
import { NoisecapError } from '../errors.js'
import type { Capability } from './capability.js'
import { keyHash } from './keys.js'
import { type Authority, type Denied, verify } from './verify.js'

/** A capability as its service sees it. */
export interface Authenticated {
  /** Whether its secret is the one that the service computes. If not, somebody made it up around a locator. */
  readonly genuine: boolean
  /** Ids of the links that its locator speaks of, as hexadecimal, that of the grant first. */
  readonly ids: readonly string[]
}

const EXPECTED: Readonly<Record<Denied['reason'], string>> = {
  too_large: 'a locator within its limit',
  malformed: 'a well-formed locator',
  unknown_kid:
    'one under a root secret that the service has, got one of a root that was retired or never was',
  unknown_registration: 'one that was minted, or whose pair is registered',
}

/** Recompute the links of `capability`, and compare its secret in constant time.
 * @throws `capability/denied` for one of another service, or of a root or a pair that the service does not have. */
export function authenticate(capability: Capability<unknown>, authority: Authority): Authenticated {
  if (!equalConstantTime(keyHash(capability.publicKey), authority.keyHash)) {
    throw denied('one of this service, got one of another')
  }
  const verified = verify(capability.locator, authority)
  if (!verified.ok) throw denied(EXPECTED[verified.reason])
  using genuine = verified
  using shown = capability.keys()
  return { genuine: genuine.keys.equals(shown), ids: genuine.ids.map(hexEncode) }
}

/** Ids of the links of a capability that is this service's own and genuine, that of the grant first.
 * @throws `capability/denied` for any other: a locator is not secret, and must not be enough to revoke what it speaks of. */
export function linkIds(capability: Capability<unknown>, authority: Authority): readonly string[] {
  const { genuine, ids } = authenticate(capability, authority)
  if (!genuine) throw denied('a genuine secret, got one that is made up')
  return ids
}

function denied(expected: string): NoisecapError {
  return new NoisecapError('capability/denied', `Cannot authenticate capability: expected ${expected}`)
}
