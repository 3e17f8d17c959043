// The provider over sodium-native (libsodium): X25519, ChaChaPoly, SHA-256, SHA-512, BLAKE2b and random bytes. An optional
// dependency: whatever keeps it from loading (not installed, musl, glibc before 2.33) is a reason text, never an exception.
// Leaves out X448, AESGCM and BLAKE2s, which the binding does not expose.
import { wipe } from '../bytes.js'
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
import { hashParts, hmacParts, type OneShotHash } from './gather.js'
import { hostProcess, reasonIn } from './host.js'
import type { AeadFunction, CryptoProvider, DhFunction, HashFunction, HashName } from './provider.js'

/** The part of sodium-native that is used here; it ships no types. */
interface Binding {
  randombytes_buf(out: Uint8Array): void
  crypto_scalarmult(q: Uint8Array, n: Uint8Array, p: Uint8Array): void
  crypto_scalarmult_base(q: Uint8Array, n: Uint8Array): void
  crypto_aead_chacha20poly1305_ietf_encrypt(
    c: Uint8Array,
    m: Uint8Array,
    ad: Uint8Array | null,
    nsec: null,
    npub: Uint8Array,
    k: Uint8Array,
  ): number
  crypto_aead_chacha20poly1305_ietf_decrypt(
    m: Uint8Array,
    nsec: null,
    c: Uint8Array,
    ad: Uint8Array | null,
    npub: Uint8Array,
    k: Uint8Array,
  ): number
  crypto_hash_sha256(out: Uint8Array, input: Uint8Array): void
  crypto_hash_sha512(out: Uint8Array, input: Uint8Array): void
  crypto_generichash(out: Uint8Array, input: Uint8Array): void
}

/** Load sodium-native from beside this module. */
export function loadSodium(): ProviderLoad {
  try {
    const nodeModule = hostProcess()?.getBuiltinModule?.('node:module')
    if (nodeModule === undefined) return { failure: 'this host loads no native modules' }
    // Called by another name than `require`, so that no bundler takes the optional dependency for a needed one.
    const load = nodeModule.createRequire(import.meta.url)
    return providerOf(load('sodium-native'))
  } catch (error) {
    return { failure: reasonIn(error) }
  }
}

function providerOf(loaded: unknown): ProviderLoad {
  if (typeof loaded !== 'object' || loaded === null) return { failure: 'sodium-native exports no object' }
  const binding: Partial<Binding> = loaded
  if (!offers(binding, 'randombytes_buf')) return { failure: 'sodium-native has no randombytes_buf' }
  const randomBytes = randomFunction((out) => binding.randombytes_buf(out))
  const dh25519 = x25519Of(binding, randomBytes)
  const chachaPoly = chachaPolyOf(binding)
  const hashes = hashesOf(binding)
  const provider: CryptoProvider = {
    name: 'sodium',
    dh: (name) => (name === '25519' ? dh25519 : undefined),
    aead: (name) => (name === 'ChaChaPoly' ? chachaPoly : undefined),
    hash: (name) => hashes[name],
    randomBytes,
  }
  return { provider }
}

/** Whether all of `names` are functions of the binding: an older or stripped one may lack some. */
function offers<Name extends keyof Binding>(
  binding: Partial<Binding>,
  ...names: readonly Name[]
): binding is Partial<Binding> & Pick<Binding, Name> {
  return names.every((name) => typeof binding[name] === 'function')
}

function x25519Of(
  binding: Partial<Binding>,
  randomBytes: (length: number) => Uint8Array,
): DhFunction | undefined {
  if (!offers(binding, 'crypto_scalarmult', 'crypto_scalarmult_base')) return undefined
  const take = resultBuffer(DH_BYTES['25519'])
  const bare: BareDh = {
    publicKeyOf: (secretKey) => take((q) => binding.crypto_scalarmult_base(q, secretKey)),
    dh(secretKey, publicKey) {
      // Lengths are checked by contract.ts, so a low-order point is the one thing left that libsodium can refuse.
      try {
        return take((q) => binding.crypto_scalarmult(q, secretKey, publicKey))
      } catch {
        return undefined
      }
    },
  }
  return dhFunction('25519', 'sodium', bare, randomBytes)
}

function chachaPolyOf(binding: Partial<Binding>): AeadFunction | undefined {
  if (
    !offers(binding, 'crypto_aead_chacha20poly1305_ietf_encrypt', 'crypto_aead_chacha20poly1305_ietf_decrypt')
  ) {
    return undefined
  }
  const bare: BareAead<Uint8Array> = {
    importKey: (bytes) => Uint8Array.from(bytes),
    encrypt(key, nonce, ad, plaintext, out) {
      const optionalAd = ad.length === 0 ? null : ad
      binding.crypto_aead_chacha20poly1305_ietf_encrypt(out, plaintext, optionalAd, null, nonce, key)
    },
    decrypt(key, nonce, ad, ciphertext, out) {
      const optionalAd = ad.length === 0 ? null : ad
      try {
        const written = binding.crypto_aead_chacha20poly1305_ietf_decrypt(
          out,
          null,
          ciphertext,
          optionalAd,
          nonce,
          key,
        )
        return written === out.length
      } catch {
        return false
      }
    },
    wipe,
  }
  return aeadFunction('ChaChaPoly', 'sodium', bare)
}

function hashesOf(binding: Partial<Binding>): Partial<Record<HashName, HashFunction>> {
  const hashes: Partial<Record<HashName, HashFunction>> = {}
  const add = (name: HashName, compute: (out: Uint8Array, input: Uint8Array) => void): void => {
    const { length, blockLength } = HASH_BYTES[name]
    const take = resultBuffer(length)
    const oneShot: OneShotHash = (input) => take((out) => compute(out, input))
    const bare: BareHash = {
      hash: (parts) => hashParts(oneShot, parts),
      hmac: (key, parts) => hmacParts(oneShot, blockLength, key, parts),
    }
    hashes[name] = hashFunction(name, 'sodium', bare)
  }
  if (offers(binding, 'crypto_hash_sha256')) add('SHA256', binding.crypto_hash_sha256)
  if (offers(binding, 'crypto_hash_sha512')) add('SHA512', binding.crypto_hash_sha512)
  if (offers(binding, 'crypto_generichash'))
    add('BLAKE2b', (out, input) => binding.crypto_generichash(out, input))
  return hashes
}

/** Runs `compute` on one lasting buffer and returns a copy: handing native code a new short array costs more than the
 * copy, because V8 must first move the array out of its heap. */
function resultBuffer(length: number): (compute: (out: Uint8Array) => void) => Uint8Array {
  const buffer = new Uint8Array(new ArrayBuffer(length))
  return (compute) => {
    compute(buffer)
    const result = new Uint8Array(length)
    result.set(buffer)
    buffer.fill(0)
    return result
  }
}
