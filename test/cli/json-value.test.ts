// Values as JSON and back.
import { describe, expect, test } from 'vitest'
import { fromJsonText, toJsonValue } from '../../src/cli/json-value.js'
import { escapeControls } from '../../src/cli/output.js'
import { UsageError } from '../../src/cli/usage-error.js'

const PAIRS: readonly (readonly [name: string, value: unknown, json: string])[] = [
  ['null', null, 'null'],
  ['text', 'a', '"a"'],
  ['bytes', Uint8Array.of(1, 2, 255), '{"$bytes":"AQL_"}'],
  ['a date', new Date(1_700_000_000_123), '{"$date":"2023-11-14T22:13:20.123Z"}'],
  ['a bigint', -5n, '{"$bigint":"-5"}'],
  ['NaN', Number.NaN, '{"$number":"NaN"}'],
  ['minus zero', -0, '{"$number":"-0"}'],
  ['minus infinity', Number.NEGATIVE_INFINITY, '{"$number":"-Infinity"}'],
  ['undefined inside', { a: undefined }, '{"a":{"$undefined":true}}'],
  ['a set', new Set([1, 'a']), '{"$set":[1,"a"]}'],
  ['a map', new Map<unknown, unknown>([['a', 1n]]), '{"$map":[["a",{"$bigint":"1"}]]}'],
  ['an object like a tag', { $bytes: 'AQL_' }, '{"$object":{"$bytes":"AQL_"}}'],
  ['an object like a wrapper', { $object: { a: 1 } }, '{"$object":{"$object":{"a":1}}}'],
  ['a tag among others', { $bytes: 1, b: 2 }, '{"$bytes":1,"b":2}'],
  ['nesting', { a: [{ b: [[1]] }] }, '{"a":[{"b":[[1]]}]}'],
]

describe('values as JSON', () => {
  test.each(PAIRS)('%s: exact both ways', (_name, value, json) => {
    expect(JSON.stringify(toJsonValue(value))).toBe(json)
    expect(fromJsonText(json)).toStrictEqual(value)
  })

  test.each([
    ['not JSON', '{text: s3cret}'],
    ['wrong bytes', '{"$bytes":"s3cret!"}'],
    ['wrong date', '{"$date":"s3cret"}'],
    ['wrong bigint', '{"$bigint":"s3cret"}'],
    ['wrong number', '{"$number":"s3cret"}'],
    ['wrong map', '{"$map":["s3cret"]}'],
    ['too deep', `${'['.repeat(50)}"s3cret"${']'.repeat(50)}`],
    ['far too deep', `${'['.repeat(60_000)}${']'.repeat(60_000)}`],
  ])('%s: refused without being quoted', (_name, json) => {
    expect(() => fromJsonText(json)).toThrow(UsageError)
    expect(() => fromJsonText(json)).not.toThrow(/s3cret/)
  })
})

test('escapeControls: what steers a terminal is shown as text, and JSON stays the same value', () => {
  const text = 'a\u001b[2J\u009b\u202eb\u{e0001}c'
  expect(escapeControls(text)).toBe('a\\u001b[2J\\u009b\\u202eb\\udb40\\udc01c')
  expect(JSON.parse(escapeControls(JSON.stringify({ text })))).toEqual({ text })
})
