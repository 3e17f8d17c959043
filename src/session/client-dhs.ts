// Which DHs a client's handshake needs before each of its messages, computed ahead where the host has an X25519 that answers
// later (src/crypto/dh-ahead.ts): a page then spends no time of its own on them. Leaves out the handshake, which runs the same
// without it.
import type { PatternName } from '../capability/index.js'
import {
  asPublicKey,
  DhAhead,
  type DhFunction,
  type KeyPair,
  type LaterX25519,
  type PublicKey,
  primitives,
  type SecretKey,
} from '../crypto/index.js'
import { KEY_BYTES } from './wire.js'

/** What the DHs of a hello follow from. */
export interface ClientKeys {
  readonly pattern: PatternName
  /** The service's static key. */
  readonly service: PublicKey
  readonly keyPair?: KeyPair | undefined
}

/** The DHs of one client's handshake, a step ahead of it. */
export class ClientDhs implements Disposable {
  readonly #ahead: DhAhead
  readonly #ephemeral: SecretKey
  readonly #keyPair: KeyPair | undefined

  private constructor(ahead: DhAhead, keyPair: KeyPair | undefined) {
    this.#ahead = ahead
    this.#ephemeral = ahead.makeEphemeral()
    this.#keyPair = keyPair
  }

  /** Compute what the hello needs: e and es, for IK and KK ss too. */
  static async begin(later: LaterX25519, { pattern, service, keyPair }: ClientKeys): Promise<ClientDhs> {
    const ahead = new DhAhead(later, primitives().dh('25519'))
    const dhs = new ClientDhs(ahead, keyPair)
    await Promise.all([
      ahead.compute(dhs.#ephemeral),
      ahead.compute(dhs.#ephemeral, service),
      ...(keyPair === undefined || pattern === 'XK' ? [] : [ahead.compute(keyPair.secretKey, service)]),
    ])
    return dhs
  }

  /** X25519 for the handshake. */
  get function(): DhFunction {
    return this.#ahead.function
  }

  /** Compute what message 2, and message 3 of XK, need: ee, and se of a client with a key.
   * @param message - message 2, which begins with the service's e; borrowed.
   * @returns undefined where it is too short to be one. */
  meet(message: Uint8Array): Promise<unknown> | undefined {
    if (message.length < KEY_BYTES) return undefined
    const re = asPublicKey(message.slice(0, KEY_BYTES))
    return Promise.all([
      this.#ahead.compute(this.#ephemeral, re),
      ...(this.#keyPair === undefined ? [] : [this.#ahead.compute(this.#keyPair.secretKey, re)]),
    ])
  }

  [Symbol.dispose](): void {
    this.#ahead[Symbol.dispose]()
  }
}
