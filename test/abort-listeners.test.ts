// Many who wait for one signal: one listener of it, no warning of Node, and nothing left behind.
import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import { addAbortListener, removeAbortListener } from '../src/abort-listeners.js'
import { iface, method } from '../src/index.js'
import { TestNetwork } from '../src/testing/index.js'

const listeners = (signal: AbortSignal) => getEventListeners(signal, 'abort').length

test('all hear it, in their order, but not who has taken it back; a thousand are one listener', () => {
  const abort = new AbortController()
  const heard: number[] = []
  const runs = Array.from({ length: 1_000 }, (_, n) => () => void heard.push(n))
  for (const run of runs) addAbortListener(abort.signal, run)
  removeAbortListener(abort.signal, runs[1]!)
  expect(listeners(abort.signal)).toBe(1)
  abort.abort()
  expect(heard).toEqual([0, ...Array.from({ length: 998 }, (_, n) => n + 2)])
  expect(listeners(abort.signal)).toBe(0)
})

test('who has taken back all leaves no listener, and may add again', () => {
  const abort = new AbortController()
  const heard: string[] = []
  const run = () => void heard.push('run')
  addAbortListener(abort.signal, run)
  removeAbortListener(abort.signal, run)
  removeAbortListener(abort.signal, run)
  expect(listeners(abort.signal)).toBe(0)
  addAbortListener(abort.signal, run)
  abort.abort()
  expect(heard).toEqual(['run'])
})

test('one that takes another back while it is told keeps that one, and nobody else, from hearing it', () => {
  const abort = new AbortController()
  const heard: string[] = []
  const last = () => void heard.push('last')
  addAbortListener(abort.signal, () => removeAbortListener(abort.signal, last))
  addAbortListener(abort.signal, last)
  addAbortListener(abort.signal, () => void heard.push('after'))
  abort.abort()
  expect(heard).toEqual(['after'])
})

test('a hundred calls with one signal are canceled by it, without a warning, and answered ones leave it', async () => {
  const warnings: Error[] = []
  const onWarning = (warning: Error) => void warnings.push(warning)
  process.on('warning', onWarning)
  try {
    const Waiter = iface('Waiter', { wait: method<number, number>(), answer: method<number, number>() })
    await using network = new TestNetwork()
    const offer = network.createService().offer('waiter', Waiter, () => ({
      wait: () => new Promise<number>(() => {}),
      answer: (n) => n,
    }))
    await using waiter = await network.connect(offer.mint({}))
    const abort = new AbortController()
    const { signal } = abort
    const answered = await Promise.all(Array.from({ length: 100 }, (_, n) => waiter.answer(n, { signal })))
    expect([answered.length, listeners(signal)]).toEqual([100, 0])
    const calls = Array.from({ length: 100 }, (_, n) =>
      waiter.wait(n, { signal }).catch((error) => error.code),
    )
    expect(listeners(signal)).toBe(1)
    abort.abort()
    expect(new Set(await Promise.all(calls))).toEqual(new Set(['rpc/canceled']))
    await new Promise((resolve) => setImmediate(resolve))
    expect(warnings).toEqual([])
  } finally {
    process.off('warning', onWarning)
  }
})
