// spec/vectors/seal-stream.json against the generator, against openStream, openLog and openRange, and against a reader of its own
// that knows spec/seal.md §12 and node:crypto alone.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { streamVectors } from '../../scripts/vectors/seal-stream.js'
import { concat, hexDecode, hexEncode } from '../../src/bytes.js'
import { asSecretKey, KeyPair, primitives } from '../../src/crypto/index.js'
import { openLog, openRange, openStream, readTail, SealReader } from '../../src/seal/index.js'
import { attempt, collect } from '../seal/stream-parts.js'
import { decrypt, hmacSha256, publicKeyOf, readOneWay, sha256 } from './one-way-noise.js'

type Vectors = ReturnType<typeof streamVectors>
type Vector = Vectors['streams'][number]
const file: Vectors = JSON.parse(
  readFileSync(new URL('../../spec/vectors/seal-stream.json', import.meta.url), 'utf8'),
)
const hex = (text: string) => Buffer.from(text, 'hex')
const LABEL = (text: string) => Buffer.from(`noisecap/v1 ${text}\0`)

/** `["noisecap/v1 ad", 1, size, { 0: context, 1: hash, 2: tag }]` as RFC 8949 §4.2.1 writes it. */
function adOf({ context, after }: Vector, chunkBytes: number): Buffer {
  const text = (value: string) => Buffer.concat([Buffer.of(0x60 | value.length), Buffer.from(value)])
  const bytes = (value: Buffer) =>
    Buffer.concat([value.length < 24 ? Buffer.of(0x40 | value.length) : Buffer.of(0x58, value.length), value])
  const members: Buffer[] = []
  if (context !== null) members.push(Buffer.of(0), text(context))
  if (after !== null) {
    const tail = hex(after)
    members.push(Buffer.of(1), bytes(tail.subarray(0, 32)), Buffer.of(2), bytes(tail.subarray(32)))
  }
  const size = chunkBytes < 256 ? Buffer.of(0x18, chunkBytes) : Buffer.of(0x19, chunkBytes >> 8, 0)
  const head = Buffer.concat([Buffer.of(0x84), text('noisecap/v1 ad'), Buffer.of(1), size])
  return Buffer.concat([head, Buffer.of(0xa0 | (members.length / 2)), ...members])
}

/** Open a stream by the tables of spec/seal.md §12. */
function openIndependently(vector: Vector, secret: Buffer) {
  const stream = hex(vector.stream)
  const core = stream.subarray(1, 20)
  const commitment = stream.subarray(20, 52)
  const wrapBytes = vector.pattern === 'X' ? 132 : 84
  const prologue = Buffer.concat([LABEL('wrap'), core, commitment])
  let unwrapped: ReturnType<typeof readOneWay> | undefined
  let at = 53
  for (let i = 0; i < stream[52]!; i++, at += wrapBytes) {
    const message = stream.subarray(at + 4, at + wrapBytes)
    const hint = sha256(LABEL('hint'), publicKeyOf(secret), message.subarray(0, 32)).subarray(0, 4)
    if (hint.equals(stream.subarray(at, at + 4)))
      unwrapped = readOneWay(vector.pattern, secret, prologue, message)
  }
  const epochKey = unwrapped!.payload
  const writer = unwrapped!.writer ?? Buffer.alloc(0)
  const end = stream.subarray(at, at + 5)
  const position = Buffer.alloc(8)
  end.copy(position, 4, 0, 4)
  const streamKey = hmacSha256(epochKey, LABEL('seal stream'), core, writer, position)
  const chunkBytes = 2 ** end[4]!
  const ad = adOf(vector, chunkBytes)
  const contents: Buffer[] = []
  at += 5
  for (let index = 0, last = false; !last; index++) {
    const word = stream.readUInt32BE(at)
    last = word >= 2 ** 31
    const length = (word % 2 ** 31) + 16
    const nonce = Buffer.alloc(12)
    nonce.writeBigUInt64LE(BigInt(index) + (last ? 2n ** 63n : 0n), 4)
    contents.push(decrypt(streamKey, nonce, ad, stream.subarray(at + 4, at + 4 + length)))
    at += 4 + length
  }
  expect(stream.length).toBe(at + 8)
  expect(stream.readBigUInt64BE(at)).toBe(BigInt(stream.length))
  const hash = sha256(LABEL('seal segment'), core, commitment, end)
  const tail = Buffer.concat([hash, stream.subarray(at - 16, at)])
  return { epochKey, writer, ad, content: Buffer.concat(contents), tail }
}

const readerOf = (secret: string) => {
  const keys = KeyPair.fromSecretKey(primitives().dh('25519'), asSecretKey(hexDecode(secret)))
  return new SealReader({ keys, accept: [{ pattern: 'N' }, { pattern: 'X', writers: 'anyone' }] })
}
const optionsOf = ({ context, after }: Vector) => ({
  context: context ?? undefined,
  after: after === null ? undefined : hexDecode(after),
})

describe('spec/vectors/seal-stream.json', () => {
  test('is what the generator makes', () => {
    expect(JSON.parse(JSON.stringify(streamVectors()))).toEqual(file)
  })

  describe.each(file.streams)('$name', (vector) => {
    test('an independent reader finds every value', () => {
      for (const secret of vector.readers) {
        const read = openIndependently(vector, hex(secret))
        expect(hexEncode(read.epochKey)).toBe(vector.epochKey)
        expect(hexEncode(read.writer)).toBe(vector.writer ?? '')
        expect(hexEncode(read.ad)).toBe(vector.ad)
        expect(hexEncode(read.content)).toBe(vector.content)
        expect(hexEncode(read.tail)).toBe(vector.tail)
      }
    })

    test('openStream, openRange and readTail agree', async () => {
      const bytes = hexDecode(vector.stream)
      for (const secret of vector.readers) {
        const opened = await openStream(bytes, readerOf(secret), optionsOf(vector))
        expect(hexEncode(await collect(opened))).toBe(vector.content)
        const range = await openRange(
          new Blob([bytes]),
          readerOf(secret),
          { start: 3, end: 70 },
          optionsOf(vector),
        )
        expect(hexEncode(await collect(range))).toBe(vector.content.slice(6, 140))
      }
      expect(hexEncode((await readTail(new Blob([bytes]))).tail)).toBe(vector.tail)
    })
  })

  test('the last three are a log', async () => {
    const log = file.streams.slice(-3)
    const seen: string[] = []
    const bytes = concat(...log.map(({ stream }) => hexDecode(stream)))
    for await (const segment of openLog(bytes, readerOf(log[0]!.readers[0]!)))
      seen.push(hexEncode(await collect(segment)))
    expect(seen).toEqual(log.map(({ content }) => content))
  })

  test.each(file.refused)('refused: $name', async ({ stream, code, contentBytes }) => {
    const [vector] = file.streams
    const { got, code: found } = await attempt(hexDecode(stream), readerOf(vector!.readers[0]!))
    expect(found).toBe(code)
    expect(hexEncode(got)).toBe(vector!.content.slice(0, 2 * contentBytes))
  })
})
