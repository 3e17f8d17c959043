// Seals under a capability: what the reader judges, in which order, and at which time.
import { describe, expect, test } from 'vitest'
import { encodeGrant } from '../../src/capability/grant.js'
import {
  Capability,
  MemoryRevocationSet,
  mint,
  Registrations,
  type Restrictions,
  ServiceKey,
  verify,
} from '../../src/capability/index.js'
import { encodeLocator } from '../../src/capability/locator.js'
import { primitives } from '../../src/crypto/index.js'
import { encodeDcbor } from '../../src/dcbor.js'
import { CLOCK_LEEWAY_SECONDS } from '../../src/limits.js'
import { admit } from '../../src/seal/acceptance.js'
import { type CapabilityRules, SealReader, SealWriter } from '../../src/seal/index.js'
import { patternOfName } from '../../src/seal/pattern.js'
import {
  codeOf,
  email,
  identityOf,
  OBJECT,
  reader,
  rules,
  sealCapability,
  service,
  strangerKey,
  writerKey,
} from './parties.js'

const NOW = 1_800_000_000
const place = email.at('row')
const openUnder = (capabilities: CapabilityRules) =>
  new SealReader({
    keys: reader,
    accept: [
      { pattern: 'Npsk0', capabilities },
      { pattern: 'Xpsk1', writers: 'anyone', capabilities },
      { pattern: 'Kpsk0', writers: [writerKey.publicKey], capabilities },
    ],
  })
const sealWith = (to: Capability, pattern: 'N' | 'X' | 'K' = 'N') =>
  new SealWriter({ to, as: identityOf(pattern) }).seal('x', place)

const DENIED: readonly [string, Restrictions, 'N' | 'X' | 'K', string][] = [
  ['methods', { methods: ['add'] }, 'N', 'seal/denied'],
  ['a pattern that names its caller', { patterns: ['XK'] }, 'N', 'seal/denied'],
  ['the same, with a writer', { patterns: ['XK'] }, 'X', 'none'],
  ['KK alone, with a carried writer', { patterns: ['KK'] }, 'X', 'seal/denied'],
  ['KK alone, with a known writer', { patterns: ['KK'] }, 'K', 'none'],
  ['a holder, anonymous', { holder: writerKey.publicKey }, 'N', 'seal/denied'],
  ['a holder, who writes', { holder: writerKey.publicKey }, 'X', 'none'],
  ['a holder, who writes and is known', { holder: writerKey.publicKey }, 'K', 'none'],
  ['a holder, somebody else', { holder: strangerKey.publicKey }, 'X', 'seal/denied'],
  ['claims without a checker', { claims: { region: 'eu' } }, 'N', 'seal/denied'],
  ['via alone', { via: 'gateway' }, 'N', 'none'],
]

describe('caveats', () => {
  test.each(DENIED)('%s', (_name, restrictions, pattern, code) => {
    expect(codeOf(() => openUnder(rules).open(sealWith(sealCapability(restrictions), pattern), place))).toBe(
      code,
    )
  })

  test('claims with a checker', () => {
    const sealed = sealWith(sealCapability({ claims: { region: 'eu' } }))
    const checking = (region: string) =>
      openUnder({ ...rules, checkClaims: (required) => required['region'] === region })
    expect(codeOf(() => checking('eu').open(sealed, place))).toBe('none')
    expect(codeOf(() => checking('us').open(sealed, place))).toBe('seal/denied')
  })

  test('time is judged at each opening, at the time that the caller gives', () => {
    const capability = sealCapability({
      notBefore: new Date(NOW * 1000),
      expiresAt: new Date((NOW + 1000) * 1000),
    })
    const sealed = sealWith(capability)
    const opening = openUnder(rules)
    const at = (seconds: number) => codeOf(() => opening.open(sealed, place, { at: seconds }))
    expect(at(NOW)).toBe('none')
    expect(at(NOW + 1000 + CLOCK_LEEWAY_SECONDS)).toBe('seal/expired')
    expect(at(NOW - CLOCK_LEEWAY_SECONDS - 1)).toBe('seal/not_yet_valid')
    expect(at(NOW + 10)).toBe('none')
    expect(at(Number.NaN)).toBe('seal/expired')
    // Without a time it is now, which is before NOW.
    expect(codeOf(() => opening.open(sealed, place))).toBe('seal/not_yet_valid')
  })

  test('revocation of any link, from the next opening on', async () => {
    const parent = sealCapability()
    const sealed = sealWith(parent.attenuate({ via: 'form' }))
    const revoked = new MemoryRevocationSet()
    const opening = openUnder({ ...rules, isRevoked: (ids) => revoked.revokesAny(ids) })
    expect(codeOf(() => opening.open(sealed, place))).toBe('none')
    await revoked.revoke(parent.ids()[0]!)
    expect(codeOf(() => opening.open(sealed, place))).toBe('seal/revoked')
  })

  test('revocation may depend on when a value was stored', () => {
    const sealed = sealWith(sealCapability())
    const opening = openUnder({ ...rules, isRevoked: (_ids, at) => at > NOW })
    expect(codeOf(() => opening.open(sealed, place, { at: NOW }))).toBe('none')
    expect(codeOf(() => opening.open(sealed, place, { at: NOW + 1 }))).toBe('seal/revoked')
  })
})

describe('capabilities', () => {
  test('one of another use cannot seal', () => {
    expect(codeOf(() => new SealWriter({ to: mint(service, { object: OBJECT }) }))).toBe('seal/denied')
  })

  test('one for another object', () => {
    const sealed = sealWith(mint(service, { use: 'seal', object: 'payroll/salary' }))
    expect(codeOf(() => openUnder(rules).open(sealed, place))).toBe('seal/denied')
    expect(codeOf(() => openUnder({ ...rules, objects: 'any' }).open(sealed, place))).toBe('none')
  })

  test('Kpsk0: a writer whom the reader does not expect is as good as altered, since his name is not proven yet', () => {
    const sealed = sealWith(sealCapability(), 'K')
    const strict = new SealReader({
      keys: reader,
      accept: [{ pattern: 'Kpsk0', writers: [strangerKey.publicKey], capabilities: rules }],
    })
    expect(codeOf(() => strict.open(sealed, place))).toBe('seal/altered')
  })

  test('a caveat from a newer version denies', () => {
    const grant = encodeGrant({ id: new Uint8Array(16), use: 'seal', object: OBJECT, claims: {} })
    const verifiedWith = (caveats: readonly Uint8Array[]) => {
      const verified = verify(encodeLocator(service.roots.current, grant, caveats), rules.authority)
      if (!verified.ok) throw new Error(verified.reason)
      return verified
    }
    const admitting = (caveats: readonly Uint8Array[]) =>
      codeOf(() =>
        admit(verifiedWith(caveats), rules, patternOfName('Npsk0'), undefined, { holderSalts: [] }),
      )
    expect(admitting([])).toBe('none')
    expect(admitting([encodeDcbor([new Uint8Array(8), 99, null])])).toBe('seal/denied')
  })

  test('what the reader learns: grant, all ids, what delegators said', () => {
    const parent = sealCapability({ via: 'ops' })
    const child = parent.attenuate({ via: 'form' })
    const { from } = openUnder(rules).open(sealWith(child), place)
    expect(from.capability.auditTrail).toEqual(['ops', 'form'])
    expect(from.capability.ids).toHaveLength(3)
    expect(from.capability.ids).toEqual(expect.arrayContaining([parent.ids()[0], child.ids()[0]]))
  })

  test('a final one seals; one of a root that the reader lacks, and a made-up secret, are as good as altered', () => {
    expect(codeOf(() => openUnder(rules).open(sealWith(sealCapability().finalize()), place))).toBe('none')
    const otherRoots = ServiceKey.generate().authority()
    const lacking = { ...rules, authority: { ...rules.authority, root: otherRoots.root } }
    expect(codeOf(() => openUnder(lacking).open(sealWith(sealCapability()), place))).toBe('seal/altered')
    const rootless = { ...rules, authority: { ...rules.authority, root: () => undefined } }
    expect(codeOf(() => openUnder(rootless).open(sealWith(sealCapability()), place))).toBe('seal/altered')
  })

  test('a pair registered by hand seals if it is registered for that', () => {
    const secret = primitives().randomBytes(32)
    const registrations = new Registrations()
    registrations.register(secret, { use: 'seal', object: OBJECT })
    const sealed = sealWith(Capability.fromPair(service.publicKey, secret))
    const authority = service.authority(registrations)
    expect(codeOf(() => openUnder({ ...rules, authority }).open(sealed, place))).toBe('none')
    expect(codeOf(() => openUnder(rules).open(sealed, place))).toBe('seal/altered')
    const callers = new Registrations()
    callers.register(secret, { use: 'call', object: OBJECT })
    const forCalls = { ...rules, authority: service.authority(callers) }
    expect(codeOf(() => openUnder(forCalls).open(sealed, place))).toBe('seal/denied')
  })

  test('the length of a sealed locator does not show how many caveats there are', () => {
    const plain = sealWith(sealCapability())
    expect(sealWith(sealCapability({ via: 'a' }))).toHaveLength(plain.length)
  })
})
