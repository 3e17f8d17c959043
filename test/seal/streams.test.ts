// Sealed streams: what was sealed comes back from every kind of source, a chunk at a time, with who wrote it; ranges; logs.
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { describe, expect, test } from 'vitest'
import { concat, utf8 } from '../../src/bytes.js'
import { generateKeyPair } from '../../src/crypto/index.js'
import {
  openLog,
  openRange,
  openStream,
  Rewrapper,
  readTail,
  rewrapStream,
  SEAL_PATTERNS,
  SealReader,
  SealWriter,
  sealStream,
} from '../../src/seal/index.js'
import { ACCEPT, ACCEPT_ALL, email, identityOf, reader, sealCapability, writerKey } from './parties.js'
import {
  attempt,
  codeLater,
  collect,
  content,
  cut,
  expectSame,
  SMALL,
  seal,
  writerToReader,
} from './stream-parts.js'

const opening = new SealReader({ keys: reader, accept: ACCEPT_ALL })

describe('round trips', () => {
  test.each([0, 1, 63, 64, 65, 127, 128, 129, 640])('%i bytes in chunks of 64', async (length) => {
    const sealed = await seal(content(length))
    expectSame(await collect(await openStream(sealed, opening)), content(length))
    const chunks = Math.max(1, Math.ceil(length / SMALL))
    // 137 bytes of header, 5 of position and chunk size, 20 a chunk, 8 at the end.
    expect(sealed.length).toBe(length + 137 + 5 + 20 * chunks + 8)
  })

  test.each([65_535, 65_536, 65_537, 300_000])('%i bytes in chunks of 64 KiB', async (length) => {
    const sealed = await seal(content(length), {})
    expectSame(await collect(await openStream(cut(sealed, 10_000), opening)), content(length))
  })

  test.each([1, 3, 63, 64, 65, 84, 500, 5_000])('cut into pieces of %i, on both sides', async (size) => {
    const sealed = await seal(cut(content(1_000), size))
    expectSame(await collect(await openStream(cut(sealed, size), opening)), content(1_000))
  })

  test('empty pieces mean nothing', async () => {
    const nothing = new Uint8Array(0)
    const sealed = await seal([nothing, content(64), nothing, nothing])
    const pieces = [nothing, sealed.subarray(0, 1), nothing, sealed.subarray(1), nothing]
    expectSame(await collect(await openStream(pieces, opening)), content(64))
  })

  test.each(SEAL_PATTERNS)('%s says who wrote, before the first chunk', async (pattern) => {
    const to = pattern.length > 1 ? sealCapability() : reader.publicKey
    const writer = new SealWriter({ to, as: identityOf(pattern) })
    const stream = await openStream(await seal(content(200), {}, writer), opening)
    expect(stream.from.pattern).toBe(pattern)
    if ('writer' in stream.from) expect(stream.from.writer).toEqual(writerKey.publicKey)
    if ('capability' in stream.from) expect(stream.from.capability.grant.object).toBe('users/email')
    expect(await collect(stream)).toEqual(content(200))
  })

  test('for several readers', async () => {
    const others = [generateKeyPair(), generateKeyPair()]
    const writer = new SealWriter({ to: [reader, ...others].map(({ publicKey }) => publicKey) })
    const sealed = await seal(content(100), {}, writer)
    for (const keys of [reader, ...others]) {
      const one = new SealReader({ keys, accept: [ACCEPT.N] })
      expect(await collect(await openStream(sealed, one))).toEqual(content(100))
    }
  })

  test('streams and values draw positions from one epoch, whose header is opened once', async () => {
    const writer = writerToReader()
    const first = await seal(content(100), { chunkBytes: SMALL }, writer)
    const value = writer.seal('x', email.at(1))
    const second = await seal(content(100), { chunkBytes: SMALL }, writer)
    expect(first.subarray(1, 137)).toEqual(value.subarray(1, 137))
    expect([first, second].map((sealed) => sealed[140])).toEqual([0, 2])
    expect(first.subarray(142)).not.toEqual(second.subarray(142))
    expect(opening.open(value, email.at(1)).value).toBe('x')
    for (const sealed of [first, second]) expect((await attempt(sealed, opening)).code).toBe('none')
  })

  test('a stream goes on after the end of its epoch, and after its writer has gone', async () => {
    const writer = writerToReader()
    const source = async function* () {
      yield content(100)
      writer.endEpoch()
      writer[Symbol.dispose]()
      yield content(100)
    }
    const sealed = await seal(source(), { chunkBytes: SMALL }, writer)
    expect(await collect(await openStream(sealed, opening))).toEqual(concat(content(100), content(100)))
  })
})

describe('lent pieces', () => {
  /** Copies of all pieces, and how many memories they lay in. */
  const copied = async (stream: AsyncIterable<Uint8Array>) => {
    const pieces: Uint8Array[] = []
    const memories = new Set<ArrayBufferLike>()
    for await (const piece of stream) {
      pieces.push(piece.slice())
      memories.add(piece.buffer)
    }
    return { bytes: concat(...pieces), memories: memories.size }
  }

  test.each([0, 1, 64, 65, 640, 1_000])(
    '%i bytes, sealed and opened in lent memory, come back',
    async (length) => {
      for (const size of [50, 64, 5_000]) {
        const source = cut(content(length), size)
        const sealing = sealStream(source, writerToReader(), { chunkBytes: SMALL, lend: true })
        const opened = await copied(await openStream(sealing, opening, { lend: true }))
        expectSame(opened.bytes, content(length))
        expect(opened.memories).toBe(length === 0 ? 0 : 1)
      }
    },
  )

  test('all frames but the last lie in one memory; without it each has its own', async () => {
    const pieces = (lend: boolean) =>
      copied(sealStream(content(640), writerToReader(), { chunkBytes: SMALL, lend }))
    // The beginning of a stream and its last frame with the end are by themselves.
    expect((await pieces(true)).memories).toBe(3)
    expect((await pieces(false)).memories).toBe(11)
    const opened = await copied(await openStream(await seal(content(640)), opening))
    expect(opened.memories).toBe(10)
  })

  test('lent content is gone when reading has ended, also where it failed', async () => {
    const sealed = await seal(content(640))
    let last: Uint8Array | undefined
    const read = async (bytes: Uint8Array) => {
      for await (const piece of await openStream(bytes, opening, { lend: true })) {
        last = piece
        expect(piece.some((byte) => byte !== 0)).toBe(true)
      }
    }
    await read(sealed)
    expect(last!.every((byte) => byte === 0)).toBe(true)
    expect(await codeLater(() => read(sealed.subarray(0, 500)))).toBe('seal/truncated')
    expect(last!.every((byte) => byte === 0)).toBe(true)
  })

  test('segments of a log', async () => {
    const writer = writerToReader()
    const first = sealStream(content(200), writer, { chunkBytes: SMALL })
    const bytes = await collect(first)
    const second = await seal(content(300), { chunkBytes: SMALL, after: first.tail }, writer)
    const lengths: number[] = []
    for await (const segment of openLog(concat(bytes, second), opening, { lend: true })) {
      const { bytes: opened, memories } = await copied(segment)
      expectSame(opened, content(opened.length))
      expect(memories).toBe(1)
      lengths.push(opened.length)
    }
    expect(lengths).toEqual([200, 300])
  })
})

describe('context', () => {
  test('a stream opens for what it was sealed for; 1 is not "1", null is not none', async () => {
    const contexts = [undefined, null, 1, '1', utf8('1'), ['report', 7]]
    for (const context of contexts) {
      const sealed = await seal(content(10), { context })
      for (const other of contexts) {
        const { code } = await attempt(sealed, opening, { context: other })
        expect(code).toBe(other === context ? 'none' : 'seal/altered')
      }
    }
  })

  test('one that is too long, or has no encoding', () => {
    const writer = writerToReader()
    expect(() => sealStream([], writer, { context: 'x'.repeat(1_024) })).toThrow(RangeError)
    expect(() => sealStream([], writer, { context: 1.5 })).toThrow()
    expect(() => sealStream([], writer, { after: new Uint8Array(47) })).toThrow(TypeError)
  })

  test.each([0, 1, 63, 65, 96, 2 ** 21, -64, Number.NaN, 64.5])(
    'chunks of %d bytes are refused',
    (chunkBytes) => {
      expect(() => sealStream([], writerToReader(), { chunkBytes })).toThrow(RangeError)
    },
  )
})

describe('platforms', () => {
  test('Node: pipeline between files', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'noisecap-streams-'))
    const [plain, sealed, opened] = ['plain', 'sealed', 'opened'].map((name) => join(folder, name))
    await writeFile(plain!, content(200_000))
    const writer = writerToReader()
    await pipeline(
      createReadStream(plain!),
      (source) => sealStream(source, writer),
      createWriteStream(sealed!),
    )
    const input = await openStream(createReadStream(sealed!), opening)
    await pipeline(input, createWriteStream(opened!))
    expectSame(new Uint8Array(await readFile(opened!)), content(200_000))
    await rm(folder, { recursive: true })
  })

  test('Node: Readable in, Readable out', async () => {
    const sealed = Readable.from(sealStream(Readable.from([content(1_000)]), writerToReader()))
    expectSame(await collect(await openStream(sealed, opening)), content(1_000))
  })

  test('Web Streams in and out, also where they cannot be iterated', async () => {
    const web = new Blob([content(100_000)]).stream()
    const sealed = sealStream(web, writerToReader()).toReadableStream()
    Object.defineProperty(sealed, Symbol.asyncIterator, { value: undefined })
    const plain = { getReader: () => sealed.getReader() } as ReadableStream<Uint8Array>
    const opened = (await openStream(plain, opening)).toReadableStream()
    expectSame(new Uint8Array(await new Response(opened).arrayBuffer()), content(100_000))
  })

  test('text is no bytes', async () => {
    const text = Readable.from(['text'], { encoding: 'utf8' })
    expect(await codeLater(() => seal(text))).toBe('TypeError')
    expect(await codeLater(() => openStream(Readable.from(['text']), opening))).toBe('TypeError')
  })

  test('a stream is read once', async () => {
    const stream = sealStream([], writerToReader())
    await collect(stream)
    expect(() => stream.toReadableStream()).toThrow(TypeError)
  })
})

describe('sources that fail, and readers that leave', () => {
  /** A source that says whether it was let go of. */
  const watched = (bytes: Uint8Array) => {
    const state = { closed: false }
    const source = (async function* () {
      try {
        for (const piece of cut(bytes, 50)) yield piece
      } finally {
        state.closed = true
      }
    })()
    return { source, state }
  }

  test('the error of a source is the error of the stream', async () => {
    const failing = async function* (bytes: Uint8Array) {
      yield bytes
      throw new Error('the disk is gone')
    }
    await expect(seal(failing(content(200)))).rejects.toThrow('the disk is gone')
    const sealed = await seal(content(200))
    const opened = await openStream(failing(sealed.subarray(0, 300)), opening)
    await expect(collect(opened)).rejects.toThrow('the disk is gone')
    await expect(openStream(failing(sealed.subarray(0, 20)), opening)).rejects.toThrow('the disk is gone')
  })

  test.each(['break', 'cancel', 'dispose'])('%s lets go of the source, begun or not', async (how) => {
    const sealed = await seal(content(500))
    for (const begun of [true, false]) {
      for (const side of ['seal', 'open']) {
        const { source, state } = watched(side === 'seal' ? content(500) : sealed)
        await source.next() // a generator that has not begun has nothing to let go of
        const rest = side === 'seal' ? source : concatSource(sealed.subarray(0, 50), source)
        const stream = side === 'seal' ? sealStream(rest, writerToReader()) : await openStream(rest, opening)
        if (how === 'cancel') {
          const web = stream.toReadableStream().getReader()
          if (begun) await web.read()
          await web.cancel()
        } else if (how === 'break') {
          if (begun) for await (const _piece of stream) break
          else await stream[Symbol.asyncIterator]().return?.()
        } else {
          if (begun) await stream[Symbol.asyncIterator]().next()
          await stream[Symbol.asyncDispose]()
        }
        expect(state.closed, `${side}, ${begun ? 'begun' : 'not begun'}`).toBe(true)
      }
    }
  })

  async function* concatSource(first: Uint8Array, rest: AsyncIterable<Uint8Array>) {
    yield first
    yield* rest
  }
})

describe('memory', () => {
  test('no more than one chunk and one piece wait, however long the stream is', async () => {
    const piece = 16_384
    const pieces = 1_000
    let read = 0
    let most = 0
    const source = async function* () {
      for (let i = 0; i < pieces; i++) {
        read += piece
        yield new Uint8Array(piece)
      }
    }
    let sealedBytes = 0
    const counted = async function* () {
      for await (const out of sealStream(source(), writerToReader())) {
        sealedBytes += out.length
        most = Math.max(most, read - sealedBytes)
        yield out
      }
    }
    let opened = 0
    for await (const out of await openStream(counted(), opening)) {
      opened += out.length
      most = Math.max(most, read - opened)
    }
    expect(opened).toBe(piece * pieces)
    expect(most).toBeLessThanOrEqual(2 * 65_536 + 2 * piece)
  })
})

describe('openRange', () => {
  const whole = content(1_000)

  test('every range of a stream of a few chunks', async () => {
    const short = content(200)
    const sealed = new Blob([await seal(short)])
    for (let start = 0; start <= 201; start += 1) {
      for (const end of [start, start + 1, start + 63, start + 64, start + 65, 199, 200, 300]) {
        if (end < start) continue
        const range = await openRange(sealed, opening, { start, end })
        expect(range.size).toBe(200)
        expectSame(await collect(range), short.subarray(start, end))
      }
    }
  })

  test('of a file, with context; a range that is none', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'noisecap-range-'))
    const path = join(folder, 'sealed')
    await writeFile(path, await seal(whole, { context: 'report', chunkBytes: SMALL }))
    const file = await open(path)
    const range = await openRange(file, opening, { start: 500, end: 600 }, { context: 'report' })
    expect(await collect(range)).toEqual(whole.subarray(500, 600))
    expect(await codeLater(() => openRange(file, opening, {}, { context: 'other' }))).toBe('seal/altered')
    for (const range of [{ start: -1 }, { start: 2, end: 1 }, { start: 0.5 }, { end: Number.NaN }])
      expect(await codeLater(() => openRange(file, opening, range, { context: 'report' }))).toBe('RangeError')
    await file.close()
    await rm(folder, { recursive: true })
  })

  test('reads the last chunk first, and of the others only what is asked for', async () => {
    const sealed = await seal(whole)
    const reads: number[] = []
    const source = {
      size: sealed.length,
      read: async (offset: number, length: number) => {
        reads.push(offset)
        return sealed.subarray(offset, offset + length)
      },
    }
    await collect(await openRange(source, opening, { start: 130, end: 140 }))
    const start = 142
    expect(reads).toEqual([0, sealed.length - 8, start + 15 * 84, start + 2 * 84])
  })

  test('an empty stream', async () => {
    const range = await openRange(new Blob([await seal([])]), opening, {})
    expect([range.size, await collect(range)]).toEqual([0, new Uint8Array(0)])
  })
})

describe('logs', () => {
  /** A log of segments of these contents, each appended by a writer that finds its end in what is stored. */
  async function logOf(...contents: readonly Uint8Array[]): Promise<Uint8Array> {
    let log: Uint8Array = new Uint8Array(0)
    for (const each of contents) {
      const after = log.length === 0 ? undefined : (await readTail(new Blob([log]))).tail
      log = concat(log, await seal(each, { chunkBytes: SMALL, after }))
    }
    return log
  }
  const contents = [content(100), content(0), content(64), content(300)]

  test('segments come in order, with their tails, whether or not they are read', async () => {
    const log = await logOf(...contents)
    for (const skipped of [[], [0], [1, 3], [0, 1, 2, 3]]) {
      const seen: Uint8Array[] = []
      let tail: Uint8Array | undefined
      let index = 0
      for await (const segment of openLog(cut(log, 100), opening)) {
        expect(segment.from.pattern).toBe('N')
        if (skipped.includes(index)) for await (const _piece of segment) break
        else seen.push(await collect(segment))
        tail = segment.tail ?? tail
        index += 1
      }
      expect(index).toBe(4)
      expect(seen).toEqual(contents.filter((_, i) => !skipped.includes(i)))
      if (skipped.length === 0) expect(tail).toEqual((await readTail(new Blob([log]))).tail)
    }
  })

  test('openStream and openRange take one segment', async () => {
    const log = await logOf(...contents)
    expect(await attempt(log, opening)).toEqual({ got: contents[0], code: 'seal/malformed' })
    expect(await codeLater(() => openRange(new Blob([log]), opening, {}))).toBe('seal/malformed')
  })

  test('going on after a segment that was read before', async () => {
    const first = await logOf(contents[0]!)
    const { tail, size } = await readTail(new Blob([first]))
    const second = await seal(contents[3]!, { chunkBytes: SMALL, after: tail })
    expect(size).toBe(first.length)
    const read = await attempt(second, opening, { after: tail })
    expect(read).toEqual({ got: contents[3], code: 'none' })
    expect((await attempt(second, opening)).code).toBe('seal/altered')
  })

  test('the tail that sealing tells is the one that storage tells', async () => {
    const stream = sealStream(content(100), writerToReader(), { chunkBytes: SMALL })
    expect(stream.tail).toBeUndefined()
    const sealed = await collect(stream)
    expect((await readTail(new Blob([sealed]))).tail).toEqual(stream.tail)
  })

  test('rewrapping a log keeps its chain', async () => {
    const next = generateKeyPair()
    const log = await logOf(...contents)
    const rewrapper = new Rewrapper({ key: reader, add: [next.publicKey, generateKeyPair().publicKey] })
    const rewrapped = await collect(rewrapStream(cut(log, 77), rewrapper))
    const seen: Uint8Array[] = []
    const nextReader = new SealReader({ keys: next, accept: [ACCEPT.N] })
    for await (const segment of openLog(rewrapped, nextReader)) seen.push(await collect(segment))
    expect(seen).toEqual(contents)
    const more = await seal(content(10), { after: (await readTail(new Blob([rewrapped]))).tail })
    let count = 0
    for await (const _segment of openLog(concat(rewrapped, more), opening)) count += 1
    expect(count).toBe(5)
  })

  test('rewrapping one stream, back and forth; X is resealed', async () => {
    const next = generateKeyPair()
    const sealed = await seal(content(100_000), {})
    const there = new Rewrapper({ key: reader, add: [next.publicKey], dropOwn: true })
    const forNext = await collect(rewrapStream(sealed, there))
    const nextReader = new SealReader({ keys: next, accept: [ACCEPT.N] })
    expect((await attempt(forNext, new SealReader({ keys: reader, accept: [ACCEPT.N] }))).code).toBe(
      'seal/not_for_reader',
    )
    expectSame(await collect(await openStream(forNext, nextReader)), content(100_000))
    expect((await openRange(new Blob([forNext]), nextReader, {})).size).toBe(100_000)
    const proving = new SealWriter({ to: reader.publicKey, as: identityOf('X') })
    const x = await seal(content(10), {}, proving)
    expect(await codeLater(() => collect(rewrapStream(x, there)))).toBe('seal/reseal')
  })
})
