// Writes spec/vectors/seal-stream.json: sealed streams, a log and what is refused, with the values on the way to them.
// Run: npx tsx scripts/vectors/seal-stream.ts. A test holds the file against this generator and against a reader of its own.
// Keys and ephemeral keys are fixed here, which no writer ever does.
import { writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { concat, EMPTY, hexEncode, label } from '../../src/bytes.js'
import { asSecretKey, KeyPair, primitives } from '../../src/crypto/index.js'
import { HandshakeState } from '../../src/noise/index.js'
import { streamAssociatedData } from '../../src/seal/chunk-context.js'
import { commitmentOf, hintOf, streamCipher } from '../../src/seal/epoch-keys.js'
import { Continuity, HOST_SURROUNDINGS } from '../../src/seal/incarnation.js'
import type { RowKey } from '../../src/seal/index.js'
import { encodeHeader, encodeWrap } from '../../src/seal/layout.js'
import { patternOfName } from '../../src/seal/pattern.js'
import { encodePrelude } from '../../src/seal/stream-layout.js'
import { StreamSealer } from '../../src/seal/stream-sealer.js'

const FILE = new URL('../../spec/vectors/seal-stream.json', import.meta.url)
const CHUNK_BYTES = 64

/** `length` bytes that count up from `first`. */
const counting = (first: number, length = 32): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (first + i) & 0xff)
const pairOf = (first: number): KeyPair =>
  KeyPair.fromSecretKey(primitives().dh('25519'), asSecretKey(counting(first)))

const reader = pairOf(0x30)
const secondReader = pairOf(0x31)
const writer = pairOf(0x50)

interface Recipe {
  readonly name: string
  readonly pattern: 'N' | 'X'
  readonly readers?: readonly KeyPair[]
  readonly position?: number
  readonly chunkBytes?: number
  readonly length: number
  readonly context?: string
  /** Appended to the recipe before it. */
  readonly appended?: boolean
}

const RECIPES: readonly Recipe[] = [
  { name: 'N, three chunks, the last one short', pattern: 'N', length: 2 * CHUNK_BYTES + 5 },
  { name: 'N, empty', pattern: 'N', length: 0 },
  {
    name: 'N, two readers, a full last chunk, context',
    pattern: 'N',
    readers: [reader, secondReader],
    length: 128,
    context: 'report.pdf',
  },
  {
    name: 'X, the last position of an epoch, chunks of 128',
    pattern: 'X',
    position: 2 ** 20 - 1,
    chunkBytes: 128,
    length: 200,
  },
  { name: 'N, first segment of a log', pattern: 'N', length: 70 },
  { name: 'N, second segment, appended', pattern: 'N', length: 10, appended: true },
  { name: 'X, third segment, appended', pattern: 'X', length: 64, appended: true },
]

/** A stream and every value on the way to it.
 * @param index - from which its keys and, unless given, its content follow. */
export function streamVector(
  recipe: Recipe,
  index: number,
  after: Uint8Array | undefined,
  content: Uint8Array = counting(index, recipe.length),
) {
  const { name, pattern, position = 0, chunkBytes = CHUNK_BYTES, length, context } = recipe
  const sealPattern = patternOfName(pattern)
  const own = pattern === 'X' ? writer : undefined
  const A = own?.publicKey ?? EMPTY
  const epochKey = counting(0x80 + index)
  const core = concat(Uint8Array.of(1, 1, sealPattern.code), counting(0xa0 + index, 16))
  const commitment = commitmentOf(epochKey, core, A)
  const readers = recipe.readers ?? [reader]
  const wraps = readers.map((to, i) => {
    const message = new HandshakeState({
      protocol: sealPattern.protocol,
      role: 'initiator',
      prologue: concat(label('noisecap/v1 wrap'), core, commitment),
      rs: to.publicKey,
      unsafeEphemeral: pairOf(0xc1 + 2 * index + 32 * i),
      ...(own === undefined ? {} : { s: own }),
    }).writeMessage(epochKey)
    return encodeWrap(hintOf(to.publicKey, message), undefined, message)
  })
  const prelude = encodePrelude(encodeHeader(core, commitment, wraps), position, chunkBytes)
  const ad = streamAssociatedData(chunkBytes, context as RowKey | undefined, after)
  const cipher = streamCipher(epochKey, core, A, position)
  const sealer = new StreamSealer(prelude, chunkBytes, ad, cipher, new Continuity(HOST_SURROUNDINGS))
  const frames: Uint8Array[] = []
  for (let at = 0; at === 0 || at < length; at += chunkBytes) {
    const chunk = content.subarray(at, at + chunkBytes)
    const frame = new Uint8Array(chunk.length + 20)
    sealer.seal(chunk, at + chunkBytes >= length, frame)
    frames.push(frame)
  }
  const tail = sealer.tail!
  return {
    tail,
    vector: {
      name,
      pattern,
      readers: readers.map(({ secretKey }) => hexEncode(secretKey)),
      writer: own === undefined ? null : hexEncode(own.publicKey),
      context: context ?? null,
      after: after === undefined ? null : hexEncode(after),
      epochKey: hexEncode(epochKey),
      ad: hexEncode(ad),
      content: hexEncode(content),
      stream: hexEncode(concat(prelude, ...frames, sealer.trailer)),
      tail: hexEncode(tail),
    },
  }
}

type Vector = ReturnType<typeof streamVector>['vector']

/** Streams made of the first vector that must be refused, with the code of the refusal and how much content comes before it. */
function refusals({ stream }: Vector) {
  const hex = (from: number, to?: number) => stream.slice(2 * from, to === undefined ? undefined : 2 * to)
  const prelude = 142
  const frame = CHUNK_BYTES + 20
  const [a, b, last] = [0, 1, 2].map((i) =>
    hex(prelude + i * frame, prelude + Math.min((i + 1) * frame, 2 * frame + 25)),
  )
  const parts = { start: hex(0, prelude), a: a!, b: b!, last: last!, end: hex(stream.length / 2 - 8) }
  const of = (name: string, bytes: string, code: string, contentBytes: number) => ({
    name,
    stream: bytes,
    code,
    contentBytes,
  })
  const marked = `80${parts.b.slice(2)}`
  return [
    of('cut after the first chunk', parts.start + parts.a, 'seal/truncated', 64),
    of('cut within the length at the end', stream.slice(0, -2), 'seal/truncated', 133),
    of('chunks swapped', parts.start + parts.b + parts.a + parts.last + parts.end, 'seal/altered', 0),
    of(
      'chunk 0 twice',
      parts.start + parts.a + parts.a + parts.b + parts.last + parts.end,
      'seal/altered',
      64,
    ),
    of('a chunk left out', parts.start + parts.a + parts.last + parts.end, 'seal/altered', 64),
    of('the second chunk marked as the last', parts.start + parts.a + marked + parts.end, 'seal/altered', 64),
    of('a chunk size that is none', `${hex(0, prelude - 1)}05${hex(prelude)}`, 'seal/malformed', 0),
    of('another chunk size', `${hex(0, prelude - 1)}07${hex(prelude)}`, 'seal/malformed', 0),
    of('another position', `${hex(0, prelude - 2)}01${hex(prelude - 1)}`, 'seal/altered', 0),
    of('another length at the end', `${stream.slice(0, -2)}00`, 'seal/malformed', 133),
    of('a byte after the end', `${stream}00`, 'seal/malformed', 133),
    of('a value', `f9${stream.slice(2)}`, 'seal/malformed', 0),
  ]
}

/** The whole file. */
export function streamVectors() {
  const streams: Vector[] = []
  let previous: Uint8Array | undefined
  for (const [index, recipe] of RECIPES.entries()) {
    const { vector, tail } = streamVector(recipe, index, recipe.appended ? previous : undefined)
    streams.push(vector)
    previous = tail
  }
  return { note: 'spec/seal.md §12; all values hexadecimal', streams, refused: refusals(streams[0]!) }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  writeFileSync(FILE, `${JSON.stringify(streamVectors(), null, 2)}\n`)
