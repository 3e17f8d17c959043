// Memory of this process after garbage collections (`--expose-gc`): what is in use, not what may still be collected.

/** Bytes. */
export interface Memory {
  readonly resident: number
  /** Heap, and what lives outside it: buffers. */
  readonly held: number
}

/** Collect, then look. */
export async function memoryInUse(): Promise<Memory> {
  if (globalThis.gc === undefined) throw new Error('Cannot weigh memory: expected node --expose-gc')
  // Twice with a pause, so that what finalizers let go is counted as gone.
  for (let i = 0; i < 2; i++) {
    globalThis.gc()
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  const { rss, heapUsed, external } = process.memoryUsage()
  return { resident: rss, held: heapUsed + external }
}
