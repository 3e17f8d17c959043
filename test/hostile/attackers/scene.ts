// The scene of every attack: a service, a caller with a real recorded session, the capabilities around the caller's, and
// the two things that an attacker can do to the living: send to the service, answer the caller. Nothing here is a mock.
// Leaves out what attackers know (knowledge.ts) and do (reading.ts, approaching.ts, answering.ts).
import { vi } from 'vitest'
import { equalConstantTime, utf8 } from '../../../src/bytes.js'
import {
  allowsMethod,
  type Capability,
  judgeHolder,
  type PatternName,
  type Verified,
} from '../../../src/capability/index.js'
import { generateKeyPair, type KeyPair, type PublicKey, primitives } from '../../../src/crypto/index.js'
import { SeenEphemerals } from '../../../src/session/admission.js'
import type { ClientHandshake } from '../../../src/session/client-handshake.js'
import { ServerHandshake } from '../../../src/session/server-handshake.js'
import type { Session } from '../../../src/session/session.js'
import { clientOf, handshake, now, Shop } from '../../session/parties.js'
import { KeyRing } from './open-noise.js'

/** What the caller's session is about. */
export const OBJECT = 'notes/ada'
const HOUR = 3_600

/** Secrets of every DH key pair that computed anything meanwhile, and how many DHs that were. */
export function watchDh<T>(run: () => T): {
  readonly result: T
  readonly ring: KeyRing
  readonly count: number
} {
  const dh = primitives().dh('25519')
  const compute = dh.dh
  const ring = new KeyRing()
  let count = 0
  const spy = vi.spyOn(dh, 'dh').mockImplementation((secretKey, publicKey) => {
    count += 1
    ring.add({ publicKey: dh.publicKeyOf(secretKey), secretKey })
    return compute(secretKey, publicKey)
  })
  try {
    return { result: run(), ring, count }
  } finally {
    spy.mockRestore()
  }
}

/** Everything that went over the wire in the caller's session. */
export interface Wire {
  /** The hello, message 2, with XK message 3 and the record with the status. */
  readonly handshake: readonly Uint8Array[]
  readonly fromCaller: Uint8Array
  readonly fromService: Uint8Array
}

/** The words of the recorded session that an attacker would like to read. */
export const SPOKEN = { byCaller: utf8('buy milk'), byService: utf8('milk is bought') } as const

/** How a scene differs from the usual one. */
export interface SceneOptions {
  /** The caller's capability is bound to her key. */
  readonly bound?: boolean
  /** The caller's key is the service's. */
  readonly oneKey?: boolean
}

/** What the service sees of a client whose first record opened. */
export interface Admitted {
  readonly client: PublicKey | undefined
  readonly object: string
  readonly methods: readonly string[]
}

/** One scene. */
export class Scene {
  readonly pattern: PatternName
  readonly shop = new Shop()
  readonly seen = new SeenEphemerals()
  readonly callerKey: KeyPair | undefined
  /** Client keys that everybody knows, the caller's among them. */
  readonly suspects: readonly PublicKey[]
  readonly parent: Capability
  readonly capability: Capability
  readonly child: Capability
  readonly wire: Wire
  /** What a quantum computer finds: the secret of every key of that session. */
  readonly dhSecrets: KeyRing

  constructor(pattern: PatternName, { bound = false, oneKey = false }: SceneOptions = {}) {
    this.pattern = pattern
    this.callerKey = pattern === 'NK' ? undefined : oneKey ? this.shop.key.keyPair : generateKeyPair()
    const caller = this.callerKey?.publicKey
    this.suspects = [generateKeyPair().publicKey, ...(caller === undefined ? [] : [caller])]
    this.parent = this.shop.capability()
    const holder = bound ? caller : undefined
    this.capability = this.parent.attenuate({ methods: ['add', 'list'], ...(holder && { holder }) })
    this.child = this.capability.attenuate({ methods: ['list'] })
    if (pattern === 'KK' && caller !== undefined)
      void this.shop.contacts.add({ client: caller, contactKey: this.capability.keys().contactKey() })
    const { result, ring } = watchDh(() => this.#record())
    this.wire = result
    this.dhSecrets = ring
  }

  #record(): Wire {
    const { messages, client, service } = handshake(this.#caller(), this.shop, { seen: this.seen })
    if (client === undefined || service === undefined) throw new Error('the handshake was refused')
    return {
      handshake: messages.map(({ bytes }) => bytes),
      fromCaller: client.seal(SPOKEN.byCaller, 'message'),
      fromService: service.seal(SPOKEN.byService, 'message'),
    }
  }

  #caller(): ClientHandshake {
    return clientOf(this.capability, this.callerKey, this.pattern)
  }

  /** The caller dials again, and whoever is on the wire may answer. */
  dialOfCaller(): ClientHandshake {
    return this.#caller()
  }

  /** A fresh connection to the service.
   * @param restarted - its memory of ephemerals is empty. */
  connection(restarted = false): ServiceEnd {
    return new ServiceEnd(this.shop, restarted ? new SeenEphemerals() : this.seen)
  }

  /** A further capability of the same object, in force or not. */
  async sibling(state: 'in force' | 'revoked' | 'expired'): Promise<Capability> {
    const soon = new Date(Date.now() + HOUR * 1_000)
    const capability = this.shop.capability(state === 'expired' ? { expiresAt: soon } : {})
    if (state === 'revoked') await this.shop.revocations.revoke(capability.ids().at(-1)!)
    if (state === 'expired') this.shop.nowSeconds += 2 * HOUR
    return capability
  }
}

/** The service's end of one connection, as the wire shows it; counts what it computes. */
export class ServiceEnd {
  readonly #shop: Shop
  readonly #server: ServerHandshake
  #dhs = 0
  #verified: Verified | undefined
  #session: Session | undefined
  #salts: readonly Uint8Array[] = []

  constructor(shop: Shop, seen: SeenEphemerals) {
    this.#shop = shop
    this.#server = new ServerHandshake([shop.identity], seen)
  }

  /** Diffie-Hellmans so far. */
  get dhs(): number {
    return this.#dhs
  }

  /** @returns message 2, or undefined: silence. */
  hello(bytes: Uint8Array): Uint8Array | undefined {
    return this.#counting(() => {
      const question = this.#server.receive(Uint8Array.from(bytes), { nowSeconds: now() })
      const verdict = question && this.#shop.verifier(question)
      const answered = verdict && this.#server.answer(verdict.answer)
      this.#verified = verdict?.verified
      this.#session = answered?.session
      this.#salts = question?.parameters.holderSalts ?? []
      return answered?.message
    })
  }

  /** XK: @returns the record with the status, or undefined: silence. */
  message3(bytes: Uint8Array): Uint8Array | undefined {
    return this.#counting(() => {
      const completed = this.#server.complete(Uint8Array.from(bytes), 'message')
      this.#session = completed?.session
      this.#salts = completed?.holderSalts ?? []
      return completed?.record
    })
  }

  /** The client's first record, on which everything else depends.
   * @returns what the service then knows, or why it goes no further. */
  firstRecord(bytes: Uint8Array): Admitted | string {
    const [session, verified] = [this.#session, this.#verified]
    if (session === undefined || verified === undefined) return 'no session'
    try {
      session.open(Uint8Array.from(bytes))
    } catch (error) {
      return (error as { code: string }).code
    }
    if (judgeHolder(verified, session.remoteStatic, this.#salts) !== 'ok') return 'holder'
    const methods = ['add', 'list'].filter((name) => allowsMethod(verified, name))
    return { client: session.remoteStatic, object: verified.grant.object, methods }
  }

  #counting<T>(run: () => T): T {
    const { result, count } = watchDh(run)
    this.#dhs += count
    return result
  }
}

/** Whether both are the same key, or both none. */
export function sameKey(a: PublicKey | undefined, b: PublicKey | undefined): boolean {
  return a === undefined || b === undefined ? a === b : equalConstantTime(a, b)
}
