// Writers and storage that lie: headers made up or put together, wraps that disagree, claims of size, and what a leak would show.
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { concat, utf8 } from '../../src/bytes.js'
import { generateKeyPair, primitives } from '../../src/crypto/index.js'
import { SEAL_HEADER_MAX_BYTES, SEAL_VALUE_MAX_BYTES, SEAL_WRAPS_MAX } from '../../src/limits.js'
import { HandshakeState } from '../../src/noise/index.js'
import { commitmentOf, hintOf, nonceOf, valueCipher } from '../../src/seal/epoch-keys.js'
import { Sealed, SealReader, SealWriter } from '../../src/seal/index.js'
import { encodeHeader, FORM, OFFSET, writePosition } from '../../src/seal/layout.js'
import { patternOfName } from '../../src/seal/pattern.js'
import { writeWrap } from '../../src/seal/wrap.js'
import {
  ACCEPT,
  ACCEPT_ALL,
  codeOf,
  email,
  identityOf,
  reader,
  sealCapability,
  strangerKey,
} from '../seal/parties.js'
import { Canaries } from './canary.js'
import { SHOWS } from './shows.js'

const place = email.at(1)
const fresh = () => new SealReader({ keys: reader, accept: ACCEPT_ALL })
const sealed = new SealWriter({ to: reader.publicKey }).seal('x', place)
const EMPTY = new Uint8Array(0)

/** A value made by hand, as a dishonest writer may make it. */
function forge(
  readers: readonly { key: typeof reader; epochKey: Uint8Array }[],
  plaintext: Uint8Array,
  pattern = 'N' as const,
) {
  const core = concat(Uint8Array.of(1, 1, patternOfName(pattern).code), primitives().randomBytes(16))
  const committed = readers[0]!.epochKey
  const commitment = commitmentOf(committed, core, EMPTY)
  const wraps = readers.map(({ key, epochKey }) =>
    writeWrap({
      pattern: patternOfName('N'),
      reader: key.publicKey,
      writer: undefined,
      psk: undefined,
      sealedLocator: undefined,
      core,
      commitment,
      epochKey,
    }),
  )
  const header = encodeHeader(core, commitment, wraps)
  header[OFFSET.form] = FORM.value
  const out = new Uint8Array(header.length + 4 + plaintext.length + 16)
  out.set(header)
  writePosition(out, header.length, 0)
  valueCipher(committed, core, EMPTY).seal(
    nonceOf(0),
    place.column.associatedData(place.row),
    plaintext,
    out.subarray(header.length + 4),
  )
  return out
}

describe('headers', () => {
  const key = primitives().randomBytes(32)

  test('a value made by hand opens, so that the others fail for their reason', () => {
    expect(fresh().open(forge([{ key: reader, epochKey: key }], utf8('x\x01')), place).value).toBe('x')
  })

  test('wraps that hold different keys: whoever is not shown the committed one refuses', () => {
    const other = generateKeyPair()
    const split = forge(
      [
        { key: other, epochKey: key },
        { key: reader, epochKey: primitives().randomBytes(32) },
      ],
      utf8('x\x01'),
    )
    expect(new SealReader({ keys: other, accept: [ACCEPT.N] }).open(split, place).value).toBe('x')
    expect(codeOf(() => fresh().open(split, place))).toBe('seal/altered')
    // The header alone gives it away: no value has to fail first.
    const header = split.slice(0, OFFSET.wraps + 2 * 84)
    header[OFFSET.form] = FORM.header
    expect(codeOf(() => fresh().learn(header))).toBe('seal/altered')
  })

  test('a content without a state, with an unknown one, or null with content', () => {
    for (const plaintext of [[0], [0, 0], [4], [120, 9], [120, 2], [120, 3, 0]]) {
      const value = forge([{ key: reader, epochKey: key }], Uint8Array.from(plaintext))
      expect(
        codeOf(() => fresh().open(value, place)),
        String(plaintext),
      ).toBe('seal/altered')
    }
  })

  test('swapped between two values', () => {
    const other = new SealWriter({ to: reader.publicKey }).seal('y', place)
    const end = sealed.length - 22
    const swapped = concat(other.subarray(0, end), sealed.subarray(end))
    expect(codeOf(() => fresh().open(swapped, place))).toBe('seal/altered')
    const knowing = fresh()
    knowing.open(other, place)
    knowing.open(sealed, place)
    expect(codeOf(() => knowing.open(swapped, place))).toBe('seal/altered')
  })

  test('swapped compact headers: the other epoch’s header does not serve', () => {
    const headers: Uint8Array[] = []
    const values = ['x', 'y'].map((value) =>
      new SealWriter({ to: reader.publicKey, onEpoch: ({ bytes }) => headers.push(bytes) }).seal(
        value,
        place,
      ),
    )
    const lying = new SealReader({ keys: reader, accept: [ACCEPT.N], headers: () => headers[1] })
    expect(codeOf(() => lying.open(values[0]!, place))).toBe('seal/unknown_epoch')
  })

  test('wraps with a matching hint that do not open: two are tried, so a header costs a bounded number of DHs', () => {
    const message = primitives().randomBytes(80)
    const bogus = concat(hintOf(reader.publicKey, message), message)
    const genuine = sealed.slice(OFFSET.wraps, OFFSET.wraps + 84)
    const headerOf = (wraps: readonly Uint8Array[]) =>
      encodeHeader(
        sealed.slice(OFFSET.core, OFFSET.commitment),
        sealed.slice(OFFSET.commitment, OFFSET.wrapCount),
        wraps,
      )
    expect(codeOf(() => fresh().learn(headerOf([bogus, genuine])))).toBe('none')
    expect(codeOf(() => fresh().learn(headerOf([bogus, bogus, genuine])))).toBe('seal/altered')
  })

  test('a low-order e', () => {
    const message = new Uint8Array(80)
    const header = encodeHeader(sealed.slice(OFFSET.core, OFFSET.commitment), new Uint8Array(32), [
      concat(hintOf(reader.publicKey, message), message),
    ])
    expect(codeOf(() => fresh().learn(header))).toBe('seal/altered')
  })
})

describe('versions and sizes', () => {
  const withByte = (offset: number, value: number) => {
    const copy = sealed.slice()
    copy[offset] = value
    return copy
  }
  test.each([
    ['version 0', OFFSET.version, 0, 'seal/version'],
    ['version 2', OFFSET.version, 2, 'seal/version'],
    ['suite 2', OFFSET.suite, 2, 'seal/version'],
    ['pattern 0', OFFSET.pattern, 0, 'seal/version'],
    ['pattern 7', OFFSET.pattern, 7, 'seal/version'],
    ['form 0xfc', OFFSET.form, 0xfc, 'seal/malformed'],
    ['no wraps', OFFSET.wrapCount, 0, 'seal/malformed'],
    ['two wraps where one stands', OFFSET.wrapCount, 2, 'seal/malformed'],
    ['65 wraps', OFFSET.wrapCount, SEAL_WRAPS_MAX + 1, 'seal/too_large'],
    ['255 wraps', OFFSET.wrapCount, 255, 'seal/too_large'],
  ])('%s', (_name, offset, value, code) => {
    expect(codeOf(() => fresh().open(withByte(offset, value), place))).toBe(code)
  })

  test('two wraps of a pattern that proves its writer', () => {
    const single = new SealWriter({ to: reader.publicKey, as: identityOf('X') }).seal('x', place)
    const wrap = single.subarray(OFFSET.wraps, OFFSET.wraps + 132)
    const double = concat(
      single.subarray(0, OFFSET.wrapCount),
      Uint8Array.of(2),
      wrap,
      single.subarray(OFFSET.wraps),
    )
    expect(codeOf(() => fresh().open(double, place))).toBe('seal/malformed')
  })

  test('2^16 wraps cannot be said: their bytes are refused as too much for a header', () => {
    const wraps = Array.from({ length: 2 ** 16 }, () => sealed.subarray(OFFSET.wraps, OFFSET.wraps + 84))
    const header = concat(sealed.subarray(0, OFFSET.wrapCount), Uint8Array.of((2 ** 16) & 0xff), ...wraps)
    header[OFFSET.form] = FORM.header
    expect(codeOf(() => fresh().learn(header))).toBe('seal/malformed')
    header[OFFSET.wrapCount] = 255
    expect(codeOf(() => fresh().learn(header))).toBe('seal/too_large')
    expect(codeOf(() => encodeHeader(sealed.slice(1, 20), sealed.slice(20, 52), wraps))).toBe('RangeError')
  })

  test('a sealed locator that claims 65,535 bytes', () => {
    const under = new SealWriter({ to: sealCapability() }).seal('x', place)
    under.set([0xff, 0xff], OFFSET.wraps + 4)
    expect(codeOf(() => fresh().open(under, place))).toBe('seal/too_large')
    expect(SEAL_HEADER_MAX_BYTES).toBe(8_192)
  })

  test('more than 16 MiB of content is refused before it is decrypted', () => {
    const large = concat(sealed, new Uint8Array(SEAL_VALUE_MAX_BYTES))
    expect(codeOf(() => fresh().open(large, place))).toBe('seal/too_large')
  })

  test.each(['text', '{"json":1}', '', 'ǿ'])('plain text is never taken for a seal: %j', (text) => {
    expect(codeOf(() => fresh().open(utf8(text), place))).toBe('seal/malformed')
  })
})

describe('a locator that lies', () => {
  test('one that nobody can prove: the same error as an altered one', () => {
    const core = concat(Uint8Array.of(1, 1, patternOfName('Npsk0').code), primitives().randomBytes(16))
    const commitment = primitives().randomBytes(32)
    const garbage = new HandshakeState({
      protocol: patternOfName('N').protocol,
      role: 'initiator',
      rs: reader.publicKey,
      prologue: concat(utf8('noisecap/v1 locator\0'), core, commitment),
    }).writeMessage(new Uint8Array(128))
    const wrap = writeWrap({
      pattern: patternOfName('Npsk0'),
      reader: reader.publicKey,
      writer: undefined,
      psk: new Uint8Array(32),
      sealedLocator: garbage,
      core,
      commitment,
      epochKey: new Uint8Array(32),
    })
    expect(codeOf(() => fresh().learn(encodeHeader(core, commitment, [wrap])))).toBe('seal/altered')
  })
})

describe('nothing shows a secret', () => {
  const secret = 'canary-plaintext-of-a-sealed-value'
  const capability = sealCapability()
  const writer = new SealWriter({ to: capability, as: { pattern: 'X', key: strangerKey } })
  const value = writer.seal(secret, place)
  const opening = new SealReader({
    keys: reader,
    accept: [{ pattern: 'Xpsk1', writers: 'anyone', capabilities: ACCEPT.Npsk0.capabilities }],
  })
  const { from } = opening.open(value, place)
  const canaries = new Canaries({
    plaintext: secret,
    'key of the reader': reader.secretKey,
    'key of the writer': strangerKey.secretKey,
    psk: capability.keys().psk(patternOfName('Xpsk1').protocol),
  })

  test('the search finds what is shown', () => {
    expect(canaries.seenIn(inspect({ shown: reader.secretKey }))).not.toEqual([])
  })

  test.each(Object.entries(SHOWS))('%s', (_name, show) => {
    for (const object of [writer, opening, new Sealed(value, place), from]) {
      expect(canaries.seenIn(show(object))).toEqual([])
    }
  })

  test('errors say nothing of what was sealed or of keys', () => {
    try {
      opening.open(value, email.at(secret))
      expect.unreachable()
    } catch (error) {
      expect(`${String(error)}${JSON.stringify(error)}${(error as Error).stack}`).not.toContain(
        'canary-plaintext',
      )
      expect((error as Error).cause).toBeUndefined()
    }
  })
})
