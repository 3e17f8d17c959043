// The payload grades of Noise rev 34 §7.7 measured by attack: for each message of a pattern, the weakest attacker who can
// forge it (source) or read it (destination). Honest sides are real handshakes; the attacker is OpenNoise with a key ring.
import { EMPTY } from '../../../src/bytes.js'
import { generateKeyPair, type KeyPair } from '../../../src/crypto/index.js'
import { type CipherState, HandshakeState, parseProtocolName, type Role } from '../../../src/noise/index.js'
import { KeyRing, OpenNoise } from './open-noise.js'

/** Longest list of grades in the tables: handshake messages first, then transport. */
const MESSAGES_MAX = 4

/** Two parties with static keys, and a PSK where the protocol has one. */
export class Parties {
  readonly protocol: string
  readonly initiator = generateKeyPair()
  readonly responder = generateKeyPair()
  readonly psk: Uint8Array | undefined
  readonly pskNumber: number | undefined
  readonly oneWay: boolean
  /** How many of the messages are handshake messages. */
  readonly handshakeMessages: number
  /** Whether the initiator has a static key at all. */
  readonly named: boolean

  constructor(protocol: string) {
    this.protocol = protocol
    const { plan } = parseProtocolName(protocol)
    this.pskNumber = plan.psks[0]
    this.psk = this.pskNumber === undefined ? undefined : generateKeyPair().secretKey
    this.oneWay = plan.oneWay
    this.handshakeMessages = plan.messages.length
    this.named = plan.needs.initiator.s
  }

  /** A real handshake of one side, with its ephemeral key for those who shall have it. */
  honest(role: Role, e: KeyPair = generateKeyPair()): HandshakeState {
    const { needs, messages } = parseProtocolName(this.protocol).plan
    const peer = role === 'initiator' ? this.responder : this.initiator
    const sends = messages.some(({ sender, tokens }) => sender === role && tokens.includes('e'))
    return new HandshakeState({
      protocol: this.protocol,
      role,
      ...(needs[role].s ? { s: this[role] } : {}),
      ...(needs[role].rs ? { rs: peer.publicKey } : {}),
      ...(sends ? { unsafeEphemeral: e } : {}),
      ...(this.psk === undefined ? {} : { psks: [this.psk] }),
    })
  }

  /** The attacker's view of the same handshake. */
  open(ring: KeyRing, psk: Uint8Array | undefined = this.psk): OpenTransport {
    const noise = new OpenNoise({
      protocol: this.protocol,
      responder: this.responder.publicKey,
      initiator: this.initiator.publicKey,
      psk,
      ring,
    })
    return new OpenTransport(noise, this.handshakeMessages)
  }

  /** Every message of an honest run, and its secrets. */
  record(): { readonly messages: readonly Uint8Array[]; readonly ephemerals: KeyRing } {
    const es = { initiator: generateKeyPair(), responder: generateKeyPair() }
    const sides = {
      initiator: new HonestTransport(this.honest('initiator', es.initiator)),
      responder: new HonestTransport(this.honest('responder', es.responder)),
    }
    const messages: Uint8Array[] = []
    for (let i = 0; i < (this.oneWay ? 1 : MESSAGES_MAX); i++) {
      const [from, to] =
        i % 2 === 0 ? (['initiator', 'responder'] as const) : (['responder', 'initiator'] as const)
      const message = sides[from].write(payloadOf(i))
      sides[to].read(message)
      messages.push(message)
    }
    return { messages, ephemerals: new KeyRing(es.initiator, es.responder) }
  }
}

const payloadOf = (index: number) => Uint8Array.of(index, 0xcc)

/** Handshake and transport of an honest side as one sequence of messages. */
class HonestTransport {
  readonly #noise: HandshakeState
  #ciphers: { readonly send: CipherState; readonly receive: CipherState } | undefined

  constructor(noise: HandshakeState) {
    this.#noise = noise
  }

  write(payload: Uint8Array): Uint8Array {
    if (!this.#noise.finished) return this.#noise.writeMessage(payload)
    this.#ciphers ??= this.#noise.split()
    return this.#ciphers.send.encryptWithAd(EMPTY, payload)
  }

  read(message: Uint8Array): Uint8Array {
    if (!this.#noise.finished) return this.#noise.readMessage(message)
    this.#ciphers ??= this.#noise.split()
    return this.#ciphers.receive.decryptWithAd(EMPTY, message)
  }
}

/** The same for the attacker, who sees both directions. */
class OpenTransport {
  readonly #noise: OpenNoise
  readonly #handshakeMessages: number
  #index = 0
  #ciphers: Readonly<Record<Role, CipherState>> | undefined

  constructor(noise: OpenNoise, handshakeMessages: number) {
    this.#noise = noise
    this.#handshakeMessages = handshakeMessages
  }

  #next(): CipherState | undefined {
    const sender = this.#index % 2 === 0 ? 'initiator' : 'responder'
    this.#index += 1
    if (this.#index <= this.#handshakeMessages) return undefined
    this.#ciphers ??= this.#noise.split()
    return this.#ciphers[sender]
  }

  /** @returns the payload and a static key, as far as they opened. */
  read(message: Uint8Array): ReturnType<OpenNoise['read']> {
    const cipher = this.#next()
    if (cipher === undefined) return this.#noise.read(message)
    try {
      return { s: undefined, payload: cipher.decryptWithAd(EMPTY, message) }
    } catch {
      return { s: undefined, payload: undefined }
    }
  }

  write(payload: Uint8Array, e: KeyPair, s: KeyPair): Uint8Array {
    return this.#next()?.encryptWithAd(EMPTY, payload) ?? this.#noise.write(payload, e, s.publicKey)
  }
}

/** What came of posing as one side towards the honest other. */
interface Posed {
  /** Indices of messages of his that the honest side took for genuine. */
  readonly accepted: readonly number[]
  /** Indices of messages of the honest side that he could read at once. */
  readonly read: readonly number[]
  readonly transcript: readonly Uint8Array[]
  readonly e: KeyPair
}

/** Pose as `role` with the keys of `ring`, until the honest side says no more. */
export function pose(
  parties: Parties,
  role: Role,
  ring: KeyRing,
  psk: Uint8Array | undefined = parties.psk,
): Posed {
  const honest = new HonestTransport(parties.honest(role === 'initiator' ? 'responder' : 'initiator'))
  const attacker = parties.open(ring, psk)
  const e = generateKeyPair()
  const posed = { accepted: [] as number[], read: [] as number[], transcript: [] as Uint8Array[], e }
  for (let i = 0; i < (parties.oneWay ? 1 : MESSAGES_MAX); i++) {
    const mine = (i % 2 === 0) === (role === 'initiator')
    if (mine) {
      const message = attacker.write(payloadOf(i), e, parties[role])
      posed.transcript.push(message)
      try {
        honest.read(message)
      } catch {
        return posed
      }
      posed.accepted.push(i)
    } else {
      const message = honest.write(payloadOf(i))
      posed.transcript.push(message)
      if (attacker.read(message).payload !== undefined) posed.read.push(i)
    }
  }
  return posed
}

/** Indices of the messages that open with the keys of `ring`. */
export function opened(
  parties: Parties,
  transcript: readonly Uint8Array[],
  ring: KeyRing,
  psk: Uint8Array | undefined = parties.psk,
): readonly number[] {
  const attacker = parties.open(ring, psk)
  return transcript.flatMap((message, i) => (attacker.read(message).payload === undefined ? [] : [i]))
}

/** Source and destination grade of message `index`, each as the weakest attacker shows it. */
export function gradesOf(parties: Parties, index: number, psk = parties.psk): readonly [number, number] {
  const [from, to]: readonly [Role, Role] =
    index % 2 === 0 ? ['initiator', 'responder'] : ['responder', 'initiator']
  // Who has no static key has none that could be stolen.
  const keyOf = (role: Role) => (role === 'responder' || parties.named ? parties[role] : undefined)
  const forges = (...keys: readonly (KeyPair | undefined)[]) =>
    pose(parties, from, new KeyRing(...keys), psk).accepted.includes(index)
  const source = forges() ? 0 : forges(keyOf(to)) ? 1 : forges(keyOf(from)) ? 2 : Number.NaN

  const { messages, ephemerals } = parties.record()
  const listens = (...keys: readonly (KeyPair | undefined)[]) =>
    opened(parties, messages, new KeyRing(...keys), psk).includes(index)
  const readsAtOnce = () => pose(parties, to, new KeyRing(), psk).read.includes(index)
  /** Poses as the recipient, and gets the recipient's static key later. */
  const readsLater = (...keys: readonly (KeyPair | undefined)[]) => {
    const { transcript, e } = pose(parties, to, new KeyRing(...keys), psk)
    return opened(parties, transcript, new KeyRing(...keys, e, keyOf(to)), psk).includes(index)
  }
  const all = new KeyRing(keyOf('initiator'), keyOf('responder')).addAll(ephemerals)
  const destination = () => {
    if (listens()) return 0
    if (readsAtOnce()) return 1
    if (listens(keyOf(to))) return 2
    if (readsLater()) return 3
    if (readsLater(keyOf(from))) return 4
    // Shown negatively: none of the above reads it, while whoever has the ephemeral keys as well does.
    return opened(parties, messages, all, psk).includes(index) ? 5 : Number.NaN
  }
  return [source, destination()]
}
