import { addExtension, Encoder as CborEncoder } from 'cbor-x'
import { describe, expect, test } from 'vitest'
import { hexDecode, hexEncode, utf8 } from '../../src/bytes.js'
import { NoisecapError } from '../../src/errors.js'
import { ByteSink } from '../../src/rpc/byte-sink.js'
import { checkValue } from '../../src/rpc/guard.js'
import { decodeValue, encodeValue, encodeValueInto } from '../../src/rpc/values.js'

const roundTrip = (value: unknown) => decodeValue(encodeValue(value))

function caught(run: () => unknown): NoisecapError {
  try {
    run()
  } catch (error) {
    if (error instanceof NoisecapError) return error
    throw error
  }
  throw new Error('did not throw')
}

const exact: [string, unknown, string][] = [
  ['null', null, 'f6'],
  ['undefined', undefined, 'f7'],
  ['true', true, 'f5'],
  ['false', false, 'f4'],
  ['0', 0, '00'],
  ['-0', -0, 'fb8000000000000000'],
  ['NaN', Number.NaN, 'fb7ff8000000000000'],
  ['Infinity', Number.POSITIVE_INFINITY, 'fb7ff0000000000000'],
  ['-Infinity', Number.NEGATIVE_INFINITY, 'fbfff0000000000000'],
  ['23', 23, '17'],
  ['24', 24, '1818'],
  ['256', 256, '190100'],
  ['65536', 65_536, '1a00010000'],
  ['2^32 - 1', 0xffff_ffff, '1affffffff'],
  ['2^32', 0x1_0000_0000, 'fb41f0000000000000'],
  ['-1', -1, '20'],
  ['-2^31 - 1', -0x8000_0001, '3a80000000'],
  ['-2^32', -0x1_0000_0000, '3affffffff'],
  ['-2^32 - 1', -0x1_0000_0001, 'fbc1f0000000100000'],
  ['0.1', 0.1, 'fb3fb999999999999a'],
  ['2^53 - 1', Number.MAX_SAFE_INTEGER, 'fb433fffffffffffff'],
  ['2^53', 2 ** 53, 'fb4340000000000000'],
  ['2^64', 2 ** 64, 'fb43f0000000000000'],
  ['the smallest number', Number.MIN_VALUE, 'fb0000000000000001'],
  ['the largest number', Number.MAX_VALUE, 'fb7fefffffffffffff'],
  ['0n', 0n, '1b0000000000000000'],
  ['5n', 5n, '1b0000000000000005'],
  ['-1n', -1n, '3b0000000000000000'],
  ['2^53 as bigint', 2n ** 53n, '1b0020000000000000'],
  ['2^64 - 1 as bigint', 2n ** 64n - 1n, '1bffffffffffffffff'],
  ['2^64 as bigint', 2n ** 64n, 'c249010000000000000000'],
  ['-2^64 as bigint', -(2n ** 64n), '3bffffffffffffffff'],
  ['-2^64 - 1 as bigint', -(2n ** 64n) - 1n, 'c349010000000000000000'],
  ['the largest bigint', 2n ** 1024n - 1n, `c25880${'ff'.repeat(128)}`],
  ['the smallest bigint', -(2n ** 1024n), `c35880${'ff'.repeat(128)}`],
  ['empty text', '', '60'],
  ['text', 'ü水😀', '69c3bce6b0b4f09f9880'],
  ['text that starts with a BOM', `\u{feff}${'a'.repeat(2)}`, '65efbbbf6161'],
  ['bytes', Uint8Array.of(1, 2), '420102'],
  ['no bytes', new Uint8Array(0), '40'],
  ['a Date', new Date(1_700_000_000_123), 'd9cab0fb4278bcfe5687b000'],
  ['a Date before 1970', new Date(-1), 'd9cab020'],
  ['the last Date', new Date(8.64e15), 'd9cab0fb433eb208c2dc0000'],
  ['a Date whose seconds a float64 rounds', new Date(8_639_999_999_999_999), 'd9cab0fb433eb208c2dbffff'],
  ['an empty array', [], '80'],
  ['an array', [1, [undefined, null]], '820182f7f6'],
  ['an empty object', {}, 'a0'],
  ['an object', { a: 1, b: { c: undefined } }, 'a26161016162a16163f7'],
  ['integer-like keys', { 1: 'a', 0: 'b' }, 'a26130616261316161'],
  ['an empty Map', new Map(), 'd90103a0'],
  [
    'a Map with every kind of key',
    new Map<unknown, unknown>([
      ['a', 1],
      [5, 2],
      [5n, 3],
      [2n ** 64n, 4],
      [0.5, 5],
      [Number.NaN, 6],
      [2 ** 32, 7],
      [true, 8],
      [null, 9],
      [undefined, 10],
    ]),
    'd90103aa61610105021b000000000000000503c24901000000000000000004fb3fe000000000000005' +
      'fb7ff800000000000006fb41f000000000000007f508f609f70a',
  ],
  ['a Set', new Set([1, 'a', [2]]), 'd9010283016161' + '8102'],
  ['a Map in a Map', new Map([['m', new Map([[1, new Set()]])]]), 'd90103a1616dd90103a101d9010280'],
]

describe('encodeValue and decodeValue', () => {
  test.each(exact)('%s has one encoding and comes back exactly', (_, value, bytes) => {
    expect(hexEncode(encodeValue(value))).toBe(bytes)
    expect(decodeValue(hexDecode(bytes))).toStrictEqual(value)
  })

  test.each(exact)('%s comes back exactly from deep inside', (_, value) => {
    const nest = { list: [new Map([['key', new Set([{ value }])]])] }
    expect(roundTrip(nest)).toStrictEqual(nest)
  })

  test('text of every length near a longer head comes back, ASCII or not', () => {
    for (const character of ['a', 'é', '水', '😀', '\u{feff}']) {
      for (const length of [0, 1, 5, 7, 8, 11, 12, 23, 24, 25, 39, 40, 41, 85, 86, 127, 128, 255, 256, 257]) {
        expect(roundTrip(character.repeat(length))).toBe(character.repeat(length))
      }
      for (const length of [16_384, 21_845, 21_846, 65_535, 65_536]) {
        expect(roundTrip(character.repeat(length)) === character.repeat(length)).toBe(true)
      }
    }
  })

  test('half and single floats are read', () => {
    const rows: [string, number][] = [
      ['f90000', 0],
      ['f98000', -0],
      ['f93c00', 1],
      ['f97bff', 65_504],
      ['f90001', 2 ** -24],
      ['f90400', 2 ** -14],
      ['f9c400', -4],
      ['f97c00', Number.POSITIVE_INFINITY],
      ['f9fc00', Number.NEGATIVE_INFINITY],
      ['f97e00', Number.NaN],
      ['fa47c35000', 100_000],
      ['fa7f7fffff', 3.4028234663852886e38],
    ]
    for (const [bytes, value] of rows) expect(decodeValue(hexDecode(bytes))).toBe(value)
  })

  test('equal members of a Set become one, as in new Set', () => {
    expect(decodeValue(hexDecode('d901028301016161'))).toStrictEqual(new Set([1, 'a']))
  })

  test('keys that differ by a BOM only stay two keys', () => {
    const value = { [`\u{feff}${'k'.repeat(80)}`]: 1, ['k'.repeat(80)]: 2 }
    expect(roundTrip(value)).toStrictEqual(value)
  })

  test('keys that share a slot of the key cache do not become each other', () => {
    const name = (i: number) => `k${i.toString(36)}`
    for (let first = 0; first < 5_000; first += 100) {
      const entries = Array.from({ length: 100 }, (_, i) => [name(first + i), i] as const)
      const value = Object.fromEntries(entries)
      for (let round = 0; round < 2; round++) expect(roundTrip(value)).toStrictEqual(value)
    }
  })
})

describe('decodeValue', () => {
  test('an object with a `then` is data and is never called', async () => {
    // biome-ignore lint/suspicious/noThenProperty: what a hostile peer would send
    const value = { then: 'x', inner: { then: 1 } }
    const decoded = roundTrip(value)
    expect(decoded).toStrictEqual(value)
    expect(await decoded).toBe(decoded)
  })

  test('names of Object.prototype are own data, and the prototype stays ordinary', () => {
    const value = { constructor: 1, toString: 'x', hasOwnProperty: null, valueOf: [], __defineGetter__: 2 }
    const decoded = roundTrip(value)
    expect(decoded).toStrictEqual(value)
    expect(Object.getPrototypeOf(decoded)).toBe(Object.prototype)
    expect(Object.keys(decoded as object)).toEqual(Object.keys(value))
    expect({}.constructor).toBe(Object)
  })

  test('a setter that someone put on Object.prototype is not run', () => {
    const seen: unknown[] = []
    Object.defineProperty(Object.prototype, 'polluted', { set: (v) => seen.push(v), configurable: true })
    try {
      const decoded = decodeValue(hexDecode('a168706f6c6c7574656405'))
      expect(Object.getOwnPropertyDescriptor(decoded, 'polluted')?.value).toBe(5)
      expect(seen).toEqual([])
    } finally {
      Reflect.deleteProperty(Object.prototype, 'polluted')
    }
  })

  test.each([2, 40, 100])('%i bytes come out as a plain copy that later writes do not reach', (length) => {
    const pool = Buffer.alloc(1_000, 0xee)
    pool.set(encodeValue({ data: new Uint8Array(length).fill(7) }), 100)
    const end = 100 + encodeValue({ data: new Uint8Array(length) }).length
    const { data } = decodeValue(pool, 100, end) as { data: Uint8Array }
    pool.fill(0)
    expect(Object.getPrototypeOf(data)).toBe(Uint8Array.prototype)
    expect(data.buffer.byteLength).toBe(length)
    expect(data).toEqual(new Uint8Array(length).fill(7))
  })

  test('leaves the bytes as they were, without properties of its own', () => {
    const bytes = encodeValue({ a: ['x'.repeat(100), 1n] })
    const before = hexEncode(bytes)
    decodeValue(bytes)
    expect(hexEncode(bytes)).toBe(before)
    expect(Object.keys(bytes)).toHaveLength(bytes.length)
    expect(Object.hasOwn(bytes, 'dataView')).toBe(false)
  })

  test('a bad value names no byte of it', () => {
    const error = caught(() => decodeValue(hexDecode('a266736563726574016673656372657402')))
    expect(error.code).toBe('rpc/bad_value')
    expect(error.message).toBe('Cannot read value: expected each key once, got one twice')
  })
})

class Point {
  x = 1
}
const cycle: Record<string, unknown> = {}
cycle['self'] = { around: [cycle] }
const deep = (levels: number): unknown => {
  let value: unknown = 0
  for (let i = 0; i < levels; i++) value = [value]
  return value
}
const many = (members: number): object =>
  Object.fromEntries(Array.from({ length: members }, (_, i) => [`k${i}`, i]))
// biome-ignore lint/suspicious/noSparseArray: a hole is what is tested
const holes = [1, , 3]

const refused: [string, unknown, string, string][] = [
  ['function', { f: () => 1 }, 'args.f', 'a function'],
  ['class', { f: Point }, 'args.f', 'a function'],
  ['symbol', [Symbol('s')], 'args[0]', 'a symbol'],
  ['symbol as Map key', new Map([[Symbol('s'), 1]]), 'args<entry 0>', 'a symbol'],
  [
    'class instance',
    { items: [0, 1, 2, { name: new Point() }] },
    'args.items[3].name',
    'an instance of Point',
  ],
  ['object of a bare prototype', Object.create({}), 'args', 'an instance of Object'],
  ['array of a subclass', new (class List extends Array {})(), 'args', 'an instance of List'],
  ['Map of a subclass', new (class Table extends Map {})(), 'args', 'an instance of Table'],
  ['Set of a subclass', new (class Bag extends Set {})(), 'args', 'an instance of Bag'],
  ['bytes of a subclass', new (class Key extends Uint8Array {})(1), 'args', 'an instance of Key'],
  ['Date of a subclass', new (class Day extends Date {})(0), 'args', 'an instance of Day'],
  ['anonymous class', new (class {})(), 'args', 'an instance of a class'],
  ['RegExp', /a/, 'args', 'an instance of RegExp'],
  ['Error', new Error('secret'), 'args', 'an Error'],
  ['Promise', [Promise.resolve(1)], 'args[0]', 'a Promise'],
  ['boxed string', Object('secret'), 'args', 'an instance of String'],
  ['WeakMap', new WeakMap(), 'args', 'an instance of WeakMap'],
  ['Int8Array', new Int8Array(1), 'args', 'an instance of Int8Array'],
  ['Float64Array', { 'a b': new Float64Array(1) }, 'args["a b"]', 'an instance of Float64Array'],
  ['DataView', new DataView(new ArrayBuffer(1)), 'args', 'an instance of DataView'],
  ['ArrayBuffer', new ArrayBuffer(1), 'args', 'an ArrayBuffer'],
  ['hole', { list: holes }, 'args.list[1]', 'an empty slot of an array'],
  ['sparse array of 2^32 - 1', new Array(2 ** 32 - 1), 'args[0]', 'an empty slot of an array'],
  ['high surrogate', ['ab\u{d83d}'], 'args[0]', 'text with a lone surrogate'],
  ['low surrogate', { a: '\u{de00}b' }, 'args.a', 'text with a lone surrogate'],
  ['surrogate in long text', `${'x'.repeat(100)}\u{d83d}`, 'args', 'text with a lone surrogate'],
  ['surrogate in a key', { '\u{d83d}': 1 }, 'args["\\ud83d"]', 'text with a lone surrogate'],
  ['cycle', cycle, 'args.self.around[0]', 'an object that contains itself'],
  ['33 levels', deep(33), `args${'[0]'.repeat(32)}`, 'more than 32 levels of nesting'],
  ['65,537 items', new Array(65_536).fill(0), 'args[65535]', 'more than 65536 items'],
  ['2,049 members', { list: [many(2_049)] }, 'args.list[0]', 'an object of more than 2048 members'],
  ['a megabyte of text', 'x'.repeat(1_048_576), 'args', 'more than 1048576 bytes'],
  ['a megabyte in bytes only', '水'.repeat(400_000), 'args', 'more than 1048576 bytes'],
  ['a megabyte of bytes', { b: new Uint8Array(1_048_577) }, 'args.b', 'more than 1048576 bytes'],
  ['a megabyte of small text', new Array(40_000).fill('x'.repeat(39)), 'args', 'more than 1048576 bytes'],
  ['bigint above the limit', 2n ** 1024n, 'args', 'a bigint of more than 128 bytes'],
  ['bigint below the limit', -(2n ** 1024n) - 1n, 'args', 'a bigint of more than 128 bytes'],
  ['invalid Date', [new Date(Number.NaN)], 'args[0]', 'an invalid Date'],
  ['key __proto__', JSON.parse('{"a":{"__proto__":1}}'), 'args.a.__proto__', 'the key __proto__'],
  ['Map key __proto__', new Map([['__proto__', 1]]), 'args<entry 0>', 'the key __proto__'],
  ['key of 257 bytes', { ['k'.repeat(257)]: 1 }, `args.${'k'.repeat(40)}`, 'a key of more than 256 bytes'],
  [
    'key of 257 bytes in 86 characters',
    { ['水'.repeat(86)]: 1 },
    `args.${'水'.repeat(40)}`,
    'a key of more than 256 bytes',
  ],
  [
    'array as Map key',
    new Map([
      [1, 1],
      [[], 2],
    ] as [unknown, number][]),
    'args<entry 1>',
    'a Map key that is an object',
  ],
  ['Date as Map key', new Map([[new Date(0), 1]]), 'args<entry 0>', 'a Map key that is an object'],
  ['function in a Set', { s: new Set([1, () => 1]) }, 'args.s<member 1>', 'a function'],
]

describe('encodeValue refuses at the caller', () => {
  test.each(refused)('%s', (_, value, path, kind) => {
    const error = caught(() => encodeValue(value, 'args'))
    expect(error.code).toBe('rpc/bad_value')
    expect(error.message).toBe(`Cannot send ${path}: expected plain data, got ${kind}`)
  })

  test.each([
    ['a Promise', Promise.resolve(), 'Await it before it is sent'],
    [
      'a typed array',
      new Uint16Array(1),
      'Send new Uint8Array(view.buffer, view.byteOffset, view.byteLength)',
    ],
    ['cut text', '😀'.slice(0, 1), 'slice() can cut a character in two: see toWellFormed()'],
    ['a hole', holes, 'Put undefined or null there'],
    ['too many members', many(2_049), 'Send a Map'],
    ['too many bytes', new Uint8Array(2_000_000), 'Send it as a stream'],
  ])('%s with a hint', (_, value, hint) => {
    expect(caught(() => encodeValue(value)).hint).toBe(hint)
  })

  test('a getter that throws, with what it threw as the cause', () => {
    const cause = new Error('inside')
    const value = {
      list: [
        {
          get bad() {
            throw cause
          },
        },
      ],
    }
    const error = caught(() => encodeValue(value, 'args'))
    expect(error.message).toBe(
      'Cannot send args.list[0].bad: expected plain data, got a property that throws when it is read',
    )
    expect(error.cause).toBe(cause)
  })

  test('an object that only has the prototype of Map, Date or bytes', () => {
    for (const { prototype } of [Map, Set, Date, Uint8Array]) {
      expect(caught(() => encodeValue(Object.create(prototype))).code).toBe('rpc/bad_value')
    }
  })

  test('a path of more than 200 characters cut short', () => {
    let value: unknown = Symbol('s')
    for (let i = 0; i < 20; i++) value = { ['long'.repeat(10)]: value }
    const { message } = caught(() => encodeValue(value))
    expect(message).toMatch(/^Cannot send value\.(longlong|\.)+[long]*…: expected plain data, got a symbol$/)
    expect(message.length).toBeLessThan(260)
  })
})

describe('encodeValue', () => {
  test('a Buffer goes as bytes and arrives as a Uint8Array', () => {
    expect(roundTrip([Buffer.from('abc')])).toStrictEqual([utf8('abc')])
  })

  test('reads each getter once, and no inherited, hidden or symbol property', () => {
    let reads = 0
    const value = {
      get once() {
        reads++
        return { nested: 1 }
      },
      [Symbol('s')]: 1,
    }
    Object.defineProperty(value, 'hidden', { value: 2, enumerable: false })
    expect(roundTrip(value)).toStrictEqual({ once: { nested: 1 } })
    expect(reads).toBe(1)
  })

  test('an object of 2,048 members arrives, and as a Map one of more', () => {
    const most = many(2_048)
    expect(roundTrip(most)).toStrictEqual(most)
    const more = new Map(Object.entries(many(2_049)))
    expect(roundTrip(more)).toStrictEqual(more)
  })

  test('an object without a prototype arrives as an ordinary one', () => {
    expect(roundTrip(Object.assign(Object.create(null), { a: 1 }))).toStrictEqual({ a: 1 })
  })

  test('ignores toJSON, and an own key `constructor` changes nothing', () => {
    expect(roundTrip({ constructor: 'x', a: new Date(5) })).toStrictEqual({
      constructor: 'x',
      a: new Date(5),
    })
    expect(hexEncode(encodeValue(new Date(5)))).toBe('d9cab005')
  })

  test('the same object twice is no cycle', () => {
    const shared = { a: 1 }
    expect(roundTrip([shared, { shared }])).toStrictEqual([{ a: 1 }, { shared: { a: 1 } }])
  })

  test('a Map that a getter changes while it is read is refused', () => {
    const map = new Map<string, unknown>()
    map.set('a', {
      get grow() {
        return map.set('b', 1).size
      },
    })
    expect(caught(() => encodeValue({ map }, 'args')).message).toContain(
      'a Map that changes while it is read',
    )
  })

  test('an array that a getter shortens is refused', () => {
    const list: unknown[] = [
      {
        get cut() {
          list.length = 1
          return 1
        },
      },
      2,
    ]
    expect(caught(() => encodeValue(list, 'args')).message).toContain('args[1]')
  })

  test('a getter may encode another value', () => {
    let inner: unknown
    const value = {
      before: 'b',
      get nested() {
        inner = roundTrip({ inner: [1] })
        return 'n'
      },
      after: 'a',
    }
    expect(roundTrip(value)).toStrictEqual({ before: 'b', nested: 'n', after: 'a' })
    expect(inner).toStrictEqual({ inner: [1] })
  })

  test('after a failure the next value is written cleanly and its path starts anew', () => {
    caught(() => encodeValue({ a: [[[Symbol('s')]]] }))
    expect(roundTrip({ b: 1 })).toStrictEqual({ b: 1 })
    expect(caught(() => encodeValue([{ c: Symbol('s') }])).message).toContain('value[0].c:')
  })
})

describe('encodeValueInto', () => {
  test('appends, and grows the sink without losing what is there', () => {
    const sink = new ByteSink(1)
    const values = [
      1,
      'ab',
      'x'.repeat(30),
      { k: 2 ** 40 },
      new Uint8Array(50),
      3n ** 60n,
      '',
      'é'.repeat(40),
    ]
    const ends = values.map((value) => {
      encodeValueInto(sink, value)
      return sink.length
    })
    let start = 0
    for (const [i, end] of ends.entries()) {
      expect(decodeValue(sink.bytes, start, end)).toStrictEqual(values[i])
      start = end
    }
  })

  test.each(refused)('%s leaves the sink as it was', (_, value) => {
    const sink = new ByteSink(4)
    encodeValueInto(sink, 'kept')
    expect(caught(() => encodeValueInto(sink, { ok: 1, value })).code).toBe('rpc/bad_value')
    expect(hexEncode(sink.bytes.subarray(0, sink.length))).toBe('646b657074')
    encodeValueInto(sink, 7)
    expect(hexEncode(sink.bytes.subarray(0, sink.length))).toBe('646b65707407')
  })

  test('a getter that writes to the same sink is refused', () => {
    const sink = new ByteSink()
    const value = {
      get call() {
        encodeValueInto(sink, 1)
        return 2
      },
    }
    const error = caught(() => encodeValueInto(sink, value, 'args'))
    expect(error.message).toContain('Cannot send args.call:')
    expect((error.cause as Error).message).toContain('a getter that makes a call itself')
    expect(sink.length).toBe(0)
    encodeValueInto(sink, 1)
    expect(sink.length).toBe(1)
  })
})

describe('with cbor-x in the same process', () => {
  test('extensions that the user registers there change nothing here', () => {
    const stolen: unknown[] = []
    for (const tag of [1, 2, 3, 258, 259, 51_888]) {
      addExtension({
        Class: class Unused {},
        tag,
        encode: (_: unknown, encode: (data: number) => Uint8Array) => encode(0),
        decode: (item: unknown) => stolen.push(item),
      })
    }
    const value = [2n ** 70n, -(2n ** 70n), new Set([1]), new Map([[1, 2]]), new Date(7)]
    expect(roundTrip(value)).toStrictEqual(value)
    expect(stolen).toEqual([])
  })

  test.each([
    ['records', { useRecords: true }, 'tag'],
    ['bundled strings', { useRecords: false, bundleStrings: true }, 'key_type'],
    ['structured clones', { useRecords: false, structuredClone: true }, 'tag'],
    ['packed values', { useRecords: false, pack: true }, 'tag'],
    ['typed array tags', { useRecords: false, tagUint8Array: true }, 'tag'],
  ])('what it writes with %s is refused', (_, options, problem) => {
    const shared = { name: 'a repeated string' }
    const value = [shared, shared, { name: 'a repeated string', bytes: new Uint8Array(2) }]
    expect(checkValue(new CborEncoder(options).encode(value))).toBe(problem)
  })
})

describe('in a browser whose policy forbids eval', () => {
  test('neither writing nor reading builds functions from text', () => {
    const { Function: original } = globalThis
    const used: unknown[] = []
    globalThis.Function = new Proxy(original, {
      construct: (_, args) => {
        used.push(args)
        throw new EvalError('refused by policy')
      },
    })
    try {
      for (let i = 0; i < 50; i++) roundTrip({ a: 1, b: [{ c: 'x' }, { c: 'y' }] })
    } finally {
      globalThis.Function = original
    }
    expect(used).toEqual([])
  })
})
