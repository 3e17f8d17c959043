// Showing a further capability inside an open session: one HMAC over its channel binding, no DH (spec/session.md §5).
// A proof is good for one session, one direction and one locator. Leaves out the message that carries it (src/rpc) and
// what becomes of it (src/served-session.ts).
import type { Capability } from '../capability/index.js'
import { disposing } from '../disposing.js'
import type { Session } from './session.js'
import { PRESENTER_CODES } from './wire.js'

/** What the proof of a presentation covers after its label, in order.
 * @param presenter - who shows it: the session's own role, or at the other end the peer's. */
export function presentedParts(
  session: Pick<Session, 'handshakeHash'>,
  presenter: Session['role'],
  locator: Uint8Array,
): readonly Uint8Array[] {
  return [Uint8Array.of(PRESENTER_CODES[presenter]), session.handshakeHash, locator]
}

/** Show `capability` in `session`.
 * @returns the fields of PRESENT; none of them is secret. */
export function presentCapability(
  session: Session,
  capability: Capability,
): { locator: Uint8Array; proof: Uint8Array; holderSalts: readonly Uint8Array[] } {
  const { locator } = capability
  const proof = disposing(capability.keys(), (keys) =>
    keys.prove('present', ...presentedParts(session, session.role, locator)),
  )
  // Only who has proven a key may tell what binds a capability to it.
  const holderSalts = session.pattern === 'NK' ? [] : capability.holderSalts()
  return { locator, proof, holderSalts }
}
