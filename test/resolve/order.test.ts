import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Location, orderLocations } from '../../src/resolve/index.js'

const at = (uri: string, priority: number, weight: number): Location => ({ uri, priority, weight })
const uris = (locations: readonly Location[]) => locations.map(({ uri }) => uri).join(' ')

/** Numbers from 0 to 1 of a small generator with a fixed seed. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

describe('orderLocations', () => {
  test('lower priorities come first, whatever the weights and the order given', () => {
    const locations = [at('c', 20, 9), at('a', 0, 1), at('b', 10, 65_535)]
    for (const random of [() => 0, () => 0.5, () => 0.999_999]) {
      expect(uris(orderLocations(locations, random))).toBe('a b c')
    }
  })

  test.each([
    [0, 'zero ten thirty'],
    // The sum is 40: marks 0 to 40 of 41, one of which is for the weight 0.
    [0.03, 'ten zero thirty'],
    [0.26, 'ten thirty zero'],
    [0.9, 'thirty ten zero'],
  ])('random %d chooses as RFC 2782 does', (random, expected) => {
    const locations = [at('ten', 1, 10), at('zero', 1, 0), at('thirty', 1, 30)]
    expect(uris(orderLocations(locations, () => random))).toBe(expected)
  })

  test('first tries follow the weights', () => {
    const random = seeded(1)
    const locations = [at('a', 0, 60), at('b', 0, 30), at('c', 0, 10), at('z', 0, 0)]
    const firsts: Record<string, number> = { a: 0, b: 0, c: 0, z: 0 }
    for (let i = 0; i < 10_000; i++) firsts[orderLocations(locations, random)[0]!.uri]!++
    expect(firsts['a']).toBeGreaterThan(5_700)
    expect(firsts['a']).toBeLessThan(6_300)
    expect(firsts['b']).toBeGreaterThan(2_700)
    expect(firsts['b']).toBeLessThan(3_300)
    expect(firsts['c']).toBeGreaterThan(800)
    expect(firsts['z']).toBeGreaterThan(0)
    expect(firsts['z']).toBeLessThan(250)
  })

  test('without weights every location is as likely to be first', () => {
    const random = seeded(2)
    const firsts: Record<string, number> = { a: 0, b: 0, c: 0 }
    for (let i = 0; i < 9_000; i++) {
      firsts[orderLocations([at('a', 0, 0), at('b', 0, 0), at('c', 0, 0)], random)[0]!.uri]!++
    }
    for (const count of Object.values(firsts)) expect(Math.abs(count - 3_000)).toBeLessThan(300)
  })

  test('a location that several announce is tried once, at its best', () => {
    const locations = [at('a', 5, 1), at('b', 3, 0), at('a', 1, 1), at('a', 1, 9)]
    expect(orderLocations(locations, () => 0)).toEqual([at('a', 1, 9), at('b', 3, 0)])
  })

  test('nothing gives nothing', () => {
    expect(orderLocations([], () => 0)).toEqual([])
  })

  test('every location comes exactly once, sorted by priority, and the input stays as it was', () => {
    const location = fc.record({
      uri: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      priority: fc.integer({ min: 0, max: 3 }),
      weight: fc.integer({ min: 0, max: 65_535 }),
    })
    fc.assert(
      fc.property(fc.array(location), fc.integer(), (locations, seed) => {
        const before = structuredClone(locations)
        const ordered = orderLocations(locations, seeded(seed))
        expect(locations).toEqual(before)
        expect(new Set(ordered.map(({ uri }) => uri))).toEqual(new Set(locations.map(({ uri }) => uri)))
        expect(ordered.length).toBe(new Set(locations.map(({ uri }) => uri)).size)
        const priorities = ordered.map(({ priority }) => priority)
        expect(priorities).toEqual([...priorities].sort((a, b) => a - b))
      }),
    )
  })
})
