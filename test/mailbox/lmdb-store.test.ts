// MailboxStore in LMDB: the suite, and what only files can show: they outlive their process, and several processes share them.
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { LmdbOrderedStore } from '../../src/mailbox/lmdb-store.js'
import { OrderedMailboxStore } from '../../src/mailbox/ordered-mailbox-store.js'
import { ID_KIND } from '../../src/mailbox/records.js'
import { describeStore } from './conformance.js'

const directory = mkdtempSync(join(tmpdir(), 'noisecap-lmdb-'))
let number = 0
const newPath = () => join(directory, `store-${number++}`)
afterAll(() => rmSync(directory, { recursive: true, force: true }))

describeStore('lmdb', async () => new OrderedMailboxStore(new LmdbOrderedStore(newPath(), ID_KIND)))

test('LmdbOrderedStore, closed and opened again, has what was written', async () => {
  const path = newPath()
  const first = new LmdbOrderedStore(path)
  await first.write((tx) => tx.put(Uint8Array.of(1), Uint8Array.of(2, 3)))
  await first[Symbol.asyncDispose]()
  const second = new LmdbOrderedStore(path)
  expect(second.read((view) => view.get(Uint8Array.of(1)))).toEqual(Uint8Array.of(2, 3))
  await second[Symbol.asyncDispose]()
})

test('LmdbOrderedStore, entries of a kind that comes in no order: others see them, and whoever opens the files again', async () => {
  const path = newPath()
  const key = Uint8Array.of(9, 1)
  const prefix = Uint8Array.of(9)
  const seenBy = (store: LmdbOrderedStore) =>
    store.read((view) => [view.get(key)?.[0], [...view.range(prefix, Uint8Array.of(10))].length])
  const first = new LmdbOrderedStore(path, 9)
  await using second = new LmdbOrderedStore(path, 9)
  await first.write((tx) => tx.put(key, Uint8Array.of(5)))
  expect(seenBy(first)).toEqual([5, 1])
  expect(await second.write((tx) => tx.get(key)?.[0])).toBe(5)
  expect(seenBy(second)).toEqual([5, 1])
  await first[Symbol.asyncDispose]()
  const again = new LmdbOrderedStore(path, 9)
  expect(seenBy(again)).toEqual([5, 1])
  await second.write((tx) => tx.remove(key))
  expect(await again.write((tx) => tx.get(key))).toBeUndefined()
  expect(seenBy(again)).toEqual([undefined, 0])
  await again[Symbol.asyncDispose]()
})

test('LmdbOrderedStore, a work that throws rejects alone, its neighbours in the commit are kept', async () => {
  const store = new LmdbOrderedStore(newPath())
  const failing = store.write(() => {
    throw new RangeError('no')
  })
  const good = store.write((tx) => tx.put(Uint8Array.of(7), Uint8Array.of(7)))
  await expect(failing).rejects.toThrow(RangeError)
  await good
  expect(store.read((view) => view.get(Uint8Array.of(7)))).toEqual(Uint8Array.of(7))
  await store[Symbol.asyncDispose]()
  await expect(store.write(() => {})).rejects.toMatchObject({ code: 'mailbox/store' })
})

test('LmdbOrderedStore, what comes before a commit has begun shares it, also what another work led to', async () => {
  await using store = new LmdbOrderedStore(newPath())
  const commits = () => Buffer.from(store.read((view) => view.get(new Uint8Array(1)))!).readDoubleBE()
  const first = store.write((tx) => tx.put(Uint8Array.of(1), Uint8Array.of(1)))
  for (let i = 0; i < 20; i++) await Promise.resolve()
  const second = store.write((tx) => tx.get(Uint8Array.of(1)))
  await first
  expect(await second).toEqual(Uint8Array.of(1))
  expect(commits()).toBe(1)
})

test('LmdbOrderedStore, a new directory is open to its owner alone', async () => {
  const path = newPath()
  await using _store = new LmdbOrderedStore(path)
  expect(statSync(path).mode & 0o777).toBe(0o700)
})
