// A chain that stands for another object: only the service can write that, for one place in one chain.
import { expect, test } from 'vitest'
import type { ChainKey } from '../../src/capability/chain.js'
import {
  allowedMethods,
  Capability,
  judge,
  judgeClaims,
  judgeHolder,
  mint,
  Registrations,
  type Restrictions,
  ServiceKey,
  type Verified,
  verify,
} from '../../src/capability/index.js'
import { addLinks } from '../../src/capability/link.js'
import { decodeLocator } from '../../src/capability/locator.js'
import { generateKeyPair } from '../../src/crypto/index.js'

const key = ServiceKey.generate()
const NOW = { now: Date.now() / 1_000, pattern: 'IK', use: 'call' } as const

function verified(locator: Uint8Array, service = key, registrations?: Registrations): Verified {
  const result = verify(locator, service.authority(registrations))
  if (!result.ok) throw new Error(result.reason)
  return result
}

const desk = (restrictions: Restrictions = {}) =>
  mint(key, { object: 'desk', claims: { tier: 'gold' } }, restrictions)
const extended = (caller: Capability, object = 'notes/ada', restrictions: Restrictions = {}) =>
  verified(caller.locator).extendTo(object, key, caller.holderSalts(), restrictions)

test('it stands for the other object, with the grant id and claims of the grant and all ids of the caller', () => {
  const caller = desk({ via: 'a' })
  const derived = extended(caller)
  const result = verified(derived.locator)
  expect([derived.object, result.grant.object, result.minted.object]).toEqual([
    'notes/ada',
    'notes/ada',
    'desk',
  ])
  expect(result.grant.id).toEqual(verified(caller.locator).grant.id)
  expect({ ...result.grant.claims }).toEqual({ tier: 'gold' })
  expect(result.ids.slice(0, 2)).toEqual(verified(caller.locator).ids)
  expect(judge(result, NOW)).toBe('ok')
  using keys = derived.keys()
  expect(keys.equals(result.keys)).toBe(true)
})

test('caveats of the caller hold on, save methods, which speak of the object above', () => {
  const ada = generateKeyPair()
  const caller = desk({ methods: ['open'], expiresAt: new Date(5_000), holder: ada.publicKey })
  const derived = extended(caller, 'notes/ada', { methods: ['tail', 'add'] }).attenuate({ methods: ['tail'] })
  const result = verified(derived.locator)
  expect(judge(result, NOW)).toBe('expired')
  expect(judge(result, { ...NOW, now: 4, pattern: 'NK' })).toBe('pattern')
  expect(judgeHolder(result, ada.publicKey, derived.holderSalts())).toBe('ok')
  expect(judgeHolder(result, generateKeyPair().publicKey, derived.holderSalts())).toBe('holder')
  expect(allowedMethods(result)).toEqual(['tail'])
  expect(allowedMethods(derived)).toEqual(['tail'])
})

test('claims are judged for the object that they were added to', () => {
  const derived = extended(desk({ claims: { a: 1 } })).attenuate({ claims: { b: 2 } })
  const asked: unknown[] = []
  const checker = (required: object, { object }: { object: string }) => {
    asked.push([{ ...required }, object])
    return true
  }
  expect(judgeClaims(verified(derived.locator), checker)).toBe('ok')
  expect(asked).toEqual([
    [{ a: 1 }, 'desk'],
    [{ b: 2 }, 'notes/ada'],
  ])
})

/** What a holder does who adds a caveat that he found or made up. */
function withCaveat(capability: Capability, caveat: Parameters<typeof addLinks>[3]): Uint8Array {
  const link = {
    key: new Uint8Array(32) as ChainKey,
    locator: decodeLocator(capability.locator),
    holderSalts: [],
  }
  return addLinks(link, {}, undefined, caveat).locator.encoded
}

test('one that a holder made up, or took from another place, denies as an unknown caveat does', () => {
  const own = extended(desk()).caveats.at(-1)
  if (own?.type !== 'object') throw new Error('no object caveat')
  const forged = [
    { ...own, tag: '00'.repeat(16) },
    own, // of another chain
    { ...own, kid: 7 },
  ]
  for (const caveat of forged) {
    const result = verified(withCaveat(desk(), caveat))
    expect(result.grant.object).toBe('desk')
    expect(judge(result, NOW)).toBe('unknown_caveat')
  }
  // Of the same chain, one link further down.
  const caller = desk()
  const found = extended(caller).caveats.at(-1)
  if (found?.type !== 'object') throw new Error('no object caveat')
  expect(judge(verified(withCaveat(caller, found)), NOW)).toBe('ok')
  expect(judge(verified(withCaveat(caller.attenuate({ via: 'x' }), found)), NOW)).toBe('unknown_caveat')
  expect(judge(verified(withCaveat(caller, { ...found, object: 'notes/bob' })), NOW)).toBe('unknown_caveat')
})

test('it ends with the root of its tag; of a pair registered by hand, also with the registration', () => {
  const service = ServiceKey.generate()
  const registrations = new Registrations()
  const secret = new Uint8Array(32).fill(3)
  const id = registrations.register(secret, { object: 'desk' })
  const caller = Capability.fromPair(service.publicKey, secret).locator
  const derived = verified(caller, service, registrations).extendTo('notes/ada', service, [])
  expect(verified(derived.locator, service, registrations).grant.object).toBe('notes/ada')
  service.roots.rotate()
  service.roots.retire(1)
  expect(judge(verified(derived.locator, service, registrations), NOW)).toBe('unknown_caveat')
  registrations.unregister(id)
  expect(verify(derived.locator, service.authority(registrations))).toMatchObject({ ok: false })
})

test('extendTo refuses what is no path, and says when the chain would be too long', () => {
  expect(() => verified(desk().locator).extendTo('a//b', key, [])).toThrow(TypeError)
  let caller = desk()
  for (let i = 0; i < 16; i++) caller = caller.attenuate({ via: `link ${i}` })
  expect(() => extended(caller)).toThrow(expect.objectContaining({ code: 'capability/too_large' }))
})
