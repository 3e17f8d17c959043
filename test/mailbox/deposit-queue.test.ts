// Deposits that share a commit: order, one batch at a time, its bound, and failures that stay with their batch.
import { expect, test } from 'vitest'
import { DepositQueue } from '../../src/mailbox/deposit-queue.js'
import type { DepositRequest, DepositResult } from '../../src/mailbox/store.js'

const BOX = new Uint8Array(16)
const request = (depositor: number, bytes = 10): DepositRequest => ({
  depositor,
  messages: [{ id: new Uint8Array(32), envelope: new Uint8Array(bytes), expiresMs: 1 }],
  nowMs: 0,
})
const resultOf = ({ depositor }: DepositRequest): DepositResult => ({
  accepted: depositor,
  duplicates: 0,
  refusal: undefined,
})

/** A queue whose commits end when the test says so. */
function held() {
  const batches: number[][] = []
  const ends: { resolve: () => void; reject: (error: Error) => void }[] = []
  const queue = new DepositQueue((_box, requests) => {
    batches.push(requests.map(({ depositor }) => depositor))
    return new Promise((resolve, reject) => {
      ends.push({ resolve: () => resolve(requests.map(resultOf)), reject })
    })
  })
  return { queue, batches, ends }
}

test('those that come during a commit share the next one, in their order, each with its own result', async () => {
  const { queue, batches, ends } = held()
  const first = queue.add(BOX, request(1))
  await expect.poll(() => batches).toEqual([[1]])
  const others = [2, 3].map((depositor) => queue.add(BOX, request(depositor)))
  ends[0]!.resolve()
  expect((await first).accepted).toBe(1)
  await expect.poll(() => batches).toEqual([[1], [2, 3]])
  ends[1]!.resolve()
  expect((await Promise.all(others)).map(({ accepted }) => accepted)).toEqual([2, 3])
  const later = queue.add(BOX, request(4))
  await expect.poll(() => batches).toHaveLength(3)
  ends[2]!.resolve()
  expect((await later).accepted).toBe(4)
})

test('those of one turn share the first commit', async () => {
  const { queue, batches } = held()
  for (const depositor of [1, 2, 3]) void queue.add(BOX, request(depositor))
  await expect.poll(() => batches).toEqual([[1, 2, 3]])
})

test('boxes do not wait for each other', async () => {
  const { queue, batches } = held()
  void queue.add(BOX, request(1))
  void queue.add(new Uint8Array(16).fill(1), request(2))
  await expect.poll(() => batches).toEqual([[1], [2]])
})

test('a batch has at most 4 MiB of envelopes, and one request however large', async () => {
  const { queue, batches, ends } = held()
  const MIB = 1_048_576
  const deposits = [request(1), request(2, 3 * MIB), request(3, MIB), request(4, 1), request(5, 5 * MIB)]
  for (const deposit of deposits) void queue.add(BOX, deposit)
  for (let i = 0; i < 3; i++) {
    await expect.poll(() => ends.length).toBe(i + 1)
    ends[i]!.resolve()
  }
  expect(batches).toEqual([[1, 2], [3, 4], [5]])
})

test('a commit that fails fails its own batch, and the next one is tried', async () => {
  const { queue, batches, ends } = held()
  const first = queue.add(BOX, request(1))
  await expect.poll(() => batches.length).toBe(1)
  const others = [2, 3].map((depositor) => queue.add(BOX, request(depositor)))
  ends[0]!.reject(new Error('lost'))
  await expect(first).rejects.toThrow('lost')
  await expect.poll(() => batches.length).toBe(2)
  ends[1]!.resolve()
  expect((await Promise.all(others)).map(({ accepted }) => accepted)).toEqual([2, 3])
})
