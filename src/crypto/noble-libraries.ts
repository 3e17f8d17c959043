// What the noble provider is made of where size counts: the primitives of noisecap's own suite, 25519_ChaChaPoly_BLAKE2b,
// and SHA-256. Goes by the name `#noble` (package.json "imports"), under which Node gets noble-libraries-node.ts, which has
// every primitive. Leaves out the others (noble-libraries-every.ts): a page that wants them asks for `everyPrimitive()`.
import { chacha20poly1305 } from '@noble/ciphers/chacha.js'
import type { x448 } from '@noble/curves/ed448.js'
import type { blake2s } from '@noble/hashes/blake2.js'
import { blake2b } from '@noble/hashes/blake2.js'
import { hmac } from '@noble/hashes/hmac.js'
import type { sha512 } from '@noble/hashes/sha2.js'
import { sha256 } from '@noble/hashes/sha2.js'
import type { BareAead } from './contract.js'
import { x25519 } from './noble-x25519.js'

/** What there is of noble; undefined where a primitive is not among it. */
export interface NobleLibraries {
  readonly aesGcm?: BareAead<Uint8Array>
  readonly chacha20poly1305: typeof chacha20poly1305
  readonly x448?: typeof x448
  readonly x25519: typeof x25519
  readonly blake2b: typeof blake2b
  readonly blake2s?: typeof blake2s
  readonly hmac: typeof hmac
  readonly sha256: typeof sha256
  readonly sha512?: typeof sha512
}

/** The libraries, loaded already. */
export function nobleLibraries(): NobleLibraries {
  return { chacha20poly1305, x25519, blake2b, hmac, sha256 }
}
