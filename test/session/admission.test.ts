// Who may make the service compute: tokens by address, remembered ephemerals, unproven sockets, slots.
import { describe, expect, test } from 'vitest'
import { Admission, SeenEphemerals } from '../../src/session/admission.js'

describe('token bucket', () => {
  test('takeToken gives the burst, then refuses until time has filled the bucket', () => {
    const admission = new Admission({ hellosPerSecond: 20, hellosBurst: 5 })
    for (let i = 0; i < 5; i++) expect(admission.takeToken('192.0.2.1', 0)).toBe(true)
    expect(admission.takeToken('192.0.2.1', 0)).toBe(false)
    expect(admission.takeToken('192.0.2.1', 49)).toBe(false)
    expect(admission.takeToken('192.0.2.1', 51)).toBe(true)
    expect(admission.takeToken('192.0.2.1', 51)).toBe(false)
  })

  test('a bucket never holds more than the burst', () => {
    const admission = new Admission({ hellosBurst: 2 })
    expect(admission.takeToken('192.0.2.1', 0)).toBe(true)
    for (let i = 0; i < 9; i++) admission.giveBackToken('192.0.2.1', 1_000_000)
    for (let i = 0; i < 2; i++) expect(admission.takeToken('192.0.2.1', 1_000_000)).toBe(true)
    expect(admission.takeToken('192.0.2.1', 1_000_000)).toBe(false)
  })

  test('giveBackToken makes proven hellos free', () => {
    const admission = new Admission({ hellosBurst: 1 })
    for (let i = 0; i < 50; i++) {
      expect(admission.takeToken('192.0.2.1', 0)).toBe(true)
      admission.giveBackToken('192.0.2.1', 0)
    }
  })

  test('a clock that steps back takes no tokens away', () => {
    const admission = new Admission({ hellosBurst: 2 })
    expect(admission.takeToken('192.0.2.1', 1_000)).toBe(true)
    expect(admission.takeToken('192.0.2.1', 0)).toBe(true)
  })

  test('of 65,536 remembered addresses the one that asked longest ago is forgotten, not the one first met', () => {
    const admission = new Admission({ hellosPerSecond: 1e-9, hellosBurst: 1 })
    const address = (i: number) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`
    for (let i = 0; i < 65_536; i++) expect(admission.takeToken(address(i), 0)).toBe(true)
    expect(admission.takeToken(address(0), 0)).toBe(false)
    expect(admission.takeToken(address(65_536), 0)).toBe(true)
    expect(admission.takeToken(address(0), 0)).toBe(false)
    expect(admission.takeToken(address(2), 0)).toBe(false)
    expect(admission.takeToken(address(1), 0)).toBe(true)
  })

  test.each([
    ['two IPv4 addresses', '192.0.2.1', '192.0.2.2', false],
    ['two mapped IPv4 addresses', '::ffff:192.0.2.1', '::ffff:192.0.2.2', false],
    ['one /64', '2001:db8:1:2::1', '2001:db8:1:2:aaaa:bbbb:cccc:dddd', true],
    ['two /64', '2001:db8:1:2::1', '2001:db8:1:3::1', false],
    ['a compressed /64', '2001:db8::1', '2001:db8:0:0:9::', true],
    ['leading zeros', '::1', '::2', true],
  ])('%s: %s and %s share a bucket: %o', (_name, a, b, shared) => {
    const admission = new Admission({ hellosBurst: 1 })
    expect(admission.takeToken(a, 0)).toBe(true)
    expect(admission.takeToken(b, 0)).toBe(!shared)
  })
})

describe('unproven sockets', () => {
  test('the oldest is evicted when there are too many, and only then', () => {
    const admission = new Admission({ socketsUnprovenMax: 2 })
    const evicted: string[] = []
    const track = (name: string) => {
      const socket = { destroy: () => evicted.push(name) }
      admission.trackUnproven(socket)
      return socket
    }
    track('a')
    const b = track('b')
    expect(evicted).toEqual([])
    track('c')
    expect(evicted).toEqual(['a'])
    admission.untrackUnproven(b)
    track('d')
    expect(evicted).toEqual(['a'])
    track('e')
    expect(evicted).toEqual(['a', 'c'])
    expect(admission.unproven).toBe(2)
  })
})

describe('slots', () => {
  test('takeSlot refuses when all are taken; a slot is released once', () => {
    const admission = new Admission({ handshakesComputingMax: 2 })
    const first = admission.takeSlot()
    expect(first).toBeDefined()
    expect(admission.takeSlot()).toBeDefined()
    expect(admission.takeSlot()).toBeUndefined()
    expect(admission.computing).toBe(2)
    first?.()
    first?.()
    expect(admission.computing).toBe(1)
    expect(admission.takeSlot()).toBeDefined()
    expect(admission.takeSlot()).toBeUndefined()
  })
})

describe('SeenEphemerals', () => {
  test('add refuses a repetition and forgets the oldest beyond its size', () => {
    const seen = new SeenEphemerals(2)
    expect(seen.add('a')).toBe(true)
    expect(seen.add('a')).toBe(false)
    expect(seen.add('b')).toBe(true)
    expect(seen.add('c')).toBe(true)
    expect(seen.has('a')).toBe(false)
    expect(seen.has('b') && seen.has('c')).toBe(true)
  })
})
