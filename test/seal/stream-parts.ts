// Sealed streams that the tests share: made whole, taken apart into their parts, and put together otherwise.
import { expect } from 'vitest'
import { concat } from '../../src/bytes.js'
import { NoisecapError } from '../../src/errors.js'
import {
  type ByteSource,
  openStream,
  type SealReader,
  SealWriter,
  type StreamOpenOptions,
  type StreamSealOptions,
  sealStream,
} from '../../src/seal/index.js'
import { readPrelude } from '../../src/seal/stream-layout.js'
import { reader } from './parties.js'

/** Chunks of this size make streams of many chunks small. */
export const SMALL = 64

export const writerToReader = () => new SealWriter({ to: reader.publicKey })

/** `length` bytes, no two neighbouring chunks alike. */
export const content = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 6) * 31) & 0xff)

/** All bytes of a source. */
export async function collect(source: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  for await (const piece of source) pieces.push(piece)
  return concat(...pieces)
}

export async function seal(
  source: ByteSource,
  options: StreamSealOptions = { chunkBytes: SMALL },
  writer = writerToReader(),
): Promise<Uint8Array> {
  return collect(sealStream(source, writer, options))
}

/** What came out of a stream before it ended, and how it ended: `none`, a code, or the name of another error. */
export async function attempt(
  sealed: ByteSource,
  opening: SealReader,
  options: StreamOpenOptions = {},
): Promise<{ readonly got: Uint8Array; readonly code: string }> {
  const pieces: Uint8Array[] = []
  try {
    for await (const piece of await openStream(sealed, opening, options)) pieces.push(piece)
    return { got: concat(...pieces), code: 'none' }
  } catch (error) {
    return { got: concat(...pieces), code: nameOf(error) }
  }
}

/** As `codeOf`, of what comes later. */
export async function codeLater(action: () => Promise<unknown>): Promise<string> {
  try {
    await action()
    return 'none'
  } catch (error) {
    return nameOf(error)
  }
}

function nameOf(error: unknown): string {
  return error instanceof NoisecapError ? error.code : error instanceof Error ? error.name : 'no error'
}

/** Both hold the same bytes; quick where there are many. */
export function expectSame(actual: Uint8Array, expected: Uint8Array): void {
  expect(actual.length).toBe(expected.length)
  expect(Buffer.compare(actual, expected)).toBe(0)
}

/** The parts of a sealed stream. */
export function partsOf(sealed: Uint8Array, chunkBytes = SMALL) {
  const { end } = readPrelude(sealed)
  const frames: Uint8Array[] = []
  for (let at = end; at < sealed.length - 8; at += chunkBytes + 20)
    frames.push(sealed.subarray(at, Math.min(at + chunkBytes + 20, sealed.length - 8)))
  return { prelude: sealed.subarray(0, end), frames, trailer: sealed.subarray(sealed.length - 8) }
}

/** `bytes` in pieces of `size`. */
export function* cut(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}
