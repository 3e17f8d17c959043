import { format, inspect } from 'node:util'
import { expect, test } from 'vitest'
import { hexEncode } from '../../src/bytes.js'
import { asPublicKey, asSecretKey, generateKeyPair, KeyPair, primitives } from '../../src/crypto/index.js'

const SHOWN = 'KeyPair [redacted]'

test('generateKeyPair, called twice, two different X25519 pairs', () => {
  const one = generateKeyPair()
  const other = generateKeyPair()
  expect(one.publicKey).toHaveLength(32)
  expect(one.secretKey).toHaveLength(32)
  expect(hexEncode(one.secretKey)).not.toBe(hexEncode(other.secretKey))
  expect(one.equals(other)).toBe(false)
  const dh = primitives().dh('25519')
  expect(hexEncode(dh.dh(one.secretKey, other.publicKey))).toBe(
    hexEncode(dh.dh(other.secretKey, one.publicKey)),
  )
})

test('KeyPair.fromSecretKey, the secret key of another pair, an equal pair', () => {
  const pair = generateKeyPair()
  const again = KeyPair.fromSecretKey(primitives().dh('25519'), asSecretKey(pair.secretKey.slice()))
  expect(again.equals(pair)).toBe(true)
  expect(pair.equals({ publicKey: asPublicKey(new Uint8Array(32)) })).toBe(false)
})

test('KeyPair, shown as string, JSON, template, inspection and format, [redacted] alone', () => {
  const pair = generateKeyPair()
  const shown = [
    String(pair),
    `${pair}`,
    JSON.parse(JSON.stringify(pair)),
    inspect(pair),
    inspect(pair, { showHidden: true, depth: Number.POSITIVE_INFINITY, customInspect: true }),
    format('%s', pair),
    format('%o', pair),
    format('%j', pair).replaceAll('"', ''),
  ]
  expect(shown).toEqual(shown.map(() => SHOWN))
})

test('KeyPair, its own properties and an inspection without hooks, never the secret', () => {
  const pair = generateKeyPair()
  expect(Object.keys(pair)).toEqual(['publicKey'])
  const secret = pair.secretKey
  const bare = inspect(pair, { showHidden: true, depth: Number.POSITIVE_INFINITY, customInspect: false })
  const asNode = inspect(secret).replace(/^[^[]*\[|\]$/g, '')
  expect(bare).not.toContain(hexEncode(secret))
  expect(bare).not.toContain(asNode.trim())
  expect(JSON.stringify({ ...pair })).not.toContain(hexEncode(secret))
  expect(structuredClone({ ...pair })).not.toHaveProperty('secretKey')
})

test('KeyPair, after Symbol.dispose, the secret key is wiped and cannot be read', () => {
  const pair = generateKeyPair()
  const secret = pair.secretKey
  pair[Symbol.dispose]()
  pair[Symbol.dispose]()
  expect(hexEncode(secret)).toBe('00'.repeat(32))
  expect(() => pair.secretKey).toThrow(TypeError)
  expect(pair.publicKey).toHaveLength(32)
})

test.each([0, 31, 33, 56])('asPublicKey and asSecretKey, %i bytes, TypeError', (length) => {
  expect(() => asPublicKey(new Uint8Array(length))).toThrow(TypeError)
  expect(() => asSecretKey(new Uint8Array(length))).toThrow(TypeError)
})

test('asPublicKey and asSecretKey, an array of the right length, the very same array', () => {
  const bytes = new Uint8Array(56)
  expect(asPublicKey(bytes, 56)).toBe(bytes)
  expect(asSecretKey(bytes, 56)).toBe(bytes)
})
