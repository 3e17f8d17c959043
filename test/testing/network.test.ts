// Tests as a user writes them: what a caller sees of each fault of the wire, and that it can go on afterwards.
import { describe, expect, test, vi } from 'vitest'
import { connect as connectInNode, generateKeyPair } from '../../src/index.js'
import { TestNetwork } from '../../src/testing/index.js'
import { failureOf, Notes, offerNotes } from './notes.js'

function start() {
  const network = new TestNetwork()
  const service = network.createService()
  const { offer, book } = offerNotes(service)
  return { network, service, book, capability: offer.mint({}) }
}

describe('TestNetwork', () => {
  test('connects a client with a service of its own, by the real stacks', async () => {
    const { network, service, capability } = start()
    await using _ = network
    await using notes = await network.connect(capability)
    expect(await notes.add({ text: 'milk' })).toBe(1)
    expect(await notes.list()).toEqual(['milk'])
    await using logged = await network.connect(capability.export(), Notes, { key: generateKeyPair() })
    expect(await logged.list()).toEqual(['milk'])
    expect(service.openSessions).toBe(2)
    expect(network.connections.map(({ keyHash, isOpen }) => ({ keyHash, isOpen }))).toEqual(
      Array(2).fill({ keyHash: service.keyHash, isOpen: true }),
    )
  })

  test('is closed to others, and others to it', async () => {
    const { network, capability } = start()
    await using _ = network
    await using elsewhere = new TestNetwork()
    expect(await failureOf(elsewhere.connect(capability))).toBe('resolve/not_found')
    expect(await failureOf(connectInNode(capability, { resolvers: [] }))).toBe('resolve/not_found')
  })

  test('a connection that both sides have closed is gone', async () => {
    const { network, service, capability } = start()
    await using _ = network
    const notes = await network.connect(capability)
    const [connection] = network.connections
    await notes[Symbol.asyncDispose]()
    await expect.poll(() => network.connections).toEqual([])
    expect(connection?.isOpen).toBe(false)
    expect(service.openSessions).toBe(0)
  })

  test('disposing it ends everything, whatever is wrong with the wire', async () => {
    const { network, service, book, capability } = start()
    const notes = await network.connect(capability)
    const call = failureOf(notes.slow())
    await expect.poll(() => book.slowCalls).toBe(1)
    network.impair({ stalled: true })
    await network[Symbol.asyncDispose]()
    expect(await call).toBe('rpc/disconnected, may have run')
    expect(service.openSessions).toBe(0)
    expect(await failureOf(network.connect(capability))).toBe('transport/unreachable')
  })

  test('a service that was closed can be started again with its key, and clients find it', async () => {
    const { network, service, capability } = start()
    await using _ = network
    await using notes = await network.connect(capability)
    expect(() => network.createService({ key: service.key })).toThrow(TypeError)
    await service.close()
    expect(await failureOf(notes.list())).toBe('rpc/unavailable, has not run')
    offerNotes(network.createService({ key: service.key }))
    expect(await notes.list()).toEqual([])
  })

  test('refusesConnections: nobody answers a dial, open connections stay', async () => {
    const { network, capability } = start()
    await using _ = network
    await using notes = await network.connect(capability)
    network.refusesConnections = true
    expect(await notes.list()).toEqual([])
    expect(await failureOf(network.connect(capability, { partition: 'other' }))).toBe('transport/unreachable')
    network.repair()
    await using other = await network.connect(capability, { partition: 'other' })
    expect(await other.list()).toEqual([])
  })
})

describe('a lost connection', () => {
  test('fails the calls that are open, and the next call dials again', async () => {
    const { network, book, capability } = start()
    await using _ = network
    await using notes = await network.connect(capability)
    const call = failureOf(notes.slow())
    await expect.poll(() => book.slowCalls).toBe(1)
    network.disconnect()
    expect(await call).toBe('rpc/disconnected, may have run')
    await expect.poll(() => book.aborted).toEqual(['AbortError'])
    expect(await notes.add({ text: 'again' })).toBe(1)
  })

  test.each([0, 1, 2, 100, 300])(
    'cut at byte %i of the hello: connecting fails, the next attempt does not',
    async (afterBytes) => {
      const { network, capability } = start()
      await using _ = network
      network.cutNext({ afterBytes })
      expect(await failureOf(network.connect(capability))).toBe('session/no_answer')
      await using notes = await network.connect(capability)
      expect(await notes.list()).toEqual([])
    },
  )

  test('cut at byte n lets n bytes arrive and not one more', async () => {
    const { network, service, capability } = start()
    await using _ = network
    await using notes = await network.connect(capability)
    await notes.list()
    const connection = network.connections[0]!
    const before = connection.arrivedBytes
    connection.cut({ afterBytes: 10 })
    expect(await failureOf(notes.add({ text: 'cut off' }))).toBe('rpc/disconnected, may have run')
    expect(connection.arrivedBytes).toEqual({ ...before, toService: before.toService + 10 })
    await expect.poll(() => [connection.isOpen, service.openSessions]).toEqual([false, 0])
  })

  test('cut in the answer: the call has run, and its caller cannot know', async () => {
    const { network, book, capability } = start()
    await using _ = network
    await using notes = await network.connect(capability)
    network.connections[0]!.cut({ afterBytes: 3, direction: 'toClient' })
    expect(await failureOf(notes.add({ text: 'ran' }))).toBe('rpc/disconnected, may have run')
    expect(book.texts).toEqual(['ran'])
  })

  test('cut right behind a whole call: the service still reads it', async () => {
    const { network, book, capability } = start()
    await using _ = network
    await using notes = await network.connect(capability)
    await notes.add({ text: 'one' })
    const [connection] = network.connections
    const before = connection!.arrivedBytes.toService
    await notes.add({ text: 'two' })
    connection!.cut({ afterBytes: connection!.arrivedBytes.toService - before })
    expect(await failureOf(notes.add({ text: 'six' }))).toBe('rpc/disconnected, may have run')
    expect(book.texts).toEqual(['one', 'two', 'six'])
  })

  test('a cut of one connection leaves the others alone', async () => {
    const { network, capability } = start()
    await using _ = network
    await using one = await network.connect(capability, { partition: 'one' })
    await using two = await network.connect(capability, { partition: 'two' })
    const [first, second] = network.connections
    first!.cut()
    expect(await two.list()).toEqual([])
    expect(await one.list()).toEqual([])
    expect(network.connections).toContain(second)
    expect(network.connections).not.toContain(first)
  })
})

describe('a slow wire', () => {
  test.each(['toService', 'toClient', 'both'] as const)(
    'a byte at a time %s carries calls of any length',
    async (direction) => {
      const { network, capability } = start()
      await using _ = network
      network.impair({ pieceBytes: 1 }, direction)
      await using notes = await network.connect(capability)
      const calls = Array.from({ length: 20 }, (_, i) => notes.add({ text: 'x'.repeat(i * 100) }))
      expect(await Promise.all(calls)).toEqual(calls.map((_, i) => i + 1))
      expect((await notes.list()).map(({ length }) => length)).toEqual(calls.map((_, i) => i * 100))
    },
  )

  test('a stalled service: calls wait, and a deadline says that they may have run', async () => {
    const { network, book, capability } = start()
    await using _ = network
    await using notes = await network.connect(capability)
    network.impair({ stalled: true }, 'toService')
    expect(await failureOf(notes.add({ text: 'a' }, { timeoutMs: 20 }))).toBe(
      'rpc/deadline_exceeded, may have run',
    )
    const late = notes.add({ text: 'b' })
    expect(book.texts).toEqual([])
    network.repair()
    await late
    expect(await notes.add({ text: 'c' })).toBe(book.texts.length)
    expect(book.texts.slice(-2)).toEqual(['b', 'c'])
  })

  test('a client that does not read holds the service back, and gets everything in the end', async () => {
    const { network, book, capability } = start()
    await using _ = network
    await using notes = await network.connect(capability)
    book.texts.push('y'.repeat(100_000))
    network.impair({ stalled: true }, 'toClient')
    const lists = Array.from({ length: 60 }, () => notes.list())
    const connection = network.connections[0]!
    const before = connection.arrivedBytes.toClient
    await notes.add({ text: 'never answered' }, { timeoutMs: 50 }).catch(() => {})
    expect(connection.arrivedBytes.toClient).toBe(before)
    connection.repair() // the fault is of the network, so it stays
    expect(connection.arrivedBytes.toClient).toBe(before)
    network.repair()
    for (const list of await Promise.all(lists)) expect(list[0]).toHaveLength(100_000)
  })

  test('one connection can be worse than the network, and the other way round', async () => {
    const { network, capability } = start()
    await using _ = network
    await using one = await network.connect(capability, { partition: 'one' })
    await using two = await network.connect(capability, { partition: 'two' })
    network.connections[0]!.impair({ stalled: true })
    expect(await failureOf(one.list(undefined, { timeoutMs: 20 }))).toBe(
      'rpc/deadline_exceeded, may have run',
    )
    expect(await two.list()).toEqual([])
    network.impair({ stalled: true })
    network.connections[0]!.impair({ stalled: false })
    expect(await one.list()).toEqual([])
    expect(await failureOf(two.list(undefined, { timeoutMs: 20 }))).toBe(
      'rpc/deadline_exceeded, may have run',
    )
    network.repair()
    expect(await two.list()).toEqual([])
  })

  test('values that mean nothing are refused, and nothing is changed by them', async () => {
    const { network, capability } = start()
    await using _ = network
    expect(() => network.impair({ delayMs: -1 })).toThrow(RangeError)
    expect(() => network.impair({ delayMs: Number.NaN })).toThrow(RangeError)
    expect(() => network.impair({ pieceBytes: 0 })).toThrow(RangeError)
    expect(() => network.impair({ bytesPerSecond: 0 })).toThrow(RangeError)
    expect(() => network.impair({ stalled: true }, 'up' as 'both')).toThrow(TypeError)
    expect(() => network.cutNext({ afterBytes: 0.5 })).toThrow(RangeError)
    await using notes = await network.connect(capability)
    expect(() => network.connections[0]!.cut({ afterBytes: -1 })).toThrow(RangeError)
    expect(await notes.list()).toEqual([])
  })
})

test('fake timers of the test runner drive deadlines too, and do not stop the wire', async () => {
  vi.useFakeTimers()
  try {
    const { network, book, capability } = start()
    await using _ = network
    await using notes = await network.connect(capability)
    expect(await notes.add({ text: 'milk' })).toBe(1)
    const call = failureOf(notes.slow(undefined, { timeoutMs: 60_000 }))
    while (book.slowCalls === 0) await notes.list()
    await vi.advanceTimersByTimeAsync(61_000)
    expect(await call).toBe('rpc/deadline_exceeded, may have run')
  } finally {
    vi.useRealTimers()
  }
})

test('a service of a test network is what code expects that takes a Service', async () => {
  await using network = new TestNetwork()
  const { offer } = offerNotes(network.createService())
  await using reader = await network.connect(offer.mint({}, { methods: ['list'] }))
  expect(await reader.list()).toEqual([])
  // @ts-expect-error narrowed, and the service refuses it
  expect(await failureOf(reader.add({ text: 'x' }))).toBe('rpc/permission_denied, has not run')
})
