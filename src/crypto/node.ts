// The provider over node:crypto (OpenSSL): every primitive, each only if this build of Node has it (Electron and other
// OpenSSL builds lack some). Keys travel raw or as JWK, since OpenSSL's DER codecs cost more than a DH, and are cached.
// Leaves out DH by WebCrypto, which is asynchronous.
import type * as NodeCrypto from 'node:crypto'
import { equalConstantTime, wipe } from '../bytes.js'
import { leftToCollector } from '../kept-memory.js'
import {
  aeadFunction,
  type BareAead,
  type BareDh,
  type BareHash,
  DH_BYTES,
  dhFunction,
  HASH_BYTES,
  hashFunction,
  type ProviderLoad,
  randomFunction,
} from './contract.js'
import type { OneShotHash } from './gather.js'
import { hostProcess, reasonIn } from './host.js'
import {
  AEAD_KEY_BYTES,
  AEAD_NONCE_BYTES,
  AEAD_TAG_BYTES,
  type AeadName,
  type CryptoProvider,
  type DhName,
  type HashName,
} from './provider.js'

type Crypto = typeof NodeCrypto

const CURVES = { '25519': 'X25519', '448': 'X448' } as const satisfies Record<DhName, string>
const CIPHERS = { ChaChaPoly: 'chacha20-poly1305', AESGCM: 'aes-256-gcm' } as const satisfies Record<
  AeadName,
  string
>
const HASHES = {
  SHA256: 'sha256',
  SHA512: 'sha512',
  BLAKE2s: 'blake2s256',
  BLAKE2b: 'blake2b512',
} as const satisfies Record<HashName, string>

/** Get node:crypto from the host. */
export function loadNode(): ProviderLoad {
  try {
    const crypto = hostProcess()?.getBuiltinModule?.('node:crypto')
    if (crypto === undefined) return { failure: 'this host has no node:crypto' }
    return { provider: providerOf(crypto) }
  } catch (error) {
    return { failure: reasonIn(error) }
  }
}

function providerOf(crypto: Crypto): CryptoProvider {
  const randomBytes = randomFunction((out) => crypto.randomFillSync(out))
  return {
    name: 'node',
    dh: lazily((name) => {
      const bare = bareDh(crypto, name)
      const probe = new Uint8Array(DH_BYTES[name])
      return works(() => bare.publicKeyOf(probe)) ? dhFunction(name, 'node', bare, randomBytes) : undefined
    }),
    aead: lazily((name) => {
      const bare = workingAead(crypto, name)
      return bare === undefined ? undefined : aeadFunction(name, 'node', bare)
    }),
    hash: lazily((name) => {
      const bare = bareHash(crypto, name)
      return works(() => bare.hmac(new Uint8Array(1), [])) ? hashFunction(name, 'node', bare) : undefined
    }),
    randomBytes,
  }
}

/** Bare ChaChaPoly of OpenSSL, undefined where this build lacks it: sodium.ts gives it the long messages. */
export function opensslChachaPoly(): BareAead<Uint8Array> | undefined {
  const crypto = hostProcess()?.getBuiltinModule?.('node:crypto')
  return crypto === undefined ? undefined : workingAead(crypto, 'ChaChaPoly')
}

/** Bare SHA-256 of OpenSSL, undefined where it is lacking or Node (before 20.12) cannot do it in one call: likewise. */
export function opensslSha256(): OneShotHash | undefined {
  const crypto = hostProcess()?.getBuiltinModule?.('node:crypto')
  if (typeof crypto?.hash !== 'function') return undefined
  const compute: OneShotHash = (out, input) => {
    const digest = crypto.hash(HASHES.SHA256, input, 'buffer')
    out.set(digest)
    digest.fill(0)
  }
  const out = new Uint8Array(HASH_BYTES.SHA256.length)
  return works(() => compute(out, out)) ? compute : undefined
}

function workingAead(crypto: Crypto, name: AeadName): BareAead<Uint8Array> | undefined {
  const bare = bareAead(crypto, CIPHERS[name])
  const key = new Uint8Array(AEAD_KEY_BYTES)
  const nonce = new Uint8Array(AEAD_NONCE_BYTES)
  const out = new Uint8Array(AEAD_TAG_BYTES)
  return works(() => bare.encrypt(key, nonce, nonce, new Uint8Array(0), out)) ? bare : undefined
}

/** `make`, asked once a name: the outcome is kept, a lack as well. */
function lazily<Name extends string, T>(make: (name: Name) => T | undefined): (name: Name) => T | undefined {
  const made = new Map<Name, T | undefined>()
  return (name) => {
    if (!made.has(name)) made.set(name, make(name))
    return made.get(name)
  }
}

/** Whether this build has a primitive, found by using it: the lists that Node prints name what then does not work. */
function works(use: () => unknown): boolean {
  try {
    use()
    return true
  } catch {
    return false
  }
}

function bareDh(crypto: Crypto, name: DhName): BareDh {
  const curve = CURVES[name]
  const privateKeyOf = keyCache(privateKeyImport(crypto, name))
  const publicKeyObjectOf = keyCache((bytes) => {
    const key = { kty: 'OKP', crv: curve, x: toBase64url(bytes) }
    return crypto.createPublicKey({ key, format: 'jwk' })
  })
  return {
    publicKeyOf(secretKey) {
      const { x } = crypto.createPublicKey(privateKeyOf(secretKey)).export({ format: 'jwk' })
      return Uint8Array.from(Buffer.from(x ?? '', 'base64url'))
    },
    dh(secretKey, publicKey) {
      const keys = { privateKey: privateKeyOf(secretKey), publicKey: publicKeyObjectOf(publicKey) }
      try {
        return plain(crypto.diffieHellman(keys))
      } catch (error) {
        if (isDerivationFailure(error)) return undefined
        throw error
      }
    },
  }
}

/** How this Node takes a private key without its public half: raw from 24 on, as JWK before 26 (which checks `x`). */
function privateKeyImport(crypto: Crypto, name: DhName): ImportKey {
  const curve = CURVES[name]
  const raw: ImportKey = (bytes) => {
    const input = { key: bytes, format: 'raw-private', asymmetricKeyType: curve.toLowerCase() }
    // The types are those of the oldest supported Node, which does not know the format.
    return crypto.createPrivateKey(input as unknown as NodeCrypto.PrivateKeyInput)
  }
  // Node demands an `x` beside `d` here but computes the public key from `d` alone.
  const jwk: ImportKey = (bytes) =>
    crypto.createPrivateKey({ key: { kty: 'OKP', crv: curve, d: toBase64url(bytes), x: '' }, format: 'jwk' })
  return works(() => raw(new Uint8Array(DH_BYTES[name]))) ? raw : jwk
}

/** OpenSSL's answer to an all-zero result. */
function isDerivationFailure(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_OSSL_FAILED_DURING_DERIVATION'
}

type ImportKey = (bytes: Uint8Array) => NodeCrypto.KeyObject

interface CachedKey {
  readonly bytes: Uint8Array
  readonly key: NodeCrypto.KeyObject
}

/** `importKey`, remembered for as long as the array lives. The bytes are compared at each use, so that an array which was
 * altered or wiped since is imported anew. */
function keyCache(importKey: ImportKey): ImportKey {
  const cache = new WeakMap<Uint8Array, CachedKey>()
  return (bytes) => {
    const cached = cache.get(bytes)
    if (cached !== undefined && equalConstantTime(cached.bytes, bytes)) return cached.key
    const key = importKey(bytes)
    cache.set(bytes, { bytes: Uint8Array.from(bytes), key })
    if (cached !== undefined) wipe(cached.bytes)
    return key
  }
}

function toBase64url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url')
}

/** The key stays raw bytes: a KeyObject costs 3 µs to make and saves nothing per call. */
function bareAead(crypto: Crypto, cipherName: (typeof CIPHERS)[AeadName]): BareAead<Uint8Array> {
  const options = { authTagLength: AEAD_TAG_BYTES }
  // Both are AEAD modes of one API; Node's types know only GCM's overload by these methods.
  const algorithm = cipherName as NodeCrypto.CipherGCMTypes
  const decryptNew: BareAead<Uint8Array>['decryptNew'] = (key, nonce, ad, ciphertext) => {
    const length = ciphertext.length - AEAD_TAG_BYTES
    const decipher = crypto.createDecipheriv(algorithm, key, nonce, options)
    decipher.setAuthTag(ciphertext.subarray(length))
    if (ad.length > 0) decipher.setAAD(ad)
    const plaintext = length > 0 ? decipher.update(ciphertext.subarray(0, length)) : new Uint8Array(0)
    leftToCollector(length)
    try {
      decipher.final()
    } catch {
      plaintext.fill(0)
      return undefined
    }
    // Memory of this call alone, which update made; not as a Buffer.
    return new Uint8Array(plaintext.buffer, plaintext.byteOffset, length)
  }
  return {
    importKey: (bytes) => Uint8Array.from(bytes),
    encrypt(key, nonce, ad, plaintext, out) {
      const cipher = crypto.createCipheriv(algorithm, key, nonce, options)
      if (ad.length > 0) cipher.setAAD(ad)
      if (plaintext.length > 0) out.set(cipher.update(plaintext))
      cipher.final()
      out.set(cipher.getAuthTag(), plaintext.length)
    },
    decrypt(key, nonce, ad, ciphertext, out) {
      const plaintext = decryptNew(key, nonce, ad, ciphertext)
      if (plaintext !== undefined) out.set(plaintext)
      return plaintext !== undefined
    },
    decryptNew,
    wipe,
  }
}

function bareHash(crypto: Crypto, name: HashName): BareHash {
  const algorithm = HASHES[name]
  const hasOneShot = typeof crypto.hash === 'function'
  return {
    hash(parts) {
      if (hasOneShot && parts.length === 1) return plain(crypto.hash(algorithm, parts[0]!, 'buffer'))
      const state = crypto.createHash(algorithm)
      for (const part of parts) state.update(part)
      return plain(state.digest())
    },
    hmac(key, parts) {
      const state = crypto.createHmac(algorithm, key)
      for (const part of parts) state.update(part)
      return plain(state.digest())
    },
  }
}

/** A plain array of its own: a Buffer's `slice` would share memory where a Uint8Array's copies. The Buffer is wiped. */
function plain(buffer: Uint8Array): Uint8Array {
  const out = new Uint8Array(buffer.length)
  out.set(buffer)
  buffer.fill(0)
  return out
}
