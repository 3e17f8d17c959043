// Properties of sealed values that must hold for every input: what was sealed comes back, in its place only, and nothing that
// anybody makes of it is opened or crashes the reader with a foreign error.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { NoisecapError } from '../../src/errors.js'
import {
  bytes,
  Column,
  nullable,
  optional,
  type RowKey,
  SealReader,
  SealWriter,
  text,
} from '../../src/seal/index.js'
import { ACCEPT, ACCEPT_ALL, codeOf, flipped, reader } from '../seal/parties.js'

const writer = new SealWriter({ to: reader.publicKey })
const opening = new SealReader({ keys: reader, accept: [ACCEPT.N] })

const { rows } = fc.letrec<{ rows: RowKey; leaf: RowKey }>((tie) => ({
  rows: fc.oneof({ maxDepth: 3 }, tie('leaf'), fc.array(tie('rows'), { maxLength: 3 })),
  leaf: fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.maxSafeInteger(),
    fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n - 1n }),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array({ maxLength: 40 }),
  ),
}))
const names = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
  .filter((name) => name.isWellFormed())
const places = fc.record({
  table: names,
  column: names,
  schemaVersion: fc.option(fc.nat(), { nil: undefined }),
  row: fc.option(rows, { nil: undefined }),
})
const buckets = fc.constantFrom([], [1], [16, 64, 4_096])
const placeOf = <In, Out>(
  {
    row,
    ...names
  }: { table: string; column: string; schemaVersion: number | undefined; row: RowKey | undefined },
  codec: Column<In, Out>['codec'],
  padding: readonly number[] = [],
) => {
  const column = new Column({ ...names, codec, padding })
  return row === undefined ? column.whole() : column.at(row)
}

describe('round trips', () => {
  test('text, null and absent, anywhere, padded or not', () => {
    const values = fc.option(fc.option(fc.string({ unit: 'grapheme' }), { nil: undefined }))
    fc.assert(
      fc.property(values, places, buckets, (value, where, padding) => {
        if (typeof value === 'string' && !value.isWellFormed()) return
        const place = placeOf(where, optional(nullable(text)), padding)
        expect(opening.open(writer.seal(value, place), place).value).toBe(value)
      }),
    )
  })

  test('bytes of any length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 9_000 }), places, buckets, (value, where, padding) => {
        const place = placeOf(where, bytes, padding)
        expect(opening.open(writer.seal(value, place), place).value).toEqual(value)
      }),
    )
  })
})

describe('refusals', () => {
  test('any other place', () => {
    fc.assert(
      fc.property(places, places, (where, other) => {
        const [here, there] = [placeOf(where, text), placeOf(other, text)]
        const [a, b] = [here, there].map((place) => Buffer.from(place.column.associatedData(place.row)))
        fc.pre(!a!.equals(b!))
        expect(codeOf(() => opening.open(writer.seal('x', here), there))).toBe('seal/altered')
      }),
    )
  })

  test('any flipped bit', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), places, fc.nat(), (value, where, anywhere) => {
        const place = placeOf(where, bytes)
        const sealed = writer.seal(value, place)
        expect(codeOf(() => opening.open(flipped(sealed, anywhere % (8 * sealed.length)), place))).toMatch(
          /^seal\//,
        )
      }),
    )
  })

  test('any bytes, with any beginning of a true value: an error of this layer', () => {
    const all = new SealReader({ keys: reader, accept: ACCEPT_ALL })
    const place = new Column({ table: 't', column: 'c', codec: text }).at(1)
    const genuine = writer.seal('x', place)
    fc.assert(
      fc.property(fc.nat({ max: genuine.length - 1 }), fc.uint8Array({ maxLength: 400 }), (kept, rest) => {
        try {
          all.open(new Uint8Array([...genuine.subarray(0, kept), ...rest]), place)
          return Buffer.from(genuine.subarray(kept)).equals(rest)
        } catch (error) {
          return error instanceof NoisecapError && error.code.startsWith('seal/')
        }
      }),
      { numRuns: 500 },
    )
  })
})
