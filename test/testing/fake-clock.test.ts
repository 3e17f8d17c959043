// Tests as a user writes them, in which hours go by at once: expiry, deadlines, idle sessions, re-dialling, slow wires.
import { describe, expect, test } from 'vitest'
import { FakeClock, TestNetwork } from '../../src/testing/index.js'
import { failureOf, offerNotes } from './notes.js'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
/** Tolerance with which a service judges expiry (spec/capability.md §4). */
const LEEWAY = 60 * SECOND

function start() {
  const clock = new FakeClock()
  const network = new TestNetwork({ clock })
  const service = network.createService()
  const { offer, book } = offerNotes(service)
  return { clock, network, service, offer, book }
}

/** What became of a promise so far. */
function watched<T>(promise: Promise<T>): { state: T | 'pending' } {
  const seen: { state: T | 'pending' } = { state: 'pending' }
  void promise.then((value) => {
    seen.state = value
  })
  return seen
}

describe('capabilities', () => {
  test('expire for an open session and for whoever connects later', async () => {
    const { clock, network, service, offer } = start()
    await using _ = network
    const capability = offer.mint({}, { expiresIn: '1h' })
    await using notes = await network.connect(capability)
    await clock.advance(HOUR + LEEWAY - SECOND)
    expect(await notes.list()).toEqual([])
    await clock.advance(2 * SECOND)
    expect(await failureOf(notes.list())).toBe('session/expired')
    expect(service.openSessions).toBe(0)
    expect(await failureOf(network.connect(capability))).toBe('session/expired')
  })

  test('minted later count from then; narrowed ones take a date of the clock', async () => {
    const { clock, network, offer } = start()
    await using _ = network
    await clock.advance(48 * HOUR)
    const capability = offer.mint({}, { expiresIn: '1h' })
    await using notes = await network.connect(capability)
    await using short = await network.connect(capability.attenuate({ expiresAt: clock.date(MINUTE) }))
    await clock.advance(MINUTE + LEEWAY + SECOND)
    expect(await notes.list()).toEqual([])
    expect(await failureOf(short.list())).toBe('session/expired')
  })

  test('not yet in force become so', async () => {
    const { clock, network, offer } = start()
    await using _ = network
    const capability = offer.mint({}, { notBefore: clock.date(HOUR) })
    expect(await failureOf(network.connect(capability))).toBe('session/not_yet_valid')
    await clock.advance(HOUR)
    await using notes = await network.connect(capability)
    expect(await notes.list()).toEqual([])
  })

  test('setDate moves the date alone: no time goes by', async () => {
    const { clock, network, offer } = start()
    await using _ = network
    const capability = offer.mint({}, { expiresIn: '1h' })
    await using notes = await network.connect(capability)
    const before = clock.nowMs()
    clock.setDate(clock.date(2 * HOUR))
    expect(clock.nowMs()).toBe(before)
    expect(await failureOf(notes.list())).toMatch(/expired|permission_denied/)
  })
})

describe('calls', () => {
  test('a deadline passes on both sides, neither sooner nor later', async () => {
    const { clock, network, offer, book } = start()
    await using _ = network
    await using notes = await network.connect(offer.mint({}))
    const call = watched(failureOf(notes.slow(undefined, { timeoutMs: MINUTE })))
    await clock.advance(MINUTE - SECOND)
    expect([call.state, book.slowCalls, book.aborted]).toEqual(['pending', 1, []])
    await clock.advance(SECOND + 16)
    expect(call.state).toBe('rpc/deadline_exceeded, may have run')
    expect(book.aborted).toHaveLength(1)
  })

  test('without a deadline waits for days, over a session that keepalives keep', async () => {
    const { clock, network, offer, book } = start()
    await using _ = network
    await using notes = await network.connect(offer.mint({}))
    const call = watched(notes.slow())
    await clock.advance(3 * HOUR)
    expect(call.state).toBe('pending')
    book.finish()
    await clock.settle()
    expect(call.state).toBe('done')
  })

  test('service.close waits for open calls as long as it was told', async () => {
    const { clock, network, service, offer, book } = start()
    await using _ = network
    await using notes = await network.connect(offer.mint({}))
    const call = watched(failureOf(notes.slow()))
    await clock.settle()
    expect(book.slowCalls).toBe(1)
    const closed = watched(service.close(10 * SECOND).then(() => 'closed'))
    await clock.advance(9 * SECOND)
    expect([call.state, closed.state]).toEqual(['pending', 'pending'])
    await clock.advance(2 * SECOND)
    expect([call.state, closed.state]).toEqual(['rpc/disconnected, may have run', 'closed'])
  })
})

describe('sessions', () => {
  test('one whose peer has fallen silent is given up by both sides; the next call dials again', async () => {
    const { clock, network, service, offer, book } = start()
    await using _ = network
    await using notes = await network.connect(offer.mint({}))
    const call = watched(failureOf(notes.slow()))
    await clock.settle()
    network.connections[0]!.impair({ stalled: true }) // the cable is out
    await clock.advance(2 * MINUTE)
    expect([call.state, service.openSessions]).toEqual(['pending', 1])
    await clock.advance(2 * MINUTE)
    expect(call.state).toBe('rpc/disconnected, may have run')
    expect(book.aborted).toHaveLength(1)
    expect(service.openSessions).toBe(0)
    expect(await notes.list()).toEqual([])
  })

  test('one that is idle but sound stays', async () => {
    const { clock, network, service, offer } = start()
    await using _ = network
    await using notes = await network.connect(offer.mint({}))
    const [connection] = network.connections
    await clock.advance(HOUR)
    expect(service.openSessions).toBe(1)
    expect(await notes.list()).toEqual([])
    expect(network.connections).toEqual([connection])
  })

  test('one that trickles a record slower than its deadline is ended', async () => {
    const { clock, network, service, offer } = start()
    await using _ = network
    await using notes = await network.connect(offer.mint({}))
    network.impair({ bytesPerSecond: 1 }, 'toService')
    const call = watched(failureOf(notes.add({ text: 'x'.repeat(100) })))
    await clock.advance(20 * SECOND)
    expect(call.state).toBe('rpc/disconnected, may have run')
    expect(service.openSessions).toBe(0)
  })

  test('a client that connects to silence gives up after its timeout, not before', async () => {
    const { clock, network, offer } = start()
    await using _ = network
    network.impair({ stalled: true })
    const connecting = watched(failureOf(network.connect(offer.mint({}), { timeoutMs: 3 * SECOND })))
    await clock.advance(3 * SECOND - 1)
    expect(connecting.state).toBe('pending')
    await clock.advance(1)
    expect(connecting.state).toBe('session/no_answer')
  })

  test('re-dials wait longer and longer, and the reference lives on', async () => {
    const { clock, network, offer } = start()
    await using _ = network
    await using notes = await network.connect(offer.mint({}))
    network.refusesConnections = true
    network.disconnect()
    await clock.settle()
    const waitsMs: number[] = []
    for (let i = 0; i < 10; i++) {
      const call = watched(failureOf(notes.list()))
      const began = clock.nowMs()
      await clock.settle()
      while (call.state === 'pending') await clock.advance(10)
      expect(call.state).toBe('rpc/unavailable, has not run')
      waitsMs.push(clock.nowMs() - began)
    }
    // Half to the whole of 0, 100, 200, 400 … 10,000 ms.
    expect(waitsMs[0]).toBe(0)
    expect(waitsMs[1]).toBeLessThanOrEqual(100)
    expect(waitsMs[3]).toBeGreaterThanOrEqual(200)
    expect(waitsMs[9]).toBeGreaterThanOrEqual(5_000)
    expect(Math.max(...waitsMs)).toBeLessThanOrEqual(10_000)
    network.repair()
    const call = watched(notes.list())
    await clock.advance(10 * SECOND)
    expect(call.state).toEqual([])
  })

  test('a call gives up at its own deadline while the re-dial waits', async () => {
    const { clock, network, offer } = start()
    await using _ = network
    await using notes = await network.connect(offer.mint({}))
    network.impair({ stalled: true })
    network.disconnect()
    await clock.settle()
    const call = watched(failureOf(notes.list(undefined, { timeoutMs: 500 })))
    await clock.advance(499)
    expect(call.state).toBe('pending')
    await clock.advance(1)
    expect(call.state).toBe('rpc/deadline_exceeded, has not run')
  })
})

describe('the wire', () => {
  test('delay: a call takes two ways, and many at once no longer than one', async () => {
    const { clock, network, offer, book } = start()
    await using _ = network
    await using notes = await network.connect(offer.mint({}))
    network.impair({ delayMs: 20 })
    const calls = watched(Promise.all(Array.from({ length: 100 }, (_, i) => notes.add({ text: `${i}` }))))
    await clock.advance(19)
    expect(book.texts).toEqual([])
    await clock.advance(1)
    expect(book.texts).toHaveLength(100)
    await clock.advance(19)
    expect(calls.state).toBe('pending')
    await clock.advance(1)
    expect(calls.state).toEqual(Array.from({ length: 100 }, (_, i) => i + 1))
    network.repair()
  })

  test('less delay never lets bytes overtake those sent before', async () => {
    const { clock, network, offer, book } = start()
    await using _ = network
    await using notes = await network.connect(offer.mint({}))
    network.impair({ delayMs: 100 }, 'toService')
    void notes.add({ text: 'first' })
    await clock.settle()
    network.impair({ delayMs: 0 }, 'toService')
    void notes.add({ text: 'second' })
    await clock.advance(99)
    expect(book.texts).toEqual([])
    await clock.advance(1)
    expect(book.texts).toEqual(['first', 'second'])
  })

  test('a rate is kept, and a sender that is faster is held back', async () => {
    const { clock, network, offer } = start()
    await using _ = network
    await using notes = await network.connect(offer.mint({}))
    const [connection] = network.connections
    network.impair({ bytesPerSecond: 100_000 }, 'toService')
    const before = connection!.arrivedBytes.toService
    const calls = watched(Promise.all(Array.from({ length: 10 }, () => notes.echo(new Uint8Array(100_000)))))
    await clock.advance(5 * SECOND)
    const arrived = connection!.arrivedBytes.toService - before
    expect(arrived).toBeGreaterThan(490_000)
    expect(arrived).toBeLessThanOrEqual(501_000)
    expect(calls.state).toBe('pending')
    await clock.advance(6 * SECOND)
    expect(calls.state).toEqual(Array(10).fill(100_000))
  })

  test('the end of a session arrives behind the bytes that were on their way', async () => {
    const { clock, network, service, offer, book } = start()
    await using _ = network
    const notes = await network.connect(offer.mint({}))
    expect(await notes.list()).toEqual([]) // its object is there
    network.impair({ delayMs: 50 }, 'toService')
    const call = watched(failureOf(notes.add({ text: 'on its way' })))
    await clock.settle()
    const disposed = watched(Promise.resolve(notes[Symbol.asyncDispose]()).then(() => 'disposed'))
    await clock.advance(49)
    expect([book.texts, service.openSessions, disposed.state]).toEqual([[], 1, 'pending'])
    await clock.advance(1)
    expect([book.texts, service.openSessions, disposed.state]).toEqual([['on its way'], 0, 'disposed'])
    expect(call.state).toBe('rpc/disconnected, may have run')
  })
})

describe('FakeClock', () => {
  test('timers fire in their order, each with what follows from it before the next', async () => {
    const clock = new FakeClock()
    const fired: string[] = []
    clock.setTimeout(() => fired.push(`c at ${clock.nowMs()}`), 30)
    clock.setTimeout(() => {
      fired.push(`a at ${clock.nowMs()}`)
      void Promise.resolve()
        .then(() => clock.sleep(5))
        .then(() => fired.push(`b at ${clock.nowMs()}`))
    }, 10)
    clock.setTimeout(() => fired.push(`d at ${clock.nowMs()}`), 30)
    const cleared = clock.setTimeout(() => fired.push('never'), 20)
    clock.clearTimeout(cleared)
    await clock.advance(29)
    expect(fired).toEqual(['a at 10', 'b at 15'])
    await clock.advance(1)
    expect(fired).toEqual(['a at 10', 'b at 15', 'c at 30', 'd at 30'])
    clock.clearTimeout(cleared)
  })

  test('the date goes on with the clock from where it was set', async () => {
    const clock = new FakeClock(new Date('2030-01-01T00:00:00Z'))
    await clock.advance(1_500)
    expect(clock.date(500).toISOString()).toBe('2030-01-01T00:00:02.000Z')
    clock.setDate(0)
    await clock.advance(1)
    expect([clock.wallMs(), clock.nowMs()]).toEqual([1, 1_501])
  })

  test('two advances at once go by one after the other; wrong durations are refused', async () => {
    const clock = new FakeClock(0)
    await Promise.all([clock.advance(10), clock.advance(20)])
    expect(clock.nowMs()).toBe(30)
    expect(() => clock.advance(-1)).toThrow(RangeError)
    expect(() => clock.advance(Number.POSITIVE_INFINITY)).toThrow(RangeError)
    expect(() => clock.advance(Number.NaN)).toThrow(RangeError)
  })

  test('what a timer throws fails the advance; the clock still goes on', async () => {
    const clock = new FakeClock(0)
    clock.setTimeout(() => {
      throw new Error('of the timer')
    }, 10)
    await expect(clock.advance(20)).rejects.toThrow('of the timer')
    await clock.advance(5)
    expect(clock.nowMs()).toBe(15)
  })

  test('two clocks, two networks: the time of one is nothing to the other', async () => {
    const [here, there] = [start(), start()]
    await using _ = here.network
    await using __ = there.network
    await using notes = await there.network.connect(there.offer.mint({}, { expiresIn: '1h' }))
    await here.clock.advance(3 * HOUR)
    expect(await notes.list()).toEqual([])
  })
})
