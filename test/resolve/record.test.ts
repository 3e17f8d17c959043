import { createDecipheriv, createHash, createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { resolveVectors } from '../../scripts/vectors/resolve.js'
import { hexDecode, hexEncode } from '../../src/bytes.js'
import { asPublicKey } from '../../src/crypto/index.js'
import { judgeRecord, type LocationRecord, openRecord, sealRecord } from '../../src/resolve/index.js'

type Vectors = ReturnType<typeof resolveVectors>
const vectors: Vectors = JSON.parse(
  readFileSync(new URL('../../spec/vectors/resolve.json', import.meta.url), 'utf8'),
)
const key = (hex: string) => asPublicKey(hexDecode(hex))
const keyA = key(vectors.records[0]!.publicKey)
const keyB = key(vectors.records[1]!.publicKey)
const salt = new Uint8Array(32).fill(9)
const record: LocationRecord = {
  sequence: 1_700_000_000_000,
  expires: 1_700_000_900,
  locations: [{ uri: 'tcp://127.0.0.1:7000', priority: 1, weight: 2 }],
}
const malformed = expect.objectContaining({
  code: 'resolve/malformed',
  message: 'Cannot open location record: expected a record of this service',
})

// A reader of its own, from spec/resolve.md and node:crypto alone.
const sha256 = (...parts: Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest()

function readIndependently(publicKey: Uint8Array, bytes: Uint8Array) {
  const hash = sha256(Buffer.from('noisecap/v1 key hash\0'), publicKey)
  const recordKey = createHmac('sha256', sha256(Buffer.from('noisecap/v1 location\0'), publicKey))
    .update(bytes.subarray(1, 33))
    .digest()
  const ad = Buffer.concat([bytes.subarray(0, 1), hash])
  const decipher = createDecipheriv('chacha20-poly1305', recordKey, Buffer.alloc(12), { authTagLength: 16 })
  decipher.setAAD(ad, { plaintextLength: bytes.length - 49 })
  decipher.setAuthTag(bytes.subarray(-16))
  const plaintext = Buffer.concat([decipher.update(bytes.subarray(33, -16)), decipher.final()])
  return { keyHash: base32(hash), recordKey, ad, plaintext, fields: readCbor(plaintext) }
}

function base32(bytes: Uint8Array): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  const groups = bits.match(/.{1,5}/g) ?? []
  return groups
    .map((group) => 'abcdefghijklmnopqrstuvwxyz234567'[Number.parseInt(group.padEnd(5, '0'), 2)])
    .join('')
}

/** Unsigned integers, text and arrays, which is all that a record has. */
function readCbor(bytes: Buffer): unknown {
  let at = 0
  const item = (): unknown => {
    const head = bytes.readUInt8(at++)
    const info = head & 31
    let argument = info
    if (info >= 24) {
      const size = 1 << (info - 24)
      argument = Number(BigInt(`0x${bytes.subarray(at, at + size).toString('hex')}`))
      at += size
    }
    if (head >> 5 === 0) return argument
    if (head >> 5 === 3) {
      at += argument
      return bytes.toString('utf8', at - argument, at)
    }
    if (head >> 5 === 4) return Array.from({ length: argument }, item)
    throw new Error(`unexpected head ${head}`)
  }
  return item()
}

describe('spec/vectors/resolve.json', () => {
  test('is what the generator writes', () => {
    expect(vectors).toEqual(resolveVectors())
  })

  test.each(vectors.records.map((vector) => [vector.name, vector] as const))(
    '%s, read independently',
    (_, vector) => {
      const read = readIndependently(hexDecode(vector.publicKey), hexDecode(vector.bytes))
      expect(read.keyHash).toBe(vector.keyHash)
      expect(hexEncode(read.recordKey)).toBe(vector.recordKey)
      expect(hexEncode(read.ad)).toBe(vector.ad)
      expect(hexEncode(read.plaintext)).toBe(vector.plaintext)
      expect(read.plaintext.length % 256).toBe(0)
      const { sequence, expires, locations } = vector.record
      expect(read.fields).toEqual([sequence, expires, locations.map((l) => [l.uri, l.priority, l.weight])])
    },
  )

  test.each(vectors.records.map((vector) => [vector.name, vector] as const))(
    '%s, sealed and opened',
    (_, vector) => {
      const bytes = sealRecord(key(vector.publicKey), vector.record, hexDecode(vector.salt))
      expect(hexEncode(bytes)).toBe(vector.bytes)
      expect(openRecord(key(vector.publicKey), bytes)).toEqual(vector.record)
    },
  )

  test.each(vectors.refused.map((vector) => [vector.name, vector] as const))('%s is refused', (_, vector) => {
    expect(() => openRecord(key(vector.publicKey), hexDecode(vector.bytes))).toThrow(malformed)
  })
})

describe('sealRecord', () => {
  const with_ = (over: Partial<LocationRecord>) => () => sealRecord(keyA, { ...record, ...over }, salt)
  const location = record.locations[0]!

  test.each([
    ['a fraction of a millisecond', { sequence: 1.5 }, 'a sequence in whole Unix milliseconds'],
    ['a negative sequence', { sequence: -1 }, 'a sequence'],
    ['NaN as expiry', { expires: Number.NaN }, 'an expiry in whole Unix seconds'],
    ['an expiry before the sequence', { expires: 1_699_999_999 }, 'an expiry'],
    ['a life of more than 7 days', { expires: 1_700_604_801 }, 'at most 604800 s after the sequence'],
    ['no locations', { locations: [] }, '1 to 8 locations'],
    [
      'nine locations',
      { locations: Array.from({ length: 9 }, (_, i) => ({ ...location, uri: `x:${i}` })) },
      '1 to 8',
    ],
    ['a location twice', { locations: [location, { ...location, priority: 9 }] }, 'every location once'],
    ['a location that is none', { locations: [{ ...location, uri: 'here' }] }, 'scheme:rest'],
    ['a priority above 65,535', { locations: [{ ...location, priority: 65_536 }] }, 'from 0 to 65535'],
    ['a weight of 0.5', { locations: [{ ...location, weight: 0.5 }] }, 'from 0 to 65535'],
  ])('%s is a RangeError', (_, over, message) => {
    expect(with_(over)).toThrow(RangeError)
    expect(with_(over)).toThrow(message)
  })

  test('a salt of another length is a RangeError', () => {
    expect(() => sealRecord(keyA, record, new Uint8Array(31))).toThrow(RangeError)
  })

  test('neither keeps nor alters the salt', () => {
    const own = salt.slice()
    const bytes = sealRecord(keyA, record, own)
    expect(own).toEqual(salt)
    own.fill(0)
    expect(openRecord(keyA, bytes)).toEqual(record)
  })

  test('records of one to three short locations are equally long', () => {
    const lengths = [1, 2, 3].map((count) => {
      const locations = Array.from({ length: count }, (_, i) => ({ ...location, uri: `tcp://10.0.0.${i}:7` }))
      return sealRecord(keyA, { ...record, locations }, salt).length
    })
    expect(lengths).toEqual([305, 305, 305])
  })

  test('shows a directory neither the key nor a location', () => {
    const bytes = Buffer.from(sealRecord(keyA, record, salt))
    expect(bytes.includes('127.0.0.1')).toBe(false)
    expect(bytes.includes(Buffer.from(keyA))).toBe(false)
  })
})

describe('openRecord', () => {
  test('refuses under the key of another service', () => {
    expect(() => openRecord(keyB, sealRecord(keyA, record, salt))).toThrow(malformed)
  })

  test('any flipped bit and any other length is refused', () => {
    const bytes = sealRecord(keyA, record, salt)
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = bytes.slice()
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      expect(() => openRecord(keyA, flipped)).toThrow(malformed)
    }
    for (let length = 0; length < bytes.length; length++) {
      expect(() => openRecord(keyA, bytes.subarray(0, length))).toThrow(malformed)
    }
  })

  test('random bytes are refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        expect(() => openRecord(keyA, bytes)).toThrow(malformed)
      }),
    )
  })

  test('whatever is sealed opens to the same', () => {
    const location = fc.record({
      uri: fc
        .stringMatching(/^[a-z][a-z0-9+.-]{0,8}:[\x21\x22\x24-\x7e]{1,240}$/)
        .filter((uri) => !uri.startsWith('noisecap:')),
      priority: fc.integer({ min: 0, max: 65_535 }),
      weight: fc.integer({ min: 0, max: 65_535 }),
    })
    const any = fc
      .record({
        sequence: fc.maxSafeInteger().map(Math.abs),
        life: fc.integer({ min: 1, max: 604_800 }),
        locations: fc.uniqueArray(location, { minLength: 1, maxLength: 8, selector: ({ uri }) => uri }),
      })
      .map(({ sequence, life, locations }) => ({
        sequence,
        expires: Math.floor(sequence / 1_000) + life,
        locations,
      }))
    fc.assert(
      fc.property(any, fc.uint8Array({ minLength: 32, maxLength: 32 }), (input, randomSalt) => {
        const bytes = sealRecord(keyB, input, randomSalt)
        expect(bytes.length).toBeLessThanOrEqual(4_096)
        expect(openRecord(keyB, bytes)).toEqual(input)
      }),
    )
  })
})

describe('judgeRecord', () => {
  const expiresMs = record.expires * 1_000
  test.each([
    ['at its sequence', record.sequence, 'current'],
    ['5 min before its sequence', record.sequence - 300_000, 'current'],
    ['5 min and 1 ms before its sequence', record.sequence - 300_001, 'ahead'],
    ['at its expiry', expiresMs, 'current'],
    ['just within the leeway of 60 s', expiresMs + 59_999, 'current'],
    ['at the end of the leeway', expiresMs + 60_000, 'expired'],
  ])('%s', (_, now, expected) => {
    expect(judgeRecord(record, now)).toBe(expected)
  })
})
