import { Encoder as CborEncoder, Tag } from 'cbor-x'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { NoisecapError } from '../../src/errors.js'
import { VALUE_MAX_DEPTH, VALUE_MAX_ITEMS } from '../../src/limits.js'
import { checkValue } from '../../src/rpc/guard.js'
import { TAG } from '../../src/rpc/value-tags.js'
import { decodeValue, encodeValue } from '../../src/rpc/values.js'

const RUNS = { numRuns: 1_000 }

const scalar = fc.oneof(
  fc.constantFrom(null, undefined, true, false, -0, Number.NaN),
  fc.integer(),
  fc.double(),
  fc.maxSafeInteger(),
  fc.bigInt({ min: -(2n ** 1024n), max: 2n ** 1024n - 1n }),
  fc.bigInt({ min: -(2n ** 66n), max: 2n ** 66n }),
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.uint8Array({ maxLength: 80 }),
  fc.date({ noInvalidDate: true }),
)
const key = fc.string({ unit: 'grapheme', maxLength: 20 }).filter((text) => text !== '__proto__')
const mapKey = fc.oneof(
  key,
  fc.integer(),
  fc.double(),
  fc.bigInt(),
  fc.constantFrom(null, undefined, true, false),
)

/** Every value that may travel, nested. */
const value = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, depthSize: 'small' },
    scalar,
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(key, tie('value'), { maxKeys: 20, noNullPrototype: true }),
    fc.array(fc.tuple(mapKey, tie('value')), { maxLength: 20 }).map((entries) => new Map(entries)),
    fc.array(tie('value'), { maxLength: 5 }).map((members) => new Set(members)),
  ),
})).value

// What decodes here decodes there: an independent reader of the same bytes.
const oracle = new CborEncoder({ useRecords: false, mapsAsObjects: true, variableMapSize: true })

/** What cbor-x makes of `bytes`, with our one tag of its own understood. */
function readByOracle(bytes: Uint8Array): unknown {
  return asValue(oracle.decode(Buffer.from(bytes)))
}

function asValue(item: unknown): unknown {
  if (item instanceof Tag) {
    expect(item.tag).toBe(TAG.date)
    return new Date(item.value)
  }
  if (item instanceof Uint8Array) return Uint8Array.from(item)
  if (Array.isArray(item)) return item.map(asValue)
  if (item instanceof Map) return new Map([...item].map(([k, v]) => [k, asValue(v)]))
  if (item instanceof Set) return new Set([...item].map(asValue))
  if (typeof item !== 'object' || item === null) return item
  return Object.fromEntries(Object.entries(item).map(([k, v]) => [k, asValue(v)]))
}

/** cbor-x drops a BOM at the start of longer text, one reason why it does not read for us. */
const holdsBom = (bytes: Uint8Array) => Buffer.from(bytes).includes(Buffer.from('\u{feff}'))

/** Random bytes that are CBOR more often than not: heads, then noise. */
const cborLike = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        0x00,
        0x20,
        0x41,
        0x61,
        0x80,
        0x81,
        0x82,
        0xa0,
        0xa1,
        0xa2,
        0xc2,
        0xc3,
        0xf4,
        0xf6,
        0xf7,
      ),
      fc.constantFrom(0x18, 0x19, 0x1a, 0x1b, 0x38, 0x58, 0x78, 0xf9, 0xfa, 0xfb, 0xff, 0x9f, 0xbf),
      fc.integer({ min: 0, max: 255 }),
      fc.constantFrom('d90102', 'd90103', 'd9cab0', '62c3bc', '6161', 'fb3ff0000000000000'),
    ),
    { maxLength: 40 },
  )
  .map((parts) =>
    Uint8Array.from(
      parts.flatMap((part) => (typeof part === 'number' ? [part] : [...Buffer.from(part, 'hex')])),
    ),
  )

describe('values', () => {
  test('what is encoded passes the guard and comes back exactly', () => {
    fc.assert(
      fc.property(value, (input) => {
        const bytes = encodeValue(input)
        expect(checkValue(bytes)).toBeUndefined()
        expect(decodeValue(bytes)).toStrictEqual(input)
      }),
      RUNS,
    )
  })

  test('encode after decode is canonical', () => {
    fc.assert(
      fc.property(value, (input) => {
        const bytes = encodeValue(input)
        expect(encodeValue(decodeValue(bytes))).toEqual(bytes)
      }),
      RUNS,
    )
  })

  test('cbor-x reads the same from what is encoded', () => {
    fc.assert(
      fc.property(value, (input) => {
        const bytes = encodeValue(input)
        if (!holdsBom(bytes)) expect(readByOracle(bytes)).toStrictEqual(input)
      }),
      RUNS,
    )
  })

  test('what the guard passes decodes, re-encodes to an equal value, and cbor-x reads the same', () => {
    let passed = 0
    fc.assert(
      fc.property(cborLike, (bytes) => {
        if (checkValue(bytes) !== undefined) return
        passed++
        const decoded = decodeValue(bytes)
        expect(decodeValue(encodeValue(decoded))).toStrictEqual(decoded)
        if (!holdsBom(bytes)) expect(readByOracle(bytes)).toStrictEqual(decoded)
      }),
      { numRuns: 20_000 },
    )
    expect(passed).toBeGreaterThan(300)
  })

  test('random bytes give a value or rpc/bad_value, nothing else', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), cborLike), (bytes) => {
        try {
          decodeValue(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(NoisecapError)
          expect(error).toMatchObject({ code: 'rpc/bad_value' })
        }
      }),
      { numRuns: 20_000 },
    )
  })

  test('a flipped bit of valid bytes gives a value or rpc/bad_value, and every cut gives rpc/bad_value', () => {
    fc.assert(
      fc.property(value, fc.nat(), (input, position) => {
        const bytes = encodeValue(input)
        const flipped = bytes.slice()
        flipped[(position >> 3) % bytes.length]! ^= 1 << (position & 7)
        const problem = checkValue(flipped)
        if (problem === undefined) expect(() => decodeValue(flipped)).not.toThrow()
        expect(checkValue(bytes, 0, position % bytes.length)).toBeDefined()
      }),
      RUNS,
    )
  })

  test('the same bytes at any place of a larger buffer give the same answer', () => {
    fc.assert(
      fc.property(cborLike, fc.nat(20), (bytes, offset) => {
        const larger = Buffer.alloc(bytes.length + 40, 0x81)
        larger.set(bytes, offset)
        expect(checkValue(larger, offset, offset + bytes.length)).toBe(checkValue(bytes))
      }),
      RUNS,
    )
  })

  test('valid bytes with bytes put in, taken out or changed: what is read is what cbor-x reads, within the limits', () => {
    let passed = 0
    const edit = fc.record({ at: fc.nat(), take: fc.nat(3), put: fc.uint8Array({ maxLength: 3 }) })
    fc.assert(
      fc.property(value, fc.array(edit, { minLength: 1, maxLength: 3 }), (input, edits) => {
        let bytes = encodeValue(input)
        for (const { at, take, put } of edits) {
          const start = at % (bytes.length + 1)
          bytes = Uint8Array.from([...bytes.subarray(0, start), ...put, ...bytes.subarray(start + take)])
        }
        let decoded: unknown
        try {
          decoded = decodeValue(bytes)
        } catch (error) {
          expect(error).toMatchObject({ code: 'rpc/bad_value' })
          expect(error).toBeInstanceOf(NoisecapError)
          return
        }
        passed++
        const { items, depth } = sizeOf(decoded)
        expect(items).toBeLessThanOrEqual(VALUE_MAX_ITEMS)
        expect(depth).toBeLessThanOrEqual(VALUE_MAX_DEPTH)
        if (!holdsBom(bytes)) expect(readByOracle(bytes)).toStrictEqual(decoded)
      }),
      { numRuns: 3_000 },
    )
    expect(passed).toBeGreaterThan(50)
  })
})

/** Items and levels of a decoded value. */
function sizeOf(item: unknown): { items: number; depth: number } {
  if (typeof item !== 'object' || item === null || item instanceof Uint8Array || item instanceof Date) {
    return { items: 1, depth: 0 }
  }
  const isKeyed = !Array.isArray(item) && !(item instanceof Set)
  const members = isKeyed
    ? item instanceof Map
      ? [...item].flat()
      : Object.entries(item).flat()
    : [...(item as Iterable<unknown>)]
  const sizes = members.map(sizeOf)
  return {
    items: sizes.reduce((sum, { items }) => sum + items, 1),
    depth: 1 + sizes.reduce((most, { depth }) => Math.max(most, depth), 0),
  }
}
