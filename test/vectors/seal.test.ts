// spec/vectors/seal.json against the generator, against SealReader, and against a reader of its own that knows the
// specification and node:crypto alone.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { sealVectors } from '../../scripts/vectors/seal.js'
import { hexDecode, hexEncode } from '../../src/bytes.js'
import { Capability, RootSecrets, ServiceKey } from '../../src/capability/index.js'
import { asSecretKey, KeyPair, primitives } from '../../src/crypto/index.js'
import {
  type Acceptance,
  bytes,
  Column,
  nullable,
  optional,
  type RowKey,
  SealReader,
} from '../../src/seal/index.js'
import { codeOf } from '../seal/parties.js'
import { decrypt, hmacSha256, publicKeyOf, readOneWay, sha256 } from './one-way-noise.js'

type Vectors = ReturnType<typeof sealVectors>
type Vector = Vectors['values'][number]
const file: Vectors = JSON.parse(
  readFileSync(new URL('../../spec/vectors/seal.json', import.meta.url), 'utf8'),
)
const hex = (text: string) => Buffer.from(text, 'hex')
const LABEL = (text: string) => Buffer.from(`noisecap/v1 ${text}\0`)
const EMPTY = Buffer.alloc(0)

/** dCBOR of what contexts are made of, by RFC 8949. */
function cbor(value: unknown): Buffer {
  const head = (major: number, argument: number | bigint) => {
    const first = major << 5
    if (argument < 24) return Buffer.of(first | Number(argument))
    if (argument < 256) return Buffer.of(first | 24, Number(argument))
    const long = Buffer.alloc(9)
    long.writeBigUInt64BE(BigInt(argument), 1)
    const size = argument < 65_536 ? 2 : argument < 2 ** 32 ? 4 : 8
    return Buffer.concat([Buffer.of(first | (24 + Math.log2(size))), long.subarray(9 - size)])
  }
  if (value === null) return Buffer.of(0xf6)
  if (typeof value === 'boolean') return Buffer.of(value ? 0xf5 : 0xf4)
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value)
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)])
  if (Array.isArray(value)) return Buffer.concat([head(4, value.length), ...value.map(cbor)])
  const { bytes: text } = value as { bytes: string }
  return Buffer.concat([head(2, text.length / 2), hex(text)])
}

/** Open a whole value by the tables of spec/seal.md §2 and §5. */
function openIndependently(vector: Vector, secret: Uint8Array, value: Buffer) {
  const psk = vector.psk === null ? undefined : hex(vector.psk)
  const core = value.subarray(1, 20)
  const commitment = value.subarray(20, 52)
  const count = value[52]!
  const messageBytes = vector.pattern.startsWith('X') ? 128 : 80
  let at = 53
  let unwrapped: ReturnType<typeof readOneWay> | undefined
  let writerInLocator: Buffer | undefined
  for (let i = 0; i < count; i++) {
    const hint = value.subarray(at, at + 4)
    at += 4
    const locatorBytes = psk === undefined ? 0 : value.readUInt16BE(at)
    if (psk !== undefined) at += 2
    const locator = value.subarray(at, at + locatorBytes)
    const message = value.subarray(at + locatorBytes, at + locatorBytes + messageBytes)
    at += locatorBytes + messageBytes
    if (!sha256(LABEL('hint'), publicKeyOf(secret), message.subarray(0, 32)).subarray(0, 4).equals(hint))
      continue
    if (psk !== undefined) {
      const prologue = Buffer.concat([LABEL('locator'), core, commitment])
      const { payload } = readOneWay('N', secret, prologue, locator)
      expect(payload.length % 128).toBe(0)
      const [, salts, named] = locatorOf(payload)
      expect(salts).toHaveLength(vector.name.includes('holder') ? 1 : 0)
      expect(named === null).toBe(vector.pattern !== 'Kpsk0')
      writerInLocator = named ?? undefined
    }
    const writer = vector.pattern.startsWith('K') ? (writerInLocator ?? hex(vector.writer!)) : undefined
    const prologue = Buffer.concat([LABEL('wrap'), core, commitment, locator])
    unwrapped = readOneWay(vector.pattern, secret, prologue, message, { writer, psk })
  }
  const epochKey = unwrapped!.payload
  const writer = unwrapped!.writer ?? EMPTY
  const ad = cborAd(vector)
  const nonce = Buffer.alloc(12)
  nonce.writeBigUInt64LE(BigInt(value.readUInt32BE(at)), 4)
  const valueKey = hmacSha256(epochKey, LABEL('seal value'), core, writer)
  return {
    writer,
    epochKey,
    ad,
    commitment: hmacSha256(epochKey, LABEL('seal commit'), core, writer),
    plaintext: decrypt(valueKey, nonce, ad, value.subarray(at + 4)),
  }
}

/** `[locator, [salt …], writer or null]` of a padded plaintext: byte strings, lists and null are all that is in it. */
function locatorOf(plaintext: Buffer): [Buffer, Buffer[], Buffer | null] {
  let at = 0
  const item = (): unknown => {
    const first = plaintext[at++]!
    if (first === 0xf6) return null
    const info = first & 31
    const size = info < 24 ? 0 : 1 << (info - 24)
    const length = size === 0 ? info : plaintext.readUIntBE(at, size)
    at += size
    if (first >> 5 === 4) return Array.from({ length }, item)
    if (first >> 5 !== 2) throw new Error(`unexpected head ${first}`)
    at += length
    return plaintext.subarray(at - length, at)
  }
  const parts = item() as [Buffer, Buffer[], Buffer | null]
  expect(plaintext.subarray(at).every((byte) => byte === 0)).toBe(true)
  return parts
}

function cborAd({ row, schemaVersion }: Vector): Buffer {
  const members = [cbor(0), cbor('users'), cbor(1), cbor('email')]
  if (schemaVersion !== null) members.push(cbor(2), cbor(schemaVersion))
  if (row !== 'none') members.push(cbor(3), cbor((row as { key: unknown }).key))
  const start = Buffer.concat([Buffer.of(0x84), cbor('noisecap/v1 ad'), cbor(0), cbor(null)])
  return Buffer.concat([start, Buffer.of(0xa0 | (members.length / 2)), ...members])
}

function contentOf(plaintext: Buffer): string | null {
  let end = plaintext.length - 1
  while (plaintext[end] === 0) end -= 1
  const state = plaintext[end]
  return state === 1 ? plaintext.subarray(0, end).toString('hex') : state === 2 ? null : 'absent'
}

const keyOf = (secret: string) =>
  KeyPair.fromSecretKey(primitives().dh('25519'), asSecretKey(hexDecode(secret)))
const rowOf = (key: unknown): RowKey =>
  Array.isArray(key)
    ? key.map(rowOf)
    : typeof key === 'object' && key !== null
      ? hexDecode((key as { bytes: string }).bytes)
      : (key as RowKey)
function placeOf({ row, schemaVersion }: Vector) {
  const codec = optional(nullable(bytes))
  const column = new Column({
    table: 'users',
    column: 'email',
    codec,
    schemaVersion: schemaVersion ?? undefined,
  })
  return row === 'none' ? column.whole() : column.at(rowOf((row as { key: unknown }).key))
}
function readerOf(vector: Vector, secret: string): SealReader {
  const writers =
    vector.writer === null ? [] : [publicKeyOf(hex(secret)), hex(vector.writer)].map((key) => keyFrom(key))
  const roots = RootSecrets.from([[file.kid, hexDecode(file.root)]])
  const capabilities = {
    authority: new ServiceKey(keyOf(secret), roots).authority(),
    objects: ['users/email'],
  }
  const accept = { pattern: vector.pattern, writers, capabilities }
  if (writers.length === 0) Reflect.deleteProperty(accept, 'writers')
  if (vector.psk === null) Reflect.deleteProperty(accept, 'capabilities')
  return new SealReader({ keys: keyOf(secret), accept: [accept as Acceptance] })
}
const keyFrom = (key: Buffer) => new Uint8Array(key) as KeyPair['publicKey']

describe('spec/vectors/seal.json', () => {
  test('is what the generator makes of its capabilities', () => {
    const known = Object.fromEntries(file.values.map(({ name, capability }) => [name, capability]))
    expect(JSON.parse(JSON.stringify(sealVectors(known, Capability.parse)))).toEqual(file)
  })

  test('has every pattern', () => {
    expect(new Set(file.values.map(({ pattern }) => pattern)).size).toBe(6)
  })

  describe.each(file.values)('$name', (vector) => {
    test('an independent reader finds every value', () => {
      for (const secret of vector.readers) {
        const read = openIndependently(vector, hex(secret), hex(vector.value))
        expect(hexEncode(read.epochKey)).toBe(vector.epochKey)
        expect(hexEncode(read.commitment)).toBe(vector.commitment)
        expect(hexEncode(read.ad)).toBe(vector.ad)
        expect(hexEncode(read.plaintext)).toBe(vector.plaintext)
        expect(contentOf(read.plaintext)).toBe(vector.content)
        expect(hexEncode(read.writer)).toBe(vector.writer ?? '')
      }
      expect(vector.header.slice(40, 104)).toBe(vector.commitment)
    })

    test('SealReader opens it whole and compact', () => {
      const content =
        vector.content === 'absent' ? undefined : vector.content === null ? null : hexDecode(vector.content)
      for (const secret of vector.readers) {
        const reader = readerOf(vector, secret)
        expect(reader.open(hexDecode(vector.value), placeOf(vector)).value).toEqual(content)
        const compact = readerOf(vector, secret)
        compact.learn(hexDecode(vector.header))
        expect(compact.open(hexDecode(vector.compact), placeOf(vector)).value).toEqual(content)
      }
    })
  })

  test.each(file.refused)('refused: $name', ({ value, code }) => {
    const [vector] = file.values
    expect(
      codeOf(() => readerOf(vector!, vector!.readers[0]!).open(hexDecode(value), placeOf(vector!))),
    ).toBe(code)
  })
})
