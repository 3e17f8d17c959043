// Sealed bytes of which any part can be read: files, blobs, objects in a store. Structural, so that Node's FileHandle fits without
// an import of Node. Leaves out what is read.
import { truncated } from './stream-layout.js'

/** Bytes of a known number that can be read anywhere. */
export interface RandomAccess {
  /** Bytes in all. */
  readonly size: number
  /** `length` bytes from `offset` on, which lie within `size`; fewer only where they have gone since. */
  read(offset: number, length: number): Promise<Uint8Array>
}

/** What is needed of Node's `FileHandle`. */
export interface FileLike {
  stat(): Promise<{ readonly size: number }>
  read(
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ readonly bytesRead: number }>
}

/** What has random access: an open file of Node's `fs/promises`, a Blob or File, or anything that says how. */
export type RandomSource = RandomAccess | FileLike | Blob

/** One way to read all of them. */
export async function randomAccess(source: RandomSource): Promise<RandomAccess> {
  if ('stat' in source) {
    const { size } = await source.stat()
    return { size, read: (offset, length) => readFile(source, offset, length) }
  }
  if ('arrayBuffer' in source) {
    const read = async (offset: number, length: number) =>
      new Uint8Array(await source.slice(offset, offset + length).arrayBuffer())
    return { size: source.size, read }
  }
  return source
}

/** @throws `seal/truncated` where there are fewer. */
export async function readExactly(source: RandomAccess, offset: number, length: number): Promise<Uint8Array> {
  const bytes = await source.read(offset, length)
  if (bytes.length < length) throw truncated()
  return bytes
}

async function readFile(file: FileLike, offset: number, length: number): Promise<Uint8Array> {
  const buffer = new Uint8Array(length)
  let filled = 0
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, offset + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return buffer.subarray(0, filled)
}
