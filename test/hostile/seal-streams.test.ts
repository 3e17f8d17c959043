// Storage that lies about streams: every flipped bit, every truncation, chunks moved, repeated, left out or taken from elsewhere,
// and claims of size. Whatever is handed out before the error is content that was sealed, in its place.
import { describe, expect, test } from 'vitest'
import { concat } from '../../src/bytes.js'
import { Capability, ServiceKey } from '../../src/capability/index.js'
import { generateKeyPair, primitives } from '../../src/crypto/index.js'
import {
  openLog,
  openRange,
  openStream,
  Rewrapper,
  readTail,
  rewrapStream,
  SealReader,
  SealWriter,
  sealStream,
  streamOpener,
  streamSealer,
} from '../../src/seal/index.js'
import { ACCEPT, ACCEPT_ALL, flipped, identityOf, reader, rules, sealCapability } from '../seal/parties.js'
import {
  attempt,
  codeLater,
  collect,
  content,
  cut,
  partsOf,
  SMALL,
  seal,
  writerToReader,
} from '../seal/stream-parts.js'
import { Canaries } from './canary.js'
import { SHOWS } from './shows.js'

const opening = new SealReader({ keys: reader, accept: ACCEPT_ALL })
const plain = content(3 * SMALL + 10)
const sealed = await seal(plain)
const { prelude, frames, trailer } = partsOf(sealed)
const isPrefix = (got: Uint8Array) => Buffer.compare(got, plain.subarray(0, got.length)) === 0

describe('every flipped bit', () => {
  test.each(['N', 'X', 'Npsk0'] as const)('of a stream of four chunks, %s', async (pattern) => {
    const to = pattern.length > 1 ? sealCapability() : reader.publicKey
    const stream = await seal(plain, { chunkBytes: SMALL }, new SealWriter({ to, as: identityOf(pattern) }))
    const preludeBits = 8 * partsOf(stream).prelude.length
    const codes = new Set<string>()
    for (let bit = 0; bit < 8 * stream.length; bit++) {
      const { got, code } = await attempt(flipped(stream, bit), opening)
      // The length at the end is not secret and comes after all content; everything else is noticed before its chunk.
      const chunk = Math.floor((bit / 8 - preludeBits / 8) / (SMALL + 20))
      const inTrailer = bit / 8 >= stream.length - 8
      const before = inTrailer ? plain.length : Math.max(0, chunk) * SMALL
      expect(code, `bit ${bit}`).not.toBe('none')
      expect(got.length, `bit ${bit}`).toBe(Math.min(before, plain.length))
      expect(isPrefix(got), `bit ${bit}`).toBe(true)
      codes.add(code)
    }
    const ofHeader = ['seal/version', 'seal/not_for_reader', 'seal/too_large']
    const any = ['seal/altered', 'seal/malformed', 'seal/truncated', 'seal/not_accepted', ...ofHeader]
    expect([...codes].filter((code) => !any.includes(code))).toEqual([])
  })

  test('of a chunk, its length aside, is seal/altered and says nothing else', async () => {
    const start = prelude.length + 4
    for (let bit = 8 * start; bit < 8 * (start + SMALL + 16); bit++) {
      const result = await attempt(flipped(sealed, bit), opening)
      expect(result).toEqual({ got: new Uint8Array(0), code: 'seal/altered' })
    }
  })

  test('seen by openRange too, unless it lies in chunks that were not asked for', async () => {
    for (let bit = 0; bit < 8 * sealed.length; bit += 3) {
      const source = new Blob([flipped(sealed, bit)])
      const range = { start: SMALL, end: 2 * SMALL }
      const code = await codeLater(async () => collect(await openRange(source, opening, range)))
      const chunk = Math.floor((bit / 8 - prelude.length) / (SMALL + 20))
      expect(code === 'none', `bit ${bit}`).toBe(chunk === 0 || chunk === 2)
    }
  })
})

describe('truncation', () => {
  test('at every byte: an error, and no more than whole chunks before it', async () => {
    for (let length = 0; length < sealed.length; length++) {
      const { got, code } = await attempt(cut(sealed.subarray(0, length), 50), opening)
      expect(code, `${length} bytes`).toBe(length < 2 ? 'seal/malformed' : 'seal/truncated')
      const chunks = Math.max(0, Math.floor((length - prelude.length) / (SMALL + 20)))
      const all = length >= sealed.length - trailer.length
      expect(got.length, `${length} bytes`).toBe(all ? plain.length : Math.min(chunks, 3) * SMALL)
      expect(isPrefix(got)).toBe(true)
    }
  })

  test('at every byte, seen by openRange and readTail', async () => {
    for (let length = 0; length < sealed.length; length++) {
      const source = new Blob([sealed.slice(0, length)])
      for (const action of [() => openRange(source, opening, { end: 1 }), () => readTail(source)]) {
        const code = await codeLater(action)
        expect(['seal/truncated', 'seal/malformed'], `${length} bytes`).toContain(code)
      }
    }
  })

  test('to whole chunks, with the length at the end put right', async () => {
    for (let count = 0; count < frames.length; count++) {
      const kept = concat(prelude, ...frames.slice(0, count))
      const end = new Uint8Array(8)
      new DataView(end.buffer).setUint32(4, kept.length + 8)
      const shorter = concat(kept, end)
      expect((await attempt(shorter, opening)).code).not.toBe('none')
      const code = await codeLater(() => openRange(new Blob([shorter]), opening, { end: 0 }))
      expect(['seal/truncated', 'seal/malformed']).toContain(code)
    }
  })

  test('a last-chunk mark on an earlier chunk', async () => {
    const marked = frames[1]!.slice()
    marked[0]! |= 0x80
    const { got, code } = await attempt(concat(prelude, frames[0]!, marked, trailer), opening)
    expect([got.length, code]).toEqual([SMALL, 'seal/altered'])
    const end = new Uint8Array(8)
    new DataView(end.buffer).setUint32(4, prelude.length + 2 * (SMALL + 20) + 8)
    const blob = new Blob([concat(prelude, frames[0]!, marked, end)])
    expect(await codeLater(() => openRange(blob, opening, {}))).toBe('seal/altered')
  })

  test('the mark taken from the last chunk', async () => {
    const full = await seal(content(2 * SMALL))
    const parts = partsOf(full)
    const last = parts.frames[1]!.slice()
    last[0]! &= 0x7f
    const { got, code } = await attempt(concat(parts.prelude, parts.frames[0]!, last), opening)
    expect([got.length, code]).toEqual([SMALL, 'seal/altered'])
  })
})

describe('chunks in other places', () => {
  const [a, b, c, last] = frames as [Uint8Array, Uint8Array, Uint8Array, Uint8Array]
  test.each([
    ['swapped', [b, a, c, last], 0],
    ['swapped later', [a, c, b, last], 1],
    ['chunk 0 twice', [a, a, b, c, last], 1],
    ['one repeated', [a, b, b, c, last], 2],
    ['one left out', [a, c, last], 1],
    ['the first left out', [b, c, last], 0],
    ['the last first', [last], 0],
    ['all twice', [a, b, c, last, a, b, c, last], 4],
  ])('%s', async (_name, order, good) => {
    const { got, code } = await attempt(concat(prelude, ...order, trailer), opening)
    expect(code).toBe(good === 4 ? 'seal/malformed' : 'seal/altered')
    expect(got.length).toBe(Math.min(good * SMALL, plain.length))
    expect(isPrefix(got)).toBe(true)
  })

  test('of another stream of the same epoch, of another epoch, and a value’s ciphertext', async () => {
    const writer = writerToReader()
    const [one, two] = [await seal(plain, undefined, writer), await seal(plain, undefined, writer)]
    const other = partsOf(two)
    const own = partsOf(one)
    const rest = [...own.frames.slice(1), own.trailer]
    for (const foreign of [other.frames[0]!, a]) {
      const { got, code } = await attempt(concat(own.prelude, foreign, ...rest), opening)
      expect([got.length, code]).toEqual([0, 'seal/altered'])
    }
    expect((await attempt(concat(own.prelude, ...own.frames, own.trailer), opening)).code).toBe('none')
  })

  test('a header of another stream, of the same epoch or not', async () => {
    const writer = writerToReader()
    const [one, two] = [await seal(plain, undefined, writer), await seal(plain, undefined, writer)]
    for (const [first, second] of [
      [one, two],
      [one, sealed],
    ] as const) {
      const swapped = concat(partsOf(first).prelude, ...partsOf(second).frames, trailer)
      expect(await attempt(swapped, opening)).toEqual({ got: new Uint8Array(0), code: 'seal/altered' })
    }
  })

  test('another chunk size in the header', async () => {
    for (const exponent of [0, 5, 7, 16, 20, 21, 255]) {
      const altered = sealed.slice()
      altered[prelude.length - 1] = exponent
      const { got, code } = await attempt(altered, opening)
      expect(got.length).toBe(0)
      expect(code).toBe('seal/malformed')
    }
  })
})

const first = await seal(content(100))
const tailOf = async (log: Uint8Array) => (await readTail(new Blob([log]))).tail
const second = await seal(content(50), { chunkBytes: SMALL, after: await tailOf(first) })
const log = concat(first, second)
const third = await seal(content(10), { chunkBytes: SMALL, after: await tailOf(log) })

describe('logs', () => {
  const read = async (bytes: Uint8Array) => {
    let segments = 0
    const code = await codeLater(async () => {
      for await (const segment of openLog(bytes, opening)) {
        await collect(segment)
        segments += 1
      }
    })
    return [segments, code]
  }

  test.each([
    ['as it was written', [first, second, third], 3, 'none'],
    ['cut back to a segment, which does not show', [first, second], 2, 'none'],
    ['a segment left out', [first, third], 1, 'seal/altered'],
    ['the first left out', [second, third], 0, 'seal/altered'],
    ['swapped', [first, third, second], 1, 'seal/altered'],
    ['one repeated', [first, second, second], 2, 'seal/altered'],
    ['one that is no continuation', [first, sealed], 1, 'seal/altered'],
    ['bytes that are no segment', [first, Uint8Array.of(1, 2, 3)], 1, 'seal/malformed'],
    ['a segment that was cut short', [first, second.subarray(0, -20)], 1, 'seal/truncated'],
  ])('%s', async (_name, segments, good, code) => {
    expect(await read(concat(...segments))).toEqual([good, code])
  })

  test('a length at the end that points elsewhere: the appender finds no header there', async () => {
    for (const length of [0, 8, 9, 100, log.length + 1, log.length - 1, 2 ** 31]) {
      const altered = log.slice()
      new DataView(altered.buffer).setUint32(log.length - 4, length)
      const code = await codeLater(() => readTail(new Blob([altered])))
      // One time in 256 what stands there begins as a stream does, of some version.
      expect(['seal/truncated', 'seal/malformed', 'seal/version'], String(length)).toContain(code)
    }
  })
})

describe('claims of size', () => {
  test('a frame that claims 2 GiB is refused from its length alone', async () => {
    for (const word of [0x7fff_ffff, 0xffff_ffff, 0x8000_0000 + SMALL + 1, SMALL - 1, 0]) {
      const head = new Uint8Array(4)
      new DataView(head.buffer).setUint32(0, word)
      expect((await attempt(concat(prelude, head), opening)).code).toBe('seal/malformed')
    }
  })

  test('an empty last chunk that is not alone', async () => {
    const head = Uint8Array.of(0x80, 0, 0, 0)
    const { got, code } = await attempt(concat(prelude, frames[0]!, head, new Uint8Array(16)), opening)
    expect([got.length, code]).toEqual([SMALL, 'seal/malformed'])
    const sealer = streamSealer(writerToReader(), { chunkBytes: SMALL })
    sealer.seal(content(SMALL), false, new Uint8Array(SMALL + 20))
    expect(() => sealer.seal(new Uint8Array(0), true, new Uint8Array(20))).toThrow(RangeError)
  })

  test('a header without end: no more than 8 KiB of it is waited for', async () => {
    const endless = concat(prelude.subarray(0, 52), Uint8Array.of(255))
    expect((await attempt(endless, opening)).code).toBe('seal/too_large')
    const locator = await seal([], {}, new SealWriter({ to: sealCapability() }))
    locator.set([0xff, 0xff], 57)
    expect((await attempt(locator.subarray(0, 59), opening)).code).toBe('seal/too_large')
  })
})

describe('the wrong reader', () => {
  test.each([
    ['another key', { keys: generateKeyPair(), accept: ACCEPT_ALL }, 'seal/not_for_reader'],
    ['a pattern that is not accepted', { keys: reader, accept: [ACCEPT.X] }, 'seal/not_accepted'],
  ])('%s', async (_name, options, code) => {
    expect((await attempt(sealed, new SealReader(options))).code).toBe(code)
  })

  test('the wrong PSK: of another root, and made up, are as good as altered and say no more', async () => {
    const refused = { got: new Uint8Array(0), code: 'seal/altered' }
    const madeUp = Capability.fromPair(reader.publicKey, primitives().randomBytes(32))
    const underMadeUp = await seal(plain, {}, new SealWriter({ to: madeUp }))
    expect(await attempt(underMadeUp, opening)).toEqual(refused)
    const under = await seal(plain, {}, new SealWriter({ to: sealCapability() }))
    const { root } = ServiceKey.generate().authority()
    const capabilities = { ...rules, authority: { ...rules.authority, root } }
    const lacking = new SealReader({ keys: reader, accept: [{ pattern: 'Npsk0', capabilities }] })
    expect(await attempt(under, lacking)).toEqual(refused)
    expect((await attempt(under, opening)).code).toBe('none')
  })

  test('a bit of the sealed locator, and a capability that has expired since', async () => {
    const stream = await seal(plain, {}, new SealWriter({ to: sealCapability({ expiresIn: '1m' }) }))
    const later = { at: Date.now() / 1_000 + 3_600 }
    expect((await attempt(stream, opening, later)).code).toBe('seal/expired')
    const other = stream.slice()
    other[70]! ^= 1 // in the sealed locator
    expect((await attempt(other, opening)).code).toBe('seal/altered')
  })

  test('a value is no stream, and a stream no value', async () => {
    const value = writerToReader().seal('x', (await import('../seal/parties.js')).email.at(1))
    expect((await attempt(value, opening)).code).toBe('seal/malformed')
    const rewrapper = new Rewrapper({ key: reader, add: [] })
    expect(await codeLater(async () => rewrapper.rewrap(sealed))).toBe('seal/malformed')
    expect(await codeLater(() => collect(rewrapStream(value, rewrapper)))).toBe('seal/malformed')
  })
})

interface Clocks {
  wall: number
  mono: number
  pid: number
}

describe('a copy of the process', () => {
  const shifted = (by: { wall?: number; mono?: number; pid?: number }) => (now: Clocks) => {
    now.wall += by.wall ?? 0
    now.mono += by.mono ?? 0
    now.pid += by.pid ?? 0
  }
  test.each([
    ['another process id', shifted({ pid: 1 })],
    ['the wall clock moved on by 5 s', shifted({ wall: 5_000 })],
    ['the wall clock moved back by 5 s', shifted({ wall: -5_000 })],
    ['the monotonic clock went back', shifted({ mono: -1, wall: -1 })],
    ['a clock reads NaN', shifted({ wall: Number.NaN })],
  ])('%s: the stream ends, and no chunk is sealed', async (_name, jump) => {
    const now = { wall: 1e12, mono: 1e6, pid: 7 }
    const surroundings = {
      wallMs: () => now.wall,
      monotonicMs: () => now.mono,
      processId: () => now.pid,
    }
    const writer = new SealWriter({ to: reader.publicKey, surroundings })
    const source = async function* () {
      yield content(2 * SMALL)
      now.wall += 7_200_000 // two hours, by both clocks, are no reason
      now.mono += 7_200_000
      yield content(SMALL)
      jump(now)
      yield content(2 * SMALL)
    }
    const out: Uint8Array[] = []
    const code = await codeLater(async () => {
      for await (const piece of sealStream(source(), writer, { chunkBytes: SMALL })) out.push(piece)
    })
    expect(code).toBe('seal/interrupted')
    expect(out.length).toBe(1 + 2)
    expect((await attempt(concat(...out), opening)).code).toBe('seal/truncated')
    Object.assign(now, { wall: 3e12, mono: 3e6 })
    expect((await attempt(await seal(plain, undefined, writer), opening)).code).toBe('none')
  })
})

describe('nothing shows a secret', () => {
  test.each(Object.entries(SHOWS))('%s', async (_name, show) => {
    const secret = 'canary-of-a-sealed-stream-canary'
    const writer = writerToReader()
    const stream = sealStream(new TextEncoder().encode(secret), writer)
    const sealer = streamSealer(writer)
    const opened = await openStream(await seal(new TextEncoder().encode(secret)), opening)
    const canaries = new Canaries({ plaintext: secret, 'key of the reader': reader.secretKey })
    for (const object of [stream, sealer, opened, streamOpener(opening, prelude)])
      expect(canaries.seenIn(show(object))).toEqual([])
  })
})
