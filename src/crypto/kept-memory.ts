// Memory of a long plaintext is new each time and left to the collector, which frees 32 MiB of it at once. Where that lies at the
// top of its heap, glibc gives it back to the system, and each page of it is a fault when it is needed again: by what else
// lay there, a stream cost its receiver two and a half times the CPU time, or did not (docs/performance.md).
// Leaves out memory that is used again on our own account (record-memory.ts of the session).
import { hostProcess } from './host.js'

/** What a process has opened before it is taken for one that goes on, bytes: half of what the collector lets come together, so that
 * the lesson does not have it mark all of the heap. */
export const LONG_USE_BYTES = 16_777_216
/** The longest block, less its header, that glibc learns from once it is freed: from then on it keeps twice as much, which is more
 * than a collection frees, and takes shorter blocks from its heap (mallopt(3), M_MMAP_THRESHOLD). */
export const LESSON_BYTES = 32 * 1_048_576 - 65_536

let openedBytes = 0
let isTaught = false

/** A plaintext was opened into new memory, which will be left to the collector. */
export function openedIntoNewMemory(bytes: number): void {
  if (isTaught) return
  openedBytes += bytes
  if (openedBytes < LONG_USE_BYTES) return
  isTaught = true
  teachAllocator()
}

/** Have malloc take and free a long block. It is never written, so that it is no memory but addresses. Other allocators than
 * glibc's make nothing of that. */
function teachAllocator(): void {
  if (hostProcess()?.platform !== 'linux') return
  try {
    const { buffer } = Buffer.allocUnsafeSlow(LESSON_BYTES)
    // What is sent to a port that is closed is freed at once: left to the collector, it would count as used until then.
    const { port1, port2 } = new MessageChannel()
    port1.close()
    port2.close()
    port1.postMessage(buffer, [buffer])
  } catch {
    // There is no room for it: all goes on as before.
  }
}
