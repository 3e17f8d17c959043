// The client's side of the handshake as a state machine: hello out, the service's messages in, session out
// (spec/session.md §3, §4). Speaks NKpsk2, XKpsk3, IKpsk2 and KKpsk2; only XK has a third message and takes two round trips.
// Leaves out sockets and deadlines (initiate.ts) and the choice of a pattern (src/dial.ts).
import { base32Decode, EMPTY, wipe } from '../bytes.js'
import {
  type Capability,
  contactDay,
  contactTag,
  type PatternName,
  type UseKeys,
} from '../capability/index.js'
import { type DhFunction, type KeyPair, type Primitives, primitives } from '../crypto/index.js'
import { NoisecapError } from '../errors.js'
import { OwnHandshake } from '../noise/own-handshake.js'
import type { ClientDhs } from './client-dhs.js'
import { encodeHello, encodeHelloPayload, helloHeader, mac1Key, pad, prologue, unpad } from './hello.js'
import {
  decodeServiceAnswer,
  encodeClientParameters,
  encodeHolderSalts,
  type ServiceAnswer,
  type SessionLimits,
} from './parameters.js'
import { refusalError } from './refusal-error.js'
import { Session } from './session.js'
import { PATTERNS } from './wire.js'

/** What a client brings. */
export interface ClientHandshakeOptions {
  readonly capability: Capability
  readonly pattern: PatternName
  /** The client's own key: for XK, IK and KK, never for NK. */
  readonly keyPair?: KeyPair | undefined
  /** What this side is willing to receive. */
  readonly limits: SessionLimits
  /** Unix seconds, for the contact tag of KK. */
  readonly nowSeconds: number
  /** DHs that were computed ahead, of the same keys; become the handshake's own. */
  readonly dhs?: ClientDhs | undefined
}

/** What came of a message of the service: one more to send, or the session. */
export type ClientStep =
  | { readonly reply: Uint8Array }
  | { readonly session: Session; readonly limits: SessionLimits }

/** One handshake, used once. */
export class ClientHandshake {
  /** The hello to send, without length. */
  readonly hello: Uint8Array
  readonly #pattern: PatternName
  readonly #noise: OwnHandshake
  readonly #dhs: ClientDhs | undefined
  readonly #holderSalts: readonly Uint8Array[]
  #state: 'message2' | 'status' | 'done' | 'failed' = 'message2'
  /** XK: open, and yet to be told its status. */
  #session: Session | undefined

  /** @throws TypeError when pattern and key do not fit. */
  constructor(options: ClientHandshakeOptions) {
    const { capability, keyPair, pattern } = options
    if ((pattern === 'NK') !== (keyPair === undefined)) {
      throw new TypeError(
        pattern === 'NK'
          ? 'Cannot open session: NK is anonymous, expected no client key'
          : `Cannot open session: expected a client key for ${pattern}`,
      )
    }
    this.#pattern = pattern
    this.#dhs = options.dhs
    const { protocol, psk: pskNumber } = PATTERNS[pattern]
    const keyHash = base32Decode(capability.keyHash)
    using keys = capability.keys()
    const header = helloHeader(pattern, tagOf(options, keys))
    this.#noise = new OwnHandshake({
      protocol,
      role: 'initiator',
      prologue: prologue(header, keyHash),
      rs: capability.publicKey,
      ...(keyPair === undefined ? {} : { s: keyPair }),
      ...(options.dhs === undefined ? {} : { primitives: withDh(options.dhs.function) }),
    })
    const psk = keys.psk(protocol)
    this.#noise.setPsk(pskNumber, psk)
    wipe(psk)
    this.#holderSalts = keyPair === undefined ? [] : capability.holderSalts()
    const parameters = encodeClientParameters({
      limits: options.limits,
      // XK tells them in message 3 only: until then nobody shall learn even that there is a client with a key.
      holderSalts: pattern === 'XK' ? [] : this.#holderSalts,
    })
    const { locator } = capability
    const e = this.#noise.prepareEphemeral()
    const proof = keys.prove('hello', keyHash, header, e, locator, parameters, EMPTY)
    // -> e, es (NK, XK); e, es, s, ss (IK); e, es, ss (KK): the payload proves the capability over this very ephemeral.
    const message1 = this.#noise.writeMessage(
      encodeHelloPayload({ locator, proof, parameters, early: EMPTY }),
    )
    this.hello = encodeHello(header, message1, mac1Key(capability.publicKey))
  }

  /** Compute ahead what reading `message` will need; undefined where there is nothing to wait for. Never rejects. */
  ahead(message: Uint8Array): Promise<unknown> | undefined {
    return this.#state === 'message2' ? this.#dhs?.meet(message) : undefined
  }

  /** Read what the service sent: message 2, and with XK its first record.
   * @param message - without length; a record is altered.
   * @returns XK's message 3 to send, or the session and what the service is willing to receive.
   * @throws `session/handshake` when it is not from the holder of the service key and the capability's root;
   * `session/expired`, `session/revoked`, `session/not_yet_valid`, `session/denied`, `session/overloaded` when the
   * service says so. */
  receive(message: Uint8Array): ClientStep {
    const state = this.#state
    this.#state = 'failed'
    if (state === 'message2') return this.#receiveMessage2(message)
    if (state === 'status') return this.#receiveStatus(message)
    throw new NoisecapError('session/handshake', 'Cannot read: the handshake is over')
  }

  #receiveMessage2(message: Uint8Array): ClientStep {
    // <- e, ee, psk (NK); e, ee (XK); e, ee, se, psk (IK, KK)
    const payload = this.#attempt(() => this.#noise.readMessage(message))
    if (this.#pattern !== 'XK') return this.#finish(answerIn(payload), this.#split())
    // Nothing but "overloaded" is said before message 3 has proven the client.
    if (payload.length > 0) throw statusOrForeign(answerIn(payload))
    // -> s, se, psk
    const reply = this.#noise.writeMessage(pad(encodeHolderSalts(this.#holderSalts)))
    this.#session = this.#split()
    this.#state = 'status'
    return { reply }
  }

  /** XK: the service's first record. */
  #receiveStatus(record: Uint8Array): ClientStep {
    const session = this.#session! // made before this state
    const content = this.#attempt(() => session.open(record))
    return this.#finish(answerIn(content), session)
  }

  #finish(answer: ServiceAnswer, session: Session): ClientStep {
    if (answer.status !== 'ok') {
      session.destroy()
      throw refusalError(answer.status)
    }
    this.#state = 'done'
    return { session, limits: answer.limits }
  }

  #split(): Session {
    const { handshakeHash, remoteStatic } = this.#noise
    const { send, receive } = this.#noise.split()
    this.#dhs?.[Symbol.dispose]()
    return new Session({
      send,
      receive,
      handshakeHash,
      pattern: this.#pattern,
      role: 'client',
      remoteStatic,
    })
  }

  #attempt(read: () => Uint8Array): Uint8Array {
    try {
      return read()
    } catch {
      throw foreign()
    }
  }

  /** Give up: wipe whatever keys there are. */
  abandon(): void {
    this.#state = 'failed'
    this.#noise[Symbol.dispose]()
    this.#dhs?.[Symbol.dispose]()
    this.#session?.destroy()
  }
}

/** This process's primitives, with another X25519. */
function withDh(dh: DhFunction): Pick<Primitives, 'dh' | 'aead' | 'hash'> {
  const own = primitives()
  return { dh: () => dh, aead: (name) => own.aead(name), hash: (name) => own.hash(name) }
}

function tagOf({ pattern, keyPair, nowSeconds }: ClientHandshakeOptions, keys: UseKeys): Uint8Array {
  if (pattern !== 'KK' || keyPair === undefined) return EMPTY
  const key = keys.contactKey()
  const tag = contactTag(key, keyPair.publicKey, contactDay(nowSeconds))
  wipe(key)
  return tag
}

function answerIn(payload: Uint8Array): ServiceAnswer {
  const content = unpad(payload)
  const answer = content && decodeServiceAnswer(content)
  if (answer === undefined) throw foreign()
  return answer
}

/** An early answer of XK: a refusal, or not from this service. */
function statusOrForeign({ status }: ServiceAnswer): NoisecapError {
  return status === 'ok' ? foreign() : refusalError(status)
}

function foreign(): NoisecapError {
  return new NoisecapError('session/handshake', 'Cannot open session: the answer is not from this service')
}
