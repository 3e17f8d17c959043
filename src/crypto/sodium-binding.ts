// Finds sodium-native, an optional dependency without types. Of the one version whose machine code is known here, that code
// is loaded itself: what the package puts around it, 110 KB of argument checks and a search for the right file, takes ten
// times as long to load, and contract.ts checks the arguments anyway. Any other version is taken as the package gives it.
// Leaves out what is made of it (sodium.ts).

/** The part of sodium-native that is used here. */
export interface Binding {
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

/** The version of which {@link MachineCode} is true, that of package.json: an update has to compare its binding.cc. */
export const KNOWN_VERSION = '5.1.0'

/** The functions of the binary itself (binding.cc). They check no types, and lengths not in every build. */
interface MachineCode {
  randombytes_buf(buffer: ArrayBufferLike, offset: number, length: number): void
  crypto_scalarmult(q: Uint8Array, n: Uint8Array, p: Uint8Array): number
  crypto_scalarmult_base(q: Uint8Array, n: Uint8Array): number
  crypto_aead_chacha20poly1305_ietf_encrypt(
    c: Uint8Array,
    m: Uint8Array,
    ad: Uint8Array | undefined,
    npub: Uint8Array,
    k: Uint8Array,
  ): number
  crypto_aead_chacha20poly1305_ietf_decrypt(
    m: Uint8Array,
    c: Uint8Array,
    ad: Uint8Array | undefined,
    npub: Uint8Array,
    k: Uint8Array,
  ): number
  crypto_hash_sha256(out: Uint8Array, input: Uint8Array): number
  crypto_hash_sha512(out: Uint8Array, input: Uint8Array): number
  crypto_generichash(
    ...buffers: [
      ...out: [buffer: ArrayBufferLike, offset: number, length: number],
      ...input: [buffer: ArrayBufferLike, offset: number, length: number],
      ...key: [buffer: ArrayBufferLike, offset: number, length: number],
    ]
  ): number
}

/** Load sodium-native, whole or its machine code alone.
 * @param load - the `require` of a module beside which it is installed.
 * @returns what it is not known to be until it is looked at.
 * @throws what `load` throws when there is none, or none for this machine. */
export function loadBinding(load: NodeJS.Require, { platform, arch }: Partial<NodeJS.Process>): unknown {
  try {
    const { version } = load('sodium-native/package.json') as { readonly version?: unknown } // it is a JSON object
    const isMusl = platform === 'linux' && load('node:fs').existsSync('/etc/alpine-release')
    if (version === KNOWN_VERSION && !isMusl) {
      const path = `sodium-native/prebuilds/${platform}-${arch}/sodium-native.node`
      return bindingOf(load(path) as MachineCode) // the version says so
    }
  } catch {
    // The package knows better where else to look, and why it cannot be loaded.
  }
  return load('sodium-native')
}

/** No key, for a hash. */
const NO_KEY = new ArrayBuffer(0)

function bindingOf(code: MachineCode): Binding {
  return {
    randombytes_buf: (out) => code.randombytes_buf(out.buffer, out.byteOffset, out.byteLength),
    crypto_scalarmult: (q, n, p) => check(code.crypto_scalarmult(q, n, p)),
    crypto_scalarmult_base: (q, n) => check(code.crypto_scalarmult_base(q, n)),
    crypto_aead_chacha20poly1305_ietf_encrypt: (c, m, ad, _, npub, k) => {
      const written = code.crypto_aead_chacha20poly1305_ietf_encrypt(c, m, ad ?? undefined, npub, k)
      if (written !== c.length) check(-1)
      return written
    },
    crypto_aead_chacha20poly1305_ietf_decrypt: (m, _, c, ad, npub, k) =>
      code.crypto_aead_chacha20poly1305_ietf_decrypt(m, c, ad ?? undefined, npub, k),
    crypto_hash_sha256: (out, input) => check(code.crypto_hash_sha256(out, input)),
    crypto_hash_sha512: (out, input) => check(code.crypto_hash_sha512(out, input)),
    crypto_generichash(out, input) {
      const { buffer, byteOffset, byteLength } = input
      check(
        code.crypto_generichash(
          out.buffer,
          out.byteOffset,
          out.byteLength,
          buffer,
          byteOffset,
          byteLength,
          NO_KEY,
          0,
          0,
        ),
      )
    },
  }
}

function check(status: number): void {
  if (status !== 0) throw new Error(`libsodium refused with status ${status}`)
}
