// The provider over sodium-native (libsodium): X25519, ChaChaPoly, SHA-256, SHA-512, BLAKE2b and random bytes. An optional
// dependency: whatever keeps it from loading (not installed, musl, glibc before 2.33) is a reason text, never an exception.
// Leaves out finding it (sodium-binding.ts), and X448, AESGCM and BLAKE2s, which the binding does not expose.
import { wipe } from '../bytes.js'
import { filled, lastingArray, lastingViews, SHORT_MAX_BYTES } from '../lasting.js'
import {
  aeadFunction,
  type BareAead,
  type BareDh,
  DH_BYTES,
  dhFunction,
  HASH_BYTES,
  hashFunction,
  type ProviderLoad,
  randomFunction,
} from './contract.js'
import { gatheredHash, type OneShotHash } from './gather.js'
import { hostProcess, reasonIn } from './host.js'
import {
  AEAD_KEY_BYTES,
  AEAD_TAG_BYTES,
  type AeadFunction,
  type CryptoProvider,
  type DhFunction,
  type HashFunction,
  type HashName,
} from './provider.js'
import { type Binding, loadBinding } from './sodium-binding.js'

/** From this length on a message of ChaChaPoly that is sealed or opened into new memory goes to OpenSSL where that is there: a call
 * of it costs 8 µs more, a byte a third less. Opening 16, 32 and 64 KiB takes sodium 21, 36 and 62 µs and OpenSSL 20, 30 and 42 (Node
 * 20, x64 with AVX-512); sealing 64 KiB takes 88 and 62, the copy out of OpenSSL's own memory included. Nothing else does: Node's OpenSSL answers in new memory each time, and where the caller has brought some,
 * collecting that garbage costs more than is saved. */
const LONG_MESSAGE_BYTES = 32_768

/** From this length on SHA-256 goes to OpenSSL where that is there: it uses the processor's own instructions, and a call of it costs
 * 1 µs more. 256, 512, 1,200 and 4,096 bytes take sodium 2.2, 3.5, 5.7 and 25 µs and OpenSSL 1.9, 2.2, 3.0 and 5.6 (Node 20, x64
 * with SHA-NI). */
const LONG_HASH_BYTES = 512

/** What another library does better with what is long, each asked for once, at the first use; undefined where it is not there. */
export interface LongInputs {
  readonly chachaPoly: () => BareAead<Uint8Array> | undefined
  readonly sha256: () => OneShotHash | undefined
}
const NONE: LongInputs = { chachaPoly: () => undefined, sha256: () => undefined }

/** Load sodium-native from beside this module.
 * @param long - left out, sodium does all. */
export function loadSodium(long: LongInputs = NONE): ProviderLoad {
  try {
    const host = hostProcess()
    const nodeModule = host?.getBuiltinModule?.('node:module')
    if (host === undefined || nodeModule === undefined)
      return { failure: 'this host loads no native modules' }
    // Called by another name than `require`, so that no bundler takes the optional dependency for a needed one.
    return providerOf(loadBinding(nodeModule.createRequire(import.meta.url), host), long)
  } catch (error) {
    return { failure: reasonIn(error) }
  }
}

function providerOf(loaded: unknown, long: LongInputs): ProviderLoad {
  if (typeof loaded !== 'object' || loaded === null) return { failure: 'sodium-native exports no object' }
  const binding: Partial<Binding> = loaded
  if (!offers(binding, 'randombytes_buf')) return { failure: 'sodium-native has no randombytes_buf' }
  const shortRandom = lastingViews(SHORT_MAX_BYTES)
  const randomBytes = randomFunction((out) => {
    if (out.length > SHORT_MAX_BYTES) return binding.randombytes_buf(out)
    const short = shortRandom(out.length)
    binding.randombytes_buf(short)
    out.set(short)
    short.fill(0)
  })
  const dh25519 = x25519Of(binding, randomBytes)
  const chachaPoly = chachaPolyOf(binding, once(long.chachaPoly))
  const hashes = hashesOf(binding, once(long.sha256))
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
  const secret = lastingArray(DH_BYTES['25519'])
  const point = lastingArray(DH_BYTES['25519'])
  const result = lastingArray(DH_BYTES['25519'])
  const bare: BareDh = {
    publicKeyOf(secretKey) {
      secret.set(secretKey)
      try {
        binding.crypto_scalarmult_base(result, secret)
        return new Uint8Array(result)
      } finally {
        secret.fill(0)
      }
    },
    dh(secretKey, publicKey) {
      secret.set(secretKey)
      point.set(publicKey)
      // Lengths are checked by contract.ts, so a low-order point is the one thing left that libsodium can refuse.
      try {
        binding.crypto_scalarmult(result, secret, point)
        return new Uint8Array(result)
      } catch {
        return undefined
      } finally {
        secret.fill(0)
        result.fill(0)
      }
    },
  }
  return dhFunction('25519', 'sodium', bare, randomBytes)
}

/** A key that is used once, as those of a handshake are, goes through a lasting array; one that is used again is handed over
 * itself from then on. */
interface SodiumKey {
  readonly bytes: Uint8Array
  used: boolean
}

function chachaPolyOf(
  binding: Partial<Binding>,
  longCipher: LongInputs['chachaPoly'],
): AeadFunction | undefined {
  if (
    !offers(binding, 'crypto_aead_chacha20poly1305_ietf_encrypt', 'crypto_aead_chacha20poly1305_ietf_decrypt')
  ) {
    return undefined
  }
  const firstKey = lastingArray(AEAD_KEY_BYTES)
  const keyOf = (key: SodiumKey): Uint8Array => {
    if (key.used) return key.bytes
    key.used = true
    return filled(firstKey, key.bytes)
  }
  const bare: BareAead<SodiumKey> = {
    importKey: (bytes) => ({ bytes: new Uint8Array(bytes), used: false }),
    encrypt(key, nonce, ad, plaintext, out) {
      const bytes = keyOf(key)
      const optionalAd = ad.length === 0 ? null : ad
      try {
        binding.crypto_aead_chacha20poly1305_ietf_encrypt(out, plaintext, optionalAd, null, nonce, bytes)
      } finally {
        if (bytes === firstKey) firstKey.fill(0)
      }
    },
    encryptNew(key, nonce, ad, plaintext, out) {
      const other = plaintext.length < LONG_MESSAGE_BYTES ? undefined : longCipher()
      if (other === undefined) bare.encrypt(key, nonce, ad, plaintext, out)
      else other.encrypt(key.bytes, nonce, ad, plaintext, out)
    },
    decrypt(key, nonce, ad, ciphertext, out) {
      const bytes = keyOf(key)
      const optionalAd = ad.length === 0 ? null : ad
      try {
        const written = binding.crypto_aead_chacha20poly1305_ietf_decrypt(
          out,
          null,
          ciphertext,
          optionalAd,
          nonce,
          bytes,
        )
        return written === out.length
      } catch {
        return false
      } finally {
        if (bytes === firstKey) firstKey.fill(0)
      }
    },
    decryptNew(key, nonce, ad, ciphertext) {
      const other = ciphertext.length - AEAD_TAG_BYTES < LONG_MESSAGE_BYTES ? undefined : longCipher()
      if (other?.decryptNew !== undefined) return other.decryptNew(key.bytes, nonce, ad, ciphertext)
      const plaintext = new Uint8Array(ciphertext.length - AEAD_TAG_BYTES)
      return bare.decrypt(key, nonce, ad, ciphertext, plaintext) ? plaintext : undefined
    },
    wipe: (key) => wipe(key.bytes),
  }
  return aeadFunction('ChaChaPoly', 'sodium', bare)
}

/** `ask`, once: the outcome is kept, a lack as well. */
function once<T>(ask: () => T): () => T {
  let answer: { readonly value: T } | undefined
  return () => {
    answer ??= { value: ask() }
    return answer.value
  }
}

function hashesOf(
  binding: Partial<Binding>,
  longSha256: LongInputs['sha256'],
): Partial<Record<HashName, HashFunction>> {
  const hashes: Partial<Record<HashName, HashFunction>> = {}
  const add = (name: HashName, compute: OneShotHash): void => {
    hashes[name] = hashFunction(name, 'sodium', gatheredHash(compute, HASH_BYTES[name]))
  }
  if (offers(binding, 'crypto_hash_sha256')) {
    add('SHA256', (out, input) => {
      const other = input.length < LONG_HASH_BYTES ? undefined : longSha256()
      if (other === undefined) binding.crypto_hash_sha256(out, input)
      else other(out, input)
    })
  }
  if (offers(binding, 'crypto_hash_sha512')) add('SHA512', binding.crypto_hash_sha512)
  if (offers(binding, 'crypto_generichash')) add('BLAKE2b', binding.crypto_generichash)
  return hashes
}
