import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hexDecode, hexEncode } from '../src/bytes.js'
import { type Dcbor, DcborError, decodeDcbor, encodeDcbor } from '../src/dcbor.js'

// RFC 8949 Appendix A, the rows that deterministic CBOR without floats and tags allows.
const rows: [Dcbor, string][] = [
  [0, '00'],
  [23, '17'],
  [24, '1818'],
  [255, '18ff'],
  [256, '190100'],
  [1000000, '1a000f4240'],
  [1000000000000, '1b000000e8d4a51000'],
  [18446744073709551615n, '1bffffffffffffffff'],
  [-18446744073709551616n, '3bffffffffffffffff'],
  [-1, '20'],
  [-1000, '3903e7'],
  [false, 'f4'],
  [true, 'f5'],
  [null, 'f6'],
  [hexDecode('01020304'), '4401020304'],
  ['', '60'],
  ['ü', '62c3bc'],
  ['水', '63e6b0b4'],
  [[1, [2, 3], [4, 5]], '8301820203820405'],
  [
    new Map<string | number, Dcbor>([
      ['b', [2, 3]],
      ['a', 1],
    ]),
    'a26161016162820203',
  ],
  [
    new Map<string | number, Dcbor>([
      [10, 1],
      [-1, 3],
      [100, 2],
    ]),
    'a30a011864022003',
  ],
]

describe('encodeDcbor and decodeDcbor', () => {
  test.each(rows)('%o has its one encoding %s', (value, hex) => {
    expect(hexEncode(encodeDcbor(value))).toBe(hex)
    expect(decodeDcbor(hexDecode(hex))).toEqual(value)
  })

  test.each([
    ['integer not in shortest form', '1817'],
    ['length not in shortest form', '580100'],
    ['u16 that fits u8', '1900ff'],
    ['u32 that fits u16', '1a0000ffff'],
    ['u64 that fits u32', '1b00000000ffffffff'],
    ['indefinite array', '9fff'],
    ['indefinite bytes', '5f4101ff'],
    ['float', 'f90000'],
    ['undefined', 'f7'],
    ['tag', 'c000'],
    ['trailing byte', '0000'],
    ['truncated', '4401'],
    ['array longer than its bytes', '9bffffffffffffffff'],
    ['map longer than its bytes', 'bb00000001ffffffff'],
    ['duplicate key', 'a2616101616102'],
    ['keys out of order', 'a2616201616101'],
    ['invalid UTF-8', '61ff'],
    ['array as key', 'a18001'],
    ['bytes as key', 'a1410101'],
    ['empty input', ''],
    ['nested too deep', `${'81'.repeat(40)}00`],
  ])('decodeDcbor refuses %s', (_name, hex) => {
    expect(() => decodeDcbor(hexDecode(hex))).toThrow(DcborError)
  })

  test.each([1.5, Number.NaN, 2 ** 53, '\ud800', 2n ** 64n, undefined, () => 0])(
    'encodeDcbor refuses %o',
    (value) => {
      expect(() => encodeDcbor(value as Dcbor)).toThrow(TypeError)
    },
  )

  test('whatever decodes encodes to the same bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 24 }), (bytes) => {
        let value: Dcbor
        try {
          value = decodeDcbor(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(DcborError)
          return
        }
        expect(encodeDcbor(value)).toEqual(bytes)
      }),
      { numRuns: 20_000 },
    )
  })
})
