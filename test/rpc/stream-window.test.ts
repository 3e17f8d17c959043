// When the window of a stream grows or is halved, to what, and who pays: against a clock that stands still until it is moved.
import { describe, expect, test } from 'vitest'
import { BESIDE_CALLS_MS, ROUND_TRIP_INTERVAL_MS, SHORT_PATH_MS, WINDOW_MIN_BYTES } from '../../src/limits.js'
import { RoundTrips } from '../../src/rpc/round-trips.js'
import { StreamWindow } from '../../src/rpc/stream-window.js'
import { WindowSizing } from '../../src/rpc/window-sizing.js'
import { FakeClock } from '../../src/testing/index.js'

const FIRST = 1_000
const MAX = 8_000
/** Windows that can be halved twice. */
const LARGE = { initialStreamBytes: 4 * WINDOW_MIN_BYTES, maxStreamBytes: 64 * WINDOW_MIN_BYTES }

/** A session over a path of which one round trip takes `roundTripMs`, unless nothing has been measured yet. */
async function session(
  roundTripMs: number | undefined,
  {
    initialStreamBytes = FIRST,
    maxStreamBytes,
    batchDeadlineMs,
  }: { initialStreamBytes?: number; maxStreamBytes?: number; batchDeadlineMs?: number } = {
    maxStreamBytes: MAX,
  },
) {
  const clock = new FakeClock()
  let pings = 0
  const roundTrips = new RoundTrips(clock, () => {
    pings += 1
  })
  const limits = maxStreamBytes === undefined ? {} : { maxStreamBytes }
  const sizing = new WindowSizing({ initialStreamBytes, ...limits }, roundTrips, {
    clock,
    batchDeadlineMs,
  })
  if (roundTripMs !== undefined) {
    roundTrips.measure(clock.nowMs())
    await clock.advance(roundTripMs)
    roundTrips.onPong()
  }
  const beside = { calls: false }
  /** Let so many bytes arrive and be read at once, after `ms`, and a call before them where the stream is beside calls.
   * @returns what is granted for them. */
  const read = async (window: StreamWindow, bytes: number, ms: number): Promise<number> => {
    await clock.advance(ms)
    if (beside.calls) sizing.called()
    expect(window.charge(bytes)).toBe(true)
    return window.consume(bytes)
  }
  return { clock, roundTrips, sizing, read, beside, pings: () => pings }
}

/** Read half a window at a time. */
async function halves(
  { read }: Awaited<ReturnType<typeof session>>,
  window: StreamWindow,
  ms: number,
  ...bytes: number[]
): Promise<number[]> {
  const granted: number[] = []
  for (const half of bytes) granted.push(await read(window, half, ms))
  return granted
}

describe('the window of a stream', () => {
  test('each one read within two round trips, doubles up to the maximum, in the grant that follows', async () => {
    const over40ms = await session(40)
    const window = new StreamWindow(over40ms.sizing)
    // How long the first half was on its way is not known; a window that has grown is judged by what was read since.
    expect(await halves(over40ms, window, 39, 500, 500, 500)).toEqual([500, 500, 500 + 1_000])
    expect(await halves(over40ms, window, 39, 1_000, 1_000)).toEqual([1_000, 1_000 + 2_000])
    expect(await halves(over40ms, window, 39, 2_000, 2_000)).toEqual([2_000, 2_000 + 4_000])
    expect(await halves(over40ms, window, 39, 4_000, 4_000, 4_000)).toEqual([4_000, 4_000, 4_000])
  })

  test('read in two round trips or more, stays', async () => {
    const over40ms = await session(40)
    const window = new StreamWindow(over40ms.sizing)
    expect(await halves(over40ms, window, 40, 500, 500, 500, 500, 500)).toEqual([500, 500, 500, 500, 500])
  })

  test('of a reader who does not read, stays, whatever has arrived', async () => {
    const { sizing, clock } = await session(40)
    const window = new StreamWindow(sizing)
    await clock.advance(1)
    expect(window.charge(FIRST)).toBe(true)
    expect(window.charge(1)).toBe(false)
  })

  test('that has grown, takes what was granted and not a byte more', async () => {
    const over40ms = await session(40)
    const window = new StreamWindow(over40ms.sizing)
    await halves(over40ms, window, 1, 500, 500, 500)
    expect(window.charge(2_000)).toBe(true)
    expect(window.charge(1)).toBe(false)
  })

  test('before a round trip was measured, stays, and asks for the measurement', async () => {
    const unknown = await session(undefined)
    const window = new StreamWindow(unknown.sizing)
    expect(await halves(unknown, window, 0, 500, 500, 500, 500)).toEqual([500, 500, 500, 500])
    expect(unknown.pings()).toBe(1)
  })

  test.each([
    ['no maximum', {}],
    ['a maximum of its first size', { maxStreamBytes: FIRST }],
    ['a pipe that carries one batch each way', { maxStreamBytes: MAX, batchDeadlineMs: 1_000 }],
  ])('with %s, stays and measures nothing', async (_what, limits) => {
    const fixed = await session(40, limits)
    const before = fixed.pings()
    const window = new StreamWindow(fixed.sizing)
    expect(await halves(fixed, window, 1, 500, 500, 500, 500)).toEqual([500, 500, 500, 500])
    expect(fixed.pings()).toBe(before)
  })

  test('beside calls over a short path, halves while it takes more than five round trips, in that the grant is less, down to 64 KiB', async () => {
    const short = await session(SHORT_PATH_MS, LARGE)
    short.beside.calls = true
    const window = new StreamWindow(short.sizing)
    const [first, half, quarter] = [LARGE.initialStreamBytes, LARGE.initialStreamBytes / 2, WINDOW_MIN_BYTES]
    expect(quarter).toBe(first / 4)
    // 2 · 2.6 ms for a window; a window that was halved is judged by what was read since.
    expect(await halves(short, window, 2.6, half, half, half)).toEqual([half, half, 0])
    expect(await halves(short, window, 2.6, quarter, quarter)).toEqual([quarter, 0])
    expect(await halves(short, window, 2.6, quarter / 2, quarter / 2)).toEqual([quarter / 2, quarter / 2])
    expect(window.charge(quarter)).toBe(true)
    expect(window.charge(1)).toBe(false)
  })

  test('beside calls over a short path, read in between two and five round trips, stays', async () => {
    const short = await session(SHORT_PATH_MS, LARGE)
    short.beside.calls = true
    const window = new StreamWindow(short.sizing)
    const half = LARGE.initialStreamBytes / 2
    expect(await halves(short, window, 2.4, half, half, half, half)).toEqual([half, half, half, half])
    expect(await halves(short, window, 1.1, half, half, half)).toEqual([half, half, half])
  })

  test('beside calls over a longer path, is not halved, however slowly it is read', async () => {
    const long = await session(2 * SHORT_PATH_MS, LARGE)
    long.beside.calls = true
    const window = new StreamWindow(long.sizing)
    const half = LARGE.initialStreamBytes / 2
    expect(await halves(long, window, 1_000, half, half, half, half)).toEqual([half, half, half, half])
  })

  test('is not halved while it is alone, and doubles to its first size once no call has come for a while', async () => {
    const short = await session(SHORT_PATH_MS, LARGE)
    const window = new StreamWindow(short.sizing)
    const [half, quarter] = [LARGE.initialStreamBytes / 2, LARGE.initialStreamBytes / 4]
    expect(await halves(short, window, 3, half, half, half, half)).toEqual([half, half, half, half])
    short.beside.calls = true
    // One call is none beside it: it may have brought the stream.
    expect(await halves(short, window, 3, half, half)).toEqual([half, 0])
    short.beside.calls = false
    expect(await halves(short, window, BESIDE_CALLS_MS - 3.1, quarter)).toEqual([quarter])
    expect(await halves(short, window, 0.1, quarter, half)).toEqual([quarter + half, half])
  })

  test('that has grown and is halved, gives back what it had taken, and no more', async () => {
    const short = await session(SHORT_PATH_MS, LARGE)
    short.beside.calls = true
    const [first, second] = [new StreamWindow(short.sizing), new StreamWindow(short.sizing)]
    const sizeOf = async (window: StreamWindow, ms: number, reads: number): Promise<number> => {
      let size = LARGE.initialStreamBytes
      for (let i = 0; i < reads; i++) size += (await short.read(window, size / 2, ms)) - size / 2
      return size
    }
    for (const window of [first, second]) {
      expect(await sizeOf(window, 0.1, 5)).toBe(4 * LARGE.initialStreamBytes)
      window.close()
    }
    for (let i = 0; i < 3; i++) {
      const window = new StreamWindow(short.sizing)
      expect(await sizeOf(window, 3, 5)).toBe(WINDOW_MIN_BYTES)
      window.close()
      window.close()
    }
    const four = Array.from({ length: 5 }, () => new StreamWindow(short.sizing))
    const sizes: number[] = []
    for (const window of four) sizes.push(await sizeOf(window, 0.1, 9))
    const max = LARGE.maxStreamBytes
    expect(sizes).toEqual([max, max, max, max, 5 * LARGE.initialStreamBytes])
  })

  test('of a session whose others have taken what may be, stays until one of them ends', async () => {
    const over40ms = await session(40)
    const grow = async (window: StreamWindow) => {
      let [grown, unanswered] = [0, 0]
      for (let i = 0; i < 40; i++) {
        const granted = await over40ms.read(window, 500, 1)
        unanswered += 500
        if (granted === 0) continue
        grown += granted - unanswered
        unanswered = 0
      }
      return grown
    }
    const windows = Array.from({ length: 5 }, () => new StreamWindow(over40ms.sizing))
    const grown: number[] = []
    for (const window of windows) grown.push(await grow(window))
    // Four maxima together: the fifth gets what the first sizes of the four others left.
    expect(grown).toEqual([7_000, 7_000, 7_000, 7_000, 4_000])
    const late = new StreamWindow(over40ms.sizing)
    expect(await grow(late)).toBe(0)
    windows[0]?.close()
    windows[0]?.close()
    expect(await grow(late)).toBe(7_000)
  })
})

describe('a round trip', () => {
  test('counts from the last of a stream that lay before the answer', async () => {
    const { roundTrips, clock } = await session(undefined)
    roundTrips.measure(clock.nowMs())
    await clock.advance(30)
    roundTrips.disturb()
    await clock.advance(5)
    roundTrips.onPong()
    expect(roundTrips.quietMs).toBe(5)
  })

  test('the smallest of the latest four counts', async () => {
    const { roundTrips, clock } = await session(30)
    const measured: (number | undefined)[] = []
    for (const ms of [40, 50, 60, 70]) {
      await clock.advance(ROUND_TRIP_INTERVAL_MS)
      roundTrips.measure(clock.nowMs())
      await clock.advance(ms)
      roundTrips.onPong()
      measured.push(roundTrips.quietMs)
    }
    expect(measured).toEqual([30, 30, 30, 40])
  })

  test('is measured once at a time, and not again within the interval', async () => {
    const { roundTrips, clock, pings } = await session(undefined)
    for (const ms of [0, 30, ROUND_TRIP_INTERVAL_MS - 1]) {
      await clock.advance(ms)
      roundTrips.measure(clock.nowMs())
    }
    expect(pings()).toBe(1)
    roundTrips.onPong()
    roundTrips.measure(clock.nowMs())
    expect(pings()).toBe(2)
    roundTrips.onPong()
    roundTrips.measure(clock.nowMs())
    expect(pings()).toBe(2)
  })
})
