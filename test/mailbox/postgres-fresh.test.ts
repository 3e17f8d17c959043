// Envelopes that a relay over Postgres keeps until somebody takes them: which are here, and for how long.
import { expect, test } from 'vitest'
import { FreshEnvelopes } from '../../src/mailbox/postgres-fresh.js'

const BOX = new Uint8Array(16).fill(1)
const OTHER = new Uint8Array(16).fill(2)

/** Envelopes of two bytes that say their position, as their ids do. */
function batch(first: number, count: number) {
  const numbers = Array.from({ length: count }, (_, i) => i)
  const bytes = Uint8Array.from(numbers.flatMap((i) => [first + i, first + i]))
  return { first, ids: idsOf(first, count), starts: numbers.map((i) => 2 * i), bytes }
}

function idsOf(first: number, count: number): Uint8Array {
  const ids = new Uint8Array(16 * count)
  for (let i = 0; i < count; i++) ids.fill(first + i, 16 * i, 16 * (i + 1))
  return ids
}

/** Positions of the first and the last that is here of a box. */
function kept(fresh: FreshEnvelopes, box = BOX, max = 100) {
  const { from, ids, envelopes } = fresh.oldest(box, max)
  expect(envelopes).toEqual(envelopes.map((_, i) => Uint8Array.of(from + i, from + i)))
  expect(ids).toEqual(idsOf(from, envelopes.length))
  return [from, from + envelopes.length - 1]
}

test('keep: batches that follow each other are one range; what was before a gap is forgotten', () => {
  const fresh = new FreshEnvelopes()
  expect(kept(fresh)).toEqual([0, -1])
  for (const each of [batch(0, 3), batch(3, 1), batch(4, 5)]) fresh.keep(BOX, each)
  expect(kept(fresh)).toEqual([0, 8])
  expect(kept(fresh, BOX, 2)).toEqual([0, 1])
  expect(kept(fresh, BOX, 6)).toEqual([0, 5])
  fresh.keep(BOX, batch(10, 2))
  expect(kept(fresh)).toEqual([10, 11])
  expect(kept(fresh, OTHER)).toEqual([0, -1])
})

test('taken: what was taken is not here; what somebody got before stays as it is', () => {
  const fresh = new FreshEnvelopes()
  for (const each of [batch(0, 3), batch(3, 2), batch(5, 2)]) fresh.keep(BOX, each)
  const { envelopes } = fresh.oldest(BOX, 100)
  fresh.taken(BOX, 3)
  expect(kept(fresh)).toEqual([4, 6])
  fresh.taken(BOX, 0)
  expect(kept(fresh, BOX, 2)).toEqual([4, 5])
  fresh.taken(BOX, 6)
  expect(kept(fresh)).toEqual([0, -1])
  expect(envelopes[0]).toEqual(Uint8Array.of(0, 0))
  fresh.taken(BOX, 9)
})

test('forget: a box that is no more has nothing', () => {
  const fresh = new FreshEnvelopes()
  fresh.keep(BOX, batch(0, 2))
  fresh.keep(OTHER, batch(0, 2))
  fresh.forget(BOX)
  expect([kept(fresh), kept(fresh, OTHER)]).toEqual([
    [0, -1],
    [0, 1],
  ])
})

test('keep: beyond the memory that there is, the oldest go, first those of the box that got something longest ago', () => {
  const fresh = new FreshEnvelopes(3 * 550)
  fresh.keep(BOX, batch(0, 2))
  fresh.keep(OTHER, batch(0, 2))
  fresh.keep(OTHER, batch(2, 2))
  expect([kept(fresh), kept(fresh, OTHER)]).toEqual([
    [0, 1],
    [0, 3],
  ])
  fresh.keep(OTHER, batch(4, 2))
  expect([kept(fresh), kept(fresh, OTHER)]).toEqual([
    [0, -1],
    [0, 5],
  ])
  fresh.keep(OTHER, batch(6, 2))
  expect(kept(fresh, OTHER)).toEqual([2, 7])
  fresh.keep(BOX, { ...batch(0, 1), bytes: new Uint8Array(4_000) })
  expect([kept(fresh), kept(fresh, OTHER)]).toEqual([
    [0, -1],
    [0, -1],
  ])
})
