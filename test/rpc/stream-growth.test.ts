// Windows of streams between a real client and a real service over a path of 20 ms each way, in time that the test moves.
import { expect, test } from 'vitest'
import { z } from 'zod'
import { bytes, iface, stream } from '../../src/index.js'
import { DEFAULT_LIMITS } from '../../src/session/index.js'
import { FakeClock, TestNetwork } from '../../src/testing/index.js'

const ONE_WAY_MS = 20
const FIRST = DEFAULT_LIMITS.initialStreamBytes
const PIECE = new Uint8Array(65_536)

const Files = iface('Files', { download: stream(z.number(), bytes) })

async function open(limits: { maxStreamBytes?: number; initialStreamBytes?: number } = {}) {
  const clock = new FakeClock()
  const network = new TestNetwork({ clock })
  network.impair({ delayMs: ONE_WAY_MS })
  let made = 0
  const service = network.createService()
  const offer = service.offer('files', Files, () => ({
    async *download(pieces) {
      for (let i = 0; i < pieces; i++) {
        made += PIECE.length
        yield PIECE
      }
    },
  }))
  const connecting = network.connect(offer.mint({}), { limits })
  await clock.advance(10 * ONE_WAY_MS)
  return { clock, network, files: await connecting, made: () => made }
}

/** Move the clock until `promise` is settled. */
async function whileMoving<T>(clock: FakeClock, promise: Promise<T>): Promise<T> {
  let isSettled = false
  const settle = (): void => {
    isSettled = true
  }
  promise.then(settle, settle)
  await clock.settle()
  while (!isSettled) await clock.advance(1)
  return promise
}

/** How long a download takes whose reader keeps up, ms. */
async function downloadMs(pieces: number, limits: Parameters<typeof open>[0]): Promise<number> {
  const { clock, network, files } = await open(limits)
  await using _ = network
  const began = clock.nowMs()
  let got = 0
  const read = async (): Promise<void> => {
    for await (const piece of files.download(pieces)) got += piece.length
  }
  await whileMoving(clock, read())
  expect(got).toBe(pieces * PIECE.length)
  return clock.nowMs() - began
}

test('a stream whose reader keeps up, over a long path, is no longer bound by its first window', async () => {
  const grown = await downloadMs(128, {})
  const first = await downloadMs(128, { maxStreamBytes: FIRST })
  expect(first).toBeGreaterThanOrEqual(((128 * PIECE.length) / FIRST - 1) * 2 * ONE_WAY_MS)
  // This network itself has no more than 256 KiB on its way, besides what its ends hold.
  expect(grown).toBeLessThan((2 * first) / 3)
})

test('with initialStreamBytes alone, it stays at that', async () => {
  const first = await downloadMs(32, { maxStreamBytes: FIRST })
  expect(await downloadMs(32, { initialStreamBytes: FIRST })).toBe(first)
})

test('a reader who is slow, gets no more than the first window ahead', async () => {
  const { clock, network, files, made } = await open()
  await using _ = network
  const reader = files.download(10_000)
  let got = 0
  for (let i = 0; i < 40; i++) {
    const next = reader.next()
    await clock.advance(5 * ONE_WAY_MS)
    got += (await next).value?.length ?? 0
    // A piece more: the sender takes one while there is any credit, and holds one that is not sent in full.
    expect(made() - got).toBeLessThanOrEqual(FIRST + 2 * PIECE.length)
  }
  await reader.return()
})

test('a reader who stops once its window has grown, gets that ahead and no more', async () => {
  const maxStreamBytes = 4 * FIRST
  const { clock, network, files, made } = await open({ maxStreamBytes })
  await using _ = network
  const reader = files.download(10_000)
  let got = 0
  while (got < 32 * FIRST) {
    const { value } = await whileMoving(clock, reader.next())
    got += value?.length ?? 0
  }
  for (let i = 0; i < 20; i++) await clock.advance(5 * ONE_WAY_MS)
  expect(made() - got).toBeGreaterThan(2 * FIRST)
  expect(made() - got).toBeLessThanOrEqual(maxStreamBytes + 2 * PIECE.length)
  await reader.return()
})
