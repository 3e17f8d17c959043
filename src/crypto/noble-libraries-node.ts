// What the noble provider is made of, as Node gets it: loaded when that provider is chosen, which beside sodium or node is
// never; every primitive. Importing it took a third of the time from process start to a first answer (docs/performance.md).
// Goes by the names `#noble` and `#noble-every` (package.json "imports"). Leaves out other hosts (noble-libraries.ts).
import type * as Aes from '@noble/ciphers/aes.js'
import type * as ChaCha from '@noble/ciphers/chacha.js'
import type * as Ed448 from '@noble/curves/ed448.js'
import type * as Ed25519 from '@noble/curves/ed25519.js'
import type * as Blake2 from '@noble/hashes/blake2.js'
import type * as Hmac from '@noble/hashes/hmac.js'
import type * as Sha2 from '@noble/hashes/sha2.js'
import { hostProcess } from './host.js'
import { aesGcmOf } from './noble-gcm.js'
import type { NobleLibraries } from './noble-libraries.js'

export type { NobleLibraries } from './noble-libraries.js'

/** Load the libraries from beside this module.
 * @throws what `require` does when they are not there, as in a bundle that was moved away from its packages. */
export function nobleLibraries(): Required<NobleLibraries> {
  const nodeModule = hostProcess()?.getBuiltinModule?.('node:module')
  if (nodeModule === undefined) throw new Error('this host has no node:module')
  // Called by another name than `require`, as sodium.ts does: a bundler would import at once what it takes for needed.
  const load = nodeModule.createRequire(import.meta.url)
  const { gcm } = load('@noble/ciphers/aes.js') as typeof Aes
  const { chacha20poly1305 } = load('@noble/ciphers/chacha.js') as typeof ChaCha
  const { x448 } = load('@noble/curves/ed448.js') as typeof Ed448
  const { x25519 } = load('@noble/curves/ed25519.js') as typeof Ed25519
  const { blake2b, blake2s } = load('@noble/hashes/blake2.js') as typeof Blake2
  const { hmac } = load('@noble/hashes/hmac.js') as typeof Hmac
  const { sha256, sha512 } = load('@noble/hashes/sha2.js') as typeof Sha2
  return { aesGcm: aesGcmOf(gcm), chacha20poly1305, x448, x25519, blake2b, blake2s, hmac, sha256, sha512 }
}
