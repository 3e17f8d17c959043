// Memory of this process after garbage collections (`--expose-gc`): what is in use, not what may still be collected.
import { getHeapSpaceStatistics } from 'node:v8'

/** Bytes. */
export interface Memory {
  readonly resident: number
  /** Heap, and what lives outside it: buffers. */
  readonly held: number
  /** Of it, objects of 128 KiB and more: with many small objects that is V8's tables of them. */
  readonly large: number
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
  const large = getHeapSpaceStatistics()
    .filter(({ space_name }) => space_name.includes('large_object'))
    .reduce((sum, { space_used_size }) => sum + space_used_size, 0)
  return { resident: rss, held: heapUsed + external, large }
}
