import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { concat, hexEncode, utf8 } from '../../src/bytes.js'
import { generateKeyPair, primitives } from '../../src/crypto/index.js'
import { encodeDcbor } from '../../src/dcbor.js'
import {
  MAILBOX_ENVELOPE_MAX_BYTES,
  MAILBOX_MESSAGE_MAX_BYTES,
  MAILBOX_SIZE_CLASSES,
} from '../../src/limits.js'
import { decodeContent, encodeContent, type MessageHeader } from '../../src/mailbox/content.js'
import {
  checkEnvelope,
  EnvelopeReader,
  EnvelopeWriter,
  messageId,
  sealToGroup,
} from '../../src/mailbox/envelope.js'
import type { Acceptance } from '../../src/seal/index.js'
import { codeOf, flipped, rules, sealCapability, service } from '../seal/parties.js'

const recipient = generateKeyPair()
const sender = generateKeyPair()
const BOX = new Uint8Array(16).fill(1)
const GROUP = new Uint8Array(16).fill(2)
const HEADER: MessageHeader = {
  series: new Uint8Array(16).fill(3),
  sequence: 0,
  previous: undefined,
  sentAt: 1_800_000_000,
  expires: 1_800_000_600,
  contentType: 'text/plain',
  headers: {},
  reply: undefined,
  receipt: undefined,
  inReplyTo: undefined,
}
const ANY: readonly Acceptance[] = [{ pattern: 'N' }, { pattern: 'X', writers: 'anyone' }]
const readerOf = (box = BOX, key = recipient, accept = ANY, groups: readonly Uint8Array[] = []) =>
  new EnvelopeReader({ key, box, accept, groups })
const sealed = (body: string | Uint8Array = 'hello', header: Partial<MessageHeader> = {}) =>
  new EnvelopeWriter({ to: recipient.publicKey, box: BOX }).seal({
    header: { ...HEADER, ...header },
    body: typeof body === 'string' ? utf8(body) : body,
  })

describe('EnvelopeWriter and EnvelopeReader', () => {
  test('what N seals opens, with every field', () => {
    const header = {
      ...HEADER,
      sequence: 4,
      previous: new Uint8Array(16).fill(9),
      headers: { subject: 'hi', ['__proto__']: 'odd' },
      reply: 'noisecap-deposit:1.x',
      inReplyTo: new Uint8Array(16).fill(8),
    }
    const opened = readerOf().open(sealed('hello', header))
    expect(opened.from).toEqual({ pattern: 'N' })
    expect(Buffer.from(opened.body).toString()).toBe('hello')
    expect({ ...opened.header, headers: { ...opened.header.headers } }).toEqual({
      ...header,
      receipt: undefined,
      headers: { ...header.headers },
    })
    expect(Object.getPrototypeOf(opened.header.headers)).toBe(null)
  })
  test('X tells who wrote, K demands it, a capability of the recipient is verified', () => {
    const x = new EnvelopeWriter({ to: recipient.publicKey, box: BOX }, { pattern: 'X', key: sender })
    const opened = readerOf().open(x.seal({ header: HEADER, body: utf8('x') }))
    expect(opened.from).toMatchObject({ pattern: 'X', writer: sender.publicKey })
    const k = new EnvelopeWriter({ to: recipient.publicKey, box: BOX }, { pattern: 'K', key: sender })
    const envelope = k.seal({ header: HEADER, body: utf8('k') })
    const strict = readerOf(BOX, recipient, [{ pattern: 'K', writers: [sender.publicKey] }])
    expect(strict.open(envelope).from.pattern).toBe('K')
    expect(codeOf(() => strict.open(sealed()))).toBe('seal/not_accepted')
    const psk = new EnvelopeWriter({ to: sealCapability(), box: BOX })
    const holder = readerOf(BOX, service.keyPair, [{ pattern: 'Npsk0', capabilities: rules }])
    expect(holder.open(psk.seal({ header: HEADER, body: utf8('p') })).from.pattern).toBe('Npsk0')
  })
  test('it opens in no other box and for nobody else', () => {
    const envelope = sealed()
    expect(codeOf(() => readerOf(new Uint8Array(16).fill(7)).open(envelope))).toBe('seal/altered')
    expect(codeOf(() => readerOf(BOX, sender).open(envelope))).toBe('seal/altered')
  })
  test('nothing in it follows from the keys of its parties, not even a hint', () => {
    const envelope = sealed()
    const text = hexEncode(envelope)
    expect(text).not.toContain(hexEncode(recipient.publicKey))
    const e = envelope.subarray(57, 89)
    const hash = primitives().hash('SHA256')
    const hint = hash.hash(utf8('noisecap/v1 hint\0'), recipient.publicKey, e).slice(0, 4)
    expect(text).not.toContain(hexEncode(hint))
    expect([...envelope.subarray(53, 57)]).toEqual([0, 0, 0, 0])
  })
  test('two envelopes of one writer have nothing in common but their form', () => {
    const writer = new EnvelopeWriter({ to: recipient.publicKey, box: BOX })
    const [a, b] = [0, 1].map(() => writer.seal({ header: HEADER, body: utf8('same') }))
    const common = Array.from(a!).filter((byte, i) => byte === b![i]).length
    expect(common).toBeLessThan(40) // 15 of form, count, hint and position, and chance
    expect(hexEncode(messageId(a!))).not.toBe(hexEncode(messageId(b!)))
  })
  test('lengths show the size class alone', () => {
    const overhead = sealed('').length - MAILBOX_SIZE_CLASSES[0]!
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 70_000 }), (length) => {
        const plaintext = sealed(new Uint8Array(length)).length - overhead
        expect(MAILBOX_SIZE_CLASSES.includes(plaintext) || plaintext % 65_536 === 0).toBe(true)
      }),
      { numRuns: 40 },
    )
  })
  test('the longest message goes, one byte more does not', () => {
    const room = MAILBOX_MESSAGE_MAX_BYTES - 1 - encodeContent({ header: HEADER, body: utf8('') }).length
    const envelope = sealed(new Uint8Array(room))
    expect(envelope.length).toBeLessThanOrEqual(MAILBOX_ENVELOPE_MAX_BYTES)
    checkEnvelope(envelope)
    expect(codeOf(() => sealed(new Uint8Array(room + 1)))).toBe('mailbox/too_large')
  })
  test('any flipped bit is refused', () => {
    const envelope = sealed()
    const reader = readerOf()
    for (let bit = 0; bit < 8 * envelope.length; bit += 13) {
      // The hint is no part of what is authentic: the reader puts in his own.
      if (bit >> 3 >= 53 && bit >> 3 < 57) continue
      expect(codeOf(() => reader.open(flipped(envelope, bit)))).toMatch(/^seal\//)
    }
  })
})

describe('sealToGroup', () => {
  test('each member opens its copy in its box, a stranger and another group do not', () => {
    const keys = [recipient, sender, generateKeyPair()]
    const copies = sealToGroup(
      GROUP,
      keys.map(({ publicKey }) => publicKey),
      { header: HEADER, body: utf8('all') },
    )
    expect(copies).toHaveLength(3)
    for (const [i, copy] of copies.entries()) {
      checkEnvelope(copy)
      const opened = readerOf(BOX, keys[i], ANY, [GROUP]).open(copy)
      expect(hexEncode(opened.group!)).toBe(hexEncode(GROUP))
      expect(codeOf(() => readerOf(BOX, keys[i]).open(copy))).toBe('seal/altered')
      expect(codeOf(() => readerOf(BOX, keys[(i + 1) % 3], ANY, [GROUP]).open(copy))).toBe('seal/altered')
    }
    // The body is sealed once.
    expect(hexEncode(copies[0]!.subarray(-512))).toBe(hexEncode(copies[1]!.subarray(-512)))
  })
})

describe('decodeContent', () => {
  const good = new Map<number, never>([
    [0, HEADER.series],
    [1, 0],
    [3, HEADER.sentAt],
    [4, HEADER.expires],
    [5, 'text/plain'],
  ] as unknown as [number, never][])
  const contentOf = (header: Uint8Array) => concat(Uint8Array.of(header.length >> 8, header.length), header)
  const withEntry = (key: number, value: unknown) =>
    contentOf(encodeDcbor(new Map([...good, [key, value as never]])))

  test('what encodeContent writes is read', () => {
    expect(decodeContent(contentOf(encodeDcbor(good))).header).toEqual({
      ...HEADER,
      headers: Object.create(null),
    })
  })
  test.each([
    ['nothing', new Uint8Array(0)],
    ['a length beyond the end', Uint8Array.of(0, 9, 1)],
    ['no map', contentOf(encodeDcbor([1]))],
    ['an unknown key', withEntry(99, 1)],
    ['a series of 15 bytes', withEntry(0, new Uint8Array(15))],
    ['a negative sequence', withEntry(1, -1)],
    ['a sequence without previous', withEntry(1, 1)],
    ['a previous at the start', withEntry(2, new Uint8Array(16))],
    ['an expiry before it was sent', withEntry(4, HEADER.sentAt)],
    ['an endless life', withEntry(4, HEADER.sentAt + 31_536_001)],
    ['no content type', withEntry(5, '')],
    ['headers that are a list', withEntry(6, [])],
    ['a header that is a number', withEntry(6, new Map([['a', 1]]))],
    ['33 headers', withEntry(6, new Map(Array.from({ length: 33 }, (_, i) => [`h${i}`, 'x'])))],
    ['a reply that is bytes', withEntry(7, new Uint8Array(4))],
    ['an answer to no id', withEntry(9, 'abc')],
  ])('%s is refused', (_name, bytes) => {
    expect(codeOf(() => decodeContent(bytes))).toBe('mailbox/malformed')
  })
})
