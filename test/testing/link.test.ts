// A connection of a test network at the level of pipes: sound or impaired it passes the conformance suite of every
// transport, and each fault does to the bytes what it says.
import { afterEach, describe, expect, test } from 'vitest'
import { SYSTEM_CLOCK } from '../../src/clock.js'
import { FakeClock, type Impairment } from '../../src/testing/index.js'
import { Faults, Link } from '../../src/testing/link.js'
import { conformance, turns, watch } from '../transport/conformance.js'

const links: Link[] = []

function open(clock = new FakeClock() as typeof SYSTEM_CLOCK) {
  const closed: Link[] = []
  const link = new Link({ clock, keyHash: '', faults: new Faults(), closed: (each) => closed.push(each) })
  links.push(link)
  return { link, closed, clock }
}

afterEach(() => {
  for (const link of links.splice(0)) link.destroy()
})

const IMPAIRMENTS: readonly [string, Impairment][] = [
  ['a sound link', {}],
  ['a link with delay', { delayMs: 2 }],
  ['a link in pieces', { pieceBytes: 999 }],
  ['a link with a rate', { bytesPerSecond: 2_000_000_000 }],
]
for (const [name, impairment] of IMPAIRMENTS) {
  conformance(name, async () => {
    const { link } = open(SYSTEM_CLOCK)
    link.impair(impairment)
    return { client: link.ends.client, server: link.ends.service, close: async () => {} }
  })
}

/** Lengths of the pieces that arrive. */
function pieces(link: Link): number[] {
  const lengths: number[] = []
  link.ends.service.start({
    data: (bytes) => lengths.push(bytes.length),
    drain: () => {},
    end: () => {},
    closed: () => {},
  })
  return lengths
}

describe('Link', () => {
  test('pieceBytes: the receiver gets no more at a time', async () => {
    const { link } = open()
    const lengths = pieces(link)
    link.impair({ pieceBytes: 3 }, 'toService')
    link.ends.client.write(new Uint8Array(10))
    await expect.poll(() => lengths).toEqual([3, 3, 3, 1])
    link.repair()
    link.ends.client.write(new Uint8Array(10))
    await expect.poll(() => lengths).toEqual([3, 3, 3, 1, 10])
  })

  test('stalled: what is sent waits up to a window, then the sender is held back; nothing is lost', async () => {
    const { link } = open()
    const atService = watch(link.ends.service)
    watch(link.ends.client)
    link.impair({ stalled: true })
    let sent = 0
    for (let quiet = 0; quiet < 5; ) {
      const isFull = link.ends.client.waitingBytes > 0
      if (isFull) quiet += 1
      else {
        quiet = 0
        link.ends.client.write(new Uint8Array(10_000).fill(sent / 10_000))
        sent += 10_000
      }
      await turns(3)
    }
    expect(atService.bytes).toEqual([])
    expect(sent).toBeGreaterThan(262_144)
    expect(sent).toBeLessThan(400_000)
    link.repair()
    await expect.poll(() => atService.bytes.length).toBe(sent)
    expect(atService.bytes.every((byte, i) => byte === Math.floor(i / 10_000))).toBe(true)
    expect(link.ends.client.waitingBytes).toBe(0)
  })

  test.each([1, 5, 14, 15])(
    'cut after %i bytes: those arrive, then both ends hear of the loss',
    async (afterBytes) => {
      const { link, closed } = open()
      const [atClient, atService] = [watch(link.ends.client), watch(link.ends.service)]
      link.cut({ afterBytes, direction: 'toService' })
      link.ends.client.write(Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9))
      link.ends.client.write(Uint8Array.of(10, 11, 12, 13, 14, 15, 16))
      await expect.poll(() => atService.events).toEqual(['data', 'closed'])
      await expect.poll(() => atClient.events).toEqual(['closed'])
      expect(atService.bytes).toEqual(Array.from({ length: afterBytes }, (_, i) => i))
      expect([link.isOpen, closed]).toEqual([false, [link]])
    },
  )

  test('of several cuts the first that is reached counts', async () => {
    const { link } = open()
    const atClient = watch(link.ends.client)
    watch(link.ends.service)
    link.cut({ afterBytes: 9, direction: 'toClient' })
    link.cut({ afterBytes: 4, direction: 'toClient' })
    link.cut({ afterBytes: 6, direction: 'toClient' })
    link.ends.service.write(new Uint8Array(20))
    await expect.poll(() => atClient.events).toEqual(['data', 'closed'])
    expect(atClient.bytes).toHaveLength(4)
  })

  test('an end that is destroyed is told to the other behind the bytes on their way, delay included', async () => {
    const clock = new FakeClock()
    const { link } = open(clock)
    const atService = watch(link.ends.service)
    watch(link.ends.client)
    link.impair({ delayMs: 30 })
    link.ends.client.write(Uint8Array.of(7))
    await clock.settle()
    link.ends.client.destroy()
    await clock.advance(29)
    expect(atService.events).toEqual([])
    await clock.advance(1)
    expect(atService).toEqual({ bytes: [7], events: ['data', 'closed'] })
  })

  test('stalled: a loss of the other end is not heard of either', async () => {
    const { link } = open()
    const atService = watch(link.ends.service)
    watch(link.ends.client)
    link.impair({ stalled: true })
    link.ends.client.destroy()
    await turns()
    expect(atService.events).toEqual([])
    link.repair()
    await expect.poll(() => atService.events).toEqual(['closed'])
  })

  test('bytesPerSecond below one byte a step still trickles', async () => {
    const clock = new FakeClock()
    const { link } = open(clock)
    const lengths = pieces(link)
    link.impair({ bytesPerSecond: 2 })
    link.ends.client.write(new Uint8Array(10))
    await clock.advance(1_999)
    expect(lengths).toEqual([1, 1, 1, 1])
    await clock.advance(1)
    expect(lengths).toEqual([1, 1, 1, 1, 1])
  })
})
