// Alternating rounds and their medians: candidates are timed in turn, so that all of them meet the same machine, and a
// figure is the median over rounds, so that one bad moment does not make it. Leaves out what is timed.

/** Rounds of every figure, at least 9 (BENCH_ROUNDS). */
export const ROUNDS = Math.max(9, Number(process.env['BENCH_ROUNDS'] ?? 9))

/** Rounds of what runs in one thread: many and short ones, so that the candidates meet the same machine. */
export const SHORT_ROUNDS = 5 * ROUNDS
/** Length of a short round, ms of CPU time. */
export const SHORT_ROUND_MS = 5

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

/** CPU time of this process since `began`, all threads, µs: what others do on the machine hardly changes it. */
export function cpuMicrosSince(began: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(began)
  return user + system
}

/** CPU time of one `run`, from as many as `ms` of CPU time take, µs. */
export function timeFor(ms: number, run: () => unknown): number {
  const began = process.cpuUsage()
  let count = 0
  let micros = 0
  while (micros < ms * 1_000) {
    // Seldom enough that looking at the clock costs nothing.
    for (let more = Math.ceil(count / 4) || 1; more > 0; more--) {
      run()
      count += 1
    }
    micros = cpuMicrosSince(began)
  }
  return micros / count
}

/** As {@link timeFor}, for what ends later. */
export async function timeAsyncFor(ms: number, run: () => Promise<unknown>): Promise<number> {
  const began = process.cpuUsage()
  let count = 0
  let micros = 0
  while (micros < ms * 1_000) {
    await run()
    count += 1
    micros = cpuMicrosSince(began)
  }
  return micros / count
}
