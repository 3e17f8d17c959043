// Codecs and the content they make: what is told apart, what is refused, what lengths show.
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { SEAL_VALUE_MAX_BYTES } from '../../src/limits.js'
import {
  bytes,
  type Codec,
  Column,
  dcbor,
  json,
  nullable,
  optional,
  SealReader,
  SealWriter,
  text,
  validated,
} from '../../src/seal/index.js'
import { ACCEPT, codeOf, reader } from './parties.js'

const writer = new SealWriter({ to: reader.publicKey })
const opening = new SealReader({ keys: reader, accept: [ACCEPT.N] })
const columnOf = <In, Out>(codec: Codec<In, Out>, padding?: readonly number[]) =>
  new Column({ table: 't', column: 'c', codec, padding })

function roundTrip<In, Out>(codec: Codec<In, Out>, value: In, padding?: readonly number[]): Out {
  const place = columnOf(codec, padding).at(1)
  return opening.open(writer.seal<In>(value, place), place).value
}

const maybe = optional(nullable(text))
const TEXTS = [
  '',
  'a',
  '\0',
  'a\0\0',
  'größe 水 🜁',
  'x'.repeat(599),
  'x'.repeat(4_095),
  'ß'.repeat(4_096),
  'y'.repeat(70_000),
]

describe('round trips', () => {
  test.each(TEXTS)('text %#', (value) => expect(roundTrip(text, value)).toBe(value))
  test.each(TEXTS)('bytes %#', (value) => {
    const encoded = new TextEncoder().encode(value)
    expect(roundTrip(bytes, encoded)).toEqual(encoded)
  })
  test.each(['', null, undefined, 'null'])('%j is told apart', (value) =>
    expect(roundTrip(maybe, value)).toBe(value),
  )
  test('json and dcbor', () => {
    const value = { a: [1, 'b', null, { c: true }] }
    expect(roundTrip(json<typeof value>(), value)).toEqual(value)
    expect(roundTrip(dcbor, new Map([['k', [1n << 63n, null, new Uint8Array(3)]]]))).toEqual(
      new Map([['k', [1n << 63n, null, new Uint8Array(3)]]]),
    )
  })
  test('opened bytes are the caller’s own', () => {
    const place = columnOf(bytes).at(1)
    const sealed = writer.seal(new Uint8Array([1, 2]), place)
    const first = opening.open(sealed, place).value
    first.fill(9)
    expect(opening.open(sealed, place).value).toEqual(new Uint8Array([1, 2]))
    expect(first.buffer.byteLength).toBe(2)
  })
})

describe('padding', () => {
  const BUCKETS = [16, 64]
  const lengthOf = (value: string | null | undefined) =>
    writer.seal<string | null | undefined>(value, columnOf(maybe, BUCKETS).at(1)).length
  test('values of one bucket have one length, null and absent too; longer ones go by the largest', () => {
    const shortest = lengthOf('')
    for (const value of [null, undefined, 'a', 'a'.repeat(15)]) expect(lengthOf(value)).toBe(shortest)
    expect(lengthOf('a'.repeat(16))).toBe(shortest + 48)
    expect(lengthOf('a'.repeat(64))).toBe(shortest + 112)
    expect(lengthOf('a'.repeat(128))).toBe(shortest + 176)
  })
  test.each([...TEXTS, null, undefined])('padded content comes back %#', (value) => {
    expect(roundTrip(maybe, value, BUCKETS)).toBe(value)
  })
  test('buckets that are none', () => {
    for (const padding of [[0], [8, 8], [1.5], [SEAL_VALUE_MAX_BYTES + 1]]) {
      expect(codeOf(() => columnOf(text, padding))).toBe('RangeError')
    }
  })
})

describe('refusals', () => {
  test('null and absent without a codec for them, other types, lone surrogates', () => {
    for (const value of [null, undefined, 5, '\udc00']) {
      expect(codeOf(() => writer.seal(value as unknown as string, columnOf(text).at(1)))).toBe('TypeError')
    }
    expect(codeOf(() => writer.seal(undefined, columnOf(json<undefined>()).at(1)))).toBe('TypeError')
  })
  test('16 MiB with padding and no more', () => {
    const column = columnOf(bytes)
    expect(codeOf(() => writer.seal(new Uint8Array(SEAL_VALUE_MAX_BYTES), column.at(1)))).toBe('RangeError')
    expect(codeOf(() => writer.seal(new Uint8Array(SEAL_VALUE_MAX_BYTES - 1), column.at(1)))).toBe('none')
  })
  test.each([
    ['text that is none', bytes, new Uint8Array([0xff]), text],
    ['json that is none', text, '{', json()],
    ['dcbor that is none', bytes, new Uint8Array([0xff]), dcbor],
    ['null', nullable(text), null, text],
    ['absent', optional(text), undefined, nullable(text)],
  ] as const)('authentic content of another codec: %s', (_name, from, value, to) => {
    const sealed = writer.seal(value, columnOf(from as Codec<unknown>).at(1))
    expect(codeOf(() => opening.open(sealed, columnOf(to as Codec<unknown>).at(1)))).toBe('seal/bad_value')
  })
})

describe('validated', () => {
  const trimmed = validated(
    json<{ name: string }>(),
    z.object({
      name: z
        .string()
        .min(2)
        .transform((name) => name.length),
    }),
  )
  test('checked before sealing, parsed after opening', () => {
    expect(roundTrip(trimmed, { name: 'ada' })).toEqual({ name: 3 })
    expect(codeOf(() => roundTrip(trimmed, { name: 'a' }))).toBe('TypeError')
  })
  test('what the schema refuses is not quoted', () => {
    const place = columnOf(json<unknown>()).at(1)
    const sealed = writer.seal({ secret: 'canary' }, place)
    const strict = columnOf(validated(json<unknown>(), z.object({ secret: z.enum(['a']) }))).at(1)
    try {
      opening.open(sealed, strict)
      expect.unreachable()
    } catch (error) {
      expect(error).toMatchObject({ code: 'seal/bad_value' })
      expect(JSON.stringify([String(error), (error as Error).cause, (error as Error).stack])).not.toContain(
        'canary',
      )
    }
  })
  test('a schema that answers later is refused', () => {
    const later = validated(
      text,
      z.string().refine(async () => true),
    )
    expect(codeOf(() => roundTrip(later, 'x'))).not.toBe('none')
  })
})
