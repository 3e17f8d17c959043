import { describe, expect, test } from 'vitest'
import {
  DnsPublisher,
  type DnsPublisherOptions,
  DnsResolver,
  type DnsResolverOptions,
  TsigKey,
} from '../../src/resolve/dns.js'
import { parseServer, serverText } from '../../src/resolve/dns-exchange.js'
import { encodeTxt, parseZone, recordName } from '../../src/resolve/dns-record.js'

describe('parseZone', () => {
  test.each([
    ['example.test', 'example.test'],
    ['Example.Test.', 'example.test'],
    ['lan', 'lan'],
    ['a_b.xn--nxasmq6b.example', 'a_b.xn--nxasmq6b.example'],
  ])('%s', (text, zone) => {
    expect(parseZone(text)).toBe(zone)
  })

  test.each([
    '',
    '.',
    'a..b',
    '-a.test',
    'a b.test',
    'ä.test',
    `${'a'.repeat(64)}.test`,
    'a.test..',
    'a\\.test',
  ])('%j: RangeError', (text) => {
    expect(() => parseZone(text)).toThrow(RangeError)
  })

  test('the longest zone leaves room for a key hash', () => {
    const zone = `${'a.'.repeat(94)}bb`
    expect(recordName('k'.repeat(52), parseZone(zone))).toHaveLength(253)
    expect(() => parseZone(`b${zone}`)).toThrow(RangeError)
  })
})

describe('parseServer', () => {
  test.each([
    ['192.0.2.1', '192.0.2.1:53'],
    ['192.0.2.1:5353', '192.0.2.1:5353'],
    ['2001:db8::1', '[2001:db8::1]:53'],
    ['[2001:db8::1]', '[2001:db8::1]:53'],
    ['[2001:db8::1]:5353', '[2001:db8::1]:5353'],
    ['fe80::1%eth0', '[fe80::1%eth0]:53'],
    ['NS1.example:53', 'ns1.example:53'],
  ])('%s', (text, server) => {
    expect(serverText(parseServer(text))).toBe(server)
  })

  test.each([
    '',
    ':53',
    '192.0.2.1:0',
    '192.0.2.1:65536',
    '192.0.2.1:',
    '[192.0.2.1]:53',
    'a:b:1',
    'udp://192.0.2.1',
    'a b',
  ])('%j: RangeError', (text) => {
    expect(() => parseServer(text)).toThrow(RangeError)
  })
})

test('encodeTxt splits a text into character-strings of at most 255 bytes', () => {
  const bytes = encodeTxt(new Uint8Array(305))
  const text = `noisecap=${'A'.repeat(407)}`
  const expected = Buffer.concat([
    Uint8Array.of(255),
    Buffer.from(text.slice(0, 255)),
    Uint8Array.of(text.length - 255),
    Buffer.from(text.slice(255)),
  ])
  expect(Buffer.from(bytes).equals(expected)).toBe(true)
})

describe('options that cannot be', () => {
  const resolver: readonly Partial<DnsResolverOptions>[] = [
    { zones: [] },
    { zones: Array(9).fill('example.test') },
    { zones: 'a..b' },
    { servers: [] },
    { servers: ['nowhere:99999'] },
    { timeoutMs: 0 },
    { retries: -1 },
    { retries: 1.5 },
  ]
  test.each(resolver)('DnsResolver %j: RangeError', (options) => {
    expect(() => new DnsResolver({ zones: 'example.test', ...options })).toThrow(RangeError)
  })

  const publisher: readonly Partial<DnsPublisherOptions>[] = [
    { zone: 'a..b' },
    { server: 'nowhere:99999' },
    { ttlSeconds: -1 },
    { ttlSeconds: 301, expirySeconds: 300 },
    { expirySeconds: 0 },
    { expirySeconds: 604_801 },
  ]
  test.each(publisher)('DnsPublisher %j: RangeError', (options) => {
    const key = new TsigKey('k', 'hmac-sha256', new Uint8Array(32))
    expect(() => new DnsPublisher({ zone: 'example.test', server: '127.0.0.1:53', key, ...options })).toThrow(
      RangeError,
    )
  })
})
