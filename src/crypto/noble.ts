// The provider that runs everywhere, browsers included, and the reference that the others are tested against: pure
// JavaScript by @noble/curves, @noble/ciphers and @noble/hashes. Has every primitive in Node, elsewhere those of noisecap's
// own suite unless all are asked for. Needs no host beyond `crypto.getRandomValues`. Its big integers are not constant-time
// (SECURITY.md). Leaves out how the libraries are loaded.
import { type NobleLibraries, nobleLibraries } from '#noble'
import { nobleLibraries as everyNobleLibrary } from '#noble-every'
import { wipe } from '../bytes.js'
import { NoisecapError } from '../errors.js'
import {
  aeadFunction,
  type BareAead,
  type BareDh,
  type BareHash,
  dhFunction,
  hashFunction,
  type ProviderLoad,
  randomFunction,
} from './contract.js'
import { reasonIn } from './host.js'
import type { CryptoProvider, DhName, HashName } from './provider.js'

/** What Web Cryptography gives in one call, bytes (Web Cryptography API §10.1.1). */
const RANDOM_QUOTA_BYTES = 65_536

const randomBytes = randomFunction((out) => {
  if (typeof globalThis.crypto?.getRandomValues !== 'function') {
    throw new NoisecapError('crypto/unavailable', 'Cannot draw random bytes: no crypto.getRandomValues here')
  }
  for (let offset = 0; offset < out.length; offset += RANDOM_QUOTA_BYTES) {
    globalThis.crypto.getRandomValues(out.subarray(offset, offset + RANDOM_QUOTA_BYTES))
  }
})

type NobleDh = Required<NobleLibraries>['x25519' | 'x448']

function bareDh(curve: NobleDh): BareDh {
  return {
    publicKeyOf: (secretKey) => curve.getPublicKey(secretKey),
    dh(secretKey, publicKey) {
      // Lengths are checked by contract.ts, so a low-order point is the one thing left that noble can refuse.
      try {
        return curve.getSharedSecret(secretKey, publicKey)
      } catch {
        return undefined
      }
    },
  }
}

type NobleHash = Required<NobleLibraries>['sha256' | 'sha512' | 'blake2s' | 'blake2b']

function bareHash(hmac: NobleLibraries['hmac'], algorithm: NobleHash): BareHash {
  return {
    hash(parts) {
      const state = algorithm.create()
      for (const part of parts) state.update(part)
      return state.digest()
    },
    hmac(key, parts) {
      const state = hmac.create(algorithm, key)
      for (const part of parts) state.update(part)
      return state.digest()
    },
  }
}

function chachaPolyOf({ chacha20poly1305 }: NobleLibraries): BareAead<Uint8Array> {
  return {
    importKey: (bytes) => Uint8Array.from(bytes),
    encrypt(key, nonce, ad, plaintext, out) {
      chacha20poly1305(key, nonce, ad).encrypt(plaintext, out)
    },
    decrypt(key, nonce, ad, ciphertext, out) {
      try {
        chacha20poly1305(key, nonce, ad).decrypt(ciphertext, out)
        return true
      } catch {
        return false
      }
    },
    wipe,
  }
}

/** Load the libraries. */
export function loadNoble(): ProviderLoad {
  try {
    return { provider: providerOf(nobleLibraries()) }
  } catch (error) {
    return { failure: reasonIn(error) }
  }
}

/** Load every primitive, also where {@link loadNoble} gives those of one suite alone. */
export function loadNobleEvery(): ProviderLoad {
  try {
    return { provider: providerOf(everyNobleLibrary()) }
  } catch (error) {
    return { failure: reasonIn(error) }
  }
}

/** The primitives that `libraries` has, in JavaScript. */
function providerOf(libraries: NobleLibraries): CryptoProvider {
  const { x25519, x448, aesGcm, hmac, sha256, sha512, blake2s, blake2b } = libraries
  const dh = (name: DhName, curve: NobleDh | undefined) =>
    curve && dhFunction(name, 'noble', bareDh(curve), randomBytes)
  const hash = (name: HashName, algorithm: NobleHash | undefined) =>
    algorithm && hashFunction(name, 'noble', bareHash(hmac, algorithm))
  const dhs = { '25519': dh('25519', x25519), '448': dh('448', x448) }
  const aeads = {
    ChaChaPoly: aeadFunction('ChaChaPoly', 'noble', chachaPolyOf(libraries)),
    AESGCM: aesGcm && aeadFunction('AESGCM', 'noble', aesGcm),
  }
  const hashes = {
    SHA256: hash('SHA256', sha256),
    SHA512: hash('SHA512', sha512),
    BLAKE2s: hash('BLAKE2s', blake2s),
    BLAKE2b: hash('BLAKE2b', blake2b),
  }
  return {
    name: 'noble',
    dh: (name) => dhs[name],
    aead: (name) => aeads[name],
    hash: (name) => hashes[name],
    randomBytes,
  }
}
