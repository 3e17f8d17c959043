// Properties of sealed streams that must hold for every input: where the bytes are cut means nothing, any part opens as that part,
// and nothing that anybody makes of a stream opens as something that was not sealed.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { concat } from '../../src/bytes.js'
import { openRange, openStream, SealReader, sealStream } from '../../src/seal/index.js'
import { ACCEPT, reader } from '../seal/parties.js'
import { attempt, collect, writerToReader } from '../seal/stream-parts.js'

const writer = writerToReader()
const opening = new SealReader({ keys: reader, accept: [ACCEPT.N] })
const pieces = fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 12 })
const chunkBytes = fc.constantFrom(64, 128, 256)
const same = (a: Uint8Array, b: Uint8Array) => expect(Buffer.compare(a, b)).toBe(0)

/** `bytes` cut at some of its places. */
function recut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const cuts = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  return cuts.slice(1).map((end, i) => bytes.subarray(cuts[i], end))
}

describe('round trips', () => {
  test('however the plaintext and the sealed bytes are cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        pieces,
        chunkBytes,
        fc.array(fc.nat(), { maxLength: 20 }),
        async (parts, size, places) => {
          const sealed = await collect(sealStream(parts, writer, { chunkBytes: size }))
          same(await collect(await openStream(recut(sealed, places), opening)), concat(...parts))
        },
      ),
    )
  })

  test('any range is that part of the whole', async () => {
    await fc.assert(
      fc.asyncProperty(pieces, chunkBytes, fc.nat(2_500), fc.nat(2_500), async (parts, size, a, b) => {
        const sealed = await collect(sealStream(parts, writer, { chunkBytes: size }))
        const [start, end] = [Math.min(a, b), Math.max(a, b)]
        const range = await openRange(new Blob([sealed]), opening, { start, end })
        const whole = concat(...parts)
        expect(range.size).toBe(whole.length)
        same(await collect(range), whole.subarray(start, end))
      }),
    )
  })
})

test('any edit of the sealed bytes is an error, and what came before it was sealed', async () => {
  const edits = fc.record({ at: fc.nat(), remove: fc.nat(90), insert: fc.uint8Array({ maxLength: 90 }) })
  await fc.assert(
    fc.asyncProperty(pieces, edits, async (parts, { at, remove, insert }) => {
      const sealed = await collect(sealStream(parts, writer, { chunkBytes: 64 }))
      const start = at % (sealed.length + 1)
      const edited = concat(sealed.subarray(0, start), insert, sealed.subarray(start + remove))
      fc.pre(Buffer.compare(edited, sealed) !== 0)
      const { got, code } = await attempt(edited, opening)
      expect(code).toMatch(/^seal\//)
      same(got, concat(...parts).subarray(0, got.length))
    }),
    { numRuns: 500 },
  )
})

test('bytes of anybody are refused with a code of this layer', async () => {
  const stranger = fc.oneof(
    fc.uint8Array({ maxLength: 400 }),
    fc.uint8Array({ maxLength: 400 }).map((bytes) => concat(Uint8Array.of(0xfc, 1, 1, 1), bytes)),
  )
  await fc.assert(
    fc.asyncProperty(stranger, async (bytes) => {
      expect((await attempt(bytes, opening)).code).toMatch(/^seal\//)
    }),
    { numRuns: 500 },
  )
})
