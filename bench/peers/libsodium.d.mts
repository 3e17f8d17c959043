export function libsodium(): Promise<{
  publicKeyOf(secretKey: Uint8Array): Uint8Array
  dh(secretKey: Uint8Array, publicKey: Uint8Array): Uint8Array
  seal(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array): Uint8Array
}>
