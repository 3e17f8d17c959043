// Memory that is new each time and left to the collector, which frees 32 MiB of it at once: what Node reads from a socket, and
// long plaintexts. Where it lies at the top of its heap, glibc gives it back to the system, and each page of it is a fault when
// it is needed again: by what else lay there, a stream cost its receiver two and a half times the CPU time, or did not
// (docs/performance.md). Leaves out memory that is used again on our own account (record-memory.ts of the session).

/** From here on memory counts: what calls bring is shorter, and a service of calls alone is left as it is, bytes. */
const LONG_BYTES = 16_384
/** What a process has left to the collector before it is taken for one that goes on, bytes: half of what comes together until a
 * collection, so that the lesson does not have all of the heap marked. */
export const LONG_USE_BYTES = 16_777_216
/** The longest block, less its header, that glibc learns from once it is freed: from then on it keeps twice as much, which is more
 * than a collection frees, and takes shorter blocks from its heap (mallopt(3), M_MMAP_THRESHOLD). */
export const LESSON_BYTES = 32 * 1_048_576 - 65_536

let leftBytes = 0
let isTaught = false

/** New memory was taken that will be left to the collector; what is short makes no difference. In Node only. */
export function leftToCollector(bytes: number): void {
  if (isTaught || bytes < LONG_BYTES) return
  leftBytes += bytes
  if (leftBytes < LONG_USE_BYTES) return
  isTaught = true
  teachAllocator()
}

/** Have malloc take and free a long block. It is never written, so that it is no memory but addresses. Other allocators than
 * glibc's make nothing of that. */
function teachAllocator(): void {
  if (process.platform !== 'linux') return
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
