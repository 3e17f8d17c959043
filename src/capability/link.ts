// Adding links to a chain: the one place where a restriction becomes a caveat, a new key and a longer locator.
// Minting, narrowing and extending a caller's chain all come here; spec/capability.md §4.
// Leaves out who may do so (capability.ts refuses final ones).
import { wipe } from '../bytes.js'
import { primitives } from '../crypto/index.js'
import { NoisecapError } from '../errors.js'
import { CAVEATS_MAX, HOLDER_SALT_BYTES, LOCATOR_MAX_BYTES } from '../limits.js'
import { CAVEAT_SALT_BYTES, encodeCaveat, type KnownCaveat } from './caveats.js'
import { type ChainKey, nextKey } from './chain.js'
import { decodeLocator, encodeLocator, type Locator } from './locator.js'
import { type Restrictions, toCaveats } from './restrictions.js'

/** The end of a chain. */
export interface Link {
  readonly key: ChainKey
  readonly locator: Locator
  readonly holderSalts: readonly Uint8Array[]
}

/** `link` with a caveat for each of `restrictions`; the keys in between are wiped.
 * @param link - borrowed; the result shares no secret with it.
 * @param first - a caveat that the service adds of its own, before those.
 * @param nowSeconds - Unix seconds, from which `expiresIn` counts.
 * @throws TypeError, RangeError, or `capability/too_large` past 16 caveats or 2,560 bytes. */
export function addLinks(
  link: Link,
  restrictions: Restrictions,
  nowSeconds: number = Date.now() / 1000,
  first?: KnownCaveat,
): Link {
  const randomBytes = (length: number) => primitives().randomBytes(length)
  const added = toCaveats(restrictions, nowSeconds, () => randomBytes(HOLDER_SALT_BYTES))
  const caveats = [...(first === undefined ? [] : [first]), ...added.map(({ caveat }) => caveat)]
  const encoded = caveats.map((caveat) => encodeCaveat(randomBytes(CAVEAT_SALT_BYTES), caveat))
  const locator = longerLocator(link.locator, encoded)
  let key = link.key.slice() as ChainKey
  for (const caveat of encoded) {
    const next = nextKey(key, caveat)
    wipe(key)
    key = next
  }
  const newSalts = added.flatMap(({ holderSalt }) => (holderSalt === undefined ? [] : [holderSalt]))
  return { key, locator, holderSalts: [...link.holderSalts, ...newSalts] }
}

function longerLocator(locator: Locator, added: readonly Uint8Array[]): Locator {
  if (added.length === 0) return locator
  const caveats = [...locator.caveats.map(({ encoded }) => encoded), ...added]
  if (caveats.length > CAVEATS_MAX) {
    throw new NoisecapError(
      'capability/too_large',
      `Cannot narrow capability: expected at most ${CAVEATS_MAX} caveats, got ${caveats.length}`,
      { hint: 'Ask the service for a fresh capability' },
    )
  }
  const encoded = encodeLocator(locator.kid, locator.grantBytes, caveats)
  if (encoded.length > LOCATOR_MAX_BYTES) {
    throw new NoisecapError(
      'capability/too_large',
      `Cannot narrow capability: expected a locator of at most ${LOCATOR_MAX_BYTES} bytes, got ${encoded.length}`,
      { hint: 'Ask the service for a fresh capability' },
    )
  }
  return decodeLocator(encoded)
}
