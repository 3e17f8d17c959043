// Alternating rounds and their medians: candidates are timed in turn, so that all of them meet the same machine, and a
// figure is the median over rounds, so that one bad moment does not make it. Leaves out what is timed.

/** Rounds of every figure, at least 9 (BENCH_ROUNDS). */
export const ROUNDS = Math.max(9, Number(process.env['BENCH_ROUNDS'] ?? 9))

/** The middle of `values`, of which there is at least one. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

/** The `share` quantile of `values`, nearest rank. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort()
  const found = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
  if (found === undefined) throw new RangeError('Cannot take a quantile: expected at least one value')
  return found
}

/** Time each of `candidates` once a round, in turn, after `warmups` rounds that do not count.
 * @returns for each candidate its results, one a round. */
export async function alternate<Result>(
  candidates: readonly (() => Result | Promise<Result>)[],
  warmups: number,
  rounds: number = ROUNDS,
): Promise<Result[][]> {
  const results = candidates.map((): Result[] => [])
  for (let round = -warmups; round < rounds; round++) {
    for (const [index, candidate] of candidates.entries()) {
      const result = await candidate()
      if (round >= 0) results[index]?.push(result)
    }
  }
  return results
}

/** µs that one `run` takes, from as many as fit into `ms`. */
export function timeFor(ms: number, run: () => unknown): number {
  const began = performance.now()
  let count = 0
  let elapsed = 0
  while (elapsed < ms) {
    run()
    count += 1
    elapsed = performance.now() - began
  }
  return (elapsed / count) * 1_000
}

/** As {@link timeFor}, for what ends later. */
export async function timeAsyncFor(ms: number, run: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  let count = 0
  let elapsed = 0
  while (elapsed < ms) {
    await run()
    count += 1
    elapsed = performance.now() - began
  }
  return (elapsed / count) * 1_000
}
