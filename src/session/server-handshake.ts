// The service's side of the handshake as a state machine: hello in, a question about the capability out, its answer in,
// message 2 and a session out (spec/session.md §4, §5). Whatever is wrong before the proof gives `undefined`: silence.
// The order is the defence: mac1, then the replay check, then one DH, then the proof, and only then more work.
// Leaves out the judgement of capabilities (verifier.ts), sockets and deadlines (accept.ts).
import { wipe } from '../bytes.js'
import type { PatternName } from '../capability/index.js'
import type { KeyPair, PublicKey } from '../crypto/index.js'
import { NoisecapError } from '../errors.js'
import { HandshakeState } from '../noise/index.js'
import type { SeenEphemerals } from './admission.js'
import {
  decodeHelloPayload,
  HELLO_MIN_BYTES,
  type HelloPayload,
  mac1Matches,
  pad,
  parseHello,
  prologue,
} from './hello.js'
import {
  type ClientParameters,
  decodeClientParameters,
  encodeServiceAnswer,
  type SessionLimits,
} from './parameters.js'
import { Session } from './session.js'
import { PATTERNS, SPOKEN_PATTERNS, type Status } from './wire.js'

/** One of the services that share a port. */
export interface ServiceIdentity {
  readonly keyPair: KeyPair
  /** 32 bytes. */
  readonly keyHash: Uint8Array
  /** From `mac1Key`. */
  readonly mac1Key: Uint8Array
}

/** What a verifier is asked: does this hello prove a capability of this service? */
export interface HelloQuestion<Identity extends ServiceIdentity = ServiceIdentity> {
  readonly service: Identity
  readonly pattern: PatternName
  readonly protocol: string
  readonly locator: Uint8Array
  readonly proof: Uint8Array
  /** What the proof covers after its label, in order. */
  readonly proven: readonly Uint8Array[]
  /** The client's static key, decrypted but not fresh before its first transport message. */
  readonly clientKey: PublicKey | undefined
  readonly parameters: ClientParameters
}

/** The answer to a {@link HelloQuestion}; no answer at all means silence. */
export interface HelloAnswer {
  /** 32 bytes, taken over: wiped once Noise has its copy. */
  readonly psk: Uint8Array
  readonly status: Status
  readonly limits: SessionLimits
}

/** One handshake, used once. */
export class ServerHandshake<Identity extends ServiceIdentity = ServiceIdentity> {
  readonly #services: readonly Identity[]
  readonly #seen: SeenEphemerals
  #state: 'hello' | 'question' | 'done' | 'silent' = 'hello'
  #noise: HandshakeState | undefined
  #ephemeral = ''
  #pattern: PatternName = 'NK'

  constructor(services: readonly Identity[], seen: SeenEphemerals) {
    this.#services = services
    this.#seen = seen
  }

  /** Read the hello.
   * @param admit - called after mac1 and before the first DH; false means silence.
   * @returns what a verifier must decide, or undefined: say nothing, whatever was wrong. */
  receive(hello: Uint8Array, admit: () => boolean = () => true): HelloQuestion<Identity> | undefined {
    if (this.#state !== 'hello') return undefined
    this.#state = 'silent'
    const service = this.#addressee(hello)
    const parts = service && parseHello(hello)
    if (!service || !parts || !SPOKEN_PATTERNS.includes(parts.pattern) || !admit()) return undefined
    this.#ephemeral = String.fromCharCode(...parts.ephemeral)
    if (this.#seen.has(this.#ephemeral)) return undefined
    const { protocol } = PATTERNS[parts.pattern]
    const noise = new HandshakeState({
      protocol,
      role: 'responder',
      prologue: prologue(parts.header, service.keyHash),
      s: service.keyPair,
    })
    // -> e, es (NK) or e, es, s, ss (IK)
    const payload = readPayload(noise, parts.message1)
    const parameters = payload && decodeClientParameters(payload.parameters)
    if (!payload || !parameters) return undefined
    this.#noise = noise
    this.#pattern = parts.pattern
    this.#state = 'question'
    const { locator, proof } = payload
    const proven = [
      service.keyHash,
      parts.header,
      parts.ephemeral,
      locator,
      payload.parameters,
      payload.early,
    ]
    return {
      service,
      pattern: parts.pattern,
      protocol,
      locator,
      proof,
      proven,
      clientKey: noise.remoteStatic,
      parameters,
    }
  }

  /** Write message 2 for a proven hello.
   * @returns undefined when the same ephemeral was proven by another connection meanwhile: silence. */
  answer(answer: HelloAnswer): { message: Uint8Array; session: Session | undefined } | undefined {
    const noise = this.#noise
    if (this.#state !== 'question' || noise === undefined) {
      throw new NoisecapError('session/handshake', 'Cannot answer: no question is open')
    }
    this.#state = 'done'
    if (!this.#seen.add(this.#ephemeral)) return undefined
    noise.setPsk(2, answer.psk)
    wipe(answer.psk)
    // <- e, ee, (se,) psk
    const message = noise.writeMessage(pad(encodeServiceAnswer(answer)))
    const { send, receive } = noise.split()
    if (answer.status !== 'ok') {
      send[Symbol.dispose]()
      receive[Symbol.dispose]()
      return { message, session: undefined }
    }
    const session = new Session({
      send,
      receive,
      handshakeHash: noise.handshakeHash,
      pattern: this.#pattern,
      role: 'service',
      remoteStatic: noise.remoteStatic,
    })
    return { message, session }
  }

  /** The service whose public key made mac1: one HMAC a service, no DH. */
  #addressee(hello: Uint8Array): Identity | undefined {
    if (hello.length < HELLO_MIN_BYTES) return undefined
    let found: Identity | undefined
    for (const service of this.#services) if (mac1Matches(hello, service.mac1Key)) found ??= service
    return found
  }
}

function readPayload(noise: HandshakeState, message1: Uint8Array): HelloPayload | undefined {
  try {
    return decodeHelloPayload(noise.readMessage(message1))
  } catch {
    return undefined
  }
}
