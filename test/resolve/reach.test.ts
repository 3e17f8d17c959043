import { describe, expect, test } from 'vitest'
import { isPublicAddress, publicLocations, type Reach, reachOf } from '../../src/resolve/index.js'

const rows: [string, Reach][] = [
  ['unix:/run/x', 'loopback'],
  ['tcp://127.0.0.1:1', 'loopback'],
  ['tcp://127.255.0.9:1', 'loopback'],
  ['tcp://0.0.0.0:1', 'loopback'],
  ['tcp://localhost:1', 'loopback'],
  ['ws://a.localhost:1', 'loopback'],
  ['tcp://[::1]:1', 'loopback'],
  ['tcp://[::]:1', 'loopback'],
  ['tcp://[::ffff:127.0.0.1]:1', 'loopback'],
  ['tcp://[::7f00:1]:1', 'loopback'],
  ['tcp://[64:ff9b::7f00:1]:1', 'loopback'],
  ['tcp://[2002:7f00:1::]:1', 'loopback'],
  ['tcp://169.254.169.254:1', 'link-local'],
  ['tcp://[fe80::1]:1', 'link-local'],
  ['tcp://[febf::1]:1', 'link-local'],
  ['tcp://[::ffff:a9fe:a9fe]:1', 'link-local'],
  ['tcp://10.1.2.3:1', 'private'],
  ['tcp://172.16.0.1:1', 'private'],
  ['tcp://172.31.255.255:1', 'private'],
  ['tcp://192.168.0.1:1', 'private'],
  ['tcp://100.64.0.1:1', 'private'],
  ['tcp://198.18.0.1:1', 'private'],
  ['tcp://224.0.0.1:1', 'private'],
  ['tcp://255.255.255.255:1', 'private'],
  ['tcp://[fd00::1]:1', 'private'],
  ['tcp://[fc00::1]:1', 'private'],
  ['tcp://[fec0::1]:1', 'private'],
  ['tcp://[ff02::1]:1', 'private'],
  ['tcp://[2002:a00:1::1]:1', 'private'],
  ['tcp://172.15.0.1:1', 'public'],
  ['tcp://172.32.0.1:1', 'public'],
  ['tcp://100.63.0.1:1', 'public'],
  ['tcp://100.128.0.1:1', 'public'],
  ['tcp://8.8.8.8:1', 'public'],
  ['tcp://[2001:db8::1]:1', 'public'],
  ['tcp://[::ffff:8.8.8.8]:1', 'public'],
  ['tcp://[64:ff9b::808:808]:1', 'public'],
  ['wss://example.com', 'name'],
  ['tcp://localhost.example:1', 'name'],
]

describe('reachOf', () => {
  test.each(rows)('%s is %s', (uri, reach) => {
    expect(reachOf(uri)).toBe(reach)
  })

  test('what cannot be parsed is refused, not taken for public', () => {
    expect(() => reachOf('later:x')).toThrow(expect.objectContaining({ code: 'transport/bad_location' }))
  })
})

describe('what a directory on a network may name', () => {
  test.each([
    ['192.0.2.1', true],
    ['2001:db8::1', true],
    ['::ffff:192.0.2.1', true],
    ['::ffff:10.0.0.1', false],
    ['127.0.0.1', false],
    ['0.0.0.0', false],
    ['::1', false],
    ['fe80::1%eth0', false],
    ['fd00::1', false],
    ['', false],
    ['host.example', false],
    ['1.2.3.4/24', false],
  ])('isPublicAddress %s: %s', (address, expected) => {
    expect(isPublicAddress(address)).toBe(expected)
  })

  test('publicLocations drops what leads inwards or nowhere known, and marks the rest', () => {
    const named = [
      'tcp://192.0.2.1:1',
      'tcp://host.example:1',
      'tcp://10.0.0.1:1',
      'tcp://localhost:1',
      'unix:/run/x',
      'carrier-pigeon:coop',
    ].map((uri, priority) => ({ uri, priority, weight: 0, sequence: 7 }))
    expect(publicLocations(named)).toEqual(
      named.slice(0, 2).map((location) => ({ ...location, publicOnly: true })),
    )
  })
})
