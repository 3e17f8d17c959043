// What the noble provider is made of, as hosts other than Node get it: imported at once, because a browser can load nothing
// later without waiting. Goes by the name `#noble` (package.json "imports"), under which Node gets noble-libraries-node.ts.
// Leaves out what is done with it (noble.ts).
import { gcm } from '@noble/ciphers/aes.js'
import { chacha20poly1305 } from '@noble/ciphers/chacha.js'
import { x448 } from '@noble/curves/ed448.js'
import { x25519 } from '@noble/curves/ed25519.js'
import { blake2b, blake2s } from '@noble/hashes/blake2.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256, sha512 } from '@noble/hashes/sha2.js'

/** Everything of noble that is used here. */
export interface NobleLibraries {
  readonly gcm: typeof gcm
  readonly chacha20poly1305: typeof chacha20poly1305
  readonly x448: typeof x448
  readonly x25519: typeof x25519
  readonly blake2b: typeof blake2b
  readonly blake2s: typeof blake2s
  readonly hmac: typeof hmac
  readonly sha256: typeof sha256
  readonly sha512: typeof sha512
}

/** The libraries, loaded already. */
export function nobleLibraries(): NobleLibraries {
  return { gcm, chacha20poly1305, x448, x25519, blake2b, blake2s, hmac, sha256, sha512 }
}
