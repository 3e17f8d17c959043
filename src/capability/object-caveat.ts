// The caveat by which a service lets a chain stand for another of its objects (spec/capability.md §4): narrower for everybody
// who holds the chain above, since all its links and caveats stay, yet with an object of its own. A holder could write one as
// well, so each bears a tag that takes the root secret. Leaves out the other caveats (caveats.ts) and the chain (chain.ts).
import { equalConstantTime, hexDecode, hexEncode } from '../bytes.js'
import { CAVEAT_CODE, type CaveatView, type KnownCaveat } from './caveats.js'
import { objectTag } from './chain.js'
import type { KeyHash } from './keys.js'

/** A root secret of a service, borrowed. */
export interface NumberedRoot {
  readonly kid: number
  readonly root: Uint8Array
}

/** The caveat for `object` behind the link of `previousId`. */
export function writeObjectCaveat(
  { kid, root }: NumberedRoot,
  serviceKeyHash: KeyHash,
  previousId: Uint8Array,
  object: string,
): KnownCaveat {
  return { type: 'object', object, kid, tag: hexEncode(objectTag(root, serviceKeyHash, previousId, object)) }
}

/** `caveats` as the service sees them: an `object` that it did not write itself, for this place, is one that it does not know.
 * @param ids - of the links, that of the grant first. */
export function checkObjectCaveats(
  caveats: readonly CaveatView[],
  ids: readonly Uint8Array[],
  { keyHash, root }: { readonly keyHash: KeyHash; root(kid: number): Uint8Array | undefined },
): readonly CaveatView[] {
  return caveats.map((caveat, i) => {
    if (caveat.type !== 'object') return caveat
    const key = root(caveat.kid)
    const isOurs =
      key !== undefined &&
      equalConstantTime(objectTag(key, keyHash, ids[i]!, caveat.object), hexDecode(caveat.tag))
    return isOurs ? caveat : { type: 'unknown', code: CAVEAT_CODE.object }
  })
}

/** The object that the last such caveat names; undefined where there is none. */
export function objectOf({ caveats }: { readonly caveats: readonly CaveatView[] }): string | undefined {
  const found = caveats[lastObject(caveats)]
  return found?.type === 'object' ? found.object : undefined
}

/** The caveats that were added since the object is the one it is. */
export function sinceObject(caveats: readonly CaveatView[]): readonly CaveatView[] {
  const last = lastObject(caveats)
  return last < 0 ? caveats : caveats.slice(last + 1) // every dispatch comes here: no copy for most
}

function lastObject(caveats: readonly CaveatView[]): number {
  let at = caveats.length - 1
  while (at >= 0 && caveats[at]?.type !== 'object') at -= 1
  return at
}
