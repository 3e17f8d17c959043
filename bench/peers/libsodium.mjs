// libsodium's WebAssembly build for pages, as bench/browser/primitives.ts times it. Leaves out the timing.
import sodium from 'libsodium-wrappers'

/** What is timed, once the module is there. */
export async function libsodium() {
  await sodium.ready
  return {
    publicKeyOf: (secretKey) => sodium.crypto_scalarmult_base(secretKey),
    dh: (secretKey, publicKey) => sodium.crypto_scalarmult(secretKey, publicKey),
    seal: (key, nonce, plaintext) =>
      sodium.crypto_aead_chacha20poly1305_ietf_encrypt(plaintext, null, null, nonce, key),
  }
}
