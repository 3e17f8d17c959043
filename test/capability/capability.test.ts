import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import {
  allowedPatterns,
  CAPABILITY_SCAN_PATTERN,
  Capability,
  contactTag,
  expiresAt,
  mint,
  Registrations,
  ServiceKey,
  verify,
} from '../../src/capability/index.js'
import { generateKeyPair } from '../../src/crypto/index.js'

const serviceKey = ServiceKey.generate()
const client = generateKeyPair()
const minted = () =>
  mint(
    serviceKey,
    { object: 'notes/ada', claims: { tier: 'gold' } },
    {},
    { label: 'Ada’s', locations: ['tcp://a:1'] },
  )
const secretOf = (capability: Capability) => capability.export().split('#')[1]!
const PROTOCOL = 'Noise_NKpsk2_25519_ChaChaPoly_BLAKE2b'

describe('Capability.parse', () => {
  test('what export wrote comes back the same, white space around it ignored', () => {
    const capability = minted().attenuate({ methods: ['tail'], holder: client.publicKey, via: 'gateway' })
    const parsed = Capability.parse(` \n${capability.export()}\t\r\n`)
    expect(parsed.export()).toBe(capability.export())
    expect(parsed.equals(capability)).toBe(true)
    expect(parsed.holderSalts()).toEqual(capability.holderSalts())
    expect(parsed.caveats).toEqual(capability.caveats)
  })

  test('the text is a URL that URL parsers leave as it is, with the secret in its fragment only', () => {
    const text = minted().export()
    const url = new URL(text)
    expect(url.href).toBe(text)
    expect(text.replace(url.hash, '')).not.toContain(url.hash.slice(1, 20))
  })

  test('an error never holds any of the text', () => {
    const text = minted().export()
    const secret = secretOf(minted())
    const spoiled = [
      text.slice(0, -1),
      `${text}x`,
      text.replace('#', '#A'),
      `x${text}`,
      secret,
      text.toUpperCase(),
    ]
    for (const bad of spoiled) {
      const error = catchError(() => Capability.parse(bad))
      expect(error).toMatchObject({ code: 'capability/malformed' })
      expect(inspect(error)).not.toContain(bad.slice(-30))
      expect(inspect(error)).not.toContain(text.slice(12, 40))
    }
  })

  test('not text throws TypeError, without the value', () => {
    const error = catchError(() => Capability.parse({ secret: 'hunter2' } as unknown as string))
    expect(error).toBeInstanceOf(TypeError)
    expect(inspect(error)).not.toContain('hunter2')
  })

  test('two texts put together give key_mismatch', () => {
    const other = mint(ServiceKey.generate(), { object: 'a' }).export()
    const mixed = `${minted().export().split('#')[0]}#${other.split('#')[1]}`
    expect(() => Capability.parse(mixed)).toThrow(
      expect.objectContaining({ code: 'capability/key_mismatch' }),
    )
  })
})

describe('secrecy of a Capability', () => {
  const capability = minted()
  const shown: [string, (value: unknown) => string][] = [
    ['String', String],
    ['template', (value) => `${value}`],
    ['JSON', (value) => JSON.stringify({ value })],
    ['inspect', (value) => inspect({ value }, { depth: 9 })],
    [
      'inspect with everything shown',
      (value) => inspect(value, { showHidden: true, customInspect: false, depth: 9 }),
    ],
    ['error message', (value) => inspect(new Error(`failed with ${value}`, { cause: value }))],
    ['structuredClone', (value) => inspect(structuredClone(value), { showHidden: true })],
    ['own keys', (value) => inspect(Reflect.ownKeys(value as object))],
    ['spread', (value) => inspect({ ...(value as object) })],
  ]

  test.each(shown)('%s shows no secret', (_name, show) => {
    const text = show(capability)
    expect(text).not.toContain(secretOf(capability).slice(48, 88))
    expect(text).not.toContain(
      Buffer.from(secretOf(capability), 'base64url').subarray(35, 67).toString('hex'),
    )
    expect(text).not.toMatch(CAPABILITY_SCAN_PATTERN)
    using keys = capability.keys()
    expect(show(keys)).not.toContain(Buffer.from(keys.psk(PROTOCOL)).toString('hex').slice(0, 8))
  })

  test('structuredClone carries nothing over', () => {
    expect(structuredClone(capability as object)).toEqual({})
    expect(structuredClone(capability.keys() as object)).toEqual({})
    expect(Object.keys(structuredClone(serviceKey as object))).toEqual(['keyPair', 'roots', 'keyHash'])
    expect(structuredClone(serviceKey.roots as object)).toEqual({})
  })

  test('the scan pattern finds every exported text, final ones and hand-registered ones too', () => {
    const bare = Capability.fromPair(client.publicKey, new Uint8Array(32))
    for (const each of [
      capability,
      capability.finalize(),
      bare,
      bare.withLabel('x').withLocations(['tcp://a:1']),
    ]) {
      expect(`log: ${each.export()} end`).toMatch(CAPABILITY_SCAN_PATTERN)
      expect(String(each)).not.toMatch(CAPABILITY_SCAN_PATTERN)
    }
  })
})

describe('attenuate', () => {
  test('adds to the caveats and leaves the parent as it was', () => {
    const parent = minted()
    const before = parent.export()
    const child = parent.attenuate({
      methods: ['tail', 'add'],
      expiresAt: new Date(2e12),
      patterns: ['XK', 'IK'],
    })
    expect(parent.export()).toBe(before)
    expect(child.caveats).toEqual([
      { type: 'expires', at: 2e9 },
      { type: 'methods', methods: ['add', 'tail'] },
      { type: 'patterns', patterns: ['IK', 'XK'] },
    ])
    expect(child).toMatchObject({ object: 'notes/ada', label: 'Ada’s', locations: ['tcp://a:1'] })
  })

  test('two copies with the same restrictions have different ids, since caveats are salted', () => {
    const parent = minted()
    const [one, two] = [parent.attenuate({ via: 'a' }), parent.attenuate({ via: 'a' })]
    expect(one.ids()).not.toEqual(two.ids())
    expect(one.equals(two)).toBe(false)
  })

  test('without restrictions it is an equal capability', () => {
    const parent = minted()
    expect(parent.attenuate({}).equals(parent)).toBe(true)
  })

  test.each(['90s', '15m', '1h', '7d', '2w', 90] as const)('expiresIn %s counts from now', (duration) => {
    const seconds = { '90s': 90, '15m': 900, '1h': 3600, '7d': 604_800, '2w': 1_209_600, 90: 90 }[duration]
    const before = Math.floor(Date.now() / 1000)
    const expires = expiresAt(minted().attenuate({ expiresIn: duration }))!
    expect(expires - seconds).toBeGreaterThanOrEqual(before)
    expect(expires - seconds).toBeLessThanOrEqual(Date.now() / 1000)
  })

  test('times are rounded so that it never gets longer', () => {
    const child = minted().attenuate({ expiresAt: new Date(2_000_999), notBefore: new Date(1_000_001) })
    expect(child.caveats).toEqual([
      { type: 'expires', at: 2000 },
      { type: 'notBefore', at: 1001 },
    ])
  })

  test('a holder caveat shows a commitment only, excludes NK, and its salt stays out of the locator', () => {
    const child = minted().attenuate({ holder: client.publicKey })
    const locator = Buffer.from(child.locator).toString('hex')
    expect(child.holderSalts()).toHaveLength(1)
    expect(locator).not.toContain(Buffer.from(child.holderSalts()[0]!).toString('hex'))
    expect(locator).not.toContain(Buffer.from(client.publicKey).toString('hex'))
    expect(allowedPatterns(child)).toEqual(['XK', 'IK', 'KK'])
  })

  test.each<[string, object, typeof TypeError | typeof RangeError]>([
    ['no methods', { methods: [] }, RangeError],
    ['an empty method name', { methods: [''] }, RangeError],
    ['an unknown pattern', { patterns: ['NN'] }, RangeError],
    ['both expiresIn and expiresAt', { expiresIn: 1, expiresAt: new Date() }, TypeError],
    ['an invalid date', { expiresAt: new Date(Number.NaN) }, RangeError],
    ['a negative duration', { expiresIn: -1 }, RangeError],
    ['a duration without unit', { expiresIn: '5' }, RangeError],
    ['a duration in years', { expiresIn: '1y' }, RangeError],
    ['an endless duration', { expiresIn: Number.POSITIVE_INFINITY }, RangeError],
    ['a holder of 31 bytes', { holder: new Uint8Array(31) }, TypeError],
    ['via with a line end', { via: 'a\nb' }, RangeError],
    ['via that reorders text', { via: 'a\u202eb' }, RangeError],
    ['a claim with a fraction', { claims: { a: 0.1 } }, TypeError],
  ])('refuses %s', (_name, restrictions, kind) => {
    expect(() => minted().attenuate(restrictions)).toThrow(kind)
  })

  test('a 17th caveat throws too_large, 16 do not', () => {
    let capability = minted()
    for (let i = 0; i < 16; i++) capability = capability.attenuate({ via: `hop ${i}` })
    expect(verify(capability.locator, serviceKey.authority()).ok).toBe(true)
    const error = catchError(() => capability.attenuate({ via: 'one more' }))
    expect(error).toMatchObject({ code: 'capability/too_large' })
  })

  test('a locator over 2,560 bytes throws too_large', () => {
    const methods = Array.from({ length: 30 }, (_, i) => `${i}`.padStart(90, 'm'))
    expect(() => minted().attenuate({ methods })).toThrow(
      expect.objectContaining({ code: 'capability/too_large' }),
    )
  })
})

describe('finalize', () => {
  test('a final capability has the same keys and cannot be narrowed', () => {
    const capability = minted()
    const final = capability.finalize()
    expect(final.final).toBe(true)
    expect(final.keys().psk(PROTOCOL)).toEqual(capability.keys().psk(PROTOCOL))
    expect(final.locator).toEqual(capability.locator)
    expect(() => final.attenuate({ via: 'x' })).toThrow(expect.objectContaining({ code: 'capability/final' }))
    expect(() => Capability.parse(final.export()).attenuate({})).toThrow(
      expect.objectContaining({ code: 'capability/final' }),
    )
  })

  test('finalizing twice gives an equal capability', () => {
    const final = minted().finalize()
    expect(final.finalize().equals(final)).toBe(true)
  })
})

describe('ids', () => {
  test('a holder knows the id of the last link, which is the last that the service knows', () => {
    const capability = minted().attenuate({ via: 'a', expiresIn: 60 })
    const verified = verify(capability.locator, serviceKey.authority())
    if (!verified.ok) throw new Error(verified.reason)
    expect(verified.ids).toHaveLength(3)
    expect(capability.ids()).toEqual([Buffer.from(verified.ids[2]!).toString('hex')])
  })

  test('a final capability shows none, since it has no chain key', () => {
    expect(minted().finalize().ids()).toEqual([])
  })

  test('one registered by hand shows its registration id always, and its own where it has one', () => {
    const pair = Capability.fromPair(serviceKey.publicKey, new Uint8Array(32).fill(7))
    const id = new Registrations().register(new Uint8Array(32).fill(7), { object: 'a' })
    expect(pair.ids()).toEqual([id])
    expect(pair.attenuate({ via: 'a' }).ids()).toEqual([id, expect.stringMatching(/^[0-9a-f]{32}$/)])
    expect(pair.attenuate({ via: 'a' }).finalize().ids()).toEqual([id])
  })
})

describe('fromPair', () => {
  test('does not know what it stands for', () => {
    const pair = Capability.fromPair(serviceKey.publicKey, new Uint8Array(32), { label: 'x' })
    expect(pair).toMatchObject({ kid: 0, use: undefined, object: undefined, label: 'x', final: false })
    expect({ ...pair.claims }).toEqual({})
    expect(Capability.parse(pair.export()).equals(pair)).toBe(true)
  })

  test.each([0, 31, 33, 64])('refuses a secret of %i bytes', (length) => {
    expect(() => Capability.fromPair(serviceKey.publicKey, new Uint8Array(length))).toThrow(TypeError)
  })

  test('keeps no caller buffer', () => {
    const secret = new Uint8Array(32).fill(1)
    const pair = Capability.fromPair(serviceKey.publicKey, secret)
    const before = pair.export()
    secret.fill(0)
    expect(pair.export()).toBe(before)
  })
})

describe('hints', () => {
  test.each<[string, () => unknown]>([
    ['nine locations', () => minted().withLocations(Array.from({ length: 9 }, (_, i) => `tcp://a:${i}`))],
    ['the same location twice', () => minted().withLocations(['tcp://a:1', 'tcp://a:1'])],
    ['a location without scheme', () => minted().withLocations(['localhost'])],
    ['a location of 256 characters', () => minted().withLocations([`tcp://${'a'.repeat(250)}`])],
    ['an empty label', () => minted().withLabel('')],
    ['a label of dots', () => minted().withLabel('..')],
    ['a label with a line end', () => minted().withLabel('a\nb')],
    ['a label with a lone surrogate', () => minted().withLabel('\udc00')],
  ])('%s throws RangeError', (_name, act) => {
    expect(act).toThrow(RangeError)
  })

  test('labels and locations with odd characters survive the text', () => {
    const capability = minted().withLabel('a/b?c#d%20é水').withLocations(['ws://h/p?q=1&at=x', "x:a'b%2F"])
    const parsed = Capability.parse(capability.export())
    expect(parsed.label).toBe('a/b?c#d%20é水')
    expect(parsed.locations).toEqual(['ws://h/p?q=1&at=x', "x:a'b%2F"])
  })

  test('a text that would be too long throws too_large', () => {
    const locations = Array.from({ length: 8 }, (_, i) => `x:${i}${'%'.repeat(250)}`)
    const long = minted()
      .withLocations(locations)
      .attenuate({ methods: Array.from({ length: 20 }, (_, i) => `${i}`.padStart(100, 'm')) })
    expect(() => long.export()).toThrow(expect.objectContaining({ code: 'capability/too_large' }))
  })

  test('withInterface is carried through narrowing', () => {
    const notes = minted().withInterface({ name: 'Notes' })
    expect(notes.attenuate({ via: 'x' }).finalize().withLabel('y').describes?.name).toBe('Notes')
    expect(Capability.parse(notes.export()).describes).toBeUndefined()
  })
})

describe('disposal', () => {
  test('a disposed capability throws TypeError, copies of it live on', () => {
    const capability = minted()
    const copies = [capability.withLabel('x'), capability.attenuate({}), capability.finalize()]
    const text = copies.map((copy) => copy.export())
    capability[Symbol.dispose]()
    for (const act of [
      () => capability.export(),
      () => capability.keys(),
      () => capability.ids(),
      () => capability.finalize(),
      () => capability.attenuate({ via: 'x' }),
      () => copies[0]!.equals(capability),
    ]) {
      expect(act).toThrow(TypeError)
    }
    expect(copies.map((copy) => copy.export())).toEqual(text)
  })

  test('disposed keys throw TypeError instead of deriving from zeros', () => {
    const keys = minted().keys()
    keys[Symbol.dispose]()
    expect(() => keys.psk(PROTOCOL)).toThrow(TypeError)
    expect(() => keys.prove('hello')).toThrow(TypeError)
    expect(() => keys.contactKey()).toThrow(TypeError)
  })

  test('what is handed out is a copy', () => {
    const capability = minted().attenuate({ holder: client.publicKey })
    const before = capability.export()
    capability.publicKey.fill(0)
    capability.locator.fill(0)
    capability.holderSalts()[0]!.fill(0)
    expect(capability.export()).toBe(before)
  })
})

describe('UseKeys', () => {
  test('psk, purposes and keys differ from each other', () => {
    using keys = minted().keys()
    const values = [
      keys.psk(PROTOCOL),
      keys.psk('Noise_IKpsk2_25519_ChaChaPoly_BLAKE2b'),
      keys.prove('hello'),
      keys.prove('present'),
    ]
    expect(new Set(values.map((value) => Buffer.from(value).toString('hex'))).size).toBe(values.length)
  })

  test('checkProof accepts its own proof and nothing else', () => {
    using keys = minted().keys()
    const part = Uint8Array.of(1, 2, 3)
    const proof = keys.prove('hello', part)
    expect(keys.checkProof(proof, 'hello', part)).toBe(true)
    expect(keys.checkProof(proof, 'present', part)).toBe(false)
    expect(keys.checkProof(proof, 'hello', Uint8Array.of(1, 2, 4))).toBe(false)
    expect(keys.checkProof(proof.subarray(0, 31), 'hello', part)).toBe(false)
  })

  test.each([-1, 0.5, 2 ** 32, Number.NaN])('contactTag refuses day %d', (day) => {
    using keys = minted().keys()
    expect(() => contactTag(keys.contactKey(), client.publicKey, day)).toThrow(RangeError)
  })
})

function catchError(act: () => unknown): unknown {
  try {
    act()
  } catch (error) {
    return error
  }
  throw new Error('expected it to throw')
}
