// Hellos for the benchmark: a genuine one, and one for each way in which a hello meets silence (spec/session.md §5).
import { base32Decode, concat, EMPTY } from '../../src/bytes.js'
import {
  type Capability,
  keyHash,
  MemoryRevocationSet,
  mint,
  ServiceKey,
} from '../../src/capability/index.js'
import { HandshakeState } from '../../src/noise/index.js'
import { ClientHandshake } from '../../src/session/client-handshake.js'
import {
  encodeHello,
  encodeHelloPayload,
  helloHeader,
  mac1Key,
  prologue,
  u16,
} from '../../src/session/hello.js'
import {
  DEFAULT_LIMITS,
  type HelloQuestion,
  type ServiceIdentity,
  type Verdict,
  verifyHello,
} from '../../src/session/index.js'
import { encodeClientParameters } from '../../src/session/parameters.js'
import { PATTERNS } from '../../src/session/wire.js'

/** Ways to be met with silence. The first shows that the public key is not known, by design cheaply. */
export const SILENT_CASES = [
  'wrong mac1',
  'repeated e',
  'failed AEAD',
  'malformed payload',
  'unknown kid',
  'bad proof',
] as const
export type SilentCase = (typeof SILENT_CASES)[number]

/** One service as its handshakes see it. */
export class HelloTarget {
  readonly #key = ServiceKey.generate()
  readonly #authority = this.#key.authority()
  readonly #revocations = new MemoryRevocationSet()
  readonly identity: ServiceIdentity = {
    keyPair: this.#key.keyPair,
    keyHash: keyHash(this.#key.publicKey),
    mac1Key: mac1Key(this.#key.publicKey),
  }
  readonly capability: Capability = mint(this.#key, { object: 'notes/ada' })

  readonly verifier = (question: HelloQuestion): Verdict | undefined =>
    verifyHello(question, {
      authority: this.#authority,
      revocations: this.#revocations,
      limits: DEFAULT_LIMITS,
      nowSeconds: Date.now() / 1_000,
    })

  /** A hello that proves the capability. */
  genuine(): Uint8Array {
    return new ClientHandshake({
      capability: this.capability,
      pattern: 'NK',
      limits: DEFAULT_LIMITS,
      nowSeconds: Date.now() / 1_000,
    }).hello
  }

  /** A hello that meets silence; `repeated e` only if its own bytes were answered before. */
  silent(which: SilentCase): Uint8Array {
    const { locator } = this.capability
    switch (which) {
      case 'wrong mac1': {
        const hello = this.genuine()
        hello[hello.length - 1]! ^= 1
        return hello
      }
      case 'repeated e':
        return this.genuine()
      case 'failed AEAD': {
        const hello = this.genuine()
        hello[60]! ^= 1
        return encodeHello(hello.subarray(0, 3), hello.subarray(3, -16), this.identity.mac1Key)
      }
      case 'malformed payload':
        return this.#crafted(Uint8Array.from(this.#payload(locator), (byte) => byte ^ 0x55))
      case 'unknown kid': {
        const other = Uint8Array.from(locator) // [kid, grant, caveats]: the second byte is the kid
        if (other[0] !== 0x83 || other[1] !== 1)
          throw new Error('Cannot alter the kid: it is not where it was')
        other[1] = 9
        return this.#crafted(this.#payload(other))
      }
      case 'bad proof':
        return this.#crafted(this.#payload(locator))
    }
  }

  /** The payload that a holder would send, but for the proof, which is of no use. */
  #payload(locator: Uint8Array): Uint8Array {
    const parameters = encodeClientParameters({ limits: DEFAULT_LIMITS, holderSalts: [] })
    return encodeHelloPayload({ locator, proof: new Uint8Array(32).fill(7), parameters, early: EMPTY })
  }

  /** What anybody who knows the public key can send. */
  #crafted(payload: Uint8Array): Uint8Array {
    const header = helloHeader('NK')
    const noise = new HandshakeState({
      protocol: PATTERNS.NK.protocol,
      role: 'initiator',
      prologue: prologue(header, base32Decode(this.capability.keyHash)),
      rs: this.capability.publicKey,
      psks: [new Uint8Array(32)],
    })
    return encodeHello(header, noise.writeMessage(payload), this.identity.mac1Key)
  }
}

/** A hello as it travels on a byte pipe. */
export function framed(hello: Uint8Array): Uint8Array {
  return concat(u16(hello.length), hello)
}
