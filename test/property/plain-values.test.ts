// The one-pass reader accepts a part of what the guard accepts, and gives what the reader behind the guard gives.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { NOT_PLAIN, readPlain } from '../../src/rpc/plain-reader.js'
import { decodeValue, encodeValue } from '../../src/rpc/values.js'

const RUNS = { numRuns: 3_000 }

/** Names that have been there before, and such as must never be read in one pass. */
const KNOWN = ['id', 'text', 'createdAt', 'a', 'bb', 'x'.repeat(23), 'name with spaces', '~']
const OTHERS = ['__proto__', 'constructor', 'toString', '', 'ä', 'y'.repeat(24), 'never seen']

const key = fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...KNOWN) }, fc.constantFrom(...OTHERS.slice(1)))
const scalar = fc.oneof(
  fc.constantFrom(null, undefined, true, false, -0, 0.5, Number.NaN, Number.NEGATIVE_INFINITY),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double(),
  fc.string({ unit: 'binary-ascii', maxLength: 60 }),
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.uint8Array({ maxLength: 4 }),
  fc.bigInt(),
)
const value = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 6 },
    scalar,
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(key, tie('value'), { maxKeys: 20, noNullPrototype: true }),
  ),
})).value

/** Have the names kept: each is read once by the other reader, right before it is wanted. */
function remember(): void {
  decodeValue(encodeValue(Object.fromEntries(KNOWN.map((name) => [name, 0]))))
}

/** @returns whether it was read in one pass. */
function agrees(bytes: Uint8Array): boolean {
  remember()
  const plain = readPlain(bytes, 0, bytes.length)
  if (plain === NOT_PLAIN) return false
  const strict = decodeValue(bytes)
  expect(plain).toStrictEqual(strict)
  expect(JSON.stringify(plain)).toBe(JSON.stringify(strict)) // members in the same order
  return true
}

describe('a value that is read in one pass', () => {
  test('is what it was, whatever was sent', () => {
    let plain = 0
    fc.assert(
      fc.property(value, (given) => {
        if (!agrees(encodeValue(given))) return
        plain += 1
        remember()
        expect(readPlain(encodeValue(given), 0, encodeValue(given).length)).toStrictEqual(given)
      }),
      RUNS,
    )
    expect(plain).toBeGreaterThan(RUNS.numRuns / 20)
  })

  test('is one that the guard passes, whatever a peer makes of the bytes', () => {
    let plain = 0
    fc.assert(
      fc.property(
        value,
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }),
        fc.nat(),
        (given, flips, cut) => {
          const bytes = encodeValue(given)
          for (const [at, byte] of flips) bytes[at % bytes.length] = byte
          if (agrees(cut % 4 === 0 ? bytes.subarray(0, cut % (bytes.length + 1)) : bytes)) plain += 1
        },
      ),
      RUNS,
    )
    expect(plain).toBeGreaterThan(RUNS.numRuns / 50)
  })

  test('lies anywhere in a batch, and nothing behind it is looked at', () => {
    remember()
    const bytes = encodeValue({ id: 7, text: 'hello' })
    const batch = new Uint8Array(bytes.length + 8).fill(0x01)
    batch.set(bytes, 3)
    expect(readPlain(batch, 3, 3 + bytes.length)).toStrictEqual({ id: 7, text: 'hello' })
    for (let stop = 3; stop < 3 + bytes.length; stop++) expect(readPlain(batch, 3, stop)).toBe(NOT_PLAIN)
    expect(readPlain(batch, 3, 4 + bytes.length)).toBe(NOT_PLAIN)
  })

  const object = (...members: number[][]) => Uint8Array.of(0xa0 + members.length, ...members.flat())
  const member = (name: string, ...item: number[]) => [0x60 + name.length, ...Buffer.from(name), ...item]

  test.each([
    ['the same key twice', object(member('id', 1), member('id', 2))],
    ['the same key twice, another between', object(member('id', 1), member('bb', 0), member('id', 2))],
    ['__proto__', object(member('__proto__', 0xa0))],
    ['a key that objects inherit', object(member('toString', 1))],
    ['a key that is a number', Uint8Array.of(0xa1, 0x01, 0x01)],
    ['a key that nobody has sent before', encodeValue({ [`new ${Math.random()}`]: 1 })],
    ['bytes', encodeValue(new Uint8Array(2))],
    ['a bigint of eight bytes', Uint8Array.of(0x1b, 0, 0, 0, 0, 0, 0, 0, 1)],
    ['text of indefinite length', Uint8Array.of(0x7f, 0x61, 0x61, 0xff)],
    ['a reserved head', Uint8Array.of(0x1c)],
    ['a simple value that is none', Uint8Array.of(0xf8, 0x20)],
    ['text that is no ASCII', encodeValue('ä')],
    ['long text that is no ASCII', encodeValue(`${'x'.repeat(60)}ä`)],
    ['more than 256 bytes', encodeValue(new Array(300).fill(1))],
    ['an array that says that it is huge', Uint8Array.of(0x9a, 0xff, 0xff, 0xff, 0xff)],
    ['an object that says that it is huge', Uint8Array.of(0xba, 0xff, 0xff, 0xff, 0xff)],
    ['arrays in arrays, five deep', encodeValue([[[[[]]]]])],
    ['a date', encodeValue(new Date(0))],
    ['nothing', new Uint8Array(0)],
  ])('is none: %s', (_what, bytes) => {
    remember()
    expect(readPlain(bytes, 0, bytes.length)).toBe(NOT_PLAIN)
  })

  test('has sixteen members at most, whoever sent them before', () => {
    const members = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`member${i}`, i]))
    const [most, more] = [encodeValue(members(16)), encodeValue(members(17))]
    decodeValue(more)
    expect(readPlain(most, 0, most.length)).toStrictEqual(members(16))
    expect(readPlain(more, 0, more.length)).toBe(NOT_PLAIN)
  })

  test('has keys that one object after the other may repeat', () => {
    remember()
    const given = [{ id: 1, a: { id: 2 } }, { id: 3 }]
    const bytes = encodeValue(given)
    expect(readPlain(bytes, 0, bytes.length)).toStrictEqual(given)
  })
})
