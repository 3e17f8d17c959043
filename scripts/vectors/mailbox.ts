// Writes spec/vectors/mailbox.json: messages with every value on the way to their envelope, and envelopes that are refused.
// Run: npx tsx scripts/vectors/mailbox.ts. A test holds the file against this generator and against a reader of its own.
// Keys, ephemeral keys and epoch keys are fixed here, which no sender ever does.
import { writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { concat, EMPTY, hexDecode, hexEncode, utf8 } from '../../src/bytes.js'
import { keyHash } from '../../src/capability/index.js'
import { asSecretKey, KeyPair, primitives } from '../../src/crypto/index.js'
import { MAILBOX_SIZE_CLASSES } from '../../src/limits.js'
import { aliasHash, aliasText } from '../../src/mailbox/alias.js'
import { BODY_CONTEXT, BODY_PADDING_BYTES } from '../../src/mailbox/attached-body.js'
import { type AttachedBody, encodeContent, type MessageHeader } from '../../src/mailbox/content.js'
import { messageId } from '../../src/mailbox/envelope.js'
import { HandshakeState } from '../../src/noise/index.js'
import { plaintextOf } from '../../src/seal/content.js'
import { commitmentOf, nonceOf, valueCipher } from '../../src/seal/epoch-keys.js'
import { bytes, Column } from '../../src/seal/index.js'
import { encodeHeader, encodeWrap, FORM, HINT_BYTES, POSITION_BYTES } from '../../src/seal/layout.js'
import { patternOfName } from '../../src/seal/pattern.js'
import { streamVector } from './seal-stream.js'

const FILE = new URL('../../spec/vectors/mailbox.json', import.meta.url)

/** `length` bytes that count up from `first`. */
const counting = (first: number, length = 32): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (first + i) & 0xff)
const pairOf = (first: number): KeyPair =>
  KeyPair.fromSecretKey(primitives().dh('25519'), asSecretKey(counting(first)))

const recipient = pairOf(0x30)
const sender = pairOf(0x50)
const bodyKey = pairOf(0x70)
const BODY_BYTES = 1_000
const BOX = counting(0x01, 16)
const GROUP = counting(0x11, 16)

interface Recipe {
  readonly name: string
  readonly pattern: 'N' | 'X' | 'K'
  readonly group?: true
  readonly body: Uint8Array
  readonly header?: Partial<MessageHeader>
}

const PLAIN: MessageHeader = {
  series: counting(0xc0, 16),
  sequence: 0,
  previous: undefined,
  sentAt: 1_800_000_000,
  expires: 1_800_604_800,
  contentType: 'application/json',
  headers: {},
  reply: undefined,
  receipt: undefined,
  inReplyTo: undefined,
}
const hello = utf8('{"hello":"ada"}')
const RECIPES: readonly Recipe[] = [
  { name: 'N, the first of its series', pattern: 'N', body: hello },
  {
    name: 'X, every field',
    pattern: 'X',
    body: hello,
    header: {
      sequence: 7,
      previous: counting(0xd0, 16),
      headers: { subject: 'größe', empty: '' },
      reply: 'noisecap-deposit:1.reply',
      receipt: 'noisecap-deposit:1.receipt',
      inReplyTo: counting(0xe0, 16),
    },
  },
  { name: 'K, no body', pattern: 'K', body: EMPTY, header: { contentType: 'text/plain' } },
  { name: 'N, the second size class', pattern: 'N', body: counting(0, 600) },
  { name: 'N, sent to a group', pattern: 'N', group: true, body: hello },
  {
    name: 'X, a body of bytes',
    pattern: 'X',
    body: counting(0, 32),
    header: { contentType: 'image/png', raw: true },
  },
  {
    name: 'N, its body apart',
    pattern: 'N',
    body: EMPTY,
    header: { contentType: 'image/png', raw: true, attached: attachedBody() },
  },
]

/** The body of the last message: bytes that count up, and zeros to the next multiple of 65,536. */
function bodyStream() {
  const content = new Uint8Array(BODY_PADDING_BYTES)
  content.set(counting(0x07, BODY_BYTES))
  const recipe = {
    name: '',
    pattern: 'N' as const,
    readers: [bodyKey],
    chunkBytes: BODY_PADDING_BYTES,
    context: BODY_CONTEXT,
    length: content.length,
  }
  return streamVector(recipe, 0x15, undefined, content)
}

/** The sealed body of the last message. */
export function sealedBody(): Uint8Array {
  return hexDecode(bodyStream().vector.stream)
}

function attachedBody(): AttachedBody {
  const key = bodyKey.secretKey
  return { key, bytes: BODY_BYTES, sealedBytes: sealedBody().length, tail: bodyStream().tail }
}

function vectorOf(recipe: Recipe, index: number) {
  const pattern = patternOfName(recipe.pattern)
  const own = pattern.writer === 'unknown' ? undefined : sender
  const epochKey = counting(0x80 + index)
  const core = concat(Uint8Array.of(1, 1, pattern.code), counting(0xa0 + index, 16))
  const commitment = commitmentOf(epochKey, core, own?.publicKey ?? EMPTY)
  const message = new HandshakeState({
    protocol: pattern.protocol,
    role: 'initiator',
    prologue: concat(utf8('noisecap/v1 wrap\0'), core, commitment),
    rs: recipient.publicKey,
    unsafeEphemeral: pairOf(0x60 + index),
    ...(own === undefined ? {} : { s: own }),
  }).writeMessage(epochKey)
  const header = encodeHeader(core, commitment, [encodeWrap(new Uint8Array(HINT_BYTES), undefined, message)])
  header[0] = FORM.value
  const content = encodeContent({ header: { ...PLAIN, ...recipe.header }, body: recipe.body })
  const column = new Column({
    table: 'noisecap/v1 mailbox',
    column: recipe.group ? 'group' : 'message',
    codec: bytes,
    padding: MAILBOX_SIZE_CLASSES,
  })
  const ad = column.associatedData(recipe.group ? GROUP : [BOX, keyHash(recipient.publicKey)]).slice()
  const plaintext = plaintextOf(content, column.padding).slice()
  const ciphertext = new Uint8Array(plaintext.length + 16)
  valueCipher(epochKey, core, own?.publicKey ?? EMPTY).seal(nonceOf(0), ad, plaintext, ciphertext)
  const envelope = concat(header, new Uint8Array(POSITION_BYTES), ciphertext)
  return {
    name: recipe.name,
    pattern: recipe.pattern,
    group: recipe.group ?? false,
    epochKey: hexEncode(epochKey),
    content: hexEncode(content),
    body: hexEncode(recipe.body),
    plaintextBytes: plaintext.length,
    ad: hexEncode(ad),
    envelope: hexEncode(envelope),
    id: hexEncode(messageId(envelope)),
  }
}

/** Envelopes and contents that must be refused, with the code of the refusal. */
function refusals({ envelope }: ReturnType<typeof vectorOf>) {
  const edited = (offset: number, byte: string) =>
    envelope.slice(0, 2 * offset) + byte + envelope.slice(2 * offset + 2)
  return [
    { name: 'a hint', envelope: edited(53, '01'), code: 'seal/malformed' },
    { name: 'two wraps', envelope: edited(52, '02'), code: 'seal/malformed' },
    { name: 'a compact value', envelope: `fa${envelope.slice(2)}`, code: 'seal/malformed' },
    { name: 'version 2', envelope: edited(1, '02'), code: 'seal/version' },
  ]
}

/** All vectors. */
export function mailboxVectors() {
  const messages = RECIPES.map(vectorOf)
  const alias = counting(0x40, 16)
  return {
    recipient: hexEncode(recipient.secretKey),
    sender: hexEncode(sender.publicKey),
    box: hexEncode(BOX),
    group: hexEncode(GROUP),
    alias: { bytes: hexEncode(alias), text: aliasText(alias), hash: hexEncode(aliasHash(alias)) },
    messages,
    body: {
      key: hexEncode(bodyKey.secretKey),
      epochKey: bodyStream().vector.epochKey,
      content: { first: 0x07, bytes: BODY_BYTES, paddedBytes: BODY_PADDING_BYTES },
      ad: bodyStream().vector.ad,
      prelude: hexEncode(sealedBody().subarray(0, 142)),
      sealedBytes: sealedBody().length,
      sealedSha256: hexEncode(primitives().hash('SHA256').hash(sealedBody())),
      tail: hexEncode(bodyStream().tail),
    },
    refused: refusals(messages[0]!),
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  writeFileSync(FILE, `${JSON.stringify(mailboxVectors(), null, 2)}\n`)
}
