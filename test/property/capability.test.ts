// Properties of capabilities that must hold for every input: narrowing only narrows, nothing of a chain can be taken away,
// moved, altered or doubled, one capability has one text, and no text or bytes crash a parser with a foreign error.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  allowedPatterns,
  allowsMethod,
  Capability,
  judge,
  judgeClaims,
  judgeHolder,
  mint,
  PATTERN_NAMES,
  type Restrictions,
  ServiceKey,
  type Verified,
  verify,
} from '../../src/capability/index.js'
import { encodeLocator } from '../../src/capability/locator.js'
import { decodeRecords, encodeRecord } from '../../src/capability/revocation-log.js'
import { generateKeyPair } from '../../src/crypto/index.js'
import { decodeDcbor } from '../../src/dcbor.js'
import { NoisecapError } from '../../src/errors.js'

const serviceKey = ServiceKey.generate()
const authority = serviceKey.authority()
const clients = [generateKeyPair(), generateKeyPair()] as const
const METHODS = ['add', 'tail', 'drop', 'größe'] as const
const REGIONS = ['eu', 'us'] as const
const NOW = 1_800_000_000
const PROTOCOL = 'Noise_IKpsk2_25519_ChaChaPoly_BLAKE2b'

const dates = fc.integer({ min: -300, max: 300 }).map((seconds) => new Date((NOW + seconds) * 1000))
const full = fc.record({
  methods: fc.uniqueArray(fc.constantFrom(...METHODS), { minLength: 1 }),
  patterns: fc.uniqueArray(fc.constantFrom(...PATTERN_NAMES), { minLength: 1 }),
  expiresAt: dates,
  notBefore: dates,
  holder: fc.constantFrom(...clients).map(({ publicKey }) => publicKey),
  via: fc.string({ minLength: 1, maxLength: 10, unit: fc.constantFrom('a', 'é', '水', ' ') }),
  claims: fc.record({ region: fc.constantFrom(...REGIONS) }),
})
const NAMES = ['methods', 'patterns', 'expiresAt', 'notBefore', 'holder', 'via', 'claims'] as const
// At most two at a time, lest nearly every chain allow nothing at all.
const restrictions: fc.Arbitrary<Restrictions> = fc
  .tuple(full, fc.subarray([...NAMES], { maxLength: 2 }))
  .map(([all, names]) => Object.fromEntries(names.map((name) => [name, all[name]])))
const chains = fc.array(restrictions, { maxLength: 5 })

function chainOf(links: readonly Restrictions[]): Capability[] {
  const chain = [mint(serviceKey, { object: 'notes/ada' })]
  for (const link of links) chain.push(chain.at(-1)!.attenuate(link))
  return chain
}

function verified(locator: Uint8Array): Verified {
  const result = verify(locator, authority)
  if (!result.ok) throw new Error(result.reason)
  return result
}

/** Every circumstance of a small world in which `capability` is accepted, as text. */
function allowedWorld(capability: Capability): Set<string> {
  const result = verified(capability.locator)
  const times = [-400, -300, -200, -100, 0, 100, 200, 300, 400].map((seconds) => NOW + seconds)
  const sessions = times
    .flatMap((now) => PATTERN_NAMES.map((pattern) => ({ now, pattern })))
    .filter((each) => judge(result, { ...each, use: 'call' }) === 'ok')
  const holders = [undefined, ...clients]
    .filter((client) => judgeHolder(result, client?.publicKey, capability.holderSalts()) === 'ok')
    .map((client) => (client === undefined ? 'anonymous' : `client ${clients.indexOf(client)}`))
  const regions = REGIONS.filter(
    (region) => judgeClaims(result, (required) => required['region'] === region) === 'ok',
  )
  const methods = METHODS.filter((method) => allowsMethod(result, method))
  const allowed = new Set<string>()
  for (const { now, pattern } of sessions) {
    for (const holder of holders) {
      for (const region of regions) {
        for (const method of methods) allowed.add(`${now} ${pattern} ${holder} ${region} ${method}`)
      }
    }
  }
  return allowed
}

describe('narrowing', () => {
  test('a capability never allows more than its parent, whatever the order and number of caveats', () => {
    fc.assert(
      fc.property(chains, (links) => {
        const worlds = chainOf(links).map(allowedWorld)
        for (const [i, world] of worlds.entries()) {
          if (i > 0) expect([...world].filter((each) => !worlds[i - 1]!.has(each))).toEqual([])
        }
      }),
      { numRuns: 200 },
    )
  })

  test('the order of links does not change what is allowed', () => {
    fc.assert(
      fc.property(chains, (links) => {
        const forwards = allowedWorld(chainOf(links).at(-1)!)
        expect(allowedWorld(chainOf([...links].reverse()).at(-1)!)).toEqual(forwards)
      }),
      { numRuns: 100 },
    )
  })

  test('finalizing, relabelling and passing through text change nothing that is allowed', () => {
    fc.assert(
      fc.property(chains, (links) => {
        const capability = chainOf(links).at(-1)!
        const passed = Capability.parse(capability.withLabel('x').finalize().export())
        expect(passed.caveats).toEqual(capability.caveats)
        expect(passed.keys().psk(PROTOCOL)).toEqual(capability.keys().psk(PROTOCOL))
        expect(allowedPatterns(passed)).toEqual(allowedPatterns(capability))
      }),
      { numRuns: 40 },
    )
  })
})

describe('a chain', () => {
  const split = (locator: Uint8Array) => decodeDcbor(locator) as [number, Uint8Array, Uint8Array[]]
  const proofOf = (locator: Uint8Array) => verified(locator).keys.prove('hello')

  test('with a caveat removed, moved, doubled or replaced gives other keys', () => {
    const edits = fc.constantFrom('remove', 'double', 'swap', 'replace', 'append')
    fc.assert(
      fc.property(chains, edits, fc.nat(), fc.nat(), (links, edit, at, other) => {
        const [kid, grant, caveats] = split(chainOf(links).at(-1)!.locator)
        const foreign = split(chainOf([{ via: 'x' }]).at(-1)!.locator)[2][0]!
        const [i, j] = [at % Math.max(caveats.length, 1), other % Math.max(caveats.length, 1)]
        const edited = [...caveats]
        if (edit === 'append') edited.push(foreign)
        else if (caveats.length === 0) return
        else if (edit === 'remove') edited.splice(i, 1)
        else if (edit === 'double') edited.splice(i, 0, caveats[i]!)
        else if (edit === 'replace') edited[i] = foreign
        else if (i === j) return
        else [edited[i], edited[j]] = [caveats[j]!, caveats[i]!]
        if (edited.length > 16) return
        const genuine = proofOf(encodeLocator(kid, grant, caveats))
        expect(proofOf(encodeLocator(kid, grant, edited))).not.toEqual(genuine)
      }),
    )
  })

  test('with any byte of its locator altered is refused or gives other keys', () => {
    fc.assert(
      fc.property(chains, fc.nat(), fc.integer({ min: 1, max: 255 }), (links, at, difference) => {
        const { locator } = chainOf(links).at(-1)!
        const genuine = proofOf(locator)
        locator[at % locator.length]! ^= difference
        const result = verify(locator, authority)
        if (result.ok) expect(result.keys.prove('hello')).not.toEqual(genuine)
      }),
    )
  })

  test('every id of a capability is an id of everything narrowed from it', () => {
    fc.assert(
      fc.property(chains, (links) => {
        const ids = chainOf(links).map(({ locator }) => verified(locator).ids)
        for (const [i, own] of ids.entries()) {
          if (i > 0) expect(own.slice(0, ids[i - 1]!.length)).toEqual(ids[i - 1])
        }
        const all = ids.at(-1)!.map(String)
        expect(new Set(all).size).toBe(all.length)
      }),
      { numRuns: 40 },
    )
  })
})

describe('the text', () => {
  const anyLabel = fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' })
  const anyLocation = fc.string({ minLength: 1, maxLength: 30, unit: fc.constantFrom(...'aZ09:/?@%&=+~!') })

  test('survives a round trip with any hints that are allowed', () => {
    fc.assert(
      fc.property(chains, anyLabel, fc.uniqueArray(anyLocation, { maxLength: 8 }), (links, label, rest) => {
        const locations = rest.map((each) => `x:${each}`)
        const plain = chainOf(links).at(-1)!.withLocations(locations)
        const capability = tryOr(() => plain.withLabel(label), plain)
        const parsed = Capability.parse(capability.export())
        expect(parsed.export()).toBe(capability.export())
        expect(parsed).toMatchObject({ label: capability.label, locations })
      }),
    )
  })

  test('anything that parses is written again to the letter, whatever was altered', () => {
    const text = chainOf([{ via: 'x' }])
      .at(-1)!
      .withLabel('a é')
      .withLocations(['tcp://a:1'])
      .export()
    const piece = fc.constantFrom('', '/', '?', '&', 'at=', '#', '%', '%61', '=', ' ', 'A', '-', '\n', text)
    fc.assert(
      fc.property(fc.nat(text.length), fc.nat(3), piece, (at, removed, inserted) => {
        const altered = text.slice(0, at) + inserted + text.slice(at + removed)
        const parsed = tryParse(altered)
        if (parsed !== undefined) expect(parsed.export()).toBe(altered.trim())
      }),
      { numRuns: 500 },
    )
  })

  test('random text throws nothing but its own codes, without the text', () => {
    const prefix = chainOf([])[0]!.export().split('#')[0]!
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.base64String().map((rest) => `${prefix}#${rest}`),
      fc.uint8Array({ maxLength: 300 }).map((rest) => `${prefix}#${Buffer.from(rest).toString('base64url')}`),
      fc.webUrl().map((url) => url.replace(/^https?/, 'noisecap')),
    )
    fc.assert(
      fc.property(texts, (text) => {
        expect(tryParse(text)).toBeUndefined()
      }),
      { numRuns: 500 },
    )
  })
})

test('random bytes as a locator are denied as a value, never thrown', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 3_000 }), (bytes) => {
      expect(verify(bytes, authority)).toMatchObject({ ok: false })
    }),
    { numRuns: 500 },
  )
})

test('a revocation log says the same whole and read in pieces', () => {
  const ids = fc.array(fc.uint8Array({ minLength: 16, maxLength: 16 }), { minLength: 1, maxLength: 12 })
  fc.assert(
    fc.property(ids, fc.nat(), (many, cut) => {
      const text = many.map((each) => encodeRecord(Buffer.from(each).toString('hex'), NOW)).join('')
      const lineEnd = text.indexOf('\n') + 1
      const end = lineEnd + (cut % (text.length - lineEnd + 1))
      const first = decodeRecords(text.slice(0, end), 2, false)
      const second = decodeRecords(text.slice(first.consumed), 2 + first.lines, true)
      expect([...first.ids, ...second.ids]).toEqual(decodeRecords(text, 2, true).ids)
      expect(2 + first.lines + second.lines).toBe(2 + many.length)
    }),
  )
})

function tryOr<T>(act: () => T, otherwise: T): T {
  try {
    return act()
  } catch (error) {
    if (error instanceof RangeError) return otherwise
    throw error
  }
}

/** The capability of `text`, undefined where it is refused as it should be. */
function tryParse(text: string): Capability | undefined {
  try {
    return Capability.parse(text)
  } catch (error) {
    if (!(error instanceof NoisecapError)) throw error
    expect(['capability/malformed', 'capability/key_mismatch']).toContain(error.code)
    if (text.length > 40) expect(`${error.message} ${error.hint}`).not.toContain(text.slice(-30))
    return undefined
  }
}
