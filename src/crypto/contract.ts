// The rules of provider.ts that hold for every provider, written once: lengths, argument checks, refusal of an all-zero
// DH result, disposal of AEAD keys and zeroing of `out` after a failed open. A provider supplies the bare primitive.
// Leaves out the primitives themselves (sodium.ts, node.ts, noble.ts) and the choice among them (select.ts).
import { unwritten } from '../bytes.js'
import { NoisecapError } from '../errors.js'
import { redact } from '../redact.js'
import { asPublicKey, asSecretKey, type PublicKey, type SecretKey } from './keys.js'
import {
  AEAD_KEY_BYTES,
  AEAD_NONCE_BYTES,
  AEAD_TAG_BYTES,
  type AeadFunction,
  type AeadKey,
  type AeadName,
  type CryptoProvider,
  type DhFunction,
  type DhName,
  type HashFunction,
  type HashName,
  type ProviderName,
} from './provider.js'

/** DHLEN by name, bytes (Noise rev 34 §12.1, §12.2). */
export const DH_BYTES = { '25519': 32, '448': 56 } as const satisfies Record<DhName, number>

/** HASHLEN and BLOCKLEN by name, bytes (Noise rev 34 §12.5 to §12.8). */
export const HASH_BYTES = {
  SHA256: { length: 32, blockLength: 64 },
  SHA512: { length: 64, blockLength: 128 },
  BLAKE2s: { length: 32, blockLength: 64 },
  BLAKE2b: { length: 64, blockLength: 128 },
} as const satisfies Record<HashName, { length: number; blockLength: number }>

/** A provider that this host has, or the reason why it has not. */
export type ProviderLoad = { readonly provider: CryptoProvider } | { readonly failure: string }

/** Every provider, in the order in which they are named to users. */
export const PROVIDER_NAMES = ['sodium', 'node', 'noble'] as const satisfies readonly ProviderName[]

/** A provider that must serve every primitive. */
export interface ForcedProvider {
  readonly name: ProviderName
  /** Who asked for that. */
  readonly by: string
}

/** X25519 or X448 without any check. */
export interface BareDh {
  publicKeyOf(secretKey: Uint8Array): Uint8Array
  /** @returns undefined where the library itself refuses the point. */
  dh(secretKey: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined
}

/** A cipher without any check; `Key` is the form in which the library wants its key. */
export interface BareAead<Key> {
  /** @param bytes - 32 bytes, to be copied. */
  importKey(bytes: Uint8Array): Key
  encrypt(key: Key, nonce: Uint8Array, ad: Uint8Array, plaintext: Uint8Array, out: Uint8Array): void
  /** As encrypt, where `out` is new memory: what is quicker for long messages, and leaves garbage, is then worth it. */
  encryptNew?(key: Key, nonce: Uint8Array, ad: Uint8Array, plaintext: Uint8Array, out: Uint8Array): void
  /** @returns false when the tag does not match, whatever `out` then holds. */
  decrypt(key: Key, nonce: Uint8Array, ad: Uint8Array, ciphertext: Uint8Array, out: Uint8Array): boolean
  /** As decrypt, where the library answers in new memory. */
  decryptNew?(key: Key, nonce: Uint8Array, ad: Uint8Array, ciphertext: Uint8Array): Uint8Array | undefined
  wipe(key: Key): void
}

/** A hash and its HMAC without any check. */
export interface BareHash {
  hash(parts: readonly Uint8Array[]): Uint8Array
  hmac(key: Uint8Array, parts: readonly Uint8Array[]): Uint8Array
}

/** `bare` under the rules of {@link DhFunction}. */
export function dhFunction(
  name: DhName,
  provider: DhFunction['provider'],
  bare: BareDh,
  randomBytes: (length: number) => Uint8Array,
): DhFunction {
  const length = DH_BYTES[name]
  return {
    name,
    provider,
    length,
    generateSecretKey: () => asSecretKey(randomBytes(length), length),
    publicKeyOf: (secretKey: SecretKey) =>
      asPublicKey(bare.publicKeyOf(asSecretKey(secretKey, length)), length),
    dh(secretKey: SecretKey, publicKey: PublicKey): Uint8Array {
      const shared = bare.dh(asSecretKey(secretKey, length), asPublicKey(publicKey, length))
      if (shared === undefined || isAllZero(shared)) {
        throw new NoisecapError('crypto/bad_public_key', 'Cannot compute DH: the public key is of low order')
      }
      return shared
    },
  }
}

/** Constant time, as RFC 7748 §6.1 asks: the result is a secret until it is known to be zero. */
function isAllZero(bytes: Uint8Array): boolean {
  let bits = 0
  for (let i = 0; i < bytes.length; i++) bits |= bytes[i]!
  return bits === 0
}

/** `bare` under the rules of {@link AeadFunction}. */
export function aeadFunction<Key>(name: AeadName, provider: ProviderName, bare: BareAead<Key>): AeadFunction {
  return {
    name,
    provider,
    withKey(key: Uint8Array): AeadKey {
      checkLength(key, AEAD_KEY_BYTES, 'AEAD key')
      return new CheckedAeadKey(bare, bare.importKey(key))
    },
  }
}

class CheckedAeadKey<Key> implements AeadKey {
  readonly #bare: BareAead<Key>
  #key: Key | undefined

  constructor(bare: BareAead<Key>, key: Key) {
    this.#bare = bare
    this.#key = key
  }

  seal(nonce: Uint8Array, ad: Uint8Array, plaintext: Uint8Array, out: Uint8Array): void {
    const key = this.#live()
    checkLength(nonce, AEAD_NONCE_BYTES, 'nonce')
    checkBytes(ad, 'associated data')
    checkBytes(plaintext, 'plaintext')
    checkLength(out, plaintext.length + AEAD_TAG_BYTES, 'output')
    this.#bare.encrypt(key, nonce, ad, plaintext, out)
  }

  sealed(nonce: Uint8Array, ad: Uint8Array, plaintext: Uint8Array, headBytes: number): Uint8Array {
    const key = this.#live()
    checkLength(nonce, AEAD_NONCE_BYTES, 'nonce')
    checkBytes(ad, 'associated data')
    checkBytes(plaintext, 'plaintext')
    const bytes = unwritten(headBytes + plaintext.length + AEAD_TAG_BYTES)
    bytes.fill(0, 0, headBytes)
    const out = bytes.subarray(headBytes)
    if (this.#bare.encryptNew === undefined) this.#bare.encrypt(key, nonce, ad, plaintext, out)
    else this.#bare.encryptNew(key, nonce, ad, plaintext, out)
    return bytes
  }

  open(nonce: Uint8Array, ad: Uint8Array, ciphertext: Uint8Array, out: Uint8Array): boolean {
    const key = this.#live()
    checkLength(nonce, AEAD_NONCE_BYTES, 'nonce')
    checkBytes(ad, 'associated data')
    checkBytes(ciphertext, 'ciphertext')
    checkBytes(out, 'output')
    if (ciphertext.length < AEAD_TAG_BYTES) return false
    checkLength(out, ciphertext.length - AEAD_TAG_BYTES, 'output')
    if (this.#bare.decrypt(key, nonce, ad, ciphertext, out)) return true
    out.fill(0)
    return false
  }

  opened(nonce: Uint8Array, ad: Uint8Array, ciphertext: Uint8Array): Uint8Array | undefined {
    const key = this.#live()
    checkLength(nonce, AEAD_NONCE_BYTES, 'nonce')
    checkBytes(ad, 'associated data')
    checkBytes(ciphertext, 'ciphertext')
    if (ciphertext.length < AEAD_TAG_BYTES) return undefined
    if (this.#bare.decryptNew !== undefined) return this.#bare.decryptNew(key, nonce, ad, ciphertext)
    const out = new Uint8Array(ciphertext.length - AEAD_TAG_BYTES)
    return this.#bare.decrypt(key, nonce, ad, ciphertext, out) ? out : undefined
  }

  [Symbol.dispose](): void {
    if (this.#key !== undefined) this.#bare.wipe(this.#key)
    this.#key = undefined
  }

  #live(): Key {
    if (this.#key === undefined) throw new TypeError('Cannot use AEAD key: it has been disposed')
    return this.#key
  }
}

redact(CheckedAeadKey, () => 'AeadKey [redacted]')

/** `bare` under the rules of {@link HashFunction}. */
export function hashFunction(name: HashName, provider: ProviderName, bare: BareHash): HashFunction {
  return {
    name,
    provider,
    ...HASH_BYTES[name],
    hash(...parts: readonly Uint8Array[]): Uint8Array {
      for (const part of parts) checkBytes(part, 'hash input')
      return bare.hash(parts)
    },
    hmac(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
      checkBytes(key, 'HMAC key')
      for (const part of parts) checkBytes(part, 'HMAC input')
      return bare.hmac(key, parts)
    },
  }
}

/** `fill` under the rules of {@link CryptoProvider.randomBytes}: NaN would otherwise give an empty secret. */
export function randomFunction(fill: (out: Uint8Array) => void): (length: number) => Uint8Array {
  return (length) => {
    if (!Number.isSafeInteger(length) || length < 0) {
      throw new RangeError(`Cannot draw random bytes: expected a whole number of them, got ${length}`)
    }
    const out = new Uint8Array(length)
    fill(out)
    return out
  }
}

function checkBytes(bytes: Uint8Array, what: string): void {
  if (!(bytes instanceof Uint8Array)) throw new TypeError(`Cannot use ${what}: expected a Uint8Array`)
}

function checkLength(bytes: Uint8Array, length: number, what: string): void {
  checkBytes(bytes, what)
  if (bytes.length !== length) {
    throw new RangeError(`Cannot use ${what}: expected ${length} bytes, got ${bytes.length}`)
  }
}
