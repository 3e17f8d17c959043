export const BLOCK_BYTES: number
export const BLOCK: Buffer
export function checkChunk(chunk: Uint8Array, offset: number): void
