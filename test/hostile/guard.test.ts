// Attacks on the value reader, one named row each: what is refused and as what, or which value comes out exactly.
// The table of rules is test/rpc/guard.test.ts; these rows are what an attacker tries against them, and what a decoded
// value can do afterwards. What the worst inputs cost is measured by bench/values.ts, since tests do not assert on time.
import { afterEach, describe, expect, test } from 'vitest'
import { hexDecode, utf8 } from '../../src/bytes.js'
import { NoisecapError } from '../../src/errors.js'
import { FAILURE_CODES } from '../../src/rpc/failure.js'
import { iface, method } from '../../src/rpc/index.js'
import { PROBLEM_TEXT, type ValueProblem } from '../../src/rpc/value-problem.js'
import { decodeValue, encodeValue } from '../../src/rpc/values.js'
import { CALL_FLAG, OP, writeByte, writeBytes, writeVarint } from '../../src/rpc/wire.js'
import { batch, bytesOf, call, callFrom, returned, serve } from '../rpc/scripted.js'

/** A head of `major` whose argument takes `size` bytes behind it; the shortest form unless given. */
function head(major: number, argument: number | bigint, size = sizeOf(argument)): string {
  const info = size === 0 ? Number(argument) : 24 + Math.log2(size)
  const first = ((major << 5) | info).toString(16).padStart(2, '0')
  return size === 0 ? first : first + argument.toString(16).padStart(2 * size, '0')
}

function sizeOf(argument: number | bigint): number {
  if (argument < 24) return 0
  return argument < 0x100 ? 1 : argument < 0x1_0000 ? 2 : argument < 0x1_0000_0000 ? 4 : 8
}

const uint = (value: number | bigint, size?: number) => head(0, value, size)
const bytes = (length: number, fill = 'ab') => head(2, length) + fill.repeat(length)
const text = (value: string) => head(3, utf8(value).length) + Buffer.from(value).toString('hex')
const array = (...items: string[]) => head(4, items.length) + items.join('')
const object = (...entries: [string, string][]) =>
  head(5, entries.length) + entries.map(([key, value]) => text(key) + value).join('')
const tag = (number: number | bigint, content: string) => head(6, number) + content
const set = (...items: string[]) => tag(258, array(...items))
const map = (...entries: [string, string][]) =>
  tag(259, head(5, entries.length) + entries.map(([key, value]) => key + value).join(''))
const date = (content: string) => tag(51_888, content)
const bigint = (magnitude: string, sign: 2 | 3 = 2) => tag(sign, head(2, magnitude.length / 2) + magnitude)

const named = (name: string): [string, string] => [name, '00']

type Refused = readonly [name: string, hex: string, problem: ValueProblem]
type Accepted = readonly [name: string, hex: string, value: unknown]

const rows = <T>(items: Iterable<T>, row: (item: T) => Refused): Refused[] => [...items].map(row)
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)
const names = (count: number) => range(1, count).map((n) => named(`k${n}`))
const MAJORS = ['unsigned', 'negative', 'bytes', 'text', 'array', 'map', 'tag', 'simple'] as const
const HUGE = { '2^31': 2n ** 31n, '2^32 − 1': 2n ** 32n - 1n, '2^53': 2n ** 53n, '2^64 − 1': 2n ** 64n - 1n }

const heads: Refused[] = [
  ...MAJORS.flatMap((major, number) =>
    rows(
      [28, 29, 30],
      (info): Refused => [
        `${major}, reserved additional information ${info}`,
        ((number << 5) | info).toString(16).padStart(2, '0'),
        'reserved_head',
      ],
    ),
  ),
  ...rows(MAJORS.entries(), ([number, major]) => [
    `${major} of indefinite length`,
    `${((number << 5) | 31).toString(16).padStart(2, '0')}ff`,
    'indefinite_length',
  ]),
  ...rows(range(0, 19), (value) => [`simple value ${value}`, (0xe0 + value).toString(16), 'simple_value']),
  ...rows([0, 20, 21, 22, 23, 24, 31, 32, 255], (value) => [
    `simple value ${value} in two bytes`,
    `f8${value.toString(16).padStart(2, '0')}`,
    'simple_value',
  ]),
  ...['bytes', 'text', 'array', 'map'].flatMap((kind, index) =>
    rows(Object.entries(HUGE), ([length, argument]) => [
      `${kind} of ${length} with nothing behind`,
      head(2 + index, argument),
      'truncated',
    ]),
  ),
  ...rows(Object.entries(HUGE), ([length, argument]) => [
    `Set of ${length} with nothing behind`,
    tag(258, head(4, argument)),
    'truncated',
  ]),
  ...rows(Object.entries(HUGE), ([length, argument]) => [
    `Map of ${length} with nothing behind`,
    tag(259, head(5, argument)),
    'truncated',
  ]),
  ...rows(Object.entries(HUGE), ([length, argument]) => [
    `bigint of ${length} bytes with nothing behind`,
    tag(2, head(2, argument)),
    'bigint_length',
  ]),
  ['array of one member more than there are bytes', `${head(4, 5)}00000000`, 'truncated'],
  ['map whose last value is missing', `${head(5, 2) + text('a')}00${text('b')}`, 'truncated'],
  ['map of 2^63 entries, which doubled is 2^64', head(5, 2n ** 63n), 'truncated'],
  ['no input', '', 'truncated'],
  ['a break alone', 'ff', 'indefinite_length'],
  ['chunked text', '7f6161616260ff', 'indefinite_length'],
  ['chunked bytes that hide a bigint of 200 bytes', `c25f${bytes(100)}${bytes(100)}ff`, 'indefinite_length'],
  ['null and then null', 'f6f6', 'trailing_bytes'],
  ['an empty object and a NUL', 'a000', 'trailing_bytes'],
  ['a second value behind an array that ends early', `${array('00')}01`, 'trailing_bytes'],
]

const tags: Refused[] = [
  ...rows(range(64, 87), (number) => [`typed array, tag ${number}`, tag(number, bytes(8)), 'tag']),
  ['date as text, tag 0', tag(0, text('2026-01-01T00:00:00Z')), 'tag'],
  ['date in seconds, tag 1', tag(1, 'fb41d954fc40000000'), 'tag'],
  ['decimal fraction of a huge exponent, tag 4', tag(4, array(uint(0x7fff_ffff), '01')), 'tag'],
  ['bigfloat of a huge exponent, tag 5', tag(5, array(uint(0x7fff_ffff), '01')), 'tag'],
  ['bundled text, tag 14', tag(14, array('00', '00')), 'tag'],
  ['error object, tag 27', tag(27, array(text('Error'), text('x'))), 'tag'],
  ['regular expression, tag 27', tag(27, array(text('RegExp'), text('(a+)+$'))), 'tag'],
  ['constructor by name, tag 27', tag(27, array(text('Function'), text('return process'))), 'tag'],
  ['shared value, tag 28', tag(28, array('00')), 'tag'],
  ['shared value that contains itself, tags 28 and 29', tag(28, array(tag(29, '00'))), 'tag'],
  ['reference to what was not shared, tag 29', tag(29, uint(7)), 'tag'],
  ['base64url to be decoded, tag 33', tag(33, text('AA')), 'tag'],
  ['regular expression, tag 35', tag(35, text('(a+)+$')), 'tag'],
  ['identifier of a sub-object, tag 39', tag(39, '00'), 'tag'],
  ['homogeneous array, tag 41', tag(41, array('00')), 'tag'],
  ['packed table, tag 51', tag(51, array(array('00'), '80', '80', tag(6, '00'))), 'tag'],
  ['record, tag 105', tag(105, array(uint(0xe000), array(text('a')), '01')), 'tag'],
  ['record definition, tag 0xdffe', tag(0xdffe, array(uint(0xe000), array(text('a')))), 'tag'],
  ['record with its structure, tag 0xdfff', tag(0xdfff, array(uint(0xe000), array(text('a')), '01')), 'tag'],
  ['record of a structure, tag 0x6900', tag(0x6900, array('01')), 'tag'],
  ['record of a structure, tag 0x69ff', tag(0x69ff, array('01')), 'tag'],
  ['record of a structure, tag 0xe000', tag(0xe000, array('01')), 'tag'],
  ['record that names __proto__', tag(0xdfff, array(uint(0xe000), array(text('__proto__')), 'a0')), 'tag'],
  ['class instance, tag 40009', tag(40_009, array('00', '00')), 'tag'],
  ['row-major array, tag 40', tag(40, array(array('01'), tag(64, bytes(1)))), 'tag'],
  ['bundled texts, tag 0xdff9', tag(0xdff9, array('00', text('aa'))), 'tag'],
  ['shared structures, tag 0x53687264', tag(0x5368_7264, '00'), 'tag'],
  ['self-described CBOR, tag 55799', tag(55_799, '00'), 'tag'],
  ['embedded CBOR, tag 24', tag(24, bytes(1, '00')), 'tag'],
  ['tag 2^53 + 2, which rounds to none of ours', tag(2n ** 53n + 2n, bytes(1)), 'tag'],
  ['tag 2^64 − 1', tag(2n ** 64n - 1n, '00'), 'tag'],
  ['tag 2^32 + 258, whose low half is that of a Set', tag(2n ** 32n + 258n, '80'), 'tag'],
  ...rows(range(51_889, 51_894), (number) => [`reserved reference, tag ${number}`, tag(number, '00'), 'tag']),
  ['60,000 tags on one another', `${'c6'.repeat(60_000)}00`, 'tag'],
  ['Set of a Set tag', tag(258, set('00')), 'tag_content'],
  ['60,000 Set tags on one another', `${'d90102'.repeat(20_000)}80`, 'tag_content'],
  ['bigint of a bigint', tag(2, bigint('05')), 'tag_content'],
  ['60,000 bigint tags on one another', `${'c2'.repeat(60_000)}4105`, 'tag_content'],
  ['bigint of text', tag(2, text('5')), 'tag_content'],
  ['bigint of an array', tag(3, array('05')), 'tag_content'],
  ['Set of a map', tag(258, object(['a', '00'])), 'tag_content'],
  ['Set of bytes', tag(258, bytes(4)), 'tag_content'],
  ['Map of an array of pairs', tag(259, array(array('01', '02'))), 'tag_content'],
  ['Map of a number', tag(259, '00'), 'tag_content'],
  ['a tag before a break', 'd90102ff', 'tag_content'],
]

const dates: Refused[] = [
  ['date of NaN', date('fb7ff8000000000000'), 'tag_content'],
  ['date of −Infinity', date('fbfff0000000000000'), 'tag_content'],
  ['date of 8.64e15 + 1', date('fb433eb208c2dc0001'), 'tag_content'],
  ['date of −8.64e15 − 1', date('fbc33eb208c2dc0001'), 'tag_content'],
  ['date of 1e300', date('fb7e37e43c8800759c'), 'tag_content'],
  ['date of half a ms', date('fb3fe0000000000000'), 'tag_content'],
  ['date of 2^63 in eight bytes', date(uint(2n ** 63n)), 'tag_content'],
  ['date of an array', date(array('00')), 'tag_content'],
  ['date of a date', date(date('00')), 'tag_content'],
  ['date of a bigint', date(bigint('05')), 'tag_content'],
  ['date of null', date('f6'), 'tag_content'],
  ['date of half-precision zero', date('f90000'), 'tag_content'],
  ['date of single-precision zero', date('fa00000000'), 'tag_content'],
]

const bounds: Refused[] = [
  ['bigint of 129 bytes', bigint('ff'.repeat(129)), 'bigint_length'],
  ['negative bigint of 129 bytes', bigint('ff'.repeat(129), 3), 'bigint_length'],
  ['bigint of 65,000 bytes', bigint('ff'.repeat(65_000)), 'bigint_length'],
  ['bigint of 129 zeros', bigint('00'.repeat(129)), 'bigint_length'],
  ['depth 33 of arrays', `${'81'.repeat(32)}80`, 'depth'],
  ['depth 33 of objects', `${object(['', '']).slice(0, 4).repeat(32)}a0`, 'depth'],
  ['depth 33 of Sets', `${'d9010281'.repeat(32)}80`, 'depth'],
  ['depth 33 of Maps', `${'d90103a1f6'.repeat(32)}80`, 'depth'],
  ['depth 33 of all four in turn', `${('81' + 'a160' + 'd9010281' + 'd90103a1f6').repeat(8)}80`, 'depth'],
  [
    'depth 33 behind 30,000 harmless members',
    array(...range(1, 30_000).map(() => '00'), `${'81'.repeat(31)}80`),
    'depth',
  ],
  ['65,000 arrays in one another', `${'81'.repeat(65_000)}00`, 'depth'],
  ['65,537 items', head(4, 65_536) + '00'.repeat(65_536), 'items'],
  ['65,537 items of empty arrays', head(4, 65_536) + '80'.repeat(65_536), 'items'],
  ['65,537 items in two levels', array(head(4, 65_534) + '00'.repeat(65_534), '00'), 'items'],
  ['65,537 dates', head(4, 65_536) + date('00').repeat(65_536), 'items'],
  ['2,049 members in one object', object(...names(2_049)), 'object_members'],
  ['2,049 equal members in one object', object(...range(1, 2_049).map(() => named('a'))), 'object_members'],
  ['2,049 members in an object inside a Map', map([text('a'), object(...names(2_049))]), 'object_members'],
  ['an object of more members than items', head(5, 40_000) + '00'.repeat(80_000), 'object_members'],
  ['1,025 numbers in one Set', set(...range(0, 1_024).map((n) => uint(n))), 'hashed_numbers'],
  [
    '1,025 numbers in two Sets',
    array(set(...range(0, 511).map((n) => uint(n))), set(...range(0, 512).map((n) => uint(n)))),
    'hashed_numbers',
  ],
  ['1,025 equal numbers in one Set', set(...range(0, 1_024).map(() => '00')), 'hashed_numbers'],
  [
    '1,025 bigints of one low half in one Set',
    set(...range(0, 1_024).map((n) => bigint(`${(n + 256).toString(16).padStart(4, '0')}${'0'.repeat(16)}`))),
    'hashed_numbers',
  ],
  [
    '1,025 bigints of eight bytes in one Set',
    set(...range(0, 1_024).map((n) => uint(n, 8))),
    'hashed_numbers',
  ],
  [
    '1,025 floats in one Set',
    set(...range(0, 1_024).map((n) => `fb3ff${n.toString(16).padStart(13, '0')}`)),
    'hashed_numbers',
  ],
  ['1,025 halves in one Set', set(...range(0, 1_024).map(() => 'f93c00')), 'hashed_numbers'],
  ['1,025 singles in one Set', set(...range(0, 1_024).map(() => 'fa3f800000')), 'hashed_numbers'],
  [
    '1,025 numbers as keys of a Map',
    map(...range(0, 1_024).map((n): [string, string] => [uint(n), '00'])),
    'hashed_numbers',
  ],
  [
    '1,025 numbers in a Set and a Map',
    array(set('00'), map(...range(0, 1_023).map((n): [string, string] => [uint(n), '00']))),
    'hashed_numbers',
  ],
]

const texts: Refused[] = (
  [
    ['a lone surrogate, U+D800', 'eda080'],
    ['a lone surrogate, U+DFFF', 'edbfbf'],
    ['a pair of surrogates (CESU-8)', 'eda0bdedb880'],
    ['an overlong NUL (modified UTF-8)', 'c080'],
    ['an overlong slash in three bytes', 'e080af'],
    ['an overlong slash in four bytes', 'f08080af'],
    ['an overlong euro sign in four bytes', 'f08282ac'],
    ['U+110000', 'f4908080'],
    ['a five-byte form', 'f888808080'],
    ['a six-byte form', 'fc8480808080'],
    ['a continuation alone', 'bf'],
    ['a cut two-byte form', 'c3'],
    ['a cut three-byte form', 'e282'],
    ['a cut four-byte form', 'f09f98'],
    ['UTF-16 with its BOM', 'fffe6100'],
  ] as const
).flatMap(([name, hex]): Refused[] => [
  [`text with ${name}`, head(3, hex.length / 2) + hex, 'utf8'],
  [`a key with ${name}`, `a1${head(3, hex.length / 2)}${hex}00`, 'utf8'],
  [`a Map key with ${name}`, map([head(3, hex.length / 2) + hex, '00']), 'utf8'],
])

const keys: Refused[] = [
  ...rows(
    [
      '00',
      '20',
      'f4',
      'f6',
      'fb3ff0000000000000',
      bytes(1),
      array(),
      object(),
      set(),
      date('00'),
      bigint('05'),
    ],
    (key) => [`an object with the key ${key}`, `a1${key}00`, 'key_type'],
  ),
  ...rows([bytes(1), array(), object(), set(), date('00')], (key) => [
    `a Map with the key ${key}`,
    map([key, '00']),
    'key_type',
  ]),
  ['key of 257 bytes', object(['k'.repeat(257), '00']), 'key_length'],
  ['key of 257 bytes in 86 characters', object([`${'\u{20ac}'.repeat(85)}ab`, '00']), 'key_length'],
  ['key of 2^64 − 1 bytes', `a1${head(3, 2n ** 64n - 1n)}`, 'key_length'],
  ['__proto__', object(['__proto__', object(['polluted', 'f5'])]), 'key_proto'],
  ['__proto__ behind others', object(['a', '00'], ['__proto__', 'f6']), 'key_proto'],
  ['__proto__ in a Map', map([text('__proto__'), 'f6']), 'key_proto'],
  ['__proto__ inside a Set', set(object(['__proto__', 'f6'])), 'key_proto'],
  ['__proto__ in a long form', `a17809${text('__proto__').slice(2)}f6`, 'key_form'],
  [
    '__proto__ below constructor.prototype',
    object(['constructor', object(['prototype', object(['__proto__', 'a0'])])]),
    'key_proto',
  ],
  ['a key twice', object(['a', '00'], ['a', '01']), 'duplicate_key'],
  ['a key twice, once in a longer form', `a2${text('a')}00780161${'01'}`, 'key_form'],
  ['constructor twice', object(['constructor', '00'], ['constructor', '01']), 'duplicate_key'],
  ['a key of 256 bytes twice', object(['k'.repeat(256), '00'], ['k'.repeat(256), '01']), 'duplicate_key'],
  ['first and last of 2,048 keys equal', object(...names(2_047), ['k1', '00']), 'duplicate_key'],
  ['Map key 5 as 5 in one byte more', map(['05', '00'], ['1805', '00']), 'key_form'],
  ['Map key 5 as a double', map(['05', '00'], ['fb4014000000000000', '00']), 'key_form'],
  ['Map key 5 as a half', map(['05', '00'], ['f94500', '00']), 'key_form'],
  ['Map key 5n as a magnitude', map([uint(5, 8), '00'], [bigint('05'), '00']), 'key_form'],
  ['Map key 2^64 with a leading zero', map([bigint(`0001${'0'.repeat(16)}`), '00']), 'key_form'],
  ['Map key 0 as −0', map(['00', '00'], ['fb8000000000000000', '00']), 'key_form'],
  ['Map key NaN with a payload', map(['fb7ff8000000000001', '00']), 'key_form'],
  ['Map key NaN that signals', map(['fb7ff0000000000001', '00']), 'key_form'],
  ['Map key NaN as a half', map(['f97e00', '00']), 'key_form'],
  ['Map key NaN twice', map(['fb7ff8000000000000', '00'], ['fb7ff8000000000000', '01']), 'duplicate_key'],
  ['Map key undefined twice', map(['f7', '00'], ['f7', '01']), 'duplicate_key'],
  ['Map key false in two bytes', map(['f814', '00']), 'simple_value'],
]

const refused = [...heads, ...tags, ...dates, ...bounds, ...texts, ...keys]

describe('an attack is refused', () => {
  test.each(refused)('%s', (_, hex, problem) => {
    const error = errorOf(hex)
    expect(error).toBeInstanceOf(NoisecapError)
    expect(error).toMatchObject({
      code: 'rpc/bad_value',
      message: `Cannot read value: expected ${PROBLEM_TEXT[problem]}`,
    })
  })

  test('there are rows for every reason', () => {
    expect(new Set(refused.map(([, , problem]) => problem))).toEqual(new Set(Object.keys(PROBLEM_TEXT)))
  })
})

function errorOf(hex: string): unknown {
  try {
    return decodeValue(hexDecode(hex))
  } catch (error) {
    return error
  }
}

const accepted: Accepted[] = [
  ['2^53 − 1 as a double', 'fb433fffffffffffff', 2 ** 53 - 1],
  ['2^53 as a double', 'fb4340000000000000', 2 ** 53],
  ['2^53 + 1 as an integer, a bigint', uint(2n ** 53n + 1n), 2n ** 53n + 1n],
  ['2^64 − 1', uint(2n ** 64n - 1n), 2n ** 64n - 1n],
  ['2^64', bigint(`01${'0'.repeat(16)}`), 2n ** 64n],
  ['−2^63', head(1, 2n ** 63n - 1n), -(2n ** 63n)],
  ['−2^64', head(1, 2n ** 64n - 1n), -(2n ** 64n)],
  ['−2^64 − 1', bigint(`01${'0'.repeat(16)}`, 3), -(2n ** 64n) - 1n],
  ['2^32 − 1', uint(0xffff_ffff), 0xffff_ffff],
  ['−2^32', head(1, 0xffff_ffff), -(2 ** 32)],
  ['5 in eight bytes, a bigint', uint(5, 8), 5n],
  ['5 in four bytes, still a number', uint(5, 4), 5],
  ['text with a length of eight bytes', `${head(3, 2, 8)}6869`, 'hi'],
  ['bytes with a length of four bytes', `${head(2, 1, 4)}07`, Uint8Array.of(7)],
  ['array with a length of eight bytes', `${head(4, 1, 8)}f5`, [true]],
  ['object with a length of two bytes', `${head(5, 1, 2)}${text('a')}f5`, { a: true }],
  ['a Set with its tag in eight bytes', `${head(6, 258, 8)}80`, new Set()],
  ['−0 as a double', 'fb8000000000000000', -0],
  ['−0 as a half', 'f98000', -0],
  ['NaN with a payload', 'fb7ff8dead0000beef', Number.NaN],
  ['NaN that signals', 'fb7ff0000000000001', Number.NaN],
  ['NaN as a half with a payload', 'f97dff', Number.NaN],
  ['NaN as a single with a sign', 'faffc00000', Number.NaN],
  ['Infinity as a half', 'f97c00', Number.POSITIVE_INFINITY],
  ['−Infinity as a single', 'faff800000', Number.NEGATIVE_INFINITY],
  ['the largest half', 'f97bff', 65_504],
  ['the smallest half', 'f90001', 2 ** -24],
  ['the smallest double', 'fb0000000000000001', 5e-324],
  ['the largest bigint', bigint('ff'.repeat(128)), 2n ** 1024n - 1n],
  ['the smallest bigint', bigint('ff'.repeat(128), 3), -(2n ** 1024n)],
  ['a bigint of no bytes', bigint(''), 0n],
  ['a negative bigint of no bytes', bigint('', 3), -1n],
  ['a bigint of 128 zeros', bigint('00'.repeat(128)), 0n],
  ['the last date', date('fb433eb208c2dc0000'), new Date(8.64e15)],
  ['the first date', date('fbc33eb208c2dc0000'), new Date(-8.64e15)],
  ['date of −0', date('fb8000000000000000'), new Date(0)],
  ['depth 32', `${'81'.repeat(31)}80`, range(1, 31).reduce<unknown[]>((inner) => [inner], [])],
  ['key of 256 bytes', object(['k'.repeat(256), '00']), { ['k'.repeat(256)]: 0 }],
  ['the empty key', object(['', '00']), { '': 0 }],
  [
    'keys that sort the other way round',
    object(['z', '00'], ['aa', '01'], ['b', '02']),
    { z: 0, aa: 1, b: 2 },
  ],
  [
    'keys that look like indices',
    object(['1', '00'], ['01', '01'], ['4294967295', '02'], ['-0', '03']),
    { 1: 0, '01': 1, 4294967295: 2, '-0': 3 },
  ],
  ['keys that differ by a BOM', object(['a', '00'], ['\u{feff}a', '01']), { a: 0, '\u{feff}a': 1 }],
  [
    'keys that differ in normal form',
    object(['\u{e9}', '00'], ['e\u{301}', '01']),
    { '\u{e9}': 0, 'e\u{301}': 1 },
  ],
  ['keys that differ by a NUL', object(['a', '00'], ['a\0', '01']), { a: 0, 'a\0': 1 }],
  [
    '__proto__ in capitals, and with a space',
    object(['__PROTO__', '00'], ['__proto__ ', '01']),
    { __PROTO__: 0, '__proto__ ': 1 },
  ],
  ['text with a BOM keeps it', text('\u{feff}x'), '\u{feff}x'],
  ['text of NULs', text('\0\0'), '\0\0'],
  ['text of a noncharacter', text('\u{ffff}'), '\u{ffff}'],
  ['text __proto__ as a value', text('__proto__'), '__proto__'],
  ['equal numbers in a Set', set('01', '01', '1801'), new Set([1])],
  ['1 and 1n in a Set', set('01', uint(1, 8)), new Set<unknown>([1, 1n])],
  ['0 and −0 in a Set are one to JavaScript', set('00', 'f98000'), new Set([0])],
  ['equal objects in a Set', set(object(['a', '00']), object(['a', '00'])), new Set([{ a: 0 }, { a: 0 }])],
  [
    '5, 5n, "5" and 5.5 in a Map',
    map(['05', '00'], [uint(5, 8), '01'], [text('5'), '02'], ['fb4016000000000000', '03']),
    new Map<unknown, number>([
      [5, 0],
      [5n, 1],
      ['5', 2],
      [5.5, 3],
    ]),
  ],
  [
    '2,048 members in one object',
    object(...names(2_048)),
    Object.fromEntries(range(1, 2_048).map((n) => [`k${n}`, 0])),
  ],
  ['1,024 numbers in one Set', set(...range(0, 1_023).map((n) => uint(n))), new Set(range(0, 1_023))],
  [
    '2,000 texts in one Set',
    set(...range(1, 2_000).map((n) => text(String(n)))),
    new Set(range(1, 2_000).map(String)),
  ],
  [
    '2,000 numbers in an array inside a Set',
    set(array(...range(1, 2_000).map((n) => uint(n)))),
    new Set([range(1, 2_000)]),
  ],
  [
    '2,000 numbers as values of a Map',
    map(...range(1, 2_000).map((n): [string, string] => [text(String(n)), uint(n)])),
    new Map(range(1, 2_000).map((n) => [String(n), n])),
  ],
]

describe('an odd value is read as it is', () => {
  test.each(accepted)('%s', (_, hex, value) => {
    const decoded = decodeValue(hexDecode(hex))
    expect(decoded).toStrictEqual(value)
    expect(decodeValue(encodeValue(decoded))).toStrictEqual(value)
  })
})

/** Names that objects inherit, or that JavaScript looks up by itself. */
const INHERITED = [
  ...Object.getOwnPropertyNames(Object.prototype).filter((name) => name !== '__proto__'),
  'then',
  'catch',
  'toJSON',
  'prototype',
  'length',
  'name',
  'inspect',
  'next',
  'done',
  'asyncIterator',
  '$$typeof',
]

describe('an object with the key', () => {
  test.each(INHERITED)('%s: has it as data of its own, and nothing else is touched', (name) => {
    const before = Object.getOwnPropertyDescriptors(Object.prototype)
    const decoded = decodeValue(hexDecode(object([name, object(['polluted', 'f5'])])))
    expect(Object.getPrototypeOf(decoded)).toBe(Object.prototype)
    expect(Object.getOwnPropertyDescriptor(decoded, name)).toEqual({
      value: { polluted: true },
      writable: true,
      enumerable: true,
      configurable: true,
    })
    expect(Object.getOwnPropertyDescriptors(Object.prototype)).toEqual(before)
    expect('polluted' in {}).toBe(false)
  })

  test('then: is not taken for a promise', async () => {
    const decoded = decodeValue(hexDecode(object(['then', text('not callable')])))
    expect(await (decoded as Promise<unknown>)).toBe(decoded)
  })

  test('that is new, in more objects than have shapes of their own: all are alike', () => {
    const names = range(1, 3_000).map((n) => `fresh${n}`)
    const entries = names.map((name) => object([name, '00'], ['constructor', '01'], ['5', '02']))
    const decoded = decodeValue(hexDecode(array(...entries))) as Record<string, unknown>[]
    for (const [index, item] of decoded.entries()) {
      expect(Object.getPrototypeOf(item)).toBe(Object.prototype)
      expect(Object.entries(item)).toEqual([
        ['5', 2],
        [names[index], 0],
        ['constructor', 1],
      ])
    }
  })
})

describe('a prototype that somebody else polluted', () => {
  const prototype = Object.prototype as Record<string, unknown>
  afterEach(() => {
    Reflect.deleteProperty(prototype, 'trap')
  })

  test.each([10, 3_000])('with a setter: is not run by %i objects', (count) => {
    let ran = 0
    Object.defineProperty(prototype, 'trap', {
      configurable: true,
      set: () => {
        ran += 1
      },
    })
    const entries = range(1, count).map((n) => object([`n${n}`, '00'], ['trap', '01']))
    const decoded = decodeValue(hexDecode(array(...entries))) as Record<string, unknown>[]
    expect(decoded.every((item) => Object.hasOwn(item, 'trap') && item['trap'] === 1)).toBe(true)
    expect(ran).toBe(0)
  })
})

describe('memory', () => {
  test('10,000 lengths of 2^32 − 1 and more, in every kind, take none', () => {
    const inputs = [2, 3, 4, 5].flatMap((major) => Object.values(HUGE).map((n) => hexDecode(head(major, n))))
    const before = process.memoryUsage()
    for (let i = 0; i < 10_000; i++) {
      expect(() => decodeValue(inputs[i % inputs.length]!)).toThrow(NoisecapError)
    }
    const after = process.memoryUsage()
    // One of them, taken at its word, would be 4 GiB.
    expect(after.rss - before.rss).toBeLessThan(2 ** 30)
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(2 ** 20)
  })

  test('byte strings are copies, empty ones too: altering the input or another value changes nothing', () => {
    const input = hexDecode(array(bytes(3, '01'), bytes(0), bytes(40, '02'), bytes(0)))
    const first = decodeValue(input) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array]
    const second = decodeValue(input) as typeof first
    input.fill(0xff)
    expect(first).toStrictEqual([
      new Uint8Array(3).fill(1),
      new Uint8Array(0),
      new Uint8Array(40).fill(2),
      new Uint8Array(0),
    ])
    expect(first[1]).not.toBe(first[3])
    structuredClone(first[1], { transfer: [first[1].buffer as ArrayBuffer] })
    expect(structuredClone(second)).toStrictEqual(second)
  })
})

/** A CALL whose input is exactly `input`. */
const rawCall = (id: number, name: string, input: Uint8Array) =>
  bytesOf((sink) => {
    writeByte(sink, OP.call)
    writeVarint(sink, id)
    writeByte(sink, CALL_FLAG.want)
    writeVarint(sink, 0)
    writeVarint(sink, name.length)
    writeBytes(sink, utf8(name))
    writeBytes(sink, input)
  })

/** A RETURN whose value is exactly `value`. */
const rawReturn = (id: number, value: Uint8Array) =>
  bytesOf((sink) => {
    writeByte(sink, OP.return)
    writeVarint(sink, id)
    writeBytes(sink, value)
  })

describe('within a real session', () => {
  const Echo = iface('Echo', { echo: method<unknown, unknown>() })
  const closers: (() => void)[] = []
  afterEach(() => {
    for (const close of closers.splice(0)) close()
  })
  /** One row for each reason that fits a single record: too many items do not. */
  const reasons = Object.keys(PROBLEM_TEXT).filter((reason) => reason !== 'items')
  const samples = reasons.map((reason) => {
    const row = refused.find(([, hex, problem]) => problem === reason && hex.length < 32_000)
    if (row === undefined) throw new Error(`no short row for ${reason}`)
    return row
  })

  test('every reason, as the input of a call: the call fails, its neighbours and the session do not', async () => {
    const seen: unknown[] = []
    const world = await serve(Echo, { echo: (value: unknown) => seen.push(value) })
    closers.push(world.close)
    for (const [index, [, hex]] of samples.entries()) {
      world.send(batch(rawCall(2 * index, 'echo', hexDecode(hex)), call(2 * index + 1, 'echo', index)))
    }
    await expect.poll(world.answers, { timeout: 20_000 }).toEqual(
      samples.flatMap((_, index) => [
        { op: OP.fail, id: 2 * index, code: FAILURE_CODES.invalid_argument },
        { op: OP.return, id: 2 * index + 1 },
      ]),
    )
    expect(seen).toEqual(samples.map((_, index) => index))
    expect(world.errors).toEqual([])
  })

  test('every reason, as the result of a call: the call fails as bad_value, the session lives', async () => {
    const { peer, send, received, close } = await callFrom()
    closers.push(close)
    const echo = Echo.methods.get('echo')!
    for (const [index, [, hex]] of samples.entries()) {
      const failed = peer
        .root()
        .call(echo, index, undefined)
        .catch((error: unknown) => error)
      await expect.poll(received, { timeout: 20_000 }).toHaveLength(index + 1)
      send(batch(rawReturn(0, hexDecode(hex))))
      expect(await failed).toMatchObject({ code: 'rpc/bad_value', mayHaveRun: true })
    }
    const good = peer.root().call(echo, 'last', undefined)
    await expect.poll(received, { timeout: 20_000 }).toHaveLength(samples.length + 1)
    send(batch(returned(0, 'still here')))
    expect(await good).toBe('still here')
  })
})

describe('what cannot arrive cannot be sent', () => {
  test.each([
    ['a Set', new Set(range(0, 1_024))],
    ['the keys of a Map', new Map(range(0, 1_024).map((n) => [BigInt(n), 0] as const))],
    ['two Sets', [new Set(range(0, 1_000)), { more: new Set(range(0, 23).map((n) => n + 0.5)) }]],
  ])('1,025 numbers in %s', (_, value) => {
    expect(() => encodeValue(value)).toThrow(
      expect.objectContaining({
        code: 'rpc/bad_value',
        message: expect.stringContaining('more than 1024 numbers in Sets and as keys of Maps'),
        hint: expect.stringContaining('Send an array'),
      }),
    )
  })
})
