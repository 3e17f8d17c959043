// Settlements on their way: those that come while two calls are out travel together, in order, and end() waits for all.
import { expect, test } from 'vitest'
import { Settler } from '../../src/mailbox/settler.js'

const ack = (receipt: string) => ({ kind: 'ack', receipt }) as const

/** Calls that end when the test says so. */
function held() {
  const calls: string[][] = []
  const ends: { resolve: () => void; reject: (error: Error) => void }[] = []
  const settler = new Settler({
    settle: (asked: unknown) => {
      const { settlements } = asked as { readonly settlements: readonly { readonly receipt: string }[] } // as Settler sends
      calls.push(settlements.map(({ receipt }) => receipt))
      return new Promise<void>((resolve, reject) => ends.push({ resolve, reject }))
    },
  })
  return { settler, calls, ends }
}
const turn = () => new Promise((resolve) => setImmediate(resolve))

test('two calls are out at most; what comes meanwhile shares the next', async () => {
  const { settler, calls, ends } = held()
  const settled: string[] = []
  for (const receipt of ['a', 'b', 'c', 'd', 'e']) {
    void settler.settle(ack(receipt)).then(() => settled.push(receipt))
    await turn()
  }
  expect(calls).toEqual([['a'], ['b']])
  ends[1]!.resolve()
  await turn()
  expect(calls).toEqual([['a'], ['b'], ['c', 'd', 'e']])
  expect(settled).toEqual(['b'])
})

test('a call that fails fails its own settlements, and the next goes out', async () => {
  const { settler, calls, ends } = held()
  const first = settler.settle(ack('a'))
  await turn()
  void settler.settle(ack('b'))
  await turn()
  void settler.settle(ack('c'))
  ends[0]!.reject(new Error('gone'))
  await expect(first).rejects.toThrow('gone')
  await turn()
  expect(calls).toEqual([['a'], ['b'], ['c']])
})

test('end waits for what is out and for what waits', async () => {
  const { settler, calls, ends } = held()
  for (const receipt of ['a', 'b', 'c']) {
    settler.quietly(ack(receipt))
    await turn()
  }
  let isOver = false
  const over = settler.end().then(() => {
    isOver = true
  })
  ends[0]!.resolve()
  ends[1]!.resolve()
  await turn()
  expect([isOver, calls]).toEqual([false, [['a'], ['b'], ['c']]])
  ends[2]!.resolve()
  await over
})
