// Real keys, capabilities, handshakes and connections for tests of the session and rpc layers; nothing here is a mock.
import {
  type Capability,
  keyHash,
  MemoryRevocationSet,
  mint,
  type PatternName,
  ServiceKey,
} from '../../src/capability/index.js'
import { generateKeyPair, type KeyPair, type LaterX25519 } from '../../src/crypto/index.js'
import { Admission, SeenEphemerals } from '../../src/session/admission.js'
import { ClientHandshake } from '../../src/session/client-handshake.js'
import { MemoryContactBook } from '../../src/session/contacts.js'
import {
  type AcceptedSession,
  acceptSession,
  type Connection,
  type ConnectionTimes,
  DEFAULT_LIMITS,
  DEFAULT_TIMES,
  type HelloQuestion,
  initiateSession,
  mac1Key,
  type ServiceIdentity,
  type SessionLimits,
  type Verdict,
  verifyHello,
} from '../../src/session/index.js'
import { ServerHandshake } from '../../src/session/server-handshake.js'
import type { Session } from '../../src/session/session.js'
import { type Framing, memoryPair, type Pipe } from '../../src/transport/index.js'

/** One service with its key, and what its verifier knows. */
export class Shop {
  readonly key = ServiceKey.generate()
  readonly revocations = new MemoryRevocationSet()
  readonly contacts = new MemoryContactBook()
  readonly identity: ServiceIdentity = {
    keyPair: this.key.keyPair,
    keyHash: keyHash(this.key.publicKey),
    mac1Key: mac1Key(this.key.publicKey),
    contacts: this.contacts,
  }
  nowSeconds = Date.now() / 1_000

  capability(...restrictions: Parameters<typeof mint>[2][]): Capability {
    return mint(this.key, { object: 'notes/ada' }, restrictions[0])
  }

  readonly verifier = (question: HelloQuestion): Verdict | undefined =>
    verifyHello(question, {
      authority: this.key.authority(),
      revocations: this.revocations,
      limits: DEFAULT_LIMITS,
      nowSeconds: this.nowSeconds,
    })
}

export const ALL: readonly PatternName[] = ['NK', 'XK', 'IK', 'KK']

export function clientKeyFor(pattern: PatternName): KeyPair | undefined {
  return pattern === 'NK' ? undefined : generateKeyPair()
}

/** Unix seconds now: what a handshake takes as an argument. */
export const now = (): number => Date.now() / 1_000

/** A handshake up to the hello; IK with a key and NK without, unless told otherwise. */
export function clientOf(
  capability: Capability,
  keyPair?: KeyPair,
  pattern: PatternName = keyPair === undefined ? 'NK' : 'IK',
): ClientHandshake {
  return new ClientHandshake({ capability, keyPair, pattern, limits: DEFAULT_LIMITS, nowSeconds: now() })
}

/** A client with what `pattern` needs: a key, and for KK a place among the contacts of `shop`. */
export function prepared(
  pattern: PatternName,
  shop: Shop,
  capability: Capability = shop.capability(),
): { capability: Capability; keyPair: KeyPair | undefined } {
  const keyPair = clientKeyFor(pattern)
  if (pattern === 'KK' && keyPair !== undefined) {
    // In memory it is there at once; whether it is kept cannot fail.
    void shop.contacts.add({ client: keyPair.publicKey, contactKey: capability.keys().contactKey() })
  }
  return { capability, keyPair }
}

/** A fresh client of `pattern` with all that it needs. */
export function greeting(pattern: PatternName, shop: Shop, capability?: Capability): ClientHandshake {
  const client = prepared(pattern, shop, capability)
  return clientOf(client.capability, client.keyPair, pattern)
}

/** The messages of one handshake, in order, each without length, and what both ends made of them. */
export interface Transcript {
  readonly messages: readonly { readonly from: 'client' | 'service'; readonly bytes: Uint8Array }[]
  readonly client: Session | undefined
  readonly service: Session | undefined
  /** What a client or a service that refused has thrown; a silent service throws nothing. */
  readonly clientError: unknown
}

/** Run a handshake to its end; `alter` may change any message on its way. */
export function handshake(
  client: ClientHandshake,
  shop: Shop,
  options: {
    readonly alter?: (bytes: Uint8Array, index: number) => Uint8Array
    readonly seen?: SeenEphemerals
    readonly answer?: (verdict: Verdict) => Verdict['answer']
  } = {},
): Transcript {
  const {
    alter = (bytes) => bytes,
    seen = new SeenEphemerals(),
    answer = (verdict) => verdict.answer,
  } = options
  const server = new ServerHandshake([shop.identity], seen)
  const messages: { from: 'client' | 'service'; bytes: Uint8Array }[] = []
  const send = (from: 'client' | 'service', bytes: Uint8Array): Uint8Array => {
    messages.push({ from, bytes: Uint8Array.from(bytes) })
    return alter(Uint8Array.from(bytes), messages.length - 1)
  }
  const ends = (service?: Session, atClient?: Session, clientError?: unknown): Transcript => ({
    messages,
    service,
    client: atClient,
    clientError,
  })
  const question = server.receive(send('client', client.hello), { nowSeconds: now() })
  const verdict = question && shop.verifier(question)
  const answered = verdict && server.answer(answer(verdict))
  if (answered === undefined) return ends()
  try {
    let step = client.receive(send('service', answered.message))
    if (!('reply' in step)) return ends(answered.session, step.session)
    const completed = server.complete(send('client', step.reply), 'message')
    if (completed === undefined) return ends()
    step = client.receive(send('service', completed.record))
    return ends(completed.session, 'session' in step ? step.session : undefined)
  } catch (error) {
    return ends(answered.session, undefined, error)
  }
}

/** The two sessions of one real handshake. */
export function openSessions(
  pattern: PatternName = 'NK',
  shop = new Shop(),
): { client: Session; service: Session } {
  const { client, service } = handshake(greeting(pattern, shop), shop)
  if (client === undefined || service === undefined) throw new Error('the handshake was refused')
  return { client, service }
}

export interface OpenPair {
  readonly client: Connection
  readonly service: Connection
  readonly accepted: AcceptedSession<ServiceIdentity>
  readonly limits: SessionLimits
  readonly pipes: { readonly client: Pipe; readonly server: Pipe }
}

/** Two connections over a pair of pipes in memory, opened by a real handshake; neither is started. */
export async function openPair(
  options: {
    framing?: Framing
    times?: Partial<ConnectionTimes>
    shop?: Shop
    pattern?: PatternName
    pipes?: { client: Pipe; server: Pipe }
    /** Computes the client's DHs ahead. */
    laterX25519?: LaterX25519
  } = {},
): Promise<OpenPair> {
  const { framing = 'length', shop = new Shop(), pattern = 'NK' } = options
  const pipes = options.pipes ?? memoryPair(framing)
  const times = { ...DEFAULT_TIMES, ...options.times }
  const accepted = new Promise<AcceptedSession<ServiceIdentity>>((resolve) => {
    acceptSession(pipes.server, {
      services: [shop.identity],
      verifier: shop.verifier,
      admission: new Admission(),
      accepted: resolve,
      times,
    })
  })
  const client = prepared(pattern, shop)
  const { connection, limits } = await initiateSession(
    pipes.client,
    { ...client, pattern, limits: DEFAULT_LIMITS, laterX25519: async () => options.laterX25519 },
    AbortSignal.timeout(5_000),
    times,
  )
  const session = await accepted
  return { client: connection, service: session.connection, accepted: session, limits, pipes }
}

/** Collects what a connection delivers. */
export function listen(connection: Connection): {
  readonly records: Uint8Array[]
  readonly outcome: Promise<Parameters<Parameters<Connection['start']>[0]['closed']>[0]>
  confirmed: number
} {
  const records: Uint8Array[] = []
  let closed: (outcome: Parameters<Parameters<Connection['start']>[0]['closed']>[0]) => void
  const outcome = new Promise<Parameters<Parameters<Connection['start']>[0]['closed']>[0]>((resolve) => {
    closed = resolve
  })
  const heard = { records, outcome, confirmed: 0 }
  connection.start({
    confirmed: () => {
      heard.confirmed += 1
    },
    record: (plaintext) => records.push(Uint8Array.from(plaintext)),
    drain: () => {},
    closed: (how) => closed(how),
  })
  return heard
}

/** A copy with one bit of byte `at` changed. */
export function flipped(bytes: Uint8Array, at: number, bit: number): Uint8Array {
  const copy = Uint8Array.from(bytes) // a Buffer.slice would share memory
  copy[at]! ^= 1 << bit
  return copy
}

/** The error that `run` throws. */
export function errorOf(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  throw new Error('expected an error, got none')
}
