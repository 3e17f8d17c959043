// The bytes that a stream of a benchmark carries: blocks of 64 KiB, in which every place has its own look.

export const BLOCK_BYTES = 65_536

/** One block. Borrowed: what alters it spoils what follows. */
export const BLOCK = Buffer.from(
  Uint8Array.from({ length: BLOCK_BYTES }, (_, i) => Math.imul(i + 1, 0x9e37_79b1) >>> 24),
)

/** Throws unless `chunk` is what a stream of blocks has from byte `offset` on. */
export function checkChunk(chunk, offset) {
  let at = 0
  while (at < chunk.length) {
    const from = (offset + at) % BLOCK_BYTES
    const length = Math.min(chunk.length - at, BLOCK_BYTES - from)
    if (BLOCK.compare(chunk, at, at + length, from, from + length) !== 0)
      throw new Error('Cannot time a stream: its bytes are wrong')
    at += length
  }
}
