// The client's side of the handshake as a state machine: hello out, message 2 in, session out (spec/session.md §3, §4).
// Speaks NKpsk2 and IKpsk2. Leaves out sockets and deadlines (initiate.ts).
import { base32Decode, EMPTY, wipe } from '../bytes.js'
import type { Capability } from '../capability/index.js'
import type { KeyPair } from '../crypto/index.js'
import { NoisecapError } from '../errors.js'
import { HandshakeState } from '../noise/index.js'
import { encodeHello, encodeHelloPayload, helloHeader, mac1Key, prologue, unpad } from './hello.js'
import {
  decodeServiceAnswer,
  encodeClientParameters,
  type ServiceAnswer,
  type SessionLimits,
} from './parameters.js'
import { Session } from './session.js'
import { KEY_BYTES, PATTERNS, type Status } from './wire.js'

/** What a client brings. */
export interface ClientHandshakeOptions {
  readonly capability: Capability
  /** The client's own key: IK with it, NK (anonymous) without. */
  readonly keyPair?: KeyPair | undefined
  /** What this side is willing to receive. */
  readonly limits: SessionLimits
}

/** One handshake, used once. */
export class ClientHandshake {
  /** The hello to send, without length. */
  readonly hello: Uint8Array
  readonly #pattern: 'NK' | 'IK'
  readonly #noise: HandshakeState
  #state: 'waiting' | 'done' | 'failed' = 'waiting'

  constructor(options: ClientHandshakeOptions) {
    const { capability, keyPair } = options
    this.#pattern = keyPair === undefined ? 'NK' : 'IK'
    const { protocol } = PATTERNS[this.#pattern]
    const header = helloHeader(this.#pattern)
    const keyHash = base32Decode(capability.keyHash)
    using keys = capability.keys()
    const noise = new HandshakeState({
      protocol,
      role: 'initiator',
      prologue: prologue(header, keyHash),
      rs: capability.publicKey,
      ...(keyPair === undefined ? {} : { s: keyPair }),
    })
    const psk = keys.psk(protocol)
    noise.setPsk(2, psk)
    wipe(psk)
    const parameters = encodeClientParameters({
      limits: options.limits,
      holderSalts: keyPair === undefined ? [] : capability.holderSalts(),
    })
    const { locator } = capability
    const proof = keys.prove('hello', keyHash, header, noise.prepareEphemeral(), locator, parameters, EMPTY)
    // -> e, es (NK) or e, es, s, ss (IK): the payload proves the capability over this very ephemeral.
    const message1 = noise.writeMessage(encodeHelloPayload({ locator, proof, parameters, early: EMPTY }))
    this.#noise = noise
    this.hello = encodeHello(header, message1, mac1Key(capability.publicKey))
  }

  /** Read message 2.
   * @returns the session and what the service is willing to receive.
   * @throws `session/handshake` when it is not from the holder of the service key and the capability's root;
   * `session/expired`, `session/revoked`, `session/not_yet_valid`, `session/denied`, `session/overloaded` when the
   * service says so. */
  receive(message2: Uint8Array): { session: Session; limits: SessionLimits } {
    if (this.#state !== 'waiting')
      throw new NoisecapError('session/handshake', 'Cannot read: the handshake is over')
    this.#state = 'failed'
    const answer = this.#readAnswer(message2)
    if (answer.status !== 'ok') throw statusError(answer.status)
    const { send, receive } = this.#noise.split()
    this.#state = 'done'
    const session = new Session({
      send,
      receive,
      handshakeHash: this.#noise.handshakeHash,
      pattern: this.#pattern,
      role: 'client',
      remoteStatic: this.#noise.remoteStatic,
    })
    return { session, limits: answer.limits }
  }

  #readAnswer(message2: Uint8Array): ServiceAnswer {
    let answer: ServiceAnswer | undefined
    try {
      // <- e, ee, (se,) psk
      const content = message2.length < KEY_BYTES ? undefined : unpad(this.#noise.readMessage(message2))
      answer = content && decodeServiceAnswer(content)
    } catch {
      answer = undefined
    }
    if (answer === undefined) {
      throw new NoisecapError('session/handshake', 'Cannot open session: the answer is not from this service')
    }
    return answer
  }
}

/** The error that a client raises for a status other than ok. */
function statusError(status: Exclude<Status, 'ok'>): NoisecapError {
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
