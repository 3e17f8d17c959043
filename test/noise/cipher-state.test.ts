// CipherState: nonces to their last value, rekey, limits, and what a failure leaves behind.
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { EMPTY, hexEncode, utf8 } from '../../src/bytes.js'
import { type AeadName, primitives } from '../../src/crypto/index.js'
import { CipherState } from '../../src/noise/index.js'
import { errorOf, failureOf, transportOf } from './parties.js'

const KEY = Uint8Array.from({ length: 32 }, (_, index) => index)
const LAST_NONCE = 2n ** 64n - 2n
const RESERVED_NONCE = 2n ** 64n - 1n
const PLAINTEXT_MAX = 65_535 - 16
const CIPHERS = ['ChaChaPoly', 'AESGCM'] as const satisfies readonly AeadName[]

function pairOf(name: AeadName): { sender: CipherState; receiver: CipherState } {
  const aead = primitives().aead(name)
  return { sender: new CipherState(aead, KEY), receiver: new CipherState(aead, KEY) }
}

/** Ciphertext of one AEAD call with the nonce bytes spelled out. */
function sealed(name: AeadName, key: Uint8Array, counter: string, plaintext: Uint8Array): string {
  const nonce = Uint8Array.from(`00000000${counter}`.match(/../g)!, (byte) => Number.parseInt(byte, 16))
  const out = new Uint8Array(plaintext.length + 16)
  primitives().aead(name).withKey(key).seal(nonce, EMPTY, plaintext, out)
  return hexEncode(out)
}

describe.each(CIPHERS)('CipherState, %s', (name) => {
  test('messages and associated data round-trip in order, the nonce counts them', () => {
    const { sender, receiver } = pairOf(name)
    for (const text of ['', 'one', 'two']) {
      const ciphertext = sender.encryptWithAd(utf8('ad'), utf8(text))
      expect(receiver.decryptWithAd(utf8('ad'), ciphertext)).toEqual(utf8(text))
    }
    expect([sender.nonce, receiver.nonce]).toEqual([3n, 3n])
  })

  test.each([
    [0n, '0000000000000000'],
    [1n, '0000000000000001'],
    [2n ** 32n - 1n, '00000000ffffffff'],
    [2n ** 32n, '0000000100000000'],
    [0x0102030405060708n, '0102030405060708'],
    [LAST_NONCE, 'fffffffffffffffe'],
  ])('nonce %d is encoded in the byte order of the cipher', (nonce, bigEndian) => {
    const counter = name === 'AESGCM' ? bigEndian : bigEndian.match(/../g)!.reverse().join('')
    const { sender } = pairOf(name)
    sender.nonce = nonce
    expect(hexEncode(sender.encryptWithAd(EMPTY, utf8('text')))).toBe(
      sealed(name, KEY, counter, utf8('text')),
    )
  })

  test('nonces are 64 bit: counting passes 2^32 without wrapping', () => {
    const { sender } = pairOf(name)
    sender.nonce = 2n ** 32n - 1n
    sender.encryptWithAd(EMPTY, EMPTY)
    expect(sender.nonce).toBe(2n ** 32n)
  })

  test('2^64 - 2 works, 2^64 - 1 throws on both sides, nothing wraps', () => {
    const { sender, receiver } = pairOf(name)
    sender.nonce = LAST_NONCE
    receiver.nonce = LAST_NONCE
    const ciphertext = sender.encryptWithAd(EMPTY, utf8('last'))
    expect(receiver.decryptWithAd(EMPTY, ciphertext)).toEqual(utf8('last'))
    for (let attempt = 0; attempt < 2; attempt++) {
      expect(failureOf(() => sender.encryptWithAd(EMPTY, EMPTY))).toBe('noise/nonce_exhausted')
      expect(failureOf(() => receiver.decryptWithAd(EMPTY, ciphertext))).toBe('noise/nonce_exhausted')
    }
    expect([sender.nonce, receiver.nonce]).toEqual([RESERVED_NONCE, RESERVED_NONCE])
  })

  test('a nonce outside of 64 bits or of another type is refused', () => {
    const { sender } = pairOf(name)
    for (const nonce of [-1n, 2n ** 64n]) {
      expect(failureOf(() => (sender.nonce = nonce))).toBe('RangeError')
    }
    expect(failureOf(() => (sender.nonce = 1 as unknown as bigint))).toBe('TypeError') // a caller without types
    expect(sender.nonce).toBe(0n)
  })

  test('out-of-order transport: messages open in any order by their explicit nonces', () => {
    const { sender, receiver } = pairOf(name)
    const messages = Array.from({ length: 5 }, (_, index) => ({
      nonce: sender.nonce,
      ciphertext: sender.encryptWithAd(EMPTY, Uint8Array.of(index)),
    }))
    for (const index of [3, 0, 4, 1, 2]) {
      receiver.nonce = messages[index]!.nonce
      expect(receiver.decryptWithAd(EMPTY, messages[index]!.ciphertext)).toEqual(Uint8Array.of(index))
    }
    receiver.nonce = 3n
    expect(failureOf(() => receiver.decryptWithAd(EMPTY, messages[4]!.ciphertext))).toBe('noise/decrypt')
  })

  test('a failed decrypt leaves the nonce and the state as they were', () => {
    const { sender, receiver } = pairOf(name)
    const ciphertext = sender.encryptWithAd(EMPTY, utf8('text'))
    const forged = ciphertext.slice()
    forged[0]! ^= 1
    for (let attempt = 0; attempt < 3; attempt++) {
      expect(failureOf(() => receiver.decryptWithAd(EMPTY, forged))).toBe('noise/decrypt')
      expect(receiver.nonce).toBe(0n)
    }
    expect(receiver.decryptWithAd(EMPTY, ciphertext)).toEqual(utf8('text'))
  })

  test('wrong associated data is a failed decrypt', () => {
    const { sender, receiver } = pairOf(name)
    const ciphertext = sender.encryptWithAd(utf8('ad'), utf8('text'))
    expect(failureOf(() => receiver.decryptWithAd(utf8('da'), ciphertext))).toBe('noise/decrypt')
  })

  test('failed decryption is one opaque error without cause', () => {
    const { receiver } = pairOf(name)
    const error = errorOf(() => receiver.decryptWithAd(EMPTY, new Uint8Array(20)))
    expect(error.code).toBe('noise/decrypt')
    expect(error.message).toBe('Cannot decrypt message: it is not authentic')
    expect(error).not.toHaveProperty('cause')
    expect(error.hint).toBeUndefined()
  })

  test('encryptInto and decryptInto work in place and give what the allocating calls give', () => {
    const { sender, receiver } = pairOf(name)
    const reference = pairOf(name).sender.encryptWithAd(utf8('ad'), utf8('in place'))
    const buffer = new Uint8Array(8 + 16)
    buffer.set(utf8('in place'))
    sender.encryptInto(utf8('ad'), buffer.subarray(0, 8), buffer)
    expect(buffer).toEqual(reference)
    receiver.decryptInto(utf8('ad'), buffer, buffer.subarray(0, 8))
    expect(buffer.subarray(0, 8)).toEqual(utf8('in place'))
    expect([sender.nonce, receiver.nonce]).toEqual([1n, 1n])
  })

  test('decryptInto throws for a forged message, leaves zeros in the output and the nonce as it was', () => {
    const { sender, receiver } = pairOf(name)
    const ciphertext = sender.encryptWithAd(EMPTY, utf8('text'))
    ciphertext[19]! ^= 0x80
    const out = new Uint8Array(4).fill(7)
    expect(failureOf(() => receiver.decryptInto(EMPTY, ciphertext, out))).toBe('noise/decrypt')
    expect(out).toEqual(new Uint8Array(4))
    expect(receiver.nonce).toBe(0n)
  })

  test('an output of the wrong length is refused and the nonce stays', () => {
    const { sender, receiver } = pairOf(name)
    expect(failureOf(() => sender.encryptInto(EMPTY, utf8('text'), new Uint8Array(19)))).toBe('RangeError')
    expect(failureOf(() => sender.encryptInto(EMPTY, utf8('text'), new Uint8Array(21)))).toBe('RangeError')
    const ciphertext = sender.encryptWithAd(EMPTY, utf8('text'))
    expect(failureOf(() => receiver.decryptInto(EMPTY, ciphertext, new Uint8Array(5)))).toBe('RangeError')
    expect([sender.nonce, receiver.nonce]).toEqual([1n, 0n])
  })

  test('65,535 bytes are the whole message, one more is refused in both directions', () => {
    const { sender, receiver } = pairOf(name)
    const largest = sender.encryptWithAd(EMPTY, new Uint8Array(PLAINTEXT_MAX))
    expect(largest).toHaveLength(65_535)
    expect(receiver.decryptWithAd(EMPTY, largest)).toHaveLength(PLAINTEXT_MAX)
    const tooLong = new Uint8Array(PLAINTEXT_MAX + 1)
    expect(failureOf(() => sender.encryptWithAd(EMPTY, tooLong))).toBe('noise/message_length')
    expect(failureOf(() => sender.encryptInto(EMPTY, tooLong, new Uint8Array(65_536)))).toBe(
      'noise/message_length',
    )
    expect(failureOf(() => receiver.decryptWithAd(EMPTY, new Uint8Array(65_536)))).toBe(
      'noise/message_length',
    )
    expect([sender.nonce, receiver.nonce]).toEqual([1n, 1n])
  })

  test('a message shorter than a tag is refused by its length', () => {
    const { receiver } = pairOf(name)
    for (const length of [0, 1, 15]) {
      expect(failureOf(() => receiver.decryptWithAd(EMPTY, new Uint8Array(length)))).toBe(
        'noise/message_length',
      )
    }
  })

  test('rekey drops the tag and keeps n', () => {
    const { sender, receiver } = pairOf(name)
    sender.nonce = 5n
    sender.rekey()
    expect(sender.nonce).toBe(5n)
    const derived = sealed(name, KEY, 'ffffffffffffffff', new Uint8Array(32)).slice(0, 64)
    const key = Uint8Array.from(derived.match(/../g)!, (byte) => Number.parseInt(byte, 16))
    const counter = name === 'AESGCM' ? '0000000000000005' : '0500000000000000'
    const ciphertext = sender.encryptWithAd(EMPTY, utf8('text'))
    expect(hexEncode(ciphertext)).toBe(sealed(name, key, counter, utf8('text')))
    receiver.nonce = 5n
    expect(failureOf(() => receiver.decryptWithAd(EMPTY, ciphertext))).toBe('noise/decrypt')
    receiver.rekey()
    expect(receiver.decryptWithAd(EMPTY, ciphertext)).toEqual(utf8('text'))
  })

  test('rekey works when all nonces are used, which stay used', () => {
    const { sender } = pairOf(name)
    sender.nonce = RESERVED_NONCE
    sender.rekey()
    expect(failureOf(() => sender.encryptWithAd(EMPTY, EMPTY))).toBe('noise/nonce_exhausted')
  })

  test('no caller buffer is kept or altered', () => {
    const key = KEY.slice()
    const cipher = new CipherState(primitives().aead(name), key)
    const [ad, plaintext] = [utf8('ad'), utf8('text')]
    const ciphertext = cipher.encryptWithAd(ad, plaintext)
    expect([key, ad, plaintext]).toEqual([KEY, utf8('ad'), utf8('text')])
    key.fill(0)
    const kept = ciphertext.slice()
    expect(pairOf(name).receiver.decryptWithAd(ad, ciphertext)).toEqual(plaintext)
    expect(ciphertext).toEqual(kept)
    cipher.nonce = 0n
    expect(cipher.encryptWithAd(ad, plaintext)).toEqual(kept)
  })

  test('disposal wipes the key: every later use throws', () => {
    const { sender } = pairOf(name)
    sender[Symbol.dispose]()
    expect(failureOf(() => sender.encryptWithAd(EMPTY, EMPTY))).toBe('noise/finished')
    expect(failureOf(() => sender.decryptWithAd(EMPTY, new Uint8Array(16)))).toBe('noise/finished')
    expect(failureOf(() => sender.rekey())).toBe('noise/finished')
    expect(failureOf(() => sender[Symbol.dispose]())).toBeUndefined()
  })
})

describe('CipherState after a one-way pattern', () => {
  test.each(['N', 'K', 'X', 'Npsk0', 'Xpsk1'])('%s gives one direction only; the other throws', (pattern) => {
    const { ours, theirs } = transportOf(`Noise_${pattern}_25519_ChaChaPoly_BLAKE2b`)
    const ciphertext = ours.send.encryptWithAd(EMPTY, utf8('one way'))
    expect(theirs.receive.decryptWithAd(EMPTY, ciphertext)).toEqual(utf8('one way'))
    for (const cipher of [ours.receive, theirs.send]) {
      expect(failureOf(() => cipher.encryptWithAd(EMPTY, EMPTY))).toBe('noise/one_way')
      expect(failureOf(() => cipher.encryptInto(EMPTY, EMPTY, new Uint8Array(16)))).toBe('noise/one_way')
      expect(failureOf(() => cipher.decryptWithAd(EMPTY, new Uint8Array(16)))).toBe('noise/one_way')
      expect(failureOf(() => cipher.decryptInto(EMPTY, new Uint8Array(16), EMPTY))).toBe('noise/one_way')
      expect(failureOf(() => cipher.rekey())).toBe('noise/one_way')
    }
  })
})

test('a CipherState prints as redacted', () => {
  const { sender } = pairOf('ChaChaPoly')
  expect([String(sender), inspect(sender), JSON.stringify(sender)]).toEqual([
    'CipherState [redacted]',
    'CipherState [redacted]',
    '"CipherState [redacted]"',
  ])
})
