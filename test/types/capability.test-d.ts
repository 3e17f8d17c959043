import { describe, expectTypeOf, test } from 'vitest'
import {
  Capability,
  type InterfaceDescription,
  type Restrictions,
  type Verified,
  verify,
} from '../../src/capability/index.js'
import type { PublicKey } from '../../src/crypto/index.js'

interface Notes {
  add(text: string): number
  tail(from: number): string
  drop(): void
}
declare const notes: Capability<Notes>
declare const untyped: Capability
declare const description: InterfaceDescription<Notes>

describe('attenuate', () => {
  test('methods narrow the type', () => {
    expectTypeOf(notes.attenuate({ methods: ['tail'] })).toEqualTypeOf<Capability<Pick<Notes, 'tail'>>>()
    expectTypeOf(notes.attenuate({ methods: ['tail', 'add'], expiresIn: '1h' })).toEqualTypeOf<
      Capability<Pick<Notes, 'tail' | 'add'>>
    >()
  })

  test('methods narrow again, and only among those that are left', () => {
    const two = notes.attenuate({ methods: ['tail', 'add'] })
    expectTypeOf(two.attenuate({ methods: ['add'] })).toEqualTypeOf<
      Capability<Pick<Pick<Notes, 'tail' | 'add'>, 'add'>>
    >()
    // @ts-expect-error drop was given away already
    two.attenuate({ methods: ['drop'] })
  })

  test('a method that the interface lacks does not compile', () => {
    // @ts-expect-error no such method
    notes.attenuate({ methods: ['delete'] })
    // @ts-expect-error one of them is no method
    notes.attenuate({ methods: ['tail', 'delete'] })
  })

  test('other restrictions keep the type', () => {
    expectTypeOf(notes.attenuate({ expiresIn: '1h', via: 'gateway' })).toEqualTypeOf<Capability<Notes>>()
    expectTypeOf(notes.attenuate({})).toEqualTypeOf<Capability<Notes>>()
    expectTypeOf(notes.finalize()).toEqualTypeOf<Capability<Notes>>()
    expectTypeOf(notes.withLabel('x').withLocations([])).toEqualTypeOf<Capability<Notes>>()
  })

  test('an untyped capability takes any method name and stays untyped', () => {
    expectTypeOf(untyped.attenuate({ methods: ['anything'] })).toEqualTypeOf<Capability<unknown>>()
    expectTypeOf(untyped.attenuate({} as Restrictions)).toEqualTypeOf<Capability<unknown>>()
    expectTypeOf(Capability.parse('')).toEqualTypeOf<Capability<unknown>>()
  })

  test('misspelled restrictions do not compile', () => {
    // @ts-expect-error patterns are a closed list
    notes.attenuate({ patterns: ['NN'] })
    // @ts-expect-error a holder is a public key, not any bytes
    notes.attenuate({ holder: new Uint8Array(32) })
    // @ts-expect-error no such restriction
    notes.attenuate({ expires: 5 })
  })
})

describe('assignability', () => {
  test('a wider capability may stand where a narrower one is asked for, never the reverse', () => {
    expectTypeOf<Capability<Notes>>().toExtend<Capability<Pick<Notes, 'tail'>>>()
    expectTypeOf<Capability<Pick<Notes, 'tail'>>>().not.toExtend<Capability<Notes>>()
    expectTypeOf<Capability<Notes>>().toExtend<Capability>()
    expectTypeOf<Capability>().not.toExtend<Capability<Notes>>()
  })

  test('withInterface types an untyped capability', () => {
    expectTypeOf(untyped.withInterface(description)).toEqualTypeOf<Capability<Notes>>()
    expectTypeOf(notes.describes).toEqualTypeOf<InterfaceDescription<Notes> | undefined>()
  })

  test('a look-alike object is no capability', () => {
    expectTypeOf<{ export(): string; keyHash: string }>().not.toExtend<Capability>()
  })
})

test('verify gives a Verified only after its ok is checked', () => {
  const result = verify(new Uint8Array(0), {} as Parameters<typeof verify>[1])
  // @ts-expect-error a denial has no keys
  result.keys
  if (result.ok) expectTypeOf(result).toEqualTypeOf<Verified>()
  else expectTypeOf(result.reason).toExtend<string>()
})

test('the public key is typed', () => {
  expectTypeOf(notes.publicKey).toEqualTypeOf<PublicKey>()
})
