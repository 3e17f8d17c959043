// The table of exports: dense ids, used again after release, and counts that nobody can overdraw.
import { expect, test } from 'vitest'
import { type Exported, Exports, OPEN_AUTHORITY } from '../../src/rpc/exports.js'

/** An export that counts its releases. */
function offered(): Exported & { releases: number } {
  const exported = {
    releases: 0,
    authority: OPEN_AUTHORITY,
    isLive: true,
    authorize: () => 'ok' as const,
    target: () => Promise.reject(new Error('not called here')),
    released: () => {
      exported.releases += 1
    },
  }
  return exported
}

test('ids are dense, and a released one is used again', () => {
  const table = new Exports(10)
  const [a, b, c] = [offered(), offered(), offered()]
  expect([table.add(a), table.add(b)]).toEqual([0, 1])
  expect(table.release(0, 1)).toBe(true)
  expect([table.find(0), table.find(1), table.size]).toEqual([undefined, b, 1])
  expect(table.add(c)).toBe(0)
  expect([...table.all()]).toEqual([c, b])
})

test.each<[string, number, number]>([
  ['an id that is not there', 5, 1],
  ['a count of none', 0, 0],
  ['a count above what is held', 0, 2],
  ['an id beyond any', 0xffff_ffff, 1],
])('release of %s is refused and changes nothing', (_name, id, count) => {
  const table = new Exports(10)
  const exported = offered()
  table.add(exported)
  expect(table.release(id, count)).toBe(false)
  expect([table.find(0), exported.releases]).toEqual([exported, 0])
})

test('a double release is refused, and tells nobody twice', () => {
  const table = new Exports(10)
  const exported = offered()
  table.add(exported)
  expect([table.release(0, 1), table.release(0, 1)]).toEqual([true, false])
  expect(exported.releases).toBe(1)
})

test('is full at its budget', () => {
  const table = new Exports(2)
  table.add(offered())
  expect(table.isFull).toBe(false)
  table.add(offered())
  expect(table.isFull).toBe(true)
  table.release(1, 1)
  expect(table.isFull).toBe(false)
})
