import { describe, expect, test } from 'vitest'
import {
  allowedMethods,
  allowedPatterns,
  allowsMethod,
  auditTrail,
  type Capability,
  Capability as CapabilityClass,
  expiresAt,
  judge,
  judgeClaims,
  judgeHolder,
  judgeTime,
  mint,
  notBefore,
  type PatternName,
  Registrations,
  type Restrictions,
  ServiceKey,
  type Use,
  type Verified,
  verify,
} from '../../src/capability/index.js'
import { encodeLocator } from '../../src/capability/locator.js'
import { generateKeyPair } from '../../src/crypto/index.js'
import { decodeDcbor, encodeDcbor } from '../../src/dcbor.js'

const serviceKey = ServiceKey.generate()
const authority = serviceKey.authority()
const [ada, bob] = [generateKeyPair(), generateKeyPair()]
const PROTOCOL = 'Noise_NKpsk2_25519_ChaChaPoly_BLAKE2b'
const NOW = 1_800_000_000
const at = (seconds: number) => new Date((NOW + seconds) * 1000)

/** `mint`, narrowed link by link. */
function chainOf(...links: Restrictions[]): Capability {
  let capability = mint(serviceKey, { object: 'notes/ada', claims: { tier: 'gold' } })
  for (const link of links) capability = capability.attenuate(link)
  return capability
}

function verified(capability: Capability): Verified {
  const result = verify(capability.locator, authority)
  if (!result.ok) throw new Error(result.reason)
  return result
}

describe('verify', () => {
  test('recomputes the keys and the grant of what was minted and narrowed', () => {
    const capability = chainOf({ methods: ['tail'] }, { expiresIn: '1h', via: 'gateway' })
    const result = verified(capability)
    expect(result.keys.psk(PROTOCOL)).toEqual(capability.keys().psk(PROTOCOL))
    expect(result.grant).toMatchObject({ use: 'call', object: 'notes/ada' })
    expect({ ...result.grant.claims }).toEqual({ tier: 'gold' })
    expect(result.caveats).toEqual(capability.caveats)
    expect(result.ids).toHaveLength(4)
  })

  test('every use can be minted', () => {
    for (const use of ['call', 'seal', 'deposit', 'collect', 'notify'] as const) {
      expect(verified(mint(serviceKey, { use, object: 'a' })).grant.use).toBe(use)
    }
  })

  test('ids are those of the ancestors, then the own one', () => {
    const parent = chainOf({ via: 'a' })
    const child = parent.attenuate({ via: 'b' })
    expect(verified(child).ids.slice(0, 2)).toEqual(verified(parent).ids)
  })

  test('another service gives other keys for the same locator', () => {
    const capability = chainOf()
    const other = new ServiceKey(generateKeyPair(), serviceKey.roots)
    const result = verify(capability.locator, other.authority())
    if (!result.ok) throw new Error(result.reason)
    expect(result.keys.psk(PROTOCOL)).not.toEqual(capability.keys().psk(PROTOCOL))
  })

  test.each<[string, () => Uint8Array, string]>([
    ['2,561 bytes', () => new Uint8Array(2561), 'too_large'],
    ['nothing', () => new Uint8Array(0), 'malformed'],
    ['a cut locator', () => chainOf().locator.subarray(0, -1), 'malformed'],
    ['trailing bytes', () => Uint8Array.of(...chainOf().locator, 0), 'malformed'],
    [
      'a root that is not there',
      () => mint(ServiceKey.generate(), { object: 'a' }).locator.fill(9, 1, 2),
      'unknown_kid',
    ],
    [
      'an unknown pair',
      () => CapabilityClass.fromPair(serviceKey.publicKey, new Uint8Array(32)).locator,
      'unknown_registration',
    ],
    [
      'kid 0 with a grant',
      () => encodeLocator(0, (decodeDcbor(chainOf().locator) as Uint8Array[])[1]!, []),
      'malformed',
    ],
  ])('%s is denied as a value', (_name, locator, reason) => {
    expect(verify(locator(), authority)).toEqual({ ok: false, reason })
  })

  test('a rotated root mints under the new number while old capabilities verify, until retired', () => {
    const key = ServiceKey.generate()
    const old = mint(key, { object: 'a' })
    expect(key.roots.rotate()).toBe(2)
    const fresh = mint(key, { object: 'a' })
    expect([old.kid, fresh.kid]).toEqual([1, 2])
    for (const each of [old, fresh]) expect(verify(each.locator, key.authority()).ok).toBe(true)
    expect(key.roots.retire(1)).toBe(true)
    expect(verify(old.locator, key.authority())).toEqual({ ok: false, reason: 'unknown_kid' })
    expect(verify(fresh.locator, key.authority()).ok).toBe(true)
    expect(() => mint(key, { object: 'a', kid: 1 })).toThrow(
      expect.objectContaining({ code: 'capability/unknown_kid' }),
    )
  })

  test('a pair registered by hand stands for what the registration says', () => {
    const secret = new Uint8Array(32).fill(5)
    const registrations = new Registrations()
    const id = registrations.register(secret, { use: 'deposit', object: 'box/1', claims: { q: 1 } })
    const capability = CapabilityClass.fromPair(serviceKey.publicKey, secret).attenuate({ methods: ['put'] })
    const result = verify(capability.locator, serviceKey.authority(registrations))
    if (!result.ok) throw new Error(result.reason)
    expect(result.grant).toMatchObject({ use: 'deposit', object: 'box/1' })
    expect(result.keys.psk(PROTOCOL)).toEqual(capability.keys().psk(PROTOCOL))
    expect(Buffer.from(result.ids[0]!).toString('hex')).toBe(id)
    expect(registrations.unregister(id)).toBe(true)
    expect(verify(capability.locator, serviceKey.authority(registrations)).ok).toBe(false)
  })

  test('an altered grant or caveat gives other keys, so the proof fails', () => {
    const capability = chainOf({ methods: ['tail'] })
    const [kid, grant, caveats] = decodeDcbor(capability.locator) as [number, Uint8Array, Uint8Array[]]
    const [id, use, , claims] = decodeDcbor(grant) as [Uint8Array, string, string, never]
    const [salt, type] = decodeDcbor(caveats[0]!) as [Uint8Array, number]
    const wider = [
      encodeLocator(kid, encodeDcbor([id, use, 'notes/bob', claims]), caveats),
      encodeLocator(kid, encodeDcbor([id, 'collect', 'notes/ada', claims]), caveats),
      encodeLocator(kid, grant, [encodeDcbor([salt, type, ['add', 'tail']])]),
      encodeLocator(kid, grant, []),
      encodeLocator(kid, grant, [caveats[0]!, caveats[0]!]),
    ]
    const part = Uint8Array.of(1)
    const proof = capability.keys().prove('hello', part)
    for (const locator of wider) {
      const result = verify(locator, authority)
      if (!result.ok) throw new Error(result.reason)
      expect(result.keys.checkProof(proof, 'hello', part)).toBe(false)
    }
    expect(verified(capability).keys.checkProof(proof, 'hello', part)).toBe(true)
  })

  test('disposal makes ids, keys and extend throw rather than work on zeros', () => {
    const result = verified(chainOf())
    result[Symbol.dispose]()
    expect(() => result.ids).toThrow(TypeError)
    expect(() => result.keys.psk(PROTOCOL)).toThrow(TypeError)
    expect(() => result.extend(serviceKey.publicKey, [])).toThrow(TypeError)
  })

  test('a Verified shows no secret', () => {
    expect(`${verified(chainOf())} ${JSON.stringify(verified(chainOf()))}`).toBe(
      'Verified call notes/ada [redacted] "Verified call notes/ada [redacted]"',
    )
  })
})

describe('Verified.extend', () => {
  test('a capability minted from a live reference extends the caller’s own chain', () => {
    const capability = chainOf({ methods: ['tail'], holder: ada.publicKey })
    const salts = capability.holderSalts()
    const extended = verified(capability).extend(serviceKey.publicKey, salts, { expiresAt: at(10) })
    expect(extended.caveats.slice(0, 2)).toEqual(capability.caveats)
    expect(extended.holderSalts()).toEqual(salts)
    const result = verified(extended)
    expect(result.ids.slice(0, 3)).toEqual(verified(capability).ids)
    expect(result.keys.psk(PROTOCOL)).toEqual(extended.keys().psk(PROTOCOL))
  })

  test('refuses the key of another service and a wrong number of salts', () => {
    const result = verified(chainOf({ holder: ada.publicKey }))
    expect(() => result.extend(bob.publicKey, [new Uint8Array(32)])).toThrow(TypeError)
    expect(() => result.extend(serviceKey.publicKey, [])).toThrow(TypeError)
  })
})

describe('judge', () => {
  const judged = (links: Restrictions[], now = NOW, pattern: PatternName = 'IK', use: Use = 'call') =>
    judge(verified(chainOf(...links)), { now, pattern, use })

  test.each<[string, Restrictions[], number, string]>([
    ['no caveats', [], NOW, 'ok'],
    ['before expiry', [{ expiresAt: at(1) }], NOW, 'ok'],
    ['59 s after expiry: leeway', [{ expiresAt: at(-59) }], NOW, 'ok'],
    ['60 s after expiry', [{ expiresAt: at(-60) }], NOW, 'expired'],
    ['the earliest expiry counts, first', [{ expiresAt: at(-100) }, { expiresAt: at(100) }], NOW, 'expired'],
    ['the earliest expiry counts, last', [{ expiresAt: at(100) }, { expiresAt: at(-100) }], NOW, 'expired'],
    ['60 s before the start: leeway', [{ notBefore: at(60) }], NOW, 'ok'],
    ['61 s before the start', [{ notBefore: at(61) }], NOW, 'not_yet_valid'],
    ['the latest start counts, first', [{ notBefore: at(100) }, { notBefore: at(0) }], NOW, 'not_yet_valid'],
    ['the latest start counts, last', [{ notBefore: at(0) }, { notBefore: at(100) }], NOW, 'not_yet_valid'],
    ['a clock that reads NaN', [{ expiresAt: at(100) }], Number.NaN, 'expired'],
    ['a clock that reads NaN, start', [{ notBefore: at(0) }], Number.NaN, 'not_yet_valid'],
    ['expired goes before not_yet_valid', [{ expiresAt: at(-100), notBefore: at(100) }], NOW, 'expired'],
  ])('time: %s', (_name, links, now, expected) => {
    expect(judged(links, now)).toBe(expected)
    expect(judgeTime(verified(chainOf(...links)), now)).toBe(expected)
  })

  test.each<[string, Restrictions[], PatternName, string]>([
    ['in the set', [{ patterns: ['IK', 'XK'] }], 'XK', 'ok'],
    ['not in the set', [{ patterns: ['IK', 'XK'] }], 'NK', 'pattern'],
    ['sets intersect', [{ patterns: ['IK', 'XK'] }, { patterns: ['XK', 'KK'] }], 'XK', 'ok'],
    ['an empty intersection denies', [{ patterns: ['IK'] }, { patterns: ['KK'] }], 'IK', 'pattern'],
    ['a later set does not widen', [{ patterns: ['IK'] }, { patterns: ['IK', 'NK'] }], 'NK', 'pattern'],
    ['holder-bound and anonymous', [{ holder: ada.publicKey }], 'NK', 'pattern'],
    ['holder-bound and logged in', [{ holder: ada.publicKey }], 'IK', 'ok'],
  ])('patterns: %s', (_name, links, pattern, expected) => {
    expect(judged(links, NOW, pattern)).toBe(expected)
    expect(allowedPatterns(chainOf(...links)).includes(pattern)).toBe(expected === 'ok')
  })

  test('another use is denied', () => {
    expect(judged([], NOW, 'NK', 'seal')).toBe('use')
  })

  test('an unknown caveat type parses, verifies and denies', () => {
    const { locator } = chainOf()
    const [kid, grant] = decodeDcbor(locator) as [number, Uint8Array]
    const result = verify(encodeLocator(kid, grant, [encodeDcbor([new Uint8Array(8), 99, ['x']])]), authority)
    if (!result.ok) throw new Error(result.reason)
    expect(result.caveats).toEqual([{ type: 'unknown', code: 99 }])
    expect(judge(result, { now: NOW, pattern: 'NK', use: 'call' })).toBe('unknown_caveat')
  })
})

describe('judgeHolder', () => {
  const one = chainOf({ holder: ada.publicKey })
  const two = one.attenuate({ holder: bob.publicKey })
  const same = one.attenuate({ holder: ada.publicKey })

  test.each<[string, Capability, typeof ada | undefined, readonly Uint8Array[], string]>([
    ['no holder caveat, anonymous', chainOf(), undefined, [], 'ok'],
    ['no holder caveat, a salt too many', chainOf(), ada, [new Uint8Array(32)], 'holder'],
    ['the holder', one, ada, one.holderSalts(), 'ok'],
    ['somebody else', one, bob, one.holderSalts(), 'holder'],
    ['anonymous', one, undefined, one.holderSalts(), 'holder'],
    ['the holder without salt', one, ada, [], 'holder'],
    ['the holder with another salt', one, ada, [new Uint8Array(32)], 'holder'],
    ['bound twice to the same', same, ada, same.holderSalts(), 'ok'],
    ['salts in another order', same, ada, [...same.holderSalts()].reverse(), 'holder'],
    ['two holders, the first', two, ada, two.holderSalts(), 'holder'],
    ['two holders, the second', two, bob, two.holderSalts(), 'holder'],
  ])('%s', (_name, capability, key, salts, expected) => {
    expect(judgeHolder(verified(capability), key?.publicKey, salts)).toBe(expected)
  })
})

describe('judgeClaims', () => {
  const capability = chainOf({ claims: { region: 'eu' } }, { claims: { region: 'us', max: 3 } })

  test('without a claims caveat no checker is needed', () => {
    expect(judgeClaims(verified(chainOf()), undefined)).toBe('ok')
  })

  test('a claims caveat without a checker denies', () => {
    expect(judgeClaims(verified(capability), undefined)).toBe('claims')
  })

  test('the checker sees every caveat apart, never merged, with the grant', () => {
    const seen: unknown[] = []
    const checker = (required: object, grant: { object: string }) => {
      seen.push({ ...required }, grant.object)
      return true
    }
    expect(judgeClaims(verified(capability), checker)).toBe('ok')
    expect(seen).toEqual([{ region: 'eu' }, 'notes/ada', { region: 'us', max: 3 }, 'notes/ada'])
  })

  test('all must be accepted', () => {
    expect(judgeClaims(verified(capability), ({ region }) => region === 'eu')).toBe('claims')
  })

  test.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('no')
      },
    ],
    ['is asynchronous', async () => true],
    ['returns 1', () => 1],
    ['returns nothing', () => undefined],
  ])('a checker that %s denies', (_name, checker) => {
    expect(judgeClaims(verified(capability), checker as () => boolean)).toBe('claims')
  })
})

describe('what the caveats leave', () => {
  test('methods intersect, link by link', () => {
    const capability = chainOf({ methods: ['add', 'tail'] }, { methods: ['drop', 'tail'] })
    expect(['add', 'tail', 'drop', 'other'].filter((name) => allowsMethod(capability, name))).toEqual([
      'tail',
    ])
    expect(allowedMethods(capability)).toEqual(['tail'])
    expect(allowedMethods(chainOf())).toBeUndefined()
    expect(allowedMethods(chainOf({ methods: ['a'] }, { methods: ['b'] }))).toEqual([])
    expect(allowsMethod(chainOf(), 'anything')).toBe(true)
  })

  test('expiresAt is the earliest, notBefore the latest, undefined where there is none', () => {
    const capability = chainOf({ expiresAt: at(9), notBefore: at(1) }, { expiresAt: at(5), notBefore: at(3) })
    expect([expiresAt(capability), notBefore(capability)]).toEqual([NOW + 5, NOW + 3])
    expect([expiresAt(chainOf()), notBefore(chainOf())]).toEqual([undefined, undefined])
  })

  test('the audit trail keeps every word in order', () => {
    expect(auditTrail(chainOf({ via: 'a' }, { via: 'b' }, { via: 'a' }))).toEqual(['a', 'b', 'a'])
  })
})
