// The order in which several locations of one service are tried: by priority, and by chance in proportion to the weights
// within one (RFC 2782). Randomness is passed in. Leaves out the staggered start of dialling (src/dial.ts).
import type { Location } from './resolver.js'

/** `locations` in the order in which they should be tried, a new array; each URI once, at its best priority.
 * @param random - a number from 0 up to, not including, 1 for each choice; Math.random will do.
 * Source: RFC 2782, "Weight". */
export function orderLocations(locations: readonly Location[], random: () => number): Location[] {
  const byPriority = new Map<number, Location[]>()
  for (const location of eachOnce(locations)) {
    const group = byPriority.get(location.priority)
    if (group === undefined) byPriority.set(location.priority, [location])
    else group.push(location)
  }
  const priorities = [...byPriority.keys()].sort((a, b) => a - b)
  return priorities.flatMap((priority) => shuffleByWeight(byPriority.get(priority) ?? [], random))
}

/** Several processes may announce one location: the lowest priority counts, then the highest weight. */
function eachOnce(locations: readonly Location[]): Iterable<Location> {
  const best = new Map<string, Location>()
  for (const location of locations) {
    const known = best.get(location.uri)
    if (known === undefined || isBetter(location, known)) best.set(location.uri, location)
  }
  return best.values()
}

function isBetter(a: Location, b: Location): boolean {
  return a.priority < b.priority || (a.priority === b.priority && a.weight > b.weight)
}

/** Take one after the other, each with a chance in proportion to its weight; those of weight 0 have a small one. */
function shuffleByWeight(group: readonly Location[], random: () => number): Location[] {
  const waiting = [...group].sort((a, b) => Math.sign(a.weight) - Math.sign(b.weight))
  const ordered: Location[] = []
  while (waiting.length > 0) {
    const total = waiting.reduce((sum, { weight }) => sum + weight, 0)
    const mark = total === 0 ? 0 : Math.floor(random() * (total + 1))
    const index = total === 0 ? Math.floor(random() * waiting.length) : indexAt(waiting, mark)
    ordered.push(...waiting.splice(index, 1))
  }
  return ordered
}

/** The first location whose running sum of weights reaches `mark`. */
function indexAt(waiting: readonly Location[], mark: number): number {
  let sum = 0
  return waiting.findIndex(({ weight }) => {
    sum += weight
    return sum >= mark
  })
}
