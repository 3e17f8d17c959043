// Chooses the provider of each primitive at first use: by the measured order among what this host has, or the one
// that NOISECAP_CRYPTO names; a forced provider is never replaced. Works where `process` does not exist.
// Leaves out what it tells of its choice (report.ts), that order (preference.ts), loading (sodium.ts, node.ts) and the primitives.
import { forcedProvider, loadNode, loadSodium, loadSodiumWithOpenssl, PREFERENCE } from '#native'
import { NoisecapError } from '../errors.js'
import type { ForcedProvider, ProviderLoad } from './contract.js'
import { KeyPair } from './key-pair.js'
import { loadNoble, loadNobleEvery } from './noble.js'
import type {
  AeadFunction,
  AeadName,
  CryptoProvider,
  DhFunction,
  DhName,
  HashFunction,
  HashName,
  PrimitiveName,
  ProviderName,
} from './provider.js'

/** The primitives of one process, each from one provider. */
export interface Primitives {
  /** @throws `crypto/unavailable` when a forced provider lacks it; so do `aead`, `hash` and `randomBytes`. */
  dh(name: DhName): DhFunction
  aead(name: AeadName): AeadFunction
  hash(name: HashName): HashFunction
  /** @returns `length` cryptographically secure random bytes, a new array. */
  randomBytes(length: number): Uint8Array
}

const loads = new Map<ProviderName, ProviderLoad>()

/** Load `name` once; a failure is remembered too, it does not heal while the process lives. */
function load(name: ProviderName): ProviderLoad {
  let loaded = loads.get(name)
  if (loaded === undefined) {
    loaded = name === 'noble' ? loadNoble() : name === 'node' ? loadNode() : loadSodium()
    loads.set(name, loaded)
  }
  return loaded
}

let mixedSodium: ProviderLoad | undefined

/** As {@link load}, where no provider is forced: OpenSSL helps sodium out. */
function loadFastest(name: ProviderName): ProviderLoad {
  if (name !== 'sodium') return load(name)
  mixedSodium ??= loadSodiumWithOpenssl()
  return mixedSodium
}

/** Gives a provider of this host. */
type Load = (name: ProviderName) => ProviderLoad

/** A primitive of `provider`, undefined where it lacks it. */
type Pick<T> = (provider: CryptoProvider) => T | undefined

/** Primitives, each from the first provider in its order that has it. */
export class Selection implements Primitives {
  readonly forced: ForcedProvider | undefined
  /** Gives a provider, or the reason why it is not here. */
  readonly load: Load
  readonly #dhs = new Map<DhName, DhFunction>()
  readonly #aeads = new Map<AeadName, AeadFunction>()
  readonly #hashes = new Map<HashName, HashFunction>()
  #random: CryptoProvider | undefined

  constructor(forced?: ForcedProvider, from: Load = forced === undefined ? loadFastest : load) {
    this.forced = forced
    this.load = from
  }

  dh(name: DhName): DhFunction {
    return this.#dhs.get(name) ?? this.#remember(this.#dhs, name, (provider) => provider.dh(name))
  }

  aead(name: AeadName): AeadFunction {
    return this.#aeads.get(name) ?? this.#remember(this.#aeads, name, (provider) => provider.aead(name))
  }

  hash(name: HashName): HashFunction {
    return this.#hashes.get(name) ?? this.#remember(this.#hashes, name, (provider) => provider.hash(name))
  }

  randomBytes(length: number): Uint8Array {
    this.#random ??= this.#choose('random', (provider) => provider)
    return this.#random.randomBytes(length)
  }

  /** Providers of `primitive`, the preferred one first. */
  order(primitive: PrimitiveName): readonly ProviderName[] {
    return this.forced === undefined ? PREFERENCE[primitive].order : [this.forced.name]
  }

  #remember<Name extends PrimitiveName, T>(known: Map<Name, T>, name: Name, pick: Pick<T>): T {
    const primitive = this.#choose(name, pick)
    known.set(name, primitive)
    return primitive
  }

  #choose<T>(primitive: PrimitiveName, pick: Pick<T>): T {
    const lacks: string[] = []
    for (const name of this.order(primitive)) {
      const loaded = this.load(name)
      const found = 'failure' in loaded ? undefined : pick(loaded.provider)
      if (found !== undefined) return found
      lacks.push(lackOf(loaded, name, primitive))
    }
    const by = this.forced === undefined ? '' : ` (forced by ${this.forced.by})`
    throw new NoisecapError('crypto/unavailable', `Cannot use ${primitive}: ${lacks.join('; ')}${by}`, {
      hint: 'Let each primitive come from a provider that has it: unset NOISECAP_CRYPTO, use primitives(), or everyPrimitive() in a browser',
    })
  }
}

/** Why `name`, which gave no `primitive`, did not. */
export function lackOf(loaded: ProviderLoad, name: ProviderName, primitive: PrimitiveName): string {
  return 'failure' in loaded ? `${name} is not available: ${loaded.failure}` : `${name} has no ${primitive}`
}

let ownPrimitives: Selection | undefined
const forcedPrimitives = new Map<ProviderName, Selection>()

/** The primitives of this process: chosen at first use, or all from the provider that NOISECAP_CRYPTO names.
 * @throws `crypto/unavailable` when NOISECAP_CRYPTO is set to anything but `sodium`, `node`, `noble` or nothing. */
export function primitives(): Selection {
  ownPrimitives ??= new Selection(forcedProvider())
  return ownPrimitives
}

/** The primitives of one provider and no other.
 * A primitive that it lacks throws `crypto/unavailable` when asked for. */
export function primitivesOf(name: ProviderName): Selection {
  let found = forcedPrimitives.get(name)
  if (found === undefined) {
    found = new Selection({ name, by: 'the caller' })
    forcedPrimitives.set(name, found)
  }
  return found
}

let complete: Selection | undefined

/** Every primitive of Noise on every host, from noble where nothing else has it. In Node the same as {@link primitives}
 * without NOISECAP_CRYPTO; in a browser those are 25519, ChaChaPoly, BLAKE2b and SHA256 alone, and this brings 448, AESGCM,
 * BLAKE2s and SHA512 with a third more code: `new HandshakeState({ …, primitives: everyPrimitive() })`. */
export function everyPrimitive(): Primitives {
  complete ??= new Selection(undefined, (name) => (name === 'noble' ? loadNobleEvery() : loadFastest(name)))
  return complete
}

/** A new X25519 key pair of this process's provider. */
export function generateKeyPair(): KeyPair {
  return KeyPair.generate(primitives().dh('25519'))
}
