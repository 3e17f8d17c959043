import { describe, expectTypeOf, test } from 'vitest'
import type { Capability } from '../../src/capability/index.js'
import type { KeyPair, PublicKey } from '../../src/crypto/index.js'
import {
  bytes,
  type CapabilityRules,
  Column,
  json,
  nullable,
  openAll,
  optional,
  type Sealed,
  type SealedUnder,
  SealReader,
  SealWriter,
  text,
  validated,
} from '../../src/seal/index.js'
import type { StandardSchema } from '../../src/standard-schema.js'

declare const key: KeyPair
declare const publicKey: PublicKey
declare const capability: Capability
declare const capabilities: CapabilityRules
declare const sealed: Uint8Array
declare const schema: StandardSchema<{ born: string }, { born: Date }>
const email = new Column({ table: 'users', column: 'email', codec: text })

describe('what is known about the writer', () => {
  test('N: nothing, so there is nothing to read', () => {
    const { from } = new SealReader({ keys: key, accept: [{ pattern: 'N' }] }).open(sealed, email.at(1))
    expectTypeOf(from.pattern).toEqualTypeOf<'N'>()
    // @ts-expect-error N proves no writer
    from.writer
    // @ts-expect-error and no capability
    from.capability
  })

  test('X and K: the writer’s key', () => {
    const accept = [{ pattern: 'X', writers: 'anyone' }] as const
    const { from } = new SealReader({ keys: key, accept }).open(sealed, email.at(1))
    expectTypeOf(from.writer).toEqualTypeOf<PublicKey>()
    // @ts-expect-error K names its writers
    new SealReader({ keys: key, accept: [{ pattern: 'K', writers: 'anyone' }] })
  })

  test('several patterns: only after looking which one it was', () => {
    const reader = new SealReader({
      keys: key,
      accept: [{ pattern: 'N' }, { pattern: 'Kpsk0', writers: [publicKey], capabilities }],
    })
    const { from } = reader.open(sealed, email.at(1))
    // @ts-expect-error it may have been N
    from.writer
    if (from.pattern === 'Kpsk0') {
      expectTypeOf(from.writer).toEqualTypeOf<PublicKey>()
      expectTypeOf(from.capability).toEqualTypeOf<SealedUnder>()
    }
  })

  test('what a reader accepts has to be said', () => {
    // @ts-expect-error no patterns
    new SealReader({ keys: key })
    // @ts-expect-error X without writers
    new SealReader({ keys: key, accept: [{ pattern: 'X' }] })
    // @ts-expect-error a pattern with a PSK without rules for capabilities
    new SealReader({ keys: key, accept: [{ pattern: 'Npsk0' }] })
  })
})

describe('values follow their column', () => {
  const writer = new SealWriter({ to: capability })
  const reader = new SealReader({ keys: key, accept: [{ pattern: 'N' }] })

  test('sealing and opening', () => {
    writer.seal('x', email.at(1))
    // @ts-expect-error a number in a column of text
    writer.seal(1, email.at(1))
    // @ts-expect-error null in a column without it
    writer.seal(null, email.at(1))
    // @ts-expect-error a place, not a column
    writer.seal('x', email)
    expectTypeOf(reader.open(sealed, email.at(1)).value).toEqualTypeOf<string>()
  })

  test('codecs', () => {
    const maybe = new Column({ table: 't', column: 'c', codec: optional(nullable(bytes)) })
    expectTypeOf(reader.open(sealed, maybe.at(1)).value).toEqualTypeOf<Uint8Array | null | undefined>()
    const born = new Column({ table: 't', column: 'c', codec: validated(json<{ born: string }>(), schema) })
    writer.seal({ born: '1815-12-10' }, born.at(1))
    // @ts-expect-error the schema's output is not its input
    writer.seal({ born: new Date() }, born.at(1))
    expectTypeOf(reader.open(sealed, born.at(1)).value).toEqualTypeOf<{ born: Date }>()
  })

  test('row keys have an encoding', () => {
    email.at([1, 'a', null, new Uint8Array(16)])
    // @ts-expect-error a date has none
    email.at(new Date())
    // @ts-expect-error no row is `whole()`
    email.at(undefined)
  })

  test('outcomes are looked at before they are used', () => {
    const [outcome] = openAll(reader, [] as Sealed<string>[])
    // @ts-expect-error it may have failed
    outcome?.value
    if (outcome?.ok) expectTypeOf(outcome.value).toEqualTypeOf<string>()
  })
})

test('writers name their key exactly for X and K', () => {
  new SealWriter({ to: publicKey, as: { pattern: 'X', key } })
  // @ts-expect-error X without a key
  new SealWriter({ to: publicKey, as: { pattern: 'X' } })
  // @ts-expect-error a secret key is no reader
  new SealWriter({ to: key.secretKey })
})
