// Envelopes that a relay over Postgres keeps until somebody takes them: which are here, and for how long.
import { expect, test } from 'vitest'
import { FreshEnvelopes } from '../../src/mailbox/postgres-fresh.js'

const BOX = new Uint8Array(16).fill(1)
const OTHER = new Uint8Array(16).fill(2)

/** Envelopes of two bytes that say their position. */
function batch(first: number, count: number) {
  const numbers = Array.from({ length: count }, (_, i) => i)
  const bytes = Uint8Array.from(numbers.flatMap((i) => [first + i, first + i]))
  return { first, starts: numbers.map((i) => 2 * i), bytes }
}

/** What is here of a box. */
function kept(fresh: FreshEnvelopes, box = BOX) {
  const { from, to, envelopeOf } = fresh.rangeOf(box)
  for (let position = from; position <= to; position++)
    expect(envelopeOf(position)).toEqual(Uint8Array.of(position, position))
  expect([envelopeOf(from - 1), envelopeOf(to + 1)]).toEqual([undefined, undefined])
  return [from, to]
}

test('keep: batches that follow each other are one range; what was before a gap is forgotten', () => {
  const fresh = new FreshEnvelopes()
  expect(kept(fresh)).toEqual([0, -1])
  for (const each of [batch(0, 3), batch(3, 1), batch(4, 5)]) fresh.keep(BOX, each)
  expect(kept(fresh)).toEqual([0, 8])
  fresh.keep(BOX, batch(10, 2))
  expect(kept(fresh)).toEqual([10, 11])
  expect(kept(fresh, OTHER)).toEqual([0, -1])
})

test('taken: batches of which nothing is left go; a range that somebody has stays whole', () => {
  const fresh = new FreshEnvelopes()
  for (const each of [batch(0, 3), batch(3, 2), batch(5, 2)]) fresh.keep(BOX, each)
  const range = fresh.rangeOf(BOX)
  fresh.taken(BOX, 3)
  expect(kept(fresh)).toEqual([3, 6])
  fresh.taken(BOX, 6)
  expect(kept(fresh)).toEqual([0, -1])
  expect(range.envelopeOf(0)).toEqual(Uint8Array.of(0, 0))
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
  const fresh = new FreshEnvelopes(3 * 520)
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
  fresh.keep(BOX, { first: 0, starts: [0], bytes: new Uint8Array(4_000) })
  expect([fresh.rangeOf(BOX).to, kept(fresh, OTHER)]).toEqual([-1, [0, -1]])
})
