import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hexDecode, hexEncode } from '../../src/bytes.js'
import { asPublicKey, asSecretKey, type DhFunction, primitives } from '../../src/crypto/index.js'
import { NoisecapError } from '../../src/errors.js'
import {
  AEAD_NAMES,
  DH_NAMES,
  everyAead,
  everyDh,
  everyHash,
  HASH_NAMES,
  isPlainAndOwn,
} from './providers.js'

/** noble's curves take milliseconds each, so DH gets fewer runs than the rest. */
const DH_RUNS = 25
const RUNS = 100

function bytes(length: number): fc.Arbitrary<Uint8Array> {
  return fc.uint8Array({ minLength: length, maxLength: length })
}

/** Lengths around the blocks of every primitive and around sodium's shared input buffer. */
const anyBytes = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.integer({ min: 4_000, max: 4_200 }).chain((length) => bytes(length)),
)

/** What `dh` says about a pair, refusals included. */
function verdict(dh: DhFunction, secretKey: Uint8Array, publicKey: Uint8Array): string {
  try {
    return hexEncode(dh.dh(asSecretKey(secretKey, dh.length), asPublicKey(publicKey, dh.length)))
  } catch (error) {
    if (error instanceof NoisecapError) return error.code
    throw error
  }
}

function expectOneAnswer(answers: readonly string[]): void {
  expect(answers.length).toBeGreaterThan(1)
  expect(new Set(answers).size).toBe(1)
}

describe.each(DH_NAMES)('X%s, all providers', (name) => {
  const dhs = everyDh(name)
  const length = dhs[0]!.length

  test('dh, random secret and public bytes, one answer', () => {
    fc.assert(
      fc.property(bytes(length), bytes(length), (secretKey, publicKey) => {
        expectOneAnswer(dhs.map((dh) => verdict(dh, secretKey, publicKey)))
      }),
      { numRuns: DH_RUNS },
    )
  })

  test('publicKeyOf, random secret bytes, one answer', () => {
    fc.assert(
      fc.property(bytes(length), (secretKey) => {
        expectOneAnswer(dhs.map((dh) => hexEncode(dh.publicKeyOf(asSecretKey(secretKey, length)))))
      }),
      { numRuns: DH_RUNS },
    )
  })

  test('dh, public bytes near 0, the prime and the highest value, one answer', () => {
    const filler = fc.constantFrom(0x00, 0xff)
    const ends = fc.tuple(fc.nat(0xff), filler, fc.constantFrom(0x00, 0x7f, 0x80, 0xfe, 0xff))
    fc.assert(
      fc.property(bytes(length), ends, (secretKey, [first, middle, last]) => {
        const publicKey = new Uint8Array(length).fill(middle)
        publicKey[0] = first
        publicKey[length - 1] = last
        expectOneAnswer(dhs.map((dh) => verdict(dh, secretKey, publicKey)))
      }),
      { numRuns: DH_RUNS },
    )
  })
})

describe('X25519, all providers', () => {
  const dhs = everyDh('25519')

  test('dh, the top bit of the public key set, same answer as without it', () => {
    fc.assert(
      fc.property(bytes(32), bytes(32), (secretKey, publicKey) => {
        const masked = Uint8Array.from(publicKey)
        masked[31]! &= 0x7f
        const set = Uint8Array.from(publicKey)
        set[31]! |= 0x80
        expectOneAnswer(dhs.flatMap((dh) => [verdict(dh, secretKey, masked), verdict(dh, secretKey, set)]))
      }),
      { numRuns: DH_RUNS },
    )
  })

  // cr.yp.to/ecdh.html lists these for implementations that do not mask the top bit; masked they are ordinary points.
  test.each([
    'd9ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
    'daffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
    'dbffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
    'cdeb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b880',
    '4c9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f11d7',
  ])('dh, %s, an ordinary point on every provider', (u) => {
    const secretKey = Uint8Array.from({ length: 32 }, (_, i) => i)
    const answers = dhs.map((dh) => verdict(dh, secretKey, hexDecode(u)))
    expectOneAnswer(answers)
    expect(answers[0]).toMatch(/^[0-9a-f]{64}$/)
  })
})

describe.each(AEAD_NAMES)('%s, all providers', (name) => {
  const aeads = everyAead(name)

  test('seal, random arguments, one ciphertext that every provider opens', () => {
    fc.assert(
      fc.property(bytes(32), bytes(12), anyBytes, anyBytes, (key, nonce, ad, plaintext) => {
        const sealed = aeads.map((aead) => {
          const out = new Uint8Array(plaintext.length + 16)
          aead.withKey(key).seal(nonce, ad, plaintext, out)
          return out
        })
        expectOneAnswer(sealed.map(hexEncode))
        for (const aead of aeads) {
          const opened = new Uint8Array(plaintext.length)
          expect(aead.withKey(key).open(nonce, ad, sealed[0]!, opened)).toBe(true)
          expect(Buffer.compare(opened, plaintext)).toBe(0)
        }
      }),
      { numRuns: RUNS },
    )
  })

  test('open, any flipped bit, false on every provider', () => {
    fc.assert(
      fc.property(bytes(32), bytes(12), anyBytes, anyBytes, fc.nat(), (key, nonce, ad, plaintext, at) => {
        const sealed = new Uint8Array(plaintext.length + 16)
        aeads[0]!.withKey(key).seal(nonce, ad, plaintext, sealed)
        const bit = at % (sealed.length * 8)
        sealed[bit >> 3]! ^= 1 << (bit & 7)
        for (const aead of aeads) {
          const out = new Uint8Array(plaintext.length).fill(0xaa)
          expect(aead.withKey(key).open(nonce, ad, sealed, out)).toBe(false)
          expect(out.every((byte) => byte === 0)).toBe(true)
        }
      }),
      { numRuns: RUNS },
    )
  })
})

describe('ChaChaPoly as this process chooses it, lengths around where another library takes over', () => {
  const key = Uint8Array.from({ length: 32 }, (_, i) => i)
  const nonce = new Uint8Array(12).fill(9)
  const ad = Uint8Array.of(1, 2, 3)
  const chosen = primitives().aead('ChaChaPoly').withKey(key)
  const lengths = [0, 1, 16_383, 16_384, 32_767, 32_768, 32_769, 65_519, 1_048_576]

  test.each(lengths)('seal and open, %i bytes, apart and in place, as every provider', (length) => {
    const plaintext = Uint8Array.from({ length }, (_, i) => (i * 31) & 0xff)
    const sealed = everyAead('ChaChaPoly').map((aead) => {
      const out = new Uint8Array(length + 16)
      aead.withKey(key).seal(nonce, ad, plaintext, out)
      return out
    })
    const buffer = new Uint8Array(length + 16)
    buffer.set(plaintext)
    chosen.seal(nonce, ad, buffer.subarray(0, length), buffer)
    for (const other of sealed) expect(Buffer.compare(buffer, other)).toBe(0)
    expect(chosen.open(nonce, ad, buffer, buffer.subarray(0, length))).toBe(true)
    expect(Buffer.compare(buffer.subarray(0, length), plaintext)).toBe(0)
    const opened = new Uint8Array(length)
    expect(chosen.open(nonce, ad, sealed[0]!, opened)).toBe(true)
    expect(Buffer.compare(opened, plaintext)).toBe(0)
    for (const aead of [{ withKey: () => chosen }, ...everyAead('ChaChaPoly')]) {
      const own = aead.withKey(key).opened(nonce, ad, sealed[0]!)!
      expect(isPlainAndOwn(own)).toBe(true)
      expect(Buffer.compare(own, plaintext)).toBe(0)
      for (const headBytes of [0, 4]) {
        const frame = aead.withKey(key).sealed(nonce, ad, plaintext, headBytes)
        expect(isPlainAndOwn(frame)).toBe(true)
        expect(frame.subarray(0, headBytes)).toEqual(new Uint8Array(headBytes))
        expect(Buffer.compare(frame.subarray(headBytes), sealed[0]!)).toBe(0)
      }
    }
  })

  test.each(lengths)(
    'open, %i bytes with a bit flipped at either end or another place, false and all zero',
    (length) => {
      const sealed = new Uint8Array(length + 16)
      chosen.seal(nonce, ad, new Uint8Array(length), sealed)
      const out = new Uint8Array(length)
      for (const at of [0, Math.max(0, length - 1), length, length + 15]) {
        const altered = Uint8Array.from(sealed)
        altered[at]! ^= 1
        out.fill(0xaa)
        expect(chosen.open(nonce, ad, altered, out)).toBe(false)
        expect(out.every((byte) => byte === 0)).toBe(true)
      }
      expect(chosen.open(nonce, Uint8Array.of(1, 2, 4), sealed, out)).toBe(false)
    },
  )

  test('seal and open, a long message after disposal, a TypeError as for short ones', () => {
    const gone = primitives().aead('ChaChaPoly').withKey(key)
    gone[Symbol.dispose]()
    expect(() => gone.seal(nonce, ad, new Uint8Array(65_536), new Uint8Array(65_552))).toThrow(TypeError)
    expect(() => gone.sealed(nonce, ad, new Uint8Array(65_536), 0)).toThrow(TypeError)
    expect(() => gone.opened(nonce, ad, new Uint8Array(65_552))).toThrow(TypeError)
  })
})

describe('SHA256 as this process chooses it, lengths around where another library takes over', () => {
  const chosen = primitives().hash('SHA256')
  const key = Uint8Array.from({ length: 32 }, (_, i) => i)

  test.each([447, 448, 449, 511, 512, 513, 4_095, 4_096, 4_097, 1_048_576])(
    'hash and hmac, %i bytes in one part and in two, as every provider',
    (length) => {
      const whole = Uint8Array.from({ length }, (_, i) => (i * 31) & 0xff)
      for (const parts of [[whole], [whole.subarray(0, 20), whole.subarray(20)]]) {
        const hashes = [chosen, ...everyHash('SHA256')]
        expectOneAnswer(hashes.map((hash) => hexEncode(hash.hash(...parts))))
        expectOneAnswer(hashes.map((hash) => hexEncode(hash.hmac(key, ...parts))))
        expect(isPlainAndOwn(chosen.hash(...parts))).toBe(true)
      }
    },
  )
})

describe.each(HASH_NAMES)('%s, all providers', (name) => {
  const hashes = everyHash(name)

  test('hash, random parts, one digest', () => {
    fc.assert(
      fc.property(fc.array(anyBytes, { maxLength: 4 }), (parts) => {
        expectOneAnswer(hashes.map((hash) => hexEncode(hash.hash(...parts))))
      }),
      { numRuns: RUNS },
    )
  })

  test('hmac, random key and parts, one code', () => {
    fc.assert(
      fc.property(anyBytes, fc.array(anyBytes, { maxLength: 4 }), (key, parts) => {
        expectOneAnswer(hashes.map((hash) => hexEncode(hash.hmac(key, ...parts))))
      }),
      { numRuns: RUNS },
    )
  })
})
