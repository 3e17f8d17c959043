// Headers of streams that lie: wraps that disagree, versions that nobody knows, and claims of size. Nothing of the content is handed
// out. Leaves out chunks (seal-streams.test.ts).
import { describe, expect, test } from 'vitest'
import { concat } from '../../src/bytes.js'
import { generateKeyPair, primitives } from '../../src/crypto/index.js'
import { streamAssociatedData } from '../../src/seal/chunk-context.js'
import { commitmentOf, streamCipher } from '../../src/seal/epoch-keys.js'
import { Continuity } from '../../src/seal/incarnation.js'
import { openRange, SealReader } from '../../src/seal/index.js'
import { encodeHeader, OFFSET } from '../../src/seal/layout.js'
import { patternOfName } from '../../src/seal/pattern.js'
import { encodePrelude } from '../../src/seal/stream-layout.js'
import { StreamSealer } from '../../src/seal/stream-sealer.js'
import { writeWrap } from '../../src/seal/wrap.js'
import { ACCEPT, ACCEPT_ALL, reader } from '../seal/parties.js'
import { attempt, codeLater, content, cut, SMALL, seal } from '../seal/stream-parts.js'

const opening = new SealReader({ keys: reader, accept: ACCEPT_ALL })
const sealed = await seal(content(3 * SMALL + 10))

describe('headers of streams', () => {
  const without = new Uint8Array(0)

  /** A stream by hand whose header has one wrap for each reader, of any key; its chunks are under the first one. */
  function forge(
    readers: readonly { readonly key: typeof reader; readonly epochKey: Uint8Array }[],
  ): Uint8Array {
    const pattern = patternOfName('N')
    const core = concat(Uint8Array.of(1, 1, pattern.code), primitives().randomBytes(16))
    const committed = readers[0]!.epochKey
    const commitment = commitmentOf(committed, core, without)
    const none = { writer: undefined, psk: undefined, sealedLocator: undefined }
    const wraps = readers.map(({ key, epochKey }) =>
      writeWrap({ pattern, reader: key.publicKey, core, commitment, epochKey, ...none }),
    )
    const begin = encodePrelude(encodeHeader(core, commitment, wraps), 0, SMALL)
    const ad = streamAssociatedData(SMALL, undefined, undefined)
    const always = { wallMs: () => 0, monotonicMs: () => 0, processId: () => undefined }
    const sealer = new StreamSealer(
      begin,
      SMALL,
      ad,
      streamCipher(committed, core, without, 0),
      new Continuity(always),
    )
    const frame = new Uint8Array(SMALL + 20)
    sealer.seal(content(SMALL), true, frame)
    return concat(begin, frame, sealer.trailer)
  }
  const key = primitives().randomBytes(32)

  test('one made by hand opens, so that the others fail for their reason', async () => {
    expect(await attempt(forge([{ key: reader, epochKey: key }]), opening)).toEqual({
      got: content(SMALL),
      code: 'none',
    })
  })

  test('wraps that hold different keys: whoever is not shown the committed one refuses', async () => {
    const other = generateKeyPair()
    const split = forge([
      { key: other, epochKey: key },
      { key: reader, epochKey: primitives().randomBytes(32) },
    ])
    const shown = new SealReader({ keys: other, accept: [ACCEPT.N] })
    expect((await attempt(split, shown)).code).toBe('none')
    expect(await attempt(split, opening)).toEqual({ got: without, code: 'seal/altered' })
    expect(await codeLater(() => openRange(new Blob([split]), opening, {}))).toBe('seal/altered')
  })

  test.each([
    ['version 0', OFFSET.version, 0, 'seal/version'],
    ['version 2', OFFSET.version, 2, 'seal/version'],
    ['suite 2', OFFSET.suite, 2, 'seal/version'],
    ['pattern 7', OFFSET.pattern, 7, 'seal/version'],
    ['no wraps', OFFSET.wrapCount, 0, 'seal/malformed'],
    ['65 wraps', OFFSET.wrapCount, 65, 'seal/too_large'],
    ['255 wraps', OFFSET.wrapCount, 255, 'seal/too_large'],
  ])('%s', async (_name, offset, value, code) => {
    const altered = sealed.slice()
    altered[offset] = value
    expect(await attempt(altered, opening)).toEqual({ got: without, code })
    expect(await codeLater(() => openRange(new Blob([altered]), opening, {}))).toBe(code)
  })

  test('2^16 wraps cannot be said: their bytes are refused as too much for a header', async () => {
    const wrap = sealed.subarray(OFFSET.wraps, OFFSET.wraps + 84)
    const wraps = concat(...Array.from({ length: 2 ** 16 }, () => wrap))
    for (const [count, code] of [
      [(2 ** 16) & 0xff, 'seal/malformed'],
      [255, 'seal/too_large'],
    ] as const) {
      const claimed = concat(sealed.subarray(0, OFFSET.wrapCount), Uint8Array.of(count), wraps)
      expect(await attempt(cut(claimed, 65_536), opening)).toEqual({ got: without, code })
    }
  })
})
