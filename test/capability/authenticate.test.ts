// What a service finds out about a capability that it was handed whole.
import { describe, expect, test } from 'vitest'
import {
  authenticate,
  Capability,
  linkIds,
  mint,
  Registrations,
  RootSecrets,
  ServiceKey,
} from '../../src/capability/index.js'
import { NoisecapError } from '../../src/errors.js'
import { madeUp } from './made-up.js'

const serviceKey = ServiceKey.generate()
const authority = serviceKey.authority()
const minted = mint(serviceKey, { object: 'notes/ada' })
const narrowed = minted.attenuate({ methods: ['list'], via: 'bob' })

function denial(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    if (error instanceof NoisecapError && error.code === 'capability/denied') return error.message
    throw error
  }
  return 'none'
}

describe('authenticate', () => {
  test('a genuine capability: all ids, of which the holder knows the last', () => {
    const { genuine, ids } = authenticate(narrowed, authority)
    expect(genuine).toBe(true)
    expect(ids).toHaveLength(3)
    expect(ids[0]).toBe(minted.ids()[0])
    expect(ids[2]).toBe(narrowed.ids()[0])
  })

  test('a final one has the ids of the capability that it was made of', () => {
    expect(authenticate(narrowed.finalize(), authority)).toEqual(authenticate(narrowed, authority))
  })

  test.each([false, true])(
    'a made-up secret, final %s: the ids of the genuine one, and not genuine',
    (final) => {
      const text = madeUp(narrowed.export(), final)
      const { genuine, ids } = authenticate(Capability.parse(text), authority)
      expect(genuine).toBe(false)
      expect(ids).toEqual(linkIds(narrowed, authority))
      expect(denial(() => linkIds(Capability.parse(text), authority))).toContain('made up')
    },
  )

  test('u given out as t, and t as u: not genuine', () => {
    const [open, final] = [narrowed.export(), narrowed.finalize().export()]
    for (const [text, flag] of [
      [open, true],
      [final, false],
    ] as const) {
      const wrong = Capability.parse(madeUp(madeUp(text), flag)) // altered twice is unaltered, save for the flag
      expect(wrong.final).toBe(flag)
      expect(authenticate(wrong, authority).genuine).toBe(false)
    }
  })

  test('another service: denied, although the root may be the same', () => {
    const roots = RootSecrets.from([[1, serviceKey.roots.get(1)!]])
    const other = new ServiceKey(ServiceKey.generate().keyPair, roots)
    expect(denial(() => authenticate(minted, other.authority()))).toContain('got one of another')
  })

  test('a retired root: denied', () => {
    const key = ServiceKey.generate()
    const old = mint(key, { object: 'notes/ada' })
    key.roots.rotate()
    key.roots.retire(1)
    expect(denial(() => authenticate(old, key.authority()))).toContain('retired')
  })

  test('a registered pair: genuine where it is registered, denied where it is not', () => {
    const secret = crypto.getRandomValues(new Uint8Array(32))
    const pair = Capability.fromPair(serviceKey.publicKey, secret).attenuate({ via: 'x' }).finalize()
    expect(denial(() => authenticate(pair, authority))).toContain('whose pair is registered')
    const registrations = new Registrations()
    const id = registrations.register(secret, { object: 'notes/ada' })
    const { genuine, ids } = authenticate(pair, serviceKey.authority(registrations))
    expect({ genuine, first: ids[0] }).toEqual({ genuine: true, first: id })
  })
})

test('UseKeys.equals: the same capability only, and not after disposal', () => {
  const [one, other] = [narrowed.keys(), minted.keys()]
  expect([one.equals(narrowed.keys()), one.equals(other)]).toEqual([true, false])
  other[Symbol.dispose]()
  expect(() => one.equals(other)).toThrow(TypeError)
})
