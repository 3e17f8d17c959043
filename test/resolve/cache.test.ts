import { describe, expect, test } from 'vitest'
import { asPublicKey } from '../../src/crypto/index.js'
import {
  type Location,
  LocationCache,
  type LocationCacheOptions,
  type Resolver,
} from '../../src/resolve/index.js'

const context = { publicKey: asPublicKey(new Uint8Array(32)) }
const location = (uri: string, sequence?: number): Location => ({
  uri,
  priority: 0,
  weight: 0,
  ...(sequence !== undefined && { sequence }),
})

/** A cache with a clock and a directory that the test sets. */
function setUp(options: LocationCacheOptions = {}) {
  const state = { now: 1_000, asked: [] as string[], found: [location('tcp://a:1')] as readonly Location[] }
  const directory: Resolver = {
    name: 'directory',
    resolve: async (keyHash) => {
      state.asked.push(keyHash)
      return state.found
    },
  }
  const cache = new LocationCache(directory, {
    ttlMs: 100,
    missTtlMs: 10,
    maxServices: 3,
    now: () => state.now,
    ...options,
  })
  const ask = async (keyHash = 'k') => (await cache.resolve(keyHash, context)).map(({ uri }) => uri)
  return { state, cache, ask }
}

describe('LocationCache', () => {
  test('keeps an answer for its time and has the name of what it stands before', async () => {
    const { state, cache, ask } = setUp()
    expect(cache.name).toBe('directory')
    expect(await ask()).toEqual(['tcp://a:1'])
    state.found = [location('tcp://b:1')]
    state.now += 99
    expect(await ask()).toEqual(['tcp://a:1'])
    state.now += 1
    expect(await ask()).toEqual(['tcp://b:1'])
    expect(state.asked).toHaveLength(2)
  })

  test('keeps a miss for a shorter time', async () => {
    const { state, ask } = setUp()
    state.found = []
    expect(await ask()).toEqual([])
    state.found = [location('tcp://a:1')]
    state.now += 9
    expect(await ask()).toEqual([])
    state.now += 1
    expect(await ask()).toEqual(['tcp://a:1'])
  })

  test('keeps no failure', async () => {
    let fail = true
    const cache = new LocationCache({
      name: 'd',
      resolve: async () => {
        if (fail) throw new Error('down')
        return [location('tcp://a:1')]
      },
    })
    await expect(cache.resolve('k', context)).rejects.toThrow('down')
    fail = false
    expect(await cache.resolve('k', context)).toHaveLength(1)
  })

  test('asks anew after forget', async () => {
    const { state, cache, ask } = setUp()
    await ask()
    cache.forget('k')
    await ask()
    expect(state.asked).toHaveLength(2)
  })

  test('drops the service that was not asked for longest when it is full', async () => {
    const { state, ask } = setUp()
    for (const key of ['a', 'b', 'c', 'a', 'd']) await ask(key)
    expect(state.asked).toEqual(['a', 'b', 'c', 'd'])
    await ask('a')
    await ask('c')
    expect(state.asked).toHaveLength(4)
    await ask('b')
    expect(state.asked).toHaveLength(5)
  })

  test('believes no record older than one that was confirmed; equal and newer ones count', async () => {
    const { state, cache, ask } = setUp()
    state.found = [location('tcp://old:1', 49), location('tcp://same:1', 50), location('tcp://hint:1')]
    cache.confirm('k', 50)
    expect(await ask()).toEqual(['tcp://same:1', 'tcp://hint:1'])
    expect(await ask('other')).toHaveLength(3)
  })

  test('a record alone never raises the floor, however high its sequence', async () => {
    const { state, cache, ask } = setUp()
    state.found = [location('tcp://forged:1', 9_999_999)]
    await ask()
    cache.forget('k')
    state.found = [location('tcp://real:1', 50)]
    expect(await ask()).toEqual(['tcp://real:1'])
  })

  test('the floor never falls: not by a lower confirmation, not by forget, not by time', async () => {
    const { state, cache, ask } = setUp()
    cache.confirm('k', 50)
    cache.confirm('k', 10)
    cache.confirm('k', undefined)
    cache.forget('k')
    state.now += 1_000_000
    state.found = [location('tcp://old:1', 49)]
    expect(await ask()).toEqual([])
  })

  test('a floor that is set while an answer is kept counts at once', async () => {
    const { state, cache, ask } = setUp()
    state.found = [location('tcp://a:1', 5)]
    expect(await ask()).toEqual(['tcp://a:1'])
    cache.confirm('k', 6)
    expect(await ask()).toEqual([])
  })

  test('asks once for all who ask at the same time', async () => {
    const { state, ask } = setUp()
    expect(await Promise.all([ask(), ask(), ask()])).toEqual([['tcp://a:1'], ['tcp://a:1'], ['tcp://a:1']])
    expect(state.asked).toHaveLength(1)
  })
})

describe('LocationCache and signals', () => {
  /** A directory that answers when the test says so. */
  function slow() {
    const questions: { answer: (found: readonly Location[]) => void; signal: AbortSignal | undefined }[] = []
    const cache = new LocationCache({
      name: 'slow',
      resolve: (_, { signal }) =>
        new Promise((resolve, reject) => {
          questions.push({ answer: resolve, signal })
          signal?.addEventListener('abort', () => reject(new Error('directory stopped')))
        }),
    })
    return { cache, questions }
  }

  test('one who gives up leaves the others waiting', async () => {
    const { cache, questions } = slow()
    const controller = new AbortController()
    const reason = new Error('enough')
    const impatient = cache.resolve('k', { ...context, signal: controller.signal })
    const patient = cache.resolve('k', context)
    controller.abort(reason)
    await expect(impatient).rejects.toBe(reason)
    expect(questions[0]?.signal?.aborted).toBe(false)
    questions[0]?.answer([location('tcp://a:1')])
    expect(await patient).toHaveLength(1)
  })

  test('the last who gives up stops the question, and the next one asks anew', async () => {
    const { cache, questions } = slow()
    const controller = new AbortController()
    const only = cache.resolve('k', { ...context, signal: controller.signal })
    controller.abort(new Error('enough'))
    await expect(only).rejects.toThrow('enough')
    expect(questions[0]?.signal?.aborted).toBe(true)
    const next = cache.resolve('k', context)
    expect(questions).toHaveLength(2)
    questions[1]?.answer([location('tcp://b:1')])
    expect(await next).toHaveLength(1)
  })

  test('an aborted signal asks nobody', async () => {
    const { cache, questions } = slow()
    await expect(
      cache.resolve('k', { ...context, signal: AbortSignal.abort(new Error('x')) }),
    ).rejects.toThrow('x')
    expect(questions).toHaveLength(0)
  })
})

test('LocationCache keeps an answer as long as the resolver says, with or without locations', async () => {
  const state = { now: 0, asked: 0, found: [location('tcp://a:1')] as readonly Location[], lifeMs: 500 }
  const directory: Resolver = {
    name: 'directory',
    resolve: async (_keyHash, { keepFor }) => {
      state.asked++
      keepFor?.(state.lifeMs)
      return state.found
    },
  }
  const cache = new LocationCache(directory, { ttlMs: 100, missTtlMs: 10, now: () => state.now })
  await cache.resolve('k', context)
  state.now = 499
  await cache.resolve('k', context)
  expect(state.asked).toBe(1)
  state.now = 500
  state.found = []
  state.lifeMs = 50
  await cache.resolve('k', context)
  state.now = 549
  await cache.resolve('k', context)
  expect(state.asked).toBe(2)
  state.now = 550
  state.lifeMs = 0
  await cache.resolve('k', context)
  await cache.resolve('k', context)
  expect(state.asked).toBe(4)
})
