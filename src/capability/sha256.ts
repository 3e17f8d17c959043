// The two primitives of the capability layer: SHA-256 and HMAC-SHA-256, from the selected crypto provider.
// Leaves out what is hashed under which label (keys.ts, chain.ts, use-keys.ts; spec/capability.md §1).
import { primitives } from '../crypto/index.js'

/** SHA-256 of the concatenated `parts`, 32 bytes. */
export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  return primitives()
    .hash('SHA256')
    .hash(...parts)
}

/** HMAC-SHA-256 of the concatenated `parts` under `key`, 32 bytes. */
export function hmacSha256(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  return primitives()
    .hash('SHA256')
    .hmac(key, ...parts)
}
