// The provider that runs everywhere, browsers included, and the reference that the others are tested against: pure
// JavaScript by @noble/curves, @noble/ciphers and @noble/hashes. Has every primitive and needs no host beyond
// `crypto.getRandomValues`. Its big integers are not constant-time (SECURITY.md). Leaves out how the libraries are loaded.
import { type NobleLibraries, nobleLibraries } from '#noble'
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
import type { CryptoProvider } from './provider.js'

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

type NobleDh = NobleLibraries['x25519' | 'x448']

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

type NobleHash = NobleLibraries['sha256' | 'sha512' | 'blake2s' | 'blake2b']

function bareHash({ hmac }: NobleLibraries, algorithm: NobleHash): BareHash {
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

/** noble's GCM takes no output buffer, so its result is copied. */
function aesGcmOf({ gcm }: NobleLibraries): BareAead<Uint8Array> {
  return {
    importKey: (bytes) => Uint8Array.from(bytes),
    encrypt(key, nonce, ad, plaintext, out) {
      out.set(gcm(key, nonce, ad).encrypt(plaintext))
    },
    decrypt(key, nonce, ad, ciphertext, out) {
      try {
        const plaintext = gcm(key, nonce, ad).decrypt(ciphertext)
        out.set(plaintext)
        wipe(plaintext)
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

/** Every primitive in JavaScript. */
function providerOf(libraries: NobleLibraries): CryptoProvider {
  const { x25519, x448, sha256, sha512, blake2s, blake2b } = libraries
  const dhs = {
    '25519': dhFunction('25519', 'noble', bareDh(x25519), randomBytes),
    '448': dhFunction('448', 'noble', bareDh(x448), randomBytes),
  }
  const aeads = {
    ChaChaPoly: aeadFunction('ChaChaPoly', 'noble', chachaPolyOf(libraries)),
    AESGCM: aeadFunction('AESGCM', 'noble', aesGcmOf(libraries)),
  }
  const hashes = {
    SHA256: hashFunction('SHA256', 'noble', bareHash(libraries, sha256)),
    SHA512: hashFunction('SHA512', 'noble', bareHash(libraries, sha512)),
    BLAKE2s: hashFunction('BLAKE2s', 'noble', bareHash(libraries, blake2s)),
    BLAKE2b: hashFunction('BLAKE2b', 'noble', bareHash(libraries, blake2b)),
  }
  return {
    name: 'noble',
    dh: (name) => dhs[name],
    aead: (name) => aeads[name],
    hash: (name) => hashes[name],
    randomBytes,
  }
}
