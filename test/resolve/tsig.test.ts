// TSIG and updates held to what another implementation (dnspython 2.8.0) signs for the same key, time and message.
import { describe, expect, test } from 'vitest'
import { concat, hexDecode, hexEncode } from '../../src/bytes.js'
import { NoisecapError } from '../../src/errors.js'
import { makeUpdate, readUpdateAnswer } from '../../src/resolve/dns-update.js'
import {
  appendAdditional,
  cutAdditional,
  encodeName,
  encodeRecord,
  lastRecord,
  u16,
  u48,
} from '../../src/resolve/dns-wire.js'
import { signMessage, verifyAnswer } from '../../src/resolve/tsig.js'
import { TsigKey } from '../../src/resolve/tsig-key.js'

const NOW = 1_700_000_000
const SECRET = Uint8Array.from({ length: 32 }, (_, index) => index)
const ZONE = 'example.test'
const NAME = `${'a'.repeat(52)}._noisecap.${ZONE}`

/** Replaces the TXT records at NAME by one, `noisecap=AAAA`, under the key `publisher`; then an empty answer to it. */
const VECTORS = [
  {
    algorithm: 'hmac-sha256',
    request:
      '123428000001000000020001076578616d706c65047465737400000600013461616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161095f6e6f697365636170c00c001000ff000000000000c01e001000010000012c000e0d6e6f6973656361703d41414141097075626c69736865720000fa00ff00000000003d0b686d61632d7368613235360000006553f100012c00201f7dfc16d98e8b6655123b1622a8edbb4252e0caff8ec64a4d6773b3be77a492123400000000',
    answer:
      '1234a8000001000000000001076578616d706c6504746573740000060001097075626c69736865720000fa00ff00000000003d0b686d61632d7368613235360000006553f100012c0020e5661f6693d0601e1cb598ad405c24ad3f1c6c627bb0b10dee1f913c9b62b4d4123400000000',
  },
  {
    algorithm: 'hmac-sha512',
    request:
      '123428000001000000020001076578616d706c65047465737400000600013461616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161095f6e6f697365636170c00c001000ff000000000000c01e001000010000012c000e0d6e6f6973656361703d41414141097075626c69736865720000fa00ff00000000005d0b686d61632d7368613531320000006553f100012c00408c0997e8a3e450f4e4e4ddbe91a5dd6edf933672e77f2451d9b704e111e08e5f85bd388f95eaf29098bb4ff1ada5d46ad96df2cb38b25ec93d87849c2ee3334f123400000000',
    answer:
      '1234a8000001000000000001076578616d706c6504746573740000060001097075626c69736865720000fa00ff00000000005d0b686d61632d7368613531320000006553f100012c0040a1bc692851513c5b0802dc4f0db8d8a3c16be716d915329b4d11378ec8afaa9255b254fd77be258e595c45db573c4e4d403aa612e89855646fed282232d81a30123400000000',
  },
] as const

function setUp({ algorithm, request, answer }: (typeof VECTORS)[number]) {
  const signed = hexDecode(request)
  const unsigned = cutAdditional(signed, lastRecord(signed)?.start ?? 0)
  return { key: new TsigKey('publisher', algorithm, SECRET), signed, unsigned, answer: hexDecode(answer) }
}

/** An answer to `id` with the given code, signed as the server of a test likes. */
function answerWith(code: number, tsig?: { error: number; mac: Uint8Array; other?: Uint8Array }): Uint8Array {
  const message = concat(u16(0x1234), u16(0xa800 | code), u16(0), u16(0), u16(0), u16(0))
  if (tsig === undefined) return message
  const { error, mac, other = new Uint8Array(0) } = tsig
  const data = concat(
    encodeName('hmac-sha256'),
    u48(NOW),
    u16(300),
    u16(mac.length),
    mac,
    u16(0x1234),
    u16(error),
    u16(other.length),
    other,
  )
  return appendAdditional(message, encodeRecord({ name: 'publisher', type: 250, class: 255, ttl: 0, data }))
}

describe.each(VECTORS)('$algorithm', (vector) => {
  test('signMessage signs as the other implementation does', () => {
    const { key, signed, unsigned } = setUp(vector)
    expect(hexEncode(signMessage(unsigned, key, NOW).message)).toBe(hexEncode(signed))
  })

  test('verifyAnswer accepts its answer, within 300 s and not beyond', () => {
    const { key, unsigned, answer } = setUp(vector)
    const { mac } = signMessage(unsigned, key, NOW)
    for (const now of [NOW - 300, NOW, NOW + 300])
      expect(verifyAnswer(answer, mac, key, now).kind).toBe('signed')
    for (const now of [NOW - 301, NOW + 301]) expect(verifyAnswer(answer, mac, key, now).kind).toBe('forged')
  })

  test('verifyAnswer refuses it with any bit flipped, for another request and under another key', () => {
    const { key, unsigned, answer } = setUp(vector)
    const { mac } = signMessage(unsigned, key, NOW)
    const kind = (bytes: Uint8Array): string => {
      try {
        return verifyAnswer(bytes, mac, key, NOW).kind
      } catch {
        return 'malformed'
      }
    }
    for (let bit = 0; bit < answer.length * 8; bit++) {
      const flipped = answer.slice()
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      // Letters of names are the same in either case.
      if (kind(flipped) === 'signed')
        expect([bit, (flipped[bit >> 3]! ^ answer[bit >> 3]!) === 0x20]).toEqual([bit, true])
    }
    expect(verifyAnswer(answer, signMessage(answer, key, NOW).mac, key, NOW).kind).toBe('forged')
    const other = new TsigKey('publisher', vector.algorithm, SECRET.slice().reverse())
    expect(verifyAnswer(answer, mac, other, NOW).kind).toBe('forged')
  })
})

describe('makeUpdate', () => {
  const key = new TsigKey('publisher', 'hmac-sha256', SECRET)
  const data = concat(Uint8Array.of(13), new TextEncoder().encode('noisecap=AAAA'))
  const owner = hexEncode(encodeName(NAME))
  const start = `0000${hexEncode(encodeName(ZONE))}00060001${owner}0010`

  // The other implementation compresses names; ours writes them out. The rest is the same to the byte.
  test.each([
    ['clear', { kind: 'clear' }, '00ff000000000000'],
    ['remove', { kind: 'remove', data }, '00fe00000000000e0d6e6f6973656361703d41414141'],
    [
      'replace',
      { kind: 'replace', data, ttlSeconds: 300 },
      `00ff000000000000${owner}001000010000012c000e0d6e6f6973656361703d41414141`,
    ],
  ] as const)('%s', (_name, change, rest) => {
    const { message } = makeUpdate({ zone: ZONE, name: NAME, change }, 0x1234, key, NOW)
    const unsigned = cutAdditional(message, lastRecord(message)?.start ?? 0)
    const count = change.kind === 'replace' ? '0002' : '0001'
    expect(hexEncode(unsigned)).toBe(`1234280000010000${count}${start}${rest}`)
  })
})

describe('readUpdateAnswer', () => {
  const key = new TsigKey('publisher', 'hmac-sha256', SECRET)
  const update = { zone: ZONE, name: NAME, change: { kind: 'clear' } } as const
  const sent = makeUpdate(update, 0x1234, key, NOW)
  const read = (answer: Uint8Array) => readUpdateAnswer(answer, sent, update, key, NOW)

  function failure(answer: Uint8Array): NoisecapError {
    try {
      read(answer)
    } catch (error) {
      if (error instanceof NoisecapError) return error
      throw error
    }
    throw new Error('expected a failure')
  }

  /** Signed for the request that was sent. */
  function signed(code: number, error = 0, other: Uint8Array = new Uint8Array(0)): Uint8Array {
    const fields = [
      encodeName('publisher'),
      u16(255),
      u16(0),
      u16(0),
      encodeName('hmac-sha256'),
      u48(NOW),
      u16(300),
      u16(error),
      u16(other.length),
      other,
    ]
    const mac = key.mac(u16(sent.mac.length), sent.mac, answerWith(code), ...fields)
    return answerWith(code, { error, mac, other })
  }

  test('a signed answer without an error: done', () => {
    expect(read(signed(0))).toBe(true)
  })

  test('another id, another kind of message, or too little: no answer to it', () => {
    for (const at of [0, 1, 2]) {
      const other = signed(0)
      other[at]! ^= 0x40
      expect(read(other)).toBeUndefined()
    }
    expect(read(signed(0).subarray(0, 11))).toBeUndefined()
  })

  test.each([
    ['success without a signature', answerWith(0), 'got one without a signature'],
    [
      'success with an empty signature',
      answerWith(0, { error: 0, mac: new Uint8Array(0) }),
      'got one without a signature',
    ],
    [
      'success with a wrong signature',
      answerWith(0, { error: 0, mac: new Uint8Array(32) }),
      'signature does not hold',
    ],
    ['success with a truncated signature', cutMac(), 'signature does not hold'],
    [
      'cut off',
      answerWith(0, { error: 0, mac: new Uint8Array(32) }).subarray(0, -1),
      'signature does not hold',
    ],
    ['REFUSED, signed', signed(5), 'answered REFUSED to an update of zone example.test'],
    [
      'REFUSED without a signature',
      answerWith(5),
      'REFUSED to an update of zone example.test, without a signature',
    ],
    [
      'NOTAUTH without a signature',
      answerWith(9),
      'NOTAUTH to an update of zone example.test, without a signature',
    ],
    ['BADKEY', answerWith(9, { error: 17, mac: new Uint8Array(0) }), 'BADKEY'],
    ['BADSIG', answerWith(9, { error: 16, mac: new Uint8Array(0) }), 'BADSIG'],
    ['BADTIME, signed', signed(9, 18, u48(NOW - 1_000)), 'differ by 1000 s (BADTIME)'],
    ['BADTIME without a signature', answerWith(9, { error: 18, mac: new Uint8Array(0) }), 'differ (BADTIME)'],
    ['an error in a signature that holds', signed(0, 22), 'signature does not hold'],
  ])('%s: resolve/dns', (_name, answer, message) => {
    const error = failure(answer)
    expect(error.code).toBe('resolve/dns')
    expect(error.message).toContain(message)
  })

  function cutMac(): Uint8Array {
    const whole = lastRecord(signed(0))?.record.data ?? new Uint8Array(0)
    const macStart = encodeName('hmac-sha256').length + 10
    return answerWith(0, { error: 0, mac: whole.slice(macStart, macStart + 16) })
  }
})
