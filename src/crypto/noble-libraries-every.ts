// Everything of noble that is used here, imported at once: for hosts other than Node, where nothing can be loaded later
// without waiting. Goes by the name `#noble-every` (package.json "imports"), under which Node gets noble-libraries-node.ts.
// Leaves out what is done with it (noble.ts).
import { gcm } from '@noble/ciphers/aes.js'
import { chacha20poly1305 } from '@noble/ciphers/chacha.js'
import { x448 } from '@noble/curves/ed448.js'
import { x25519 } from '@noble/curves/ed25519.js'
import { blake2b, blake2s } from '@noble/hashes/blake2.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256, sha512 } from '@noble/hashes/sha2.js'
import { aesGcmOf } from './noble-gcm.js'
import type { NobleLibraries } from './noble-libraries.js'

/** The libraries, loaded already. */
export function nobleLibraries(): Required<NobleLibraries> {
  return { aesGcm: aesGcmOf(gcm), chacha20poly1305, x448, x25519, blake2b, blake2s, hmac, sha256, sha512 }
}
