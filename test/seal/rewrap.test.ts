// Other readers for an epoch: header only, values as they were; and who must seal again instead.
import { describe, expect, test } from 'vitest'
import { generateKeyPair, type KeyPair } from '../../src/crypto/index.js'
import {
  type RewrapOptions,
  Rewrapper,
  type SealPatternName,
  SealReader,
  SealWriter,
} from '../../src/seal/index.js'
import { ACCEPT, codeOf, email, flipped, identityOf, reader, sealCapability, strangerKey } from './parties.js'

const old = generateKeyPair()
const next = generateKeyPair()
const place = email.at(1)
const rewrap = (bytes: Uint8Array, options: RewrapOptions) => new Rewrapper(options).rewrap(bytes)
const readWith = (key: KeyPair) => new SealReader({ keys: key, accept: [ACCEPT.N] })
const sealed = new SealWriter({ to: old.publicKey }).seal('x', place)

describe('N', () => {
  test('a reader is added: both open, the value is the same to the byte', () => {
    const both = rewrap(sealed, { key: old, add: [next.publicKey] })
    for (const key of [old, next]) expect(readWith(key).open(both, place).value).toBe('x')
    expect(both.subarray(-22)).toEqual(sealed.subarray(-22)) // position, 'x', state, tag
    expect(both).toHaveLength(sealed.length + 84)
  })

  test('a key is replaced: the new one opens, the old one does not', () => {
    const rotated = rewrap(sealed, { key: old, add: [next.publicKey], dropOwn: true })
    expect(readWith(next).open(rotated, place).value).toBe('x')
    expect(codeOf(() => readWith(old).open(rotated, place))).toBe('seal/not_for_reader')
    expect(rotated).toHaveLength(sealed.length)
  })

  test('a stored header: compact values open for the new reader', () => {
    let header: Uint8Array | undefined
    const writer = new SealWriter({ to: old.publicKey, onEpoch: ({ bytes }) => (header = bytes) })
    const value = writer.seal('x', place)
    const opening = readWith(next)
    expect(codeOf(() => opening.learn(header!))).toBe('seal/not_for_reader')
    opening.learn(rewrap(header!, { key: old, add: [next.publicKey] }))
    expect(opening.open(value, place).value).toBe('x')
    expect(codeOf(() => rewrap(value, { key: old, add: [next.publicKey] }))).toBe('seal/malformed')
  })

  test('a table that is being rewrapped: both headers are remembered, the key is needed once for each', () => {
    const passing = generateKeyPair()
    const writer = new SealWriter({ to: passing.publicKey })
    const rows = [1, 2, 3, 4].map((row) => writer.seal(`v${row}`, email.at(row)))
    const rewrapper = new Rewrapper({ key: passing, add: [next.publicKey] })
    const half = rows.map((row, i) => (i % 2 === 0 ? rewrapper.rewrap(row) : row))
    const opening = readWith(passing)
    half.forEach((row, i) => {
      expect(opening.open(row, email.at(i + 1)).value).toBe(`v${i + 1}`)
    })
    passing[Symbol.dispose]()
    half.forEach((row, i) => {
      expect(opening.open(row, email.at(i + 1)).value).toBe(`v${i + 1}`)
    })
    // One that it does not know would need the key.
    expect(codeOf(() => readWith(passing).open(half[0]!, email.at(1)))).toBe('TypeError')
  })

  test('who cannot read cannot rewrap; neither can a flipped bit pass', () => {
    expect(codeOf(() => rewrap(sealed, { key: strangerKey, add: [next.publicKey] }))).toBe(
      'seal/not_for_reader',
    )
    const damaged = flipped(sealed, 8 * 100)
    expect(codeOf(() => rewrap(damaged, { key: old, add: [next.publicKey] }))).toBe('seal/altered')
  })

  test('at least one reader and at most 64', () => {
    expect(codeOf(() => rewrap(sealed, { key: old, add: [], dropOwn: true }))).toBe('RangeError')
    const many = Array.from({ length: 64 }, () => next.publicKey)
    expect(codeOf(() => rewrap(sealed, { key: old, add: many }))).toBe('RangeError')
    expect(codeOf(() => rewrap(sealed, { key: old, add: many, dropOwn: true }))).toBe('none')
  })
})

test.each<SealPatternName>(['X', 'K', 'Npsk0', 'Xpsk1', 'Kpsk0'])(
  '%s: its writer must seal again',
  (pattern) => {
    const to = pattern.includes('psk') ? sealCapability() : reader.publicKey
    const proving = new SealWriter({ to, as: identityOf(pattern) }).seal('x', place)
    expect(codeOf(() => rewrap(proving, { key: reader, add: [next.publicKey] }))).toBe('seal/reseal')
  },
)
