// DHs of one handshake computed ahead of its steps, by an X25519 that answers later, and then handed to the synchronous engine
// as if they had been computed on the spot. Whatever was not computed, or was refused, the engine computes by its usual
// provider, which alone judges points of low order: nothing depends on a step ahead having worked.
// Leaves out which DHs a pattern needs (src/session/client-dhs.ts).
import { equalConstantTime, wipe } from '../bytes.js'
import { redact } from '../redact.js'
import { dhFunction } from './contract.js'
import type { PublicKey, SecretKey } from './keys.js'
import type { DhFunction } from './provider.js'
import { type HeldX25519Key, type LaterX25519, X25519_BASE_POINT } from './web-x25519.js'

/** One result that waits for the engine to ask for it. */
interface Result {
  readonly secretKey: SecretKey
  readonly publicKey: PublicKey
  readonly shared: Uint8Array
}

/** The DHs of one handshake; `using` wipes those that nobody asked for. */
export class DhAhead implements Disposable {
  /** X25519 for the handshake: gives each result that was computed ahead once, and computes the others. */
  readonly function: DhFunction
  readonly #later: LaterX25519
  readonly #usual: DhFunction
  readonly #held = new Map<SecretKey, Promise<HeldX25519Key | undefined>>()
  readonly #results: Result[] = []
  #ephemeral: SecretKey | undefined
  #disposed = false

  /** @param usual - X25519 of this process, for what was not computed ahead. */
  constructor(later: LaterX25519, usual: DhFunction) {
    this.#later = later
    this.#usual = usual
    const bare = {
      publicKeyOf: (secretKey: SecretKey) =>
        this.#take(secretKey, X25519_BASE_POINT) ?? usual.publicKeyOf(secretKey),
      dh: (secretKey: SecretKey, publicKey: PublicKey) =>
        this.#take(secretKey, publicKey) ?? usual.dh(secretKey, publicKey),
    }
    const checked = dhFunction('25519', 'webcrypto', bare, () => usual.generateSecretKey())
    this.function = { ...checked, generateSecretKey: () => this.#takeEphemeral() }
  }

  /** Make the secret key that `function.generateSecretKey` gives next, and its public key.
   * @returns the secret key, which is the engine's to wipe. */
  makeEphemeral(): SecretKey {
    this.#ephemeral ??= this.#usual.generateSecretKey()
    return this.#ephemeral
  }

  /** Compute one DH ahead. Never rejects: what fails here is left to the engine.
   * @param secretKey - the very array that the engine will use; borrowed.
   * @param publicKey - borrowed; default: the base point, for the public key of `secretKey`. */
  async compute(secretKey: SecretKey, publicKey = X25519_BASE_POINT): Promise<void> {
    let held = this.#held.get(secretKey)
    if (held === undefined) {
      held = this.#later.hold(secretKey)
      this.#held.set(secretKey, held)
    }
    const shared = await held.then((key) => key?.dh(publicKey)).catch(() => undefined)
    if (shared === undefined) return
    if (this.#disposed) wipe(shared)
    else this.#results.push({ secretKey, publicKey, shared })
  }

  /** Forget everything, and wipe an ephemeral key that the engine never took; other secret keys are their owner's. */
  [Symbol.dispose](): void {
    this.#disposed = true
    for (const { shared } of this.#results) wipe(shared)
    this.#results.length = 0
    this.#held.clear()
    if (this.#ephemeral !== undefined) wipe(this.#ephemeral)
    this.#ephemeral = undefined
  }

  #takeEphemeral(): SecretKey {
    const secretKey = this.makeEphemeral()
    this.#ephemeral = undefined
    return secretKey
  }

  #take(secretKey: SecretKey, publicKey: PublicKey): Uint8Array | undefined {
    const index = this.#results.findIndex(
      (result) => result.secretKey === secretKey && equalConstantTime(result.publicKey, publicKey),
    )
    return index < 0 ? undefined : this.#results.splice(index, 1)[0]?.shared
  }
}

redact(DhAhead, () => 'DhAhead [redacted]')
