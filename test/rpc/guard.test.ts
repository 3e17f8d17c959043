import { describe, expect, test } from 'vitest'
import { concat, hexDecode, utf8 } from '../../src/bytes.js'
import { NoisecapError } from '../../src/errors.js'
import { checkValue } from '../../src/rpc/guard.js'
import {
  DEFAULT_VALUE_LIMITS,
  PROBLEM_TEXT,
  type ValueLimits,
  type ValueProblem,
} from '../../src/rpc/value-problem.js'
import { LINK_TAG, TAG } from '../../src/rpc/value-tags.js'
import { decodeValue } from '../../src/rpc/values.js'

/** A head of `major` in its shortest form. */
function head(major: number, argument: number): string {
  const first = (info: number) => ((major << 5) | info).toString(16).padStart(2, '0')
  if (argument < 24) return first(argument)
  const size = argument < 0x100 ? 1 : argument < 0x1_0000 ? 2 : 4
  return first(23 + size - (size === 4 ? 1 : 0)) + argument.toString(16).padStart(2 * size, '0')
}
const tag = (number: number, content: string) => head(6, number) + content
const text = (value: string) => head(3, utf8(value).length) + hex(utf8(value))
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const map = (entries: string) => tag(TAG.map, entries)
const date = (number: string) => tag(TAG.date, number)

const hostile: [string, string, ValueProblem][] = [
  // Ends too early, or goes on too long.
  ['no bytes at all', '', 'truncated'],
  ['u8 without its byte', '18', 'truncated'],
  ['u16 with one byte', '1901', 'truncated'],
  ['u32 with three bytes', '1a010203', 'truncated'],
  ['u64 with seven bytes', '1b01020304050607', 'truncated'],
  ['float16 with one byte', 'f93c', 'truncated'],
  ['float32 with three bytes', 'fa000000', 'truncated'],
  ['float64 with seven bytes', 'fb00000000000000', 'truncated'],
  ['bytes longer than the input', '420a', 'truncated'],
  ['text longer than the input', '6261', 'truncated'],
  ['array of two with one member', '8201', 'truncated'],
  ['map of one with a key only', 'a16161', 'truncated'],
  ['array of 2^32 − 1 members in five bytes', '9affffffff', 'truncated'],
  ['map of 2^31 entries in five bytes', 'ba80000000', 'truncated'],
  ['array of 2^53 members', '9b0020000000000000', 'truncated'],
  ['map of 2^64 − 1 entries', 'bbffffffffffffffff', 'truncated'],
  ['text of 2^64 − 1 bytes', '7bffffffffffffffff', 'truncated'],
  ['bytes of 2^53 + 1 bytes', '5b0020000000000001', 'truncated'],
  ['bytes of 2^32 bytes', '5b0000000100000000', 'truncated'],
  ['a tag before nothing', 'c2', 'truncated'],
  ['a Set tag before nothing', tag(TAG.set, ''), 'truncated'],
  ['a date tag before nothing', date(''), 'truncated'],
  ['a date whose float is cut', date('fb4000'), 'truncated'],
  ['a byte after the value', '0000', 'trailing_bytes'],
  ['two values', '8080', 'trailing_bytes'],
  ['a break after the value', '80ff', 'trailing_bytes'],
  // Heads that do not exist here.
  ['indefinite bytes', '5f4101ff', 'indefinite_length'],
  ['indefinite text', '7f6161ff', 'indefinite_length'],
  ['indefinite array', '9f01ff', 'indefinite_length'],
  ['indefinite map', 'bf616101ff', 'indefinite_length'],
  ['indefinite integer', '1f', 'indefinite_length'],
  ['indefinite negative integer', '3f', 'indefinite_length'],
  ['indefinite tag', 'df01', 'indefinite_length'],
  ['indefinite map behind a Map tag', map('bfff'), 'indefinite_length'],
  ['indefinite key', 'a17f6161ff01', 'indefinite_length'],
  ['break alone', 'ff', 'indefinite_length'],
  ['break in an array', '81ff', 'indefinite_length'],
  ['break as a key', 'a1ff01', 'key_type'],
  ['additional information 28', '1c', 'reserved_head'],
  ['additional information 29 of text', '7d', 'reserved_head'],
  ['additional information 30 of an array', '9e', 'reserved_head'],
  ['additional information 28 of a tag', 'dc00', 'reserved_head'],
  ['simple value head 28', 'fc', 'reserved_head'],
  ['simple value head 30', 'fe', 'reserved_head'],
  ['simple value 0', 'e0', 'simple_value'],
  ['simple value 19', 'f3', 'simple_value'],
  ['simple value 255 in two bytes', 'f8ff', 'simple_value'],
  ['false in two bytes', 'f814', 'simple_value'],
  // Tags.
  ['tag 0, date as text', tag(0, text('2020-01-01T00:00:00Z')), 'tag'],
  ['tag 1, seconds', tag(1, '00'), 'tag'],
  ['tag 4, decimal fraction', tag(4, '820102'), 'tag'],
  ['tag 5, bigfloat of a huge exponent', tag(5, '821a7fffffff01'), 'tag'],
  ['tag 6, packed reference', tag(6, '00'), 'tag'],
  ['tag 14, bundled string', tag(14, '00'), 'tag'],
  ['tag 25, string reference', tag(25, '00'), 'tag'],
  ['tag 27, class instance', tag(27, `82${text('RegExp')}${text('(a+)+$')}`), 'tag'],
  ['tag 28, shareable', tag(28, '80'), 'tag'],
  ['tag 29, shared reference', tag(29, '00'), 'tag'],
  ['tag 32, URI', tag(32, text('a:b')), 'tag'],
  ['tag 35, regular expression', tag(35, text('a')), 'tag'],
  ['tag 51, packed table', tag(51, '8480808000'), 'tag'],
  ['tag 64, typed array', tag(64, '4101'), 'tag'],
  ['tag 86, typed array of doubles', tag(86, '480000000000000000'), 'tag'],
  ['tag 105, legacy record', tag(105, '8319e00081616101'), 'tag'],
  ['tag 216, packed suffix', tag(216, text('a')), 'tag'],
  ['tag 256, string namespace', tag(256, '00'), 'tag'],
  ['tag 55799, self-described', tag(55_799, '00'), 'tag'],
  ['tag 0xdff9, bundled strings', tag(0xdff9, '8200616161'), 'tag'],
  ['tag 0xdffe, record definitions', tag(0xdffe, '8219e00081616101'), 'tag'],
  ['tag 0xdfff, inline record', tag(0xdfff, '8319e00081616101'), 'tag'],
  ['tag 0xe000, record', tag(0xe000, '8101'), 'tag'],
  ['tag 0x53687264, shared data', tag(0x5368_7264, '00'), 'tag'],
  ['tag 2^32', 'db000000010000000000', 'tag'],
  ['tag 2^64 − 1', 'dbffffffffffffffff00', 'tag'],
  ['a tag within an array', `81${tag(27, '80')}`, 'tag'],
  ['a tag as an object key', `a1${tag(27, '80')}00`, 'key_type'],
  ...Object.entries(LINK_TAG).map(([name, number]): [string, string, ValueProblem] => [
    `reserved tag ${name}`,
    tag(number, '00'),
    'tag',
  ]),
  // Tags before the wrong thing.
  ['bigint tag before an integer', 'c205', 'tag_content'],
  ['bigint tag before text', 'c26161', 'tag_content'],
  ['bigint tag before a bigint tag', 'c2c24105', 'tag_content'],
  ['Set tag before a map', tag(TAG.set, 'a0'), 'tag_content'],
  ['Set tag before a Set', tag(TAG.set, tag(TAG.set, '80')), 'tag_content'],
  ['Map tag before an array', map('80'), 'tag_content'],
  ['Map tag before a Map tag', map(map('a0')), 'tag_content'],
  ['date of text', date(text('now')), 'tag_content'],
  ['date of a bigint', date('1b0000000000000005'), 'tag_content'],
  ['date of NaN', date('fb7ff8000000000000'), 'tag_content'],
  ['date of infinity', date('fb7ff0000000000000'), 'tag_content'],
  ['date of half a millisecond', date('fb3fe0000000000000'), 'tag_content'],
  ['date one past 8.64e15', date('fb433eb208c2dc0001'), 'tag_content'],
  ['date of a float16', date('f93c00'), 'tag_content'],
  ['date of undefined', date('f7'), 'tag_content'],
  // Bounds.
  ['bigint of 129 bytes', `c2${head(2, 129)}${'ff'.repeat(129)}`, 'bigint_length'],
  ['bigint of 129 zeros', `c3${head(2, 129)}${'00'.repeat(129)}`, 'bigint_length'],
  ['bigint of 64 kB', `c2${head(2, 65_535)}${'ff'.repeat(65_535)}`, 'bigint_length'],
  ['bigint of 2^63 bytes', 'c25b8000000000000000', 'bigint_length'],
  ['33 arrays', `${'81'.repeat(33)}00`, 'depth'],
  ['33 empty arrays', `${'81'.repeat(32)}80`, 'depth'],
  ['33 objects', `${'a16161'.repeat(33)}00`, 'depth'],
  ['33 Sets', `${tag(TAG.set, '81').repeat(33)}00`, 'depth'],
  ['60,000 arrays', `${'81'.repeat(60_000)}00`, 'depth'],
  ['65,536 members and their array', head(4, 65_536) + '00'.repeat(65_536), 'items'],
  ['32,768 entries and their Map', map(head(5, 32_768) + keys(32_768)), 'items'],
  ['2,049 members and their object', head(5, 2_049) + keys(2_049), 'object_members'],
  ['2,049 members within an array', `81${head(5, 2_049)}${keys(2_049)}`, 'object_members'],
  ['2,049 members that are not looked at', head(5, 2_049) + 'ff'.repeat(4_098), 'object_members'],
  ['1,025 numbers in a Set', tag(TAG.set, head(4, 1_025) + '00'.repeat(1_025)), 'hashed_numbers'],
  ['1,025 numbers as keys of a Map', map(head(5, 1_025) + mapEntries(1_025)), 'hashed_numbers'],
  // Text.
  ['lone continuation byte', '6180', 'utf8'],
  ['overlong slash in two bytes', '62c0af', 'utf8'],
  ['overlong NUL in two bytes', '62c080', 'utf8'],
  ['overlong in three bytes', '63e0809f', 'utf8'],
  ['overlong in four bytes', '64f08080af', 'utf8'],
  ['high surrogate', '63eda080', 'utf8'],
  ['surrogate pair of CESU-8', '66eda0bdedb880', 'utf8'],
  ['past U+10FFFF', '64f4908080', 'utf8'],
  ['first byte 0xf5', '64f5808080', 'utf8'],
  ['first byte 0xff', '61ff', 'utf8'],
  ['cut sequence of two', '61c3', 'utf8'],
  ['cut sequence of three', '62e282', 'utf8'],
  ['cut sequence that goes on in the next item', '8261c36161', 'utf8'],
  ['second byte is no continuation', '62c341', 'utf8'],
  ['fourth byte is no continuation', '64f09f9841', 'utf8'],
  ['a bad byte behind 100 good ones', `7865${'61'.repeat(100)}ff`, 'utf8'],
  ['a bad key', 'a161ff00', 'utf8'],
  // Keys.
  ['integer key of an object', 'a10102', 'key_type'],
  ['null key of an object', 'a1f600', 'key_type'],
  ['bytes key of an object', 'a1416100', 'key_type'],
  ['array key of an object', 'a1806100', 'key_type'],
  ['array key of a Map', map('a18000'), 'key_type'],
  ['object key of a Map', map('a1a000'), 'key_type'],
  ['bytes key of a Map', map('a1416100'), 'key_type'],
  ['date key of a Map', map(`a1${date('00')}00`), 'key_type'],
  ['Set key of a Map', map(`a1${tag(TAG.set, '80')}00`), 'key_type'],
  ['__proto__', `a1${text('__proto__')}00`, 'key_proto'],
  ['__proto__ deep inside', `81a16161a1${text('__proto__')}a0`, 'key_proto'],
  ['__proto__ in a Map', map(`a1${text('__proto__')}00`), 'key_proto'],
  ['__proto__ with a longer head', `a17809${hex(utf8('__proto__'))}00`, 'key_form'],
  ['key of 257 bytes', `a1${text('k'.repeat(257))}00`, 'key_length'],
  ['key of 64 KiB that is not there', 'a17a00010000', 'key_length'],
  ['key with u8 length that fits the head', 'a178016100', 'key_form'],
  ['key with u16 length that fits u8', `a1790018${'61'.repeat(24)}00`, 'key_form'],
  ['key with u64 length', 'a17b00000000000000016100', 'key_form'],
  ['Map key 5 in u8', map('a1180500'), 'key_form'],
  ['Map key 5 in u16', map('a119000500'), 'key_form'],
  ['Map key −1 in u32', map('a13a0000000000'), 'key_form'],
  ['Map key 5 as float64', map('a1fb401400000000000000'), 'key_form'],
  ['Map key −2^32 as float64', map('a1fbc1f000000000000000'), 'key_form'],
  ['Map key 1 as float16', map('a1f93c0000'), 'key_form'],
  ['Map key 0.5 as float32', map('a1fa3f00000000'), 'key_form'],
  ['Map key −0', map('a1fb800000000000000000'), 'key_form'],
  ['Map key NaN with a payload', map('a1fb7ff800000000000100'), 'key_form'],
  ['Map key NaN with a sign', map('a1fbfff800000000000000'), 'key_form'],
  ['Map key 5n as magnitude', map('a1c2410500'), 'key_form'],
  ['Map key 2^64 as magnitude with a zero', map('a1c24a0001000000000000000000'), 'key_form'],
  ['Map key 2^64 as magnitude with a long head', map('a1c2580901000000000000000000'), 'key_form'],
  ['Map key bigint with a two-byte tag', map('a1d80249010000000000000000'), 'key_type'],
  ['Map key bigint tag before text', map('a1c2616100'), 'tag_content'],
  ['Map key bigint of 129 bytes', map(`a1c2${head(2, 129)}${'ff'.repeat(129)}00`), 'bigint_length'],
  ['Map key simple value 0', map('a1e000'), 'simple_value'],
  ['two equal keys', 'a2616101616102', 'duplicate_key'],
  ['two empty keys', 'a260016002', 'duplicate_key'],
  ['equal keys around a nested object', 'a36161016162a1616102616103', 'duplicate_key'],
  ['equal keys in a nested object only', 'a26161a2616300616300616200', 'duplicate_key'],
  ['equal Map keys 5', map('a205010502'), 'duplicate_key'],
  ['equal Map keys 5n', map('a21b0000000000000005011b000000000000000502'), 'duplicate_key'],
  ['equal Map keys NaN', map('a2fb7ff800000000000001fb7ff800000000000002'), 'duplicate_key'],
  ['equal Map keys null', map('a2f601f602'), 'duplicate_key'],
  ['17 keys, the first and last equal', `b1${keys(16)}${text('0')}00`, 'duplicate_key'],
  ['1,000 keys, two equal in the middle', `b903e8${keys(999)}${text('500')}00`, 'duplicate_key'],
]

function keys(count: number): string {
  let entries = ''
  for (let i = 0; i < count; i++) entries += `${text(String(i))}00`
  return entries
}

function mapEntries(count: number): string {
  let entries = ''
  for (let i = 0; i < count; i++) entries += `${head(0, i)}00`
  return entries
}

describe('checkValue refuses', () => {
  test.each(hostile)('%s', (_, bytes, problem) => {
    expect(checkValue(hexDecode(bytes))).toBe(problem)
  })

  test('every problem that there is occurs above', () => {
    expect(new Set(hostile.map(([, , problem]) => problem))).toEqual(new Set(Object.keys(PROBLEM_TEXT)))
  })

  test.each(hostile.slice(0, 100))('%s, as decodeValue does with a fixed text', (_, bytes, problem) => {
    const error = caught(() => decodeValue(hexDecode(bytes)))
    expect(error).toBeInstanceOf(NoisecapError)
    expect(error).toMatchObject({ code: 'rpc/bad_value' })
    expect(String(error)).toBe(`NoisecapError: Cannot read value: expected ${PROBLEM_TEXT[problem]}`)
  })
})

function caught(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  return undefined
}

const allowed: [string, string][] = [
  ['the largest u64', '1bffffffffffffffff'],
  ['an integer in a longer form', '1900ff'],
  ['a text length in a longer form', '78026161'],
  ['float16 of the smallest subnormal', 'f90001'],
  ['a NaN with a payload', 'fb7ff8000000000001'],
  ['32 arrays', '81'.repeat(31).concat('80')],
  ['65,535 members and their array', head(4, 65_535) + '00'.repeat(65_535)],
  ['32,767 entries and their Map', map(head(5, 32_767) + keys(32_767))],
  ['2,048 members and their object', head(5, 2_048) + keys(2_048)],
  ['two objects of 2,048 members', `82${(head(5, 2_048) + keys(2_048)).repeat(2)}`],
  ['2,049 texts as keys of a Map', map(head(5, 2_049) + keys(2_049))],
  ['1,024 numbers as keys of a Map', map(head(5, 1_024) + mapEntries(1_024))],
  ['a bigint of 128 bytes', `c2${head(2, 128)}${'ff'.repeat(128)}`],
  ['a bigint of no bytes', 'c240'],
  ['a key of 256 bytes', `a1${text('k'.repeat(256))}00`],
  ['an empty key', 'a16000'],
  ['keys that differ by a BOM only', `a2${text(`\u{feff}${'a'.repeat(70)}`)}00${text('a'.repeat(70))}00`],
  ['keys that differ in normal form only', `a2${text('\u{e9}')}00${text('e\u{301}')}00`],
  ['equal keys in sibling objects', '82a1616100a1616100'],
  ['equal keys inside and outside', 'a16161a1616100'],
  ['5, 5n, "5" and true in one Map', map('a405001b000000000000000500613500f500')],
  ['the last code point', '64f48fbfbf'],
  ['the last code point before the surrogates', '63ed9fbf'],
  ['the last date', date('fb433eb208c2dc0000')],
  ['the first date', date('fbc33eb208c2dc0000')],
  ['equal members of a Set', tag(TAG.set, '820101')],
]

describe('checkValue passes', () => {
  test.each(allowed)('%s', (_, bytes) => {
    expect(checkValue(hexDecode(bytes))).toBeUndefined()
    expect(() => decodeValue(hexDecode(bytes))).not.toThrow()
  })
})

describe('checkValue', () => {
  test('looks at the given range only', () => {
    const bytes = hexDecode('ff8101ff')
    expect(checkValue(bytes, 1, 3)).toBeUndefined()
    expect(checkValue(bytes, 1, 2)).toBe('truncated')
    expect(checkValue(bytes, 1, 4)).toBe('trailing_bytes')
  })

  test('does not read past the array when the range does', () => {
    expect(checkValue(hexDecode('4401'), 0, 100)).toBe('truncated')
  })

  test('takes other limits', () => {
    const limits = (over: Partial<ValueLimits>): ValueLimits => ({ ...DEFAULT_VALUE_LIMITS, ...over })
    const deep = hexDecode(`${'81'.repeat(99)}80`)
    expect(checkValue(deep, 0, deep.length, limits({ maxDepth: 100 }))).toBeUndefined()
    expect(checkValue(deep, 0, deep.length, limits({ maxDepth: 99 }))).toBe('depth')
    expect(checkValue(hexDecode('820101'), 0, 3, limits({ maxItems: 2 }))).toBe('items')
    expect(checkValue(hexDecode('a1616100'), 0, 4, limits({ keyMaxBytes: 0 }))).toBe('key_length')
    expect(checkValue(hexDecode('c24101'), 0, 3, limits({ bigintMaxBytes: 0 }))).toBe('bigint_length')
    expect(checkValue(hexDecode('a1616100'), 0, 4, limits({ maxObjectMembers: 0 }))).toBe('object_members')
    const set = hexDecode(tag(TAG.set, '8101'))
    expect(checkValue(set, 0, set.length, limits({ maxHashedNumbers: 0 }))).toBe('hashed_numbers')
  })

  test('finds the one duplicate among many keys, wherever it stands', () => {
    for (const count of [15, 16, 17, 200, 5_000]) {
      const distinct = hexDecode(map(head(5, count) + keys(count)))
      expect(checkValue(distinct)).toBeUndefined()
      for (const twice of [0, count >> 1, count - 1]) {
        const entries = hexDecode(keys(count))
        const bytes = concat(
          hexDecode(map(head(5, count + 1))),
          entries,
          hexDecode(`${text(String(twice))}00`),
        )
        expect(checkValue(bytes)).toBe('duplicate_key')
      }
    }
  })

  test('judges each scan alone after one that failed within open maps', () => {
    expect(checkValue(hexDecode('a26161a1616100ff'))).toBe('key_type')
    expect(checkValue(hexDecode('a2616100616200'))).toBeUndefined()
  })
})
