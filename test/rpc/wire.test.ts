// Varints, counted text, fragments: exact at their bounds.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FRAGMENT_MAX_BYTES } from '../../src/limits.js'
import { Reassembly } from '../../src/rpc/reassembly.js'
import { FieldReader, WireError, writeByte, writeBytes, writeVarint } from '../../src/rpc/wire.js'
import { bytesOf } from './scripted.js'

function readerOf(bytes: Uint8Array): FieldReader {
  const reader = new FieldReader()
  reader.reset(bytes, 0, bytes.length)
  return reader
}

describe('varint', () => {
  test.each([
    [0, 1],
    [127, 1],
    [128, 2],
    [16_383, 2],
    [16_384, 3],
    [0xffff_ffff, 5],
  ])('%i takes %i bytes', (value, length) => {
    const bytes = bytesOf((sink) => writeVarint(sink, value))
    expect(bytes.length).toBe(length)
    expect(readerOf(bytes).varint()).toBe(value)
  })

  test('every u32 makes the round trip', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), (value) => {
        expect(readerOf(bytesOf((sink) => writeVarint(sink, value))).varint()).toBe(value)
      }),
    )
  })

  test.each([
    ['2^32', [0x80, 0x80, 0x80, 0x80, 0x10]],
    ['six bytes', [0x80, 0x80, 0x80, 0x80, 0x80, 0]],
    ['no end', [0x80]],
    ['nothing', []],
  ])('%s is refused', (_name, bytes) => {
    expect(() => readerOf(Uint8Array.from(bytes)).varint()).toThrow(WireError)
  })
})

describe('FieldReader', () => {
  test('take and byte stop at the end of the message, not of the array', () => {
    const reader = new FieldReader()
    reader.reset(Uint8Array.of(1, 2, 3, 4), 1, 3)
    expect(() => reader.take(3)).toThrow(WireError)
    expect([...reader.take(2)]).toEqual([2, 3])
    expect(() => reader.byte()).toThrow(WireError)
  })

  test('text is strict UTF-8 and bounded', () => {
    expect(readerOf(Uint8Array.of(2, 0xc3, 0xbc)).text(2)).toBe('ü')
    expect(() => readerOf(Uint8Array.of(2, 0xc3, 0xbc)).text(1)).toThrow(WireError)
    expect(() => readerOf(Uint8Array.of(1, 0xc3)).text(9)).toThrow(WireError)
    expect(() => readerOf(Uint8Array.of(9, 0x61)).text(9)).toThrow(WireError)
  })
})

describe('Reassembly', () => {
  const part = (id: number, last: number, body: Uint8Array) =>
    readerOf(
      bytesOf((sink) => {
        writeVarint(sink, id)
        writeByte(sink, last)
        writeBytes(sink, body)
      }),
    )

  test('fragments give the message after the last one, again and again', () => {
    const reassembly = new Reassembly(100)
    for (const id of [0, 1, 1]) {
      expect(reassembly.add(part(id, 0, Uint8Array.of(1)))).toBeUndefined()
      expect([...(reassembly.add(part(id, 1, Uint8Array.of(2))) ?? [])]).toEqual([1, 2])
    }
  })

  test('exactly the budget is taken, one byte more is not', () => {
    expect(new Reassembly(10).add(part(0, 1, new Uint8Array(10)))?.length).toBe(10)
    expect(() => new Reassembly(10).add(part(0, 1, new Uint8Array(11)))).toThrow(WireError)
  })

  test('mixed, empty, overlong and strange fragments are refused', () => {
    const reassembly = new Reassembly(100_000)
    reassembly.add(part(0, 0, Uint8Array.of(1)))
    expect(() => reassembly.add(part(1, 0, Uint8Array.of(1)))).toThrow('mixed')
    for (const bad of [
      part(0, 1, new Uint8Array(0)),
      part(0, 1, new Uint8Array(FRAGMENT_MAX_BYTES + 1)),
      part(0, 2, Uint8Array.of(1)),
    ]) {
      expect(() => new Reassembly(100_000).add(bad)).toThrow('bad fragment')
    }
  })
})
