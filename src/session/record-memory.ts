// Memory for long records, used again once a record has left: a stream of bytes would otherwise take as much memory as it
// sends, and the collector with the system's page faults cost it more than the encryption (docs/performance.md).
// What lies in it is ciphertext. Leaves out short records, which Node's own pool serves.
import { RECORD_MEMORY_KEPT, STREAM_FRAME_MAX_BYTES } from '../limits.js'

/** Room for a frame of a stream with its kind, stream id, tag and length, bytes. */
const BLOCK_BYTES = STREAM_FRAME_MAX_BYTES + 256
/** Shorter records are not worth it, bytes. */
const LONG_RECORD_BYTES = 8_192

/** Memory for one record. */
export interface RecordMemory {
  readonly bytes: Uint8Array
  /** The transport no longer holds it; after an error it is not used again. */
  readonly giveBack: (error?: Error | null) => void
}

const kept: RecordMemory[] = []

/** Memory for a record of `length` bytes; undefined when it is too short or too long for that. */
export function takeRecordMemory(length: number): RecordMemory | undefined {
  if (length < LONG_RECORD_BYTES || length > BLOCK_BYTES) return undefined
  return kept.pop() ?? newBlock()
}

function newBlock(): RecordMemory {
  const block: RecordMemory = {
    bytes: new Uint8Array(BLOCK_BYTES),
    giveBack(error) {
      // Twice would hand it to two records at once.
      if (error == null && kept.length < RECORD_MEMORY_KEPT && !kept.includes(block)) kept.push(block)
    },
  }
  return block
}
