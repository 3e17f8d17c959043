// So many at a time, as every candidate of the mailbox benchmarks does it.

export const IN_FLIGHT = 64

/** Run `one` for each of `count`, {@link IN_FLIGHT} at a time. */
export async function inFlight(count: number, one: (i: number) => Promise<unknown>): Promise<void> {
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < count) await one(next++)
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker))
}
