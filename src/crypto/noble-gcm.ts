// AES-256-GCM of noble, which takes no output buffer, so its result is copied. Apart from the provider (noble.ts), so that a page
// that does without AES loads none of it.
import type { gcm as Gcm } from '@noble/ciphers/aes.js'
import { wipe } from '../bytes.js'
import type { BareAead } from './contract.js'

/** noble's GCM as a bare cipher. */
export function aesGcmOf(gcm: typeof Gcm): BareAead<Uint8Array> {
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
