// Real keys, capabilities, handshakes and connections for tests of the session and rpc layers; nothing here is a mock.
import {
  type Capability,
  keyHash,
  MemoryRevocationSet,
  mint,
  ServiceKey,
} from '../../src/capability/index.js'
import { generateKeyPair, type KeyPair } from '../../src/crypto/index.js'
import { Admission, SeenEphemerals } from '../../src/session/admission.js'
import { ClientHandshake } from '../../src/session/client-handshake.js'
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
  readonly identity: ServiceIdentity = {
    keyPair: this.key.keyPair,
    keyHash: keyHash(this.key.publicKey),
    mac1Key: mac1Key(this.key.publicKey),
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

export type Pattern = 'NK' | 'IK'
export const BOTH: readonly Pattern[] = ['NK', 'IK']

export function clientKeyFor(pattern: Pattern): KeyPair | undefined {
  return pattern === 'IK' ? generateKeyPair() : undefined
}

/** A handshake up to the hello. */
export function clientOf(capability: Capability, keyPair?: KeyPair): ClientHandshake {
  return new ClientHandshake({ capability, keyPair, limits: DEFAULT_LIMITS })
}

/** The two sessions of one real handshake. */
export function openSessions(
  pattern: Pattern = 'NK',
  shop = new Shop(),
): { client: Session; service: Session } {
  const client = clientOf(shop.capability(), clientKeyFor(pattern))
  const server = new ServerHandshake([shop.identity], new SeenEphemerals())
  const question = server.receive(client.hello)
  const verdict = question && shop.verifier(question)
  const answered = verdict && server.answer(verdict.answer)
  if (answered?.session === undefined) throw new Error('the handshake was refused')
  return { client: client.receive(answered.message).session, service: answered.session }
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
    pattern?: Pattern
    pipes?: { client: Pipe; server: Pipe }
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
  const { connection, limits } = await initiateSession(
    pipes.client,
    { capability: shop.capability(), keyPair: clientKeyFor(pattern), limits: DEFAULT_LIMITS },
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
