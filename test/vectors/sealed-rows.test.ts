// spec/vectors/sealed-rows.json against its generator, and against a reader that shares no code with it: node:crypto, and CBOR by
// cbor-x.
import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { decode } from 'cbor-x'
import { describe, expect, test } from 'vitest'
import { vectors } from '../../scripts/vectors/sealed-rows.js'

type Vectors = ReturnType<typeof vectors>
const file = new URL('../../spec/vectors/sealed-rows.json', import.meta.url)
const { root, indexes, contexts } = JSON.parse(readFileSync(file, 'utf8')) as Vectors

const hmac = (key: Uint8Array, value: Uint8Array | string) => createHmac('sha256', key).update(value).digest()

/** dCBOR of an array of two texts under 256 bytes. */
function twoTexts(...texts: readonly string[]): Buffer {
  const parts = texts.map((text) => {
    const bytes = Buffer.from(text)
    const head = bytes.length < 24 ? [0x60 + bytes.length] : [0x78, bytes.length]
    return Buffer.concat([Buffer.from(head), bytes])
  })
  return Buffer.concat([Buffer.from([0x80 + texts.length]), ...parts])
}

const normalised = {
  exact: (value: string) => value.normalize('NFC'),
  caseless: (value: string) => value.normalize('NFKC').trim().toLowerCase().normalize('NFKC'),
  digits: (value: string) => [...value.normalize('NFKC')].filter((char) => /[0-9]/.test(char)).join(''),
}

test('the file is what the generator writes', () => {
  expect(JSON.parse(JSON.stringify(vectors()))).toEqual({ root, indexes, contexts })
})

describe('blind indexes (spec/sealed-rows.md §2)', () => {
  test.each(indexes)('$normalisation of $value, $bits bits', (vector) => {
    const columnKey = hmac(Buffer.from(root, 'hex'), twoTexts(vector.table, vector.column))
    const bits = [...hmac(columnKey, normalised[vector.normalisation](vector.value))]
      .map((byte) => byte.toString(2).padStart(8, '0'))
      .join('')
      .slice(0, vector.bits)
    const padded = bits.padEnd(Math.ceil(vector.bits / 8) * 8, '0')
    expect(vector.index).toBe(
      (padded.match(/.{8}/g) ?? [])
        .map((byte) => Number.parseInt(byte, 2).toString(16).padStart(2, '0'))
        .join(''),
    )
  })
})

test.each(contexts)('the context of a row with a key of kind $kind (spec/sealed-rows.md §3)', (vector) => {
  const [label, kind, size, context] = decode(Buffer.from(vector.ad, 'hex')) as [string, number, null, object]
  expect([label, kind, size]).toEqual(['noisecap/v1 ad', 0, null])
  const given =
    vector.kind === 'bytes'
      ? Buffer.from(String(vector.key), 'hex')
      : vector.kind === 'integer'
        ? BigInt(String(vector.key))
        : vector.kind === 'uuid'
          ? String(vector.key).toLowerCase()
          : vector.key
  const row = Reflect.get(context, '3') as unknown
  expect(Reflect.ownKeys(context)).toEqual(['0', '1', '2', '3'])
  expect([Reflect.get(context, '0'), Reflect.get(context, '1'), Reflect.get(context, '2')]).toEqual([
    'users',
    'email',
    1,
  ])
  expect(typeof given === 'bigint' ? BigInt(row as number | bigint) : row).toEqual(given)
})
