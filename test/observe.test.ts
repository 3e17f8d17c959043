// The store in front of a real service and a wire that can be cut, with time that the test moves.
import { describe, expect, test } from 'vitest'
import { iface, method, type Observed, observe, stream } from '../src/index.js'
import { FakeClock, TestNetwork } from '../src/testing/index.js'

const Meter = iface('Meter', { read: method<void, number>(), follow: stream<number, number>() })

async function start(follow: (to: number, signal: AbortSignal) => AsyncIterable<number>) {
  const clock = new FakeClock()
  const network = new TestNetwork({ clock })
  const service = network.createService()
  const offer = service.offer('meter', Meter, () => ({
    read: () => 1,
    follow: (to, { signal }) => follow(to, signal),
  }))
  const capability = offer.mint({})
  const meter = await network.connect(capability)
  return { clock, network, service, capability, meter }
}

async function* upTo(to: number): AsyncGenerator<number> {
  for (let i = 1; i <= to; i++) yield i
}

/** Counts to `to`, then waits until nobody listens. */
async function* forever(to: number, signal: AbortSignal): AsyncGenerator<number> {
  yield* upTo(to)
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}

function watched<T>() {
  const seen: Observed<T>[] = []
  return { seen, run: (observed: Observed<T>) => void seen.push(observed) }
}

describe('observe', () => {
  test('items of a stream, told at once and in order, over when it ends', async () => {
    const { network, meter } = await start(upTo)
    await using _ = network
    const { seen, run } = watched<number>()
    const store = observe(meter, (signal) => meter.follow(3, { signal }))
    store.subscribe(run)
    expect(seen).toEqual([{ status: 'connecting', value: undefined, error: undefined }])
    await expect.poll(() => store.get().status).toBe('over')
    expect(seen.slice(1).map(({ status, value }) => [status, value])).toEqual([
      ['live', 1],
      ['live', 2],
      ['live', 3],
      ['over', 3],
    ])
    expect(store.get().error).toBeUndefined()
  })

  test('reduce, the value of all items', async () => {
    const { network, meter } = await start(upTo)
    await using _ = network
    const reduce = (previous: readonly number[] = [], item: number) => [...previous, item]
    const store = observe(meter, (signal) => meter.follow(3, { signal }), { reduce })
    store.subscribe(() => undefined)
    await expect.poll(() => store.get().value).toEqual([1, 2, 3])
  })

  test('no subscriber, no stream; the last one gone, the stream is closed; a new one opens it again', async () => {
    let open = 0
    const { network, meter } = await start(async function* (to, signal) {
      open += 1
      try {
        yield* forever(to, signal)
      } finally {
        open -= 1
      }
    })
    await using _ = network
    const store = observe(meter, (signal) => meter.follow(1, { signal }))
    expect(open).toBe(0)
    const leave = [store.subscribe(() => undefined), store.subscribe(() => undefined)]
    await expect.poll(() => open).toBe(1)
    leave[0]!()
    leave[1]!()
    await expect.poll(() => open).toBe(0)
    store.subscribe(() => undefined)
    await expect.poll(() => open).toBe(1)
  })

  test('a cut wire, away with the value that was there, live again by itself', async () => {
    const { network, clock, meter } = await start(forever)
    await using _ = network
    const { seen, run } = watched<number>()
    const store = observe(meter, (signal) => meter.follow(2, { signal }), { clock })
    store.subscribe(run)
    await expect.poll(() => store.get().value).toBe(2)
    network.refusesConnections = true
    for (const connection of network.connections) connection.cut()
    await expect.poll(() => store.get().status).toBe('away')
    expect(store.get().value).toBe(2)
    await clock.advance(1_000)
    expect(store.get().status).toBe('away')
    network.refusesConnections = false
    await clock.advance(60_000)
    await expect.poll(() => store.get().status).toBe('live')
    expect(seen.map(({ status }) => status)).toContain('away')
  })

  test('revoked, over with the reason, for good', async () => {
    const { network, service, capability, clock, meter } = await start(forever)
    await using _ = network
    const store = observe(meter, (signal) => meter.follow(1, { signal }), { clock })
    store.subscribe(() => undefined)
    await expect.poll(() => store.get().status).toBe('live')
    await service.revoke(capability)
    await expect.poll(() => store.get()).toMatchObject({ status: 'over', error: { code: 'session/revoked' } })
    await clock.advance(60_000)
    store.retry()
    expect(store.get().status).toBe('over')
  })

  test('revoked while the wire was cut, over when the service says so', async () => {
    const { network, service, capability, clock, meter } = await start(forever)
    await using _ = network
    const store = observe(meter, (signal) => meter.follow(1, { signal }), { clock })
    store.subscribe(() => undefined)
    await expect.poll(() => store.get().status).toBe('live')
    network.refusesConnections = true
    for (const connection of network.connections) connection.cut()
    await expect.poll(() => store.get().status).toBe('away')
    await service.revoke(capability)
    network.refusesConnections = false
    await clock.advance(60_000)
    await expect.poll(() => store.get()).toMatchObject({ status: 'over', error: { code: 'session/revoked' } })
  })

  test('a handler that fails, over with its error', async () => {
    const { network, meter } = await start(() => {
      throw new RangeError('broken')
    })
    await using _ = network
    const store = observe(meter, (signal) => meter.follow(1, { signal }))
    store.subscribe(() => undefined)
    await expect.poll(() => store.get()).toMatchObject({ status: 'over', error: { code: 'rpc/internal' } })
  })

  test('the store contract of Svelte: told within subscribe, once more at each change, never after it was left', async () => {
    const { network, meter } = await start(forever)
    await using _ = network
    const store = observe(meter, (signal) => meter.follow(2, { signal }))
    // As `get` of svelte/store reads one: subscribed, told at once, left.
    let got: Observed<number> | undefined
    store.subscribe((observed) => {
      got = observed
    })()
    expect(got).toEqual({ status: 'connecting', value: undefined, error: undefined })
    const { seen, run } = watched<number>()
    const left = watched<number>()
    const unsubscribe = store.subscribe(run)
    const leave = store.subscribe(left.run)
    expect(seen).toHaveLength(1)
    leave()
    leave() // again, as a component that is destroyed twice would
    await expect.poll(() => seen.at(-1)?.value).toBe(2)
    expect(left.seen).toHaveLength(1)
    unsubscribe()
  })

  test('what a shallowRef of Vue and React rely on: another object at each change, the same one between, none altered', async () => {
    const { network, meter } = await start(forever)
    await using _ = network
    const store = observe(meter, (signal) => meter.follow(3, { signal }))
    const { seen, run } = watched<number>()
    const before: string[] = []
    store.subscribe((observed) => {
      expect(store.get()).toBe(observed)
      before.push(JSON.stringify(observed))
      run(observed)
    })
    await expect.poll(() => store.get().value).toBe(3)
    expect(store.get()).toBe(store.get())
    expect(seen).toHaveLength(4)
    expect(new Set(seen).size).toBe(4)
    expect(seen.map((observed) => JSON.stringify(observed))).toEqual(before)
  })

  test('anything but a reference, TypeError', () => {
    expect(() => observe({}, () => upTo(1))).toThrow(TypeError)
  })
})
