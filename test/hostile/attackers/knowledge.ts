// What an attacker has, as data: nothing reaches an attack but through this structure, which holds exactly the powers that
// the table gives him. Leaves out how he uses them (reading.ts, approaching.ts, answering.ts).

import { base64urlDecode } from '../../../src/bytes.js'
import { createCapability } from '../../../src/capability/capability.js'
import { nextKey, registeredKey } from '../../../src/capability/chain.js'
import { encodeGrant } from '../../../src/capability/grant.js'
import { type Capability, keyHash, verify } from '../../../src/capability/index.js'
import { decodeLocator, encodeLocator } from '../../../src/capability/locator.js'
import { decodeToken } from '../../../src/capability/token.js'
import { generateKeyPair, type KeyPair, type PublicKey, primitives } from '../../../src/crypto/index.js'
import { clientOf, Shop } from '../../session/parties.js'
import { KeyRing } from './open-noise.js'
import { OBJECT, type Scene, type Wire } from './scene.js'
import type { Power } from './table.js'

/** All that one attacker knows; every attacker also knows the public keys of clients and the paths of objects. */
export interface Knowledge {
  readonly wire: Wire | undefined
  /** He can answer whoever dials, and send to the service. */
  readonly active: boolean
  readonly publicKey: PublicKey | undefined
  readonly suspects: readonly PublicKey[]
  readonly ring: KeyRing
  readonly staticKey: KeyPair | undefined
  readonly callerKey: KeyPair | undefined
  readonly ownKey: KeyPair
  /** He holds these, or recomputed them. */
  readonly capabilities: readonly Capability[]
  /** Recomputes any capability from its locator. */
  readonly recompute: ((locator: Uint8Array) => Capability | undefined) | undefined
  /** The service has been restarted. */
  readonly restarted: boolean
  /** The caller is dialling the service through him. */
  readonly through: boolean
  /** A hello of the caller to a service of his own, and the key of that. */
  readonly elsewhere: { readonly hello: Uint8Array; readonly key: KeyPair } | undefined
}

/** Collect what `powers` stand for in `scene`, and nothing else. */
export async function knowledgeOf(
  scene: Scene,
  powers: ReadonlySet<Power>,
  active: boolean,
): Promise<Knowledge> {
  const has = (power: Power) => powers.has(power)
  const { shop } = scene
  const staticKey = has('staticKey') ? shop.key.keyPair : undefined
  const callerKey = has('callerKey') ? scene.callerKey : undefined
  const ring = new KeyRing(staticKey, callerKey)
  if (has('dhSecrets')) ring.addAll(scene.dhSecrets)
  const capabilities: Capability[] = []
  if (has('capability')) capabilities.push(scene.capability)
  // He narrowed it himself, so he knows what he added; the secret is his own to recompute.
  if (has('parent')) capabilities.push(narrowedAgain(scene.parent, scene.capability.locator), scene.parent)
  if (has('child')) capabilities.push(scene.child)
  if (has('own')) capabilities.push(await scene.sibling('in force'))
  if (has('revoked')) capabilities.push(await scene.sibling('revoked'))
  if (has('expired')) capabilities.push(await scene.sibling('expired'))
  if (has('other')) capabilities.push(mintedBy(shop, 'notes/bob'))
  const root = has('root') ? rootThief(shop) : undefined
  if (root !== undefined) capabilities.push(root.mint(OBJECT))
  const knowsPublicKey = has('publicKey') || staticKey !== undefined || capabilities.length > 0
  return {
    wire: has('recording') ? scene.wire : undefined,
    active,
    publicKey: knowsPublicKey ? shop.key.publicKey : undefined,
    suspects: scene.suspects,
    ring,
    staticKey,
    callerKey,
    ownKey: generateKeyPair(),
    capabilities,
    recompute: root?.recompute,
    restarted: has('restart'),
    through: has('through'),
    elsewhere: has('elsewhere') ? helloElsewhere(scene) : undefined,
  }
}

function mintedBy(shop: Shop, object: string): Capability {
  return rootThief(shop).mint(object)
}

/** What root secrets and the public key are good for: minting, and recomputing what a locator names. */
function rootThief(shop: Shop): {
  readonly mint: (object: string) => Capability
  readonly recompute: (locator: Uint8Array) => Capability | undefined
} {
  const { publicKey, roots } = shop.key
  const authority = {
    keyHash: keyHash(publicKey),
    root: (kid: number) => roots.get(kid),
    registered: () => undefined,
  }
  const recompute = (locator: Uint8Array): Capability | undefined => {
    const verified = verify(locator, authority)
    if (!verified.ok) return undefined
    const holders = verified.caveats.filter(({ type }) => type === 'holder')
    return verified.extend(
      publicKey,
      holders.map(() => new Uint8Array(32)), // he does not know the salts
    )
  }
  const mint = (object: string): Capability => {
    const grant = encodeGrant({ id: primitives().randomBytes(16), use: 'call', object, claims: {} })
    return recompute(encodeLocator(roots.current, grant, []))!
  }
  return { mint, recompute }
}

/** The capability of `locator`, whose beginning is `parent`: one HMAC for each caveat that was added. */
export function narrowedAgain(parent: Capability, locator: Uint8Array): Capability {
  const { secret } = decodeToken(base64urlDecode(parent.export().split('#')[1]!))
  let key = registeredKey(secret.key)
  for (const { encoded } of decodeLocator(locator).caveats.slice(parent.caveats.length)) {
    key = nextKey(key, encoded)
  }
  return withSecret(parent.publicKey, locator, key)
}

/** Locators of the capabilities that `capability` was narrowed from: its caveats stand in it in order. */
export function locatorsAbove(capability: Capability): readonly Uint8Array[] {
  const { kid, grantBytes, caveats } = decodeLocator(capability.locator)
  return caveats.map((_, count) =>
    encodeLocator(
      kid,
      grantBytes,
      caveats.slice(0, count).map(({ encoded }) => encoded),
    ),
  )
}

/** A capability of a true locator and a wrong secret. */
export function inventedCapability(
  publicKey: PublicKey,
  locator: Uint8Array,
  secret: Uint8Array = primitives().randomBytes(32),
): Capability {
  return withSecret(publicKey, locator, secret)
}

/** He knows the locator, or he made it; salts of holder caveats he makes up. */
function withSecret(publicKey: PublicKey, locator: Uint8Array, secret: Uint8Array): Capability {
  const decoded = decodeLocator(locator)
  const holders = decoded.caveats.filter(({ view }) => view.type === 'holder')
  return createCapability(
    {
      publicKey,
      secret: { final: false, key: registeredKey(secret) },
      locator: decoded,
      holderSalts: holders.map(() => new Uint8Array(32)),
    },
    { label: undefined, locations: [] },
    undefined,
  )
}

/** The caller also uses a service of the attacker's, with the same key. */
function helloElsewhere(scene: Scene): NonNullable<Knowledge['elsewhere']> {
  const shop = new Shop()
  const capability = shop.capability()
  return {
    hello: clientOf(capability, scene.callerKey, scene.pattern).hello,
    key: shop.key.keyPair,
  }
}
