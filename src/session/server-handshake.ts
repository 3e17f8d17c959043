// The service's side of the handshake as a state machine: hello in, a question about the capability out, its answer in,
// message 2 and a session out; with XK message 3 in between (spec/session.md §4, §5). Whatever is wrong gives `undefined`: silence.
// The order is the defence: mac1, then the replay check, then the first DH, then the proof, and only then more work.
// Leaves out the judgement of capabilities (verifier.ts), sockets and deadlines (accept.ts).
import { wipe } from '../bytes.js'
import type { PatternName } from '../capability/index.js'
import { generateKeyPair, type KeyPair, type PublicKey } from '../crypto/index.js'
import { NoisecapError } from '../errors.js'
import { OwnHandshake } from '../noise/own-handshake.js'
import type { Framing } from '../transport/index.js'
import type { SeenEphemerals } from './admission.js'
import type { ContactLookup } from './contacts.js'
import {
  decodeHelloPayload,
  HELLO_MIN_BYTES,
  type HelloParts,
  mac1Matches,
  pad,
  parseHello,
  prologue,
  unpad,
} from './hello.js'
import {
  type ClientParameters,
  decodeClientParameters,
  decodeHolderSalts,
  encodeServiceAnswer,
  type SessionLimits,
} from './parameters.js'
import { Session } from './session.js'
import { PATTERNS, type Status } from './wire.js'

/** One of the services that share a port. */
export interface ServiceIdentity {
  readonly keyPair: KeyPair
  /** 32 bytes. */
  readonly keyHash: Uint8Array
  /** From `mac1Key`. */
  readonly mac1Key: Uint8Array
  /** Who may greet with KK; without one every KK hello meets silence. */
  readonly contacts?: ContactLookup | undefined
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

/** What the service sends after a proven hello. */
export interface Answered {
  readonly message: Uint8Array
  /** The session; undefined for a refusal, and with XK until message 3 was read. */
  readonly session: Session | undefined
  /** XK: message 3 is to come. */
  readonly awaitsMessage3: boolean
}

/** What came of XK's message 3: the first record to send, with its length where the framing asks for one. */
export interface Completed {
  readonly record: Uint8Array
  /** Undefined for a refusal. */
  readonly session: Session | undefined
  readonly holderSalts: readonly Uint8Array[]
}

/** Circumstances of one hello. */
export interface HelloCircumstances {
  /** Called after mac1 and before the first DH; false means silence. */
  readonly admit?: () => boolean
  /** Unix seconds, for contact tags. */
  readonly nowSeconds: number
}

/** One handshake, used once. */
export class ServerHandshake<Identity extends ServiceIdentity = ServiceIdentity> {
  readonly #services: readonly Identity[]
  readonly #seen: SeenEphemerals
  #state: 'hello' | 'question' | 'message3' | 'done' | 'silent' = 'hello'
  #noise: OwnHandshake | undefined
  #ephemeral = ''
  #pattern: PatternName = 'NK'
  #answer: HelloAnswer | undefined

  constructor(services: readonly Identity[], seen: SeenEphemerals) {
    this.#services = services
    this.#seen = seen
  }

  /** Read the hello.
   * @returns what a verifier must decide, or undefined: say nothing, whatever was wrong. */
  receive(hello: Uint8Array, circumstances: HelloCircumstances): HelloQuestion<Identity> | undefined {
    if (this.#state !== 'hello') return undefined
    this.#state = 'silent'
    const service = this.#addressee(hello)
    const parts = service && parseHello(hello)
    if (!service || !parts || circumstances.admit?.() === false) return undefined
    this.#ephemeral = String.fromCharCode(...parts.ephemeral)
    if (this.#seen.has(this.#ephemeral)) return undefined
    const noise = responder(service, parts, circumstances.nowSeconds)
    // -> e, es (NK, XK); e, es, s, ss (IK); e, es, ss (KK)
    const payload = attempt(() => decodeHelloPayload(noise.readMessage(parts.message1)))
    const parameters = payload && decodeClientParameters(payload.parameters)
    if (!payload || !parameters) return undefined
    this.#noise = noise
    this.#pattern = parts.pattern
    this.#state = 'question'
    const { locator, proof, early } = payload
    return {
      service,
      pattern: parts.pattern,
      protocol: PATTERNS[parts.pattern].protocol,
      locator,
      proof,
      proven: [service.keyHash, parts.header, parts.ephemeral, locator, payload.parameters, early],
      clientKey: noise.remoteStatic,
      parameters,
    }
  }

  /** Write message 2 for a proven hello.
   * @returns undefined when the same ephemeral was proven by another connection meanwhile: silence. */
  answer(answer: HelloAnswer): Answered | undefined {
    const noise = this.#noise
    if (this.#state !== 'question' || noise === undefined) {
      throw new NoisecapError('session/handshake', 'Cannot answer: no question is open')
    }
    this.#state = 'done'
    if (!this.#seen.add(this.#ephemeral)) return undefined
    noise.setPsk(PATTERNS[this.#pattern].psk, answer.psk)
    wipe(answer.psk)
    if (this.#pattern === 'XK' && answer.status !== 'overloaded') {
      this.#answer = answer
      this.#state = 'message3'
      // <- e, ee: the status waits until the client has proven its key and the PSK.
      return { message: noise.writeMessage(), session: undefined, awaitsMessage3: true }
    }
    // <- e, ee, psk (NK); e, ee (XK); e, ee, se, psk (IK, KK)
    const message = noise.writeMessage(pad(encodeServiceAnswer(answer)))
    if (answer.status === 'ok') return { message, session: this.#split(noise), awaitsMessage3: false }
    noise[Symbol.dispose]()
    return { message, session: undefined, awaitsMessage3: false }
  }

  /** Read XK's message 3, and say the status in the first record.
   * @returns undefined when it is not from the client of the hello: silence. */
  complete(message3: Uint8Array, framing: Framing): Completed | undefined {
    const [noise, answer] = [this.#noise, this.#answer]
    if (this.#state !== 'message3' || noise === undefined || answer === undefined) {
      throw new NoisecapError('session/handshake', 'Cannot complete: no message 3 is expected')
    }
    this.#state = 'done'
    // -> s, se, psk
    const holderSalts = attempt(() => {
      const content = unpad(noise.readMessage(message3))
      return content && decodeHolderSalts(content)
    })
    if (holderSalts === undefined) return undefined
    const session = this.#split(noise)
    const record = session.seal(pad(encodeServiceAnswer(answer)), framing)
    if (answer.status === 'ok') return { record, session, holderSalts }
    session.destroy()
    return { record, session: undefined, holderSalts }
  }

  /** Wipe the handshake's keys; a session that came of it lives on. */
  abandon(): void {
    if (this.#state !== 'done') this.#state = 'silent'
    this.#noise?.[Symbol.dispose]()
  }

  #split(noise: OwnHandshake): Session {
    const { handshakeHash, remoteStatic } = noise
    const { send, receive } = noise.split()
    const pattern = this.#pattern
    return new Session({ send, receive, handshakeHash, pattern, role: 'service', remoteStatic })
  }

  /** The service whose public key made mac1: one HMAC a service, no DH. */
  #addressee(hello: Uint8Array): Identity | undefined {
    if (hello.length < HELLO_MIN_BYTES) return undefined
    let found: Identity | undefined
    for (const service of this.#services) if (mac1Matches(hello, service.mac1Key)) found ??= service
    return found
  }
}

function responder(service: ServiceIdentity, parts: HelloParts, nowSeconds: number): OwnHandshake {
  const known = parts.pattern === 'KK' ? service.contacts?.find(parts.contactTag, nowSeconds) : undefined
  return new OwnHandshake({
    protocol: PATTERNS[parts.pattern].protocol,
    role: 'responder',
    prologue: prologue(parts.header, service.keyHash),
    s: service.keyPair,
    ...(parts.pattern === 'KK' ? { rs: known ?? nobody() } : {}),
  })
}

let nobodysKey: PublicKey | undefined

/** A key without an owner: the hello of an unknown contact costs what that of a known one does, and fails. */
function nobody(): PublicKey {
  nobodysKey ??= generateKeyPair().publicKey
  return nobodysKey
}

/** What `read` gives, or undefined: a stranger's bytes may be wrong in any way. */
function attempt<T>(read: () => T | undefined): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
