// The key hash: the name under which a service is known, found and pinned (spec/capability.md §1).
// As text it is 52 characters of lower-case base32, so that it fits a DNS label.
// Leaves out where a service of that name lives (src/resolve).
import { base32Encode, label } from '../bytes.js'
import type { PublicKey } from '../crypto/index.js'
import { sha256 } from './sha256.js'

declare const keyHashBrand: unique symbol

/** SHA-256 of a service's public key under its label, 32 bytes. */
export type KeyHash = Uint8Array & { readonly [keyHashBrand]: true }

/** Key hash as text, characters. */
export const KEY_HASH_TEXT_CHARS = 52

const KEY_HASH_LABEL = label('noisecap/v1 key hash')

/** The key hash of `publicKey`, a new array of 32 bytes. Source: spec/capability.md §1. */
export function keyHash(publicKey: PublicKey): KeyHash {
  return sha256(KEY_HASH_LABEL, publicKey) as KeyHash // the brand exists in types only
}

/** The key hash of `publicKey` as 52 characters of lower-case base32. */
export function keyHashText(publicKey: PublicKey): string {
  return base32Encode(keyHash(publicKey))
}
