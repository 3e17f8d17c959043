// Typed public and secret keys, so that swapped arguments do not compile.
// Lengths are checked here once; the curve's own rules (low-order points) are checked at each DH by the provider.
// Leaves out key pairs (key-pair.ts) and key hashes (src/capability/keys.ts).

declare const publicKeyBrand: unique symbol
declare const secretKeyBrand: unique symbol

/** Public key of X25519 (32 bytes) or X448 (56 bytes). */
export type PublicKey = Uint8Array & { readonly [publicKeyBrand]: true }
/** Secret key of X25519 (32 bytes) or X448 (56 bytes). */
export type SecretKey = Uint8Array & { readonly [secretKeyBrand]: true }

/** `bytes` as a public key, not copied.
 * @throws TypeError when it is not a Uint8Array of `length` bytes. */
export function asPublicKey(bytes: Uint8Array, length: 32 | 56 = 32): PublicKey {
  checkLength(bytes, length, 'public key')
  return bytes as PublicKey // the brand exists in types only
}

/** `bytes` as a secret key, not copied.
 * @throws TypeError when it is not a Uint8Array of `length` bytes. */
export function asSecretKey(bytes: Uint8Array, length: 32 | 56 = 32): SecretKey {
  checkLength(bytes, length, 'secret key')
  return bytes as SecretKey // the brand exists in types only
}

function checkLength(bytes: Uint8Array, length: number, what: string): void {
  if (!(bytes instanceof Uint8Array)) throw new TypeError(`Cannot use ${what}: expected a Uint8Array`)
  if (bytes.length !== length) {
    throw new TypeError(`Cannot use ${what}: expected ${length} bytes, got ${bytes.length}`)
  }
}
