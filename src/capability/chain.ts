// The chain of HMACs that a capability's secret is the last link of (spec/capability.md §1).
// t_0 comes from a root secret and the grant, t_i from t_{i−1} and the i-th caveat; u and the link ids hang off it.
// Each step works on the encoded bytes as they were received. Leaves out what the bytes mean (grant.ts, caveats.ts).
import { label, utf8 } from '../bytes.js'
import { OBJECT_TAG_BYTES } from './caveats.js'
import type { KeyHash } from './keys.js'
import { hmacSha256 } from './sha256.js'

declare const chainKeyBrand: unique symbol
declare const useKeyBrand: unique symbol

/** t_i: whoever holds it can use the capability and narrow it further, 32 bytes. */
export type ChainKey = Uint8Array & { readonly [chainKeyBrand]: true }
/** u: whoever holds it can use the capability and nothing more, 32 bytes. */
export type UseKey = Uint8Array & { readonly [useKeyBrand]: true }

/** Secret of a chain link or of its use, bytes. */
export const CHAIN_KEY_BYTES = 32
/** Id under which a link is revoked, bytes. */
export const LINK_ID_BYTES = 16

const GRANT_LABEL = label('noisecap/v1 grant')
const CAVEAT_LABEL = label('noisecap/v1 caveat')
const USE_LABEL = label('noisecap/v1 use')
const OBJECT_LABEL = label('noisecap/v1 object')
const ID_LABEL = label('noisecap/v1 id')

/** t_0 of a minted capability.
 * @param root - root secret, 32 bytes; borrowed.
 * @param grant - encoded grant; borrowed. */
export function firstKey(root: Uint8Array, serviceKeyHash: KeyHash, grant: Uint8Array): ChainKey {
  return hmacSha256(root, GRANT_LABEL, serviceKeyHash, grant) as ChainKey
}

/** t_0 of a hand-registered pair: the 32 random bytes themselves, copied. */
export function registeredKey(secret: Uint8Array): ChainKey {
  return secret.slice() as ChainKey
}

/** t_i from t_{i−1}.
 * @param caveat - encoded caveat; borrowed. */
export function nextKey(previous: ChainKey, caveat: Uint8Array): ChainKey {
  return hmacSha256(previous, CAVEAT_LABEL, caveat) as ChainKey
}

/** u from t_n: one way, so that a final capability cannot be narrowed. */
export function useKey(last: ChainKey): UseKey {
  return hmacSha256(last, USE_LABEL) as UseKey
}

/** id_i from t_i, 16 bytes; public. */
export function linkId(key: ChainKey): Uint8Array {
  return hmacSha256(key, ID_LABEL).slice(0, LINK_ID_BYTES)
}

/** Tag by which a service knows that it wrote an `object` caveat itself, and wrote it for this very place in a chain.
 * @param root - root secret, 32 bytes; borrowed.
 * @param previousId - id of the link before, 16 bytes.
 * @returns 16 bytes.
 * Source: spec/capability.md §4. */
export function objectTag(
  root: Uint8Array,
  serviceKeyHash: KeyHash,
  previousId: Uint8Array,
  object: string,
): Uint8Array {
  return hmacSha256(root, OBJECT_LABEL, serviceKeyHash, previousId, utf8(object)).slice(0, OBJECT_TAG_BYTES)
}
