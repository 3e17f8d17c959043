import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { FreshAnnouncement } from '../../src/resolve/announcement.js'
import type { AnnouncedLocation } from '../../src/resolve/index.js'

const location = (uri: string): AnnouncedLocation => ({ uri, priority: 0, weight: 0 })

/** A place that records what happens to it. */
function place() {
  const log: string[] = []
  const state = { fail: undefined as Error | undefined, hold: Promise.resolve() }
  const start = () =>
    FreshAnnouncement.start({
      locations: [location('tcp://a:1')],
      write: async (locations) => {
        log.push(`write ${locations.map(({ uri }) => uri).join()}`)
        await state.hold
        if (state.fail !== undefined) throw state.fail
        log.push('written')
      },
      remove: async () => {
        log.push('removed')
      },
      refreshMs: 1_000,
      onRefreshError: (error) => log.push(`error ${(error as Error).message}`),
    })
  return { log, state, start }
}

describe('FreshAnnouncement', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  test('writes at once and again after each interval', async () => {
    const { log, start } = place()
    await start()
    await vi.advanceTimersByTimeAsync(2_999)
    expect(log).toEqual([
      'write tcp://a:1',
      'written',
      'write tcp://a:1',
      'written',
      'write tcp://a:1',
      'written',
    ])
  })

  test('a first write that fails is told and leaves no timer', async () => {
    const { state, start } = place()
    state.fail = new Error('disk full')
    await expect(start()).rejects.toThrow('disk full')
    expect(vi.getTimerCount()).toBe(0)
  })

  test('a refresh that fails is told, and the next one is tried', async () => {
    const { log, state, start } = place()
    await start()
    state.fail = new Error('disk full')
    await vi.advanceTimersByTimeAsync(1_000)
    state.fail = undefined
    await vi.advanceTimersByTimeAsync(1_000)
    expect(log.slice(2)).toEqual(['write tcp://a:1', 'error disk full', 'write tcp://a:1', 'written'])
  })

  test('update writes the new locations and refreshes them', async () => {
    const { log, start } = place()
    const announcement = await start()
    await announcement.update([location('tcp://b:1')])
    await vi.advanceTimersByTimeAsync(1_000)
    expect(log.filter((entry) => entry.startsWith('write '))).toEqual([
      'write tcp://a:1',
      'write tcp://b:1',
      'write tcp://b:1',
    ])
  })

  test('an update that fails keeps the locations from before', async () => {
    const { log, state, start } = place()
    const announcement = await start()
    state.fail = new RangeError('bad')
    await expect(announcement.update([location('tcp://b:1')])).rejects.toThrow('bad')
    state.fail = undefined
    await vi.advanceTimersByTimeAsync(1_000)
    expect(log.at(-2)).toBe('write tcp://a:1')
  })

  test('withdraw waits for a refresh under way, removes last, and nothing is written after', async () => {
    const { log, state, start } = place()
    const announcement = await start()
    let release = () => {}
    state.hold = new Promise((resolve) => {
      release = resolve
    })
    await vi.advanceTimersByTimeAsync(1_000)
    const update = announcement.update([location('tcp://late:1')])
    const withdrawn = announcement.withdraw()
    release()
    await Promise.all([update, withdrawn])
    await vi.advanceTimersByTimeAsync(5_000)
    expect(log).toEqual(['write tcp://a:1', 'written', 'write tcp://a:1', 'written', 'removed'])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('await using withdraws', async () => {
    const { log, start } = place()
    {
      await using _announcement = await start()
      expect(log).not.toContain('removed')
    }
    expect(log.at(-1)).toBe('removed')
  })
})
