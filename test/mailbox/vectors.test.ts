// spec/vectors/mailbox.json against the generator, against EnvelopeReader, and against a reader of its own that knows the
// specification and node:crypto alone.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { mailboxVectors, sealedBody } from '../../scripts/vectors/mailbox.js'
import { concat, hexDecode, hexEncode } from '../../src/bytes.js'
import { asPublicKey, asSecretKey, KeyPair, primitives } from '../../src/crypto/index.js'
import { attachedBody } from '../../src/mailbox/attached-body.js'
import { checkEnvelope, EnvelopeReader, messageId } from '../../src/mailbox/envelope.js'
import { codeOf } from '../seal/parties.js'
import { decrypt, hmacSha256, publicKeyOf, readOneWay, sha256 } from '../vectors/one-way-noise.js'

type Vectors = ReturnType<typeof mailboxVectors>
const file: Vectors = JSON.parse(
  readFileSync(new URL('../../spec/vectors/mailbox.json', import.meta.url), 'utf8'),
)
const hex = (text: string) => Buffer.from(text, 'hex')
const LABEL = (text: string) => Buffer.from(`noisecap/v1 ${text}\0`)
const text = (value: string) => Buffer.concat([Buffer.of(0x60 | value.length), Buffer.from(value)])
const bytes16 = (value: Uint8Array) => Buffer.concat([Buffer.of(0x50), value])

/** The ad of spec/mailbox.md §3, put together by hand. */
function adOf(group: boolean): Buffer {
  const table = text('noisecap/v1 mailbox')
  const keyHash = sha256(LABEL('key hash'), publicKeyOf(hex(file.recipient)))
  const place = group
    ? bytes16(hex(file.group))
    : Buffer.concat([Buffer.of(0x82), bytes16(hex(file.box)), Buffer.of(0x58, 32), keyHash])
  const start = Buffer.concat([Buffer.of(0x84), text('noisecap/v1 ad'), Buffer.of(0x00, 0xf6, 0xa3, 0x00)])
  const column = text(group ? 'group' : 'message')
  return Buffer.concat([start, table, Buffer.of(0x01), column, Buffer.of(0x03), place])
}

describe('spec/vectors/mailbox.json', () => {
  test('is what the generator writes', () => {
    expect(JSON.parse(JSON.stringify(mailboxVectors()))).toEqual(file)
  })

  test.each(file.messages)('$name, opens by the specification alone', (vector) => {
    const envelope = hex(vector.envelope)
    const core = envelope.subarray(1, 20)
    const commitment = envelope.subarray(20, 52)
    expect([...envelope.subarray(52, 57)]).toEqual([1, 0, 0, 0, 0])
    const messageBytes = vector.pattern === 'X' ? 128 : 80
    const message = envelope.subarray(57, 57 + messageBytes)
    const prologue = Buffer.concat([LABEL('wrap'), core, commitment])
    const known = vector.pattern === 'K' ? hex(file.sender) : undefined
    const { payload, writer } = readOneWay(
      vector.pattern as 'N',
      hex(file.recipient),
      prologue,
      message,
      known === undefined ? {} : { writer: known },
    )
    expect(hexEncode(payload)).toBe(vector.epochKey)
    const proven = vector.pattern === 'N' ? Buffer.alloc(0) : (writer ?? known!)
    expect(hexEncode(proven)).toBe(vector.pattern === 'N' ? '' : file.sender)
    const valueKey = hmacSha256(payload, LABEL('seal value'), core, proven)
    const ad = adOf(vector.group)
    expect(hexEncode(ad)).toBe(vector.ad)
    const at = 57 + messageBytes
    expect(envelope.readUInt32BE(at)).toBe(0)
    const plaintext = decrypt(valueKey, Buffer.alloc(12), ad, envelope.subarray(at + 4))
    expect(plaintext.length).toBe(vector.plaintextBytes)
    const content = hex(vector.content)
    expect(hexEncode(plaintext.subarray(0, content.length + 1))).toBe(`${vector.content}01`)
    expect(plaintext.subarray(content.length + 1).every((byte) => byte === 0)).toBe(true)
    expect(hexEncode(content.subarray(2 + content.readUInt16BE(0)))).toBe(vector.body)
    expect(hexEncode(sha256(LABEL('message'), envelope).subarray(0, 16))).toBe(vector.id)
  })

  test.each(file.messages)('$name, opens with EnvelopeReader', (vector) => {
    const key = KeyPair.fromSecretKey(primitives().dh('25519'), asSecretKey(hexDecode(file.recipient)))
    const sender = asPublicKey(hexDecode(file.sender))
    using reader = new EnvelopeReader({
      key,
      box: hexDecode(file.box),
      groups: [hexDecode(file.group)],
      accept: [{ pattern: 'N' }, { pattern: 'X', writers: [sender] }, { pattern: 'K', writers: [sender] }],
    })
    const envelope = hexDecode(vector.envelope)
    checkEnvelope(envelope)
    const opened = reader.open(envelope)
    expect(hexEncode(opened.body)).toBe(vector.body)
    expect(opened.from.pattern).toBe(vector.pattern)
    expect(opened.group !== undefined).toBe(vector.group)
    expect(hexEncode(messageId(envelope))).toBe(vector.id)
  })

  test('the body apart, opens by the specification alone', () => {
    const { body } = file
    const stream = Buffer.from(sealedBody())
    expect(stream.length).toBe(body.sealedBytes)
    expect(hexEncode(sha256(stream))).toBe(body.sealedSha256)
    const core = stream.subarray(1, 20)
    const commitment = stream.subarray(20, 52)
    const prologue = Buffer.concat([LABEL('wrap'), core, commitment])
    const { payload } = readOneWay('N', hex(body.key), prologue, stream.subarray(57, 137))
    expect(hexEncode(payload)).toBe(body.epochKey)
    const streamKey = hmacSha256(payload, LABEL('seal stream'), core, Buffer.alloc(8))
    const context = 'noisecap/v1 mailbox body'
    const ad = Buffer.concat([
      Buffer.of(0x84),
      text('noisecap/v1 ad'),
      Buffer.of(1, 0x1a, 0, 1, 0, 0, 0xa1, 0, 0x78, context.length),
      Buffer.from(context),
    ])
    expect(hexEncode(ad)).toBe(body.ad)
    const nonce = Buffer.alloc(12)
    nonce.writeBigUInt64LE(2n ** 63n, 4)
    const plaintext = decrypt(streamKey, nonce, ad, stream.subarray(146, -8))
    expect(plaintext.length).toBe(body.content.paddedBytes)
    const content = Buffer.from(Array.from({ length: body.content.bytes }, (_, i) => body.content.first + i))
    expect(hexEncode(plaintext.subarray(0, content.length))).toBe(hexEncode(content))
    expect(plaintext.subarray(content.length).every((byte) => byte === 0)).toBe(true)
    const segment = sha256(LABEL('seal segment'), core, commitment, stream.subarray(137, 142))
    const tail = Buffer.concat([segment, stream.subarray(-24, -8)])
    expect(hexEncode(tail)).toBe(body.tail)
    const message = file.messages.at(-1)!
    // [key, length, sealed length, tail] at the end of the header.
    const listed = Buffer.concat([
      Buffer.of(0x0b, 0x84, 0x58, 32),
      hex(body.key),
      Buffer.of(0x19, 0x03, 0xe8, 0x1a, 0, 1, 0, 0xaa, 0x58, 48),
      tail,
    ])
    expect(message.content.endsWith(hexEncode(listed))).toBe(true)
  })

  test('the body apart, opens with what its message says of it', async () => {
    const key = KeyPair.fromSecretKey(primitives().dh('25519'), asSecretKey(hexDecode(file.recipient)))
    using reader = new EnvelopeReader({ key, box: hexDecode(file.box), accept: [{ pattern: 'N' }] })
    const { header } = reader.open(hexDecode(file.messages.at(-1)!.envelope))
    const pieces: Uint8Array[] = []
    for await (const piece of attachedBody(header.attached!, async () => sealedBody())) pieces.push(piece)
    expect(concat(...pieces)).toHaveLength(file.body.content.bytes)
  })

  test('the alias and its hash', () => {
    const { bytes, hash } = file.alias
    expect(hexEncode(sha256(LABEL('alias'), hex(bytes)).subarray(0, 16))).toBe(hash)
    expect(file.alias.text).toHaveLength(26)
  })

  test.each(file.refused)('$name, is refused by a relay', ({ envelope, code }) => {
    expect(codeOf(() => checkEnvelope(hexDecode(envelope)))).toBe(code)
  })
})
