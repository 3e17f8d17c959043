// HandshakeState of Noise rev 34 §5.3 for every protocol that the specification names. Leaves out how a handshake runs
// (handshake.ts) and the protocols that noisecap itself uses, which need no parsing of names (own-handshake.ts).
import { Handshake, type HandshakeOptions } from './handshake.js'
import { parseProtocolName } from './protocol-name.js'

export type { HandshakeOptions } from './handshake.js'

/** What a fallback handshake is made of: the key that carries over and the role follow from the first handshake. */
export type FallbackOptions = Omit<HandshakeOptions, 'role' | 'e' | 're' | 'primitives'>

/** One handshake in one role; `using` wipes what is left of it. */
export class HandshakeState extends Handshake {
  /** Prepare a handshake: hashes, and no DH in either role.
   * @throws `noise/bad_protocol_name`, `noise/bad_key`, `noise/bad_psk`; `crypto/unavailable` from a forced provider.
   * Source: Noise rev 34 §5.3. */
  constructor(options: HandshakeOptions) {
    super(parseProtocolName(options.protocol), options)
  }

  /** Go over to a fallback protocol after the first message: the initiator has written it and learns from outside that the
   * peer switches, the responder has read it, successfully or not. Roles swap and the first message's ephemeral key carries
   * over; every other key and PSK is given anew. This handshake is over then, unless an error is thrown.
   * @throws `noise/out_of_turn` at any other point; otherwise as the constructor.
   * Source: Noise rev 34 §10. */
  fallback(options: FallbackOptions): HandshakeState {
    return this.giveWay((carried) => new HandshakeState({ ...options, ...carried }))
  }
}
