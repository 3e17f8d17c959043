// Two connections to one database of entries, as two tabs have them, beside entries in memory: any works leave all three alike.
import { IndexedDbOrderedStore } from 'noisecap/mailbox/browser'
import type { OrderedStore, OrderedTransaction } from '../../../src/mailbox/ordered-store.js'
import { SortedEntries } from '../../../src/mailbox/sorted-entries.js'
import { codeFrom, tell } from './tell.js'

const STEPS = 300
const ALL = [new Uint8Array(0), new Uint8Array(64).fill(255)] as const
const key = (...bytes: number[]) => Uint8Array.from(bytes)
const listed = (store: OrderedStore) =>
  store.read((view) => [...view.range(...ALL)].map((entry) => `${entry.key}: ${entry.value}`).join('; '))

tell(async () => {
  const one = await IndexedDbOrderedStore.open('entries')
  const two = await IndexedDbOrderedStore.open('entries')
  let heard = 0
  two.onForeignChange(() => {
    heard += 1
  })
  const model = new SortedEntries()
  const modelled = () => [...model.all()].map((entry) => `${entry.key}: ${entry.value}`).join('; ')
  let random = 1
  const next = (below: number) => {
    random = (random * 48_271) % 2_147_483_647
    return random % below
  }
  /** What a work saw, and what the same work sees of the model. */
  const different: unknown[] = []
  for (let step = 0; step < STEPS; step++) {
    const store = next(2) === 0 ? one : two
    const target = key(...Array.from({ length: 1 + next(3) }, () => next(4)))
    const value = key(next(256), step % 256)
    const removes = next(3) === 0
    const work = (tx: OrderedTransaction) => {
      const seen = [...tx.range(key(1), key(3))].map((entry) => String(entry.key)).join('; ')
      if (removes) tx.remove(target)
      else tx.put(target, value)
      return `${seen} ${tx.get(target)}`
    }
    const [real, expected] = [await store.write(work), work(model)]
    if (real !== expected) different.push({ step, real, expected })
  }
  await one.catchUp()
  await two.catchUp()
  const alike = listed(one) === modelled() && listed(two) === modelled()

  // Works of one turn share a commit; one that throws is alone with that.
  const settled = await Promise.allSettled([
    one.write((tx) => tx.put(key(9), key(1))),
    one.write(() => {
      throw new RangeError('no')
    }),
    one.write((tx) => tx.put(key(9, 9), key(2))),
  ])
  await one.apart.put(key(9, 1), new Uint8Array(1_000).fill(7))
  await two.catchUp()
  const nines = two.read((view) => [...view.range(key(9), key(10))].map((entry) => String(entry.key)))
  const apart = (await two.apart.get(key(9, 1)))?.length
  const inMemory = two.read((view) => view.get(key(9, 1))?.length)
  await two.write((tx) => tx.remove(key(9, 1)))
  const gone = await one.apart.get(key(9, 1))

  // Further behind than the list of commits goes.
  for (let i = 0; i < 300; i++) await one.write((tx) => tx.put(key(8), key(i % 256, 1)))
  await two.catchUp()
  const behind = two.read((view) => String(view.get(key(8))))

  await one[Symbol.asyncDispose]()
  const closed = await codeFrom(one.write(() => {}))
  const three = await IndexedDbOrderedStore.open('entries')
  const kept = listed(three) === listed(two)
  await Promise.all([two, three].map((store) => store[Symbol.asyncDispose]()))
  return {
    different,
    alike,
    heard: heard > 0,
    settled: settled.map(({ status }) => status),
    nines,
    apart,
    inMemory,
    gone: gone === undefined,
    behind,
    closed,
    kept,
  }
})
