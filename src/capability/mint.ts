// Minting: a capability from a service's root secret, a fresh grant id and what it shall stand for; spec/capability.md §3.
// Leaves nothing behind at the service: verification recomputes everything.
// Leaves out narrowing (capability.ts) and extending a caller's chain (verify.ts).
import { primitives } from '../crypto/index.js'
import { NoisecapError } from '../errors.js'
import { type Capability, createCapability, type HintOptions, hintsOf } from './capability.js'
import { firstKey } from './chain.js'
import { type Claims, encodeGrant, GRANT_ID_BYTES, NO_CLAIMS, type Use } from './grant.js'
import { keyHash } from './keys.js'
import { addLinks } from './link.js'
import { decodeLocator, encodeLocator } from './locator.js'
import type { Restrictions } from './restrictions.js'
import type { ServiceKey } from './service-key.js'

/** What a capability shall stand for. */
export interface MintOptions {
  /** Default `call`. */
  readonly use?: Use | undefined
  /** Object path, for example `notes/ada`. */
  readonly object: string
  readonly claims?: Claims | undefined
  /** Number of the root secret; default the current one. */
  readonly kid?: number | undefined
  /** Unix seconds, from which `expiresIn` counts; default the clock of the machine. */
  readonly nowSeconds?: number | undefined
}

/** A new capability of the service, already narrowed by `restrictions`.
 * @throws TypeError or RangeError when the object, claims or a restriction break a rule of spec/capability.md §3 and §4,
 * `capability/unknown_kid` for a root that is not there, `capability/too_large` for too many bytes of caveats. */
export function mint(
  serviceKey: ServiceKey,
  { use = 'call', object, claims = NO_CLAIMS, kid = serviceKey.roots.current, nowSeconds }: MintOptions,
  restrictions: Restrictions = {},
  hints: HintOptions = {},
): Capability {
  const root = serviceKey.roots.get(kid)
  if (root === undefined) {
    throw new NoisecapError(
      'capability/unknown_kid',
      'Cannot mint capability: expected a root secret that is there',
    )
  }
  const { publicKey } = serviceKey
  const grant = encodeGrant({ id: primitives().randomBytes(GRANT_ID_BYTES), use, object, claims })
  const link = {
    key: firstKey(root, keyHash(publicKey), grant),
    locator: decodeLocator(encodeLocator(kid, grant, [])),
    holderSalts: [],
  }
  const { key, ...longer } = addLinks(link, restrictions, nowSeconds)
  link.key.fill(0)
  return createCapability({ publicKey, secret: { final: false, key }, ...longer }, hintsOf(hints), undefined)
}
