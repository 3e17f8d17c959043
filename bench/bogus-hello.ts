// Hellos that lead nowhere, and the CPU of one in the service's state machine, without socket and event loop. Checks that each meets
// silence. Part of `npm run bench:flood`.
import { concat } from '../src/bytes.js'
import { Capability, keyHash, MemoryRevocationSet, mint, ServiceKey } from '../src/capability/index.js'
import { generateKeyPair } from '../src/crypto/index.js'
import { SeenEphemerals } from '../src/session/admission.js'
import { ClientHandshake } from '../src/session/client-handshake.js'
import { u16 } from '../src/session/hello.js'
import { DEFAULT_LIMITS, mac1Key, type ServiceIdentity, verifyHello } from '../src/session/index.js'
import { ServerHandshake } from '../src/session/server-handshake.js'

const ROUNDS = 21
const HELLOS = 500

export const REPLAYED = 'replayed hello'

/** What strangers send to the service of a capability; the replayed one is genuine until it was sent once. */
export function bogusHellos(text: string): Map<string, Uint8Array> {
  const capability = Capability.parse(text)
  const helloOf = (of: Capability): Uint8Array => {
    const options = {
      capability: of,
      pattern: 'NK',
      limits: DEFAULT_LIMITS,
      nowSeconds: Date.now() / 1_000,
    } as const
    const { hello } = new ClientHandshake(options)
    return concat(u16(hello.length), hello)
  }
  const genuine = helloOf(capability)
  const wrong = Uint8Array.from(genuine)
  wrong[40]! ^= 1
  return new Map([
    ['connect and hang up', new Uint8Array(0)],
    ['one byte, then hang up', Uint8Array.of(1)],
    ['wrong mac1', wrong],
    ['valid mac1, no capability', helloOf(Capability.fromPair(capability.publicKey, new Uint8Array(32)))],
    [REPLAYED, genuine],
  ])
}

/** Median µs of each kind. */
export function costOfBogusHellos(): Map<string, number> {
  const key = ServiceKey.generate()
  const identityOf = (of: ServiceKey): ServiceIdentity => ({
    keyPair: of.keyPair,
    keyHash: keyHash(of.publicKey),
    mac1Key: mac1Key(of.publicKey),
  })
  const identity = identityOf(key)
  const port16 = [...Array.from({ length: 15 }, () => identityOf(ServiceKey.generate())), identity]
  const nowSeconds = Date.now() / 1_000
  const helloOf = (capability: Capability, pattern: 'NK' | 'IK'): Uint8Array => {
    const keyPair = pattern === 'IK' ? generateKeyPair() : undefined
    return new ClientHandshake({ capability, pattern, keyPair, limits: DEFAULT_LIMITS, nowSeconds }).hello
  }
  const wrong = helloOf(mint(key, { object: 'x' }), 'NK')
  wrong[40]! ^= 1
  const unknown = Capability.fromPair(key.publicKey, new Uint8Array(32))
  const authority = key.authority()
  const revocations = new MemoryRevocationSet()
  const seen = new SeenEphemerals()

  const greet = (hello: Uint8Array, services: readonly ServiceIdentity[]): boolean => {
    const question = new ServerHandshake(services, seen).receive(hello, { nowSeconds })
    const verdict =
      question && verifyHello(question, { authority, revocations, limits: DEFAULT_LIMITS, nowSeconds })
    return verdict === undefined
  }
  const time = (hello: Uint8Array, services: readonly ServiceIdentity[]): number => {
    const rounds: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const began = process.cpuUsage() // not the clock: other processes may be busy
      for (let i = 0; i < HELLOS; i++) if (!greet(hello, services)) throw new Error('expected silence')
      const { user, system } = process.cpuUsage(began)
      rounds.push((user + system) / HELLOS)
    }
    return rounds.sort((a, b) => a - b)[ROUNDS >> 1] ?? Number.NaN
  }
  return new Map([
    ['wrong mac1, one service on the port', time(wrong, [identity])],
    ['wrong mac1, 16 services on the port', time(wrong, port16)],
    ['valid mac1, no capability, NK', time(helloOf(unknown, 'NK'), [identity])],
    ['valid mac1, no capability, IK', time(helloOf(unknown, 'IK'), [identity])],
  ])
}
