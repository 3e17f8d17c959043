// Writes spec/vectors/seal.json: sealed values of every pattern with every value on the way to them, and values that are refused.
// Run: npx tsx scripts/vectors/seal.ts. A test holds the file against this generator and against a reader of its own.
// Keys, ephemeral keys and epoch keys are fixed here, which no writer ever does.
import { writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { concat, EMPTY, hexEncode, label } from '../../src/bytes.js'
import { type Capability, mint, RootSecrets, ServiceKey } from '../../src/capability/index.js'
import { asSecretKey, KeyPair, primitives } from '../../src/crypto/index.js'
import { HandshakeState } from '../../src/noise/index.js'
import type { Content } from '../../src/seal/codec.js'
import { plaintextOf } from '../../src/seal/content.js'
import { commitmentOf, hintOf, nonceOf, valueCipher } from '../../src/seal/epoch-keys.js'
import { bytes, Column, nullable, optional, type RowKey, type SealPatternName } from '../../src/seal/index.js'
import {
  COMPACT_OFFSET,
  encodeHeader,
  encodeWrap,
  FORM,
  OFFSET,
  writePosition,
} from '../../src/seal/layout.js'
import { patternOfName } from '../../src/seal/pattern.js'
import { locatorPlaintext } from '../../src/seal/sealed-locator.js'

const FILE = new URL('../../spec/vectors/seal.json', import.meta.url)

/** `length` bytes that count up from `first`. */
const counting = (first: number, length = 32): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (first + i) & 0xff)
const pairOf = (first: number): KeyPair =>
  KeyPair.fromSecretKey(primitives().dh('25519'), asSecretKey(counting(first)))

const ROOT = counting(0x10)
const reader = pairOf(0x30)
const secondReader = pairOf(0x31)
const writer = pairOf(0x50)
const service = new ServiceKey(reader, RootSecrets.from([[1, ROOT]]))

interface Recipe {
  readonly name: string
  readonly pattern: SealPatternName
  readonly readers?: readonly KeyPair[]
  readonly row?: RowKey
  readonly schemaVersion?: number
  readonly position?: number
  readonly content?: Content
  readonly padding?: readonly number[]
}

const hello = new TextEncoder().encode('ada@example.org')
const RECIPES: readonly Recipe[] = [
  {
    name: 'N, one reader, row and schema version',
    pattern: 'N',
    row: 'row-1',
    schemaVersion: 1,
    content: hello,
  },
  {
    name: 'N, two readers, the last position',
    pattern: 'N',
    readers: [reader, secondReader],
    row: 7,
    position: 2 ** 20 - 1,
    content: hello,
  },
  { name: 'N, null, no row', pattern: 'N', content: null },
  { name: 'N, absent, row null', pattern: 'N', row: null, content: undefined },
  {
    name: 'N, empty, padded to 32',
    pattern: 'N',
    row: ['a', 1, counting(0, 3)],
    content: EMPTY,
    padding: [32],
  },
  { name: 'X', pattern: 'X', row: -1, content: hello },
  { name: 'K', pattern: 'K', row: true, content: hello },
  { name: 'Npsk0', pattern: 'Npsk0', row: 'größe', schemaVersion: 0, content: hello },
  { name: 'Xpsk1, bound to its holder', pattern: 'Xpsk1', row: 2 ** 40, content: hello },
  { name: 'Kpsk0', pattern: 'Kpsk0', row: 'x'.repeat(300), content: hello },
]

/** A minted capability is random; a fixed file needs fixed ones, which is what each run finds in the file. */
function capabilityOf(
  known: string | undefined,
  holder: boolean,
  parse: (text: string) => Capability,
): Capability {
  if (known !== undefined) return parse(known)
  return mint(service, { use: 'seal', object: 'users/email' }, holder ? { holder: writer.publicKey } : {})
}

/** The hexadecimal values on the way to one sealed value. */
function valueVector(
  recipe: Recipe,
  index: number,
  known: string | undefined,
  parse: (text: string) => Capability,
) {
  const pattern = patternOfName(recipe.pattern)
  const capability = pattern.psk ? capabilityOf(known, recipe.pattern === 'Xpsk1', parse) : undefined
  const own = pattern.writer === 'unknown' ? undefined : writer
  const epochKey = counting(0x80 + index)
  const core = concat(Uint8Array.of(1, 1, pattern.code), counting(0xa0 + index, 16))
  const commitment = commitmentOf(epochKey, core, own?.publicKey ?? EMPTY)
  const psk = capability?.keys().psk(pattern.protocol)
  const wraps = (recipe.readers ?? [reader]).map((to, i) => {
    const plaintext =
      capability && locatorPlaintext(capability, pattern.writer === 'known' ? writer.publicKey : undefined)
    const locator =
      plaintext &&
      noise('N', to, 0xc0 + 2 * index, concat(label('noisecap/v1 locator'), core, commitment), plaintext)
    const prologue = concat(label('noisecap/v1 wrap'), core, commitment, locator ?? EMPTY)
    const message = noise(recipe.pattern, to, 0xc1 + 2 * index + 32 * i, prologue, epochKey, own, psk)
    return encodeWrap(hintOf(to.publicKey, message), locator, message)
  })
  const header = encodeHeader(core, commitment, wraps)
  const column = new Column({
    table: 'users',
    column: 'email',
    codec: optional(nullable(bytes)),
    schemaVersion: recipe.schemaVersion,
    padding: recipe.padding,
  })
  const ad = column.associatedData(recipe.row).slice()
  const plaintext = plaintextOf(recipe.content, column.padding).slice()
  const ciphertext = new Uint8Array(plaintext.length + 16)
  valueCipher(epochKey, core, own?.publicKey ?? EMPTY).seal(
    nonceOf(recipe.position ?? 0),
    ad,
    plaintext,
    ciphertext,
  )
  const position = new Uint8Array(4)
  writePosition(position, 0, recipe.position ?? 0)
  const whole = concat(header, position, ciphertext)
  whole[OFFSET.form] = FORM.value
  const compactStart = concat(Uint8Array.of(FORM.compact, 1), commitment.subarray(0, 16))
  return {
    name: recipe.name,
    pattern: recipe.pattern,
    readers: (recipe.readers ?? [reader]).map(({ secretKey }) => hexEncode(secretKey)),
    writer: own === undefined ? null : hexEncode(own.publicKey),
    capability: capability?.export() ?? null,
    psk: psk === undefined ? null : hexEncode(psk),
    row: rowJson(recipe),
    schemaVersion: recipe.schemaVersion ?? null,
    epochKey: hexEncode(epochKey),
    commitment: hexEncode(commitment),
    ad: hexEncode(ad),
    plaintext: hexEncode(plaintext),
    content:
      recipe.content === undefined
        ? 'absent'
        : recipe.content === null
          ? null
          : hexEncode(recipe.content as Uint8Array),
    header: hexEncode(header),
    value: hexEncode(whole),
    compact: hexEncode(concat(compactStart, position, ciphertext)),
  }
}

function rowJson({ row }: Recipe): unknown {
  const json = (key: RowKey): unknown =>
    key instanceof Uint8Array ? { bytes: hexEncode(key) } : Array.isArray(key) ? key.map(json) : key
  return row === undefined ? 'none' : { key: json(row) }
}

/** One message with a fixed ephemeral key. */
function noise(
  pattern: SealPatternName,
  to: KeyPair,
  ephemeral: number,
  prologue: Uint8Array,
  payload: Uint8Array,
  s?: KeyPair,
  psk?: Uint8Array,
): Uint8Array {
  return new HandshakeState({
    protocol: patternOfName(pattern).protocol,
    role: 'initiator',
    prologue,
    rs: to.publicKey,
    unsafeEphemeral: pairOf(ephemeral),
    ...(s === undefined ? {} : { s }),
    ...(psk === undefined ? {} : { psks: [psk] }),
  }).writeMessage(payload)
}

/** Values made of the first vector that must be refused, with the code of the refusal. */
function refusals({ value, compact, header }: ReturnType<typeof valueVector>) {
  const edited = (hex: string, offset: number, byte: number): string =>
    hex.slice(0, 2 * offset) + hexEncode(Uint8Array.of(byte)) + hex.slice(2 * offset + 2)
  const last = value.length / 2 - 1
  return [
    { name: 'version 2', value: edited(value, OFFSET.version, 2), code: 'seal/version' },
    { name: 'suite 2', value: edited(value, OFFSET.suite, 2), code: 'seal/version' },
    { name: 'pattern 7', value: edited(value, OFFSET.pattern, 7), code: 'seal/version' },
    { name: 'another form', value: edited(value, OFFSET.form, 0xf8), code: 'seal/malformed' },
    { name: 'no wraps', value: edited(value, OFFSET.wrapCount, 0), code: 'seal/malformed' },
    { name: '65 wraps', value: edited(value, OFFSET.wrapCount, 65), code: 'seal/too_large' },
    { name: 'another hint', value: edited(value, OFFSET.wraps, 0), code: 'seal/not_for_reader' },
    { name: 'another salt', value: edited(value, OFFSET.salt, 0), code: 'seal/altered' },
    { name: 'another commitment', value: edited(value, OFFSET.commitment, 0), code: 'seal/altered' },
    { name: 'another position', value: edited(value, OFFSET.wraps + 84 + 3, 1), code: 'seal/altered' },
    { name: 'another tag', value: edited(value, last, 0), code: 'seal/altered' },
    { name: 'a byte more', value: `${value}00`, code: 'seal/altered' },
    { name: 'no ciphertext', value: value.slice(0, 2 * (OFFSET.wraps + 84 + 4)), code: 'seal/malformed' },
    { name: 'a header alone', value: header, code: 'seal/malformed' },
    { name: 'compact, its header unknown', value: compact, code: 'seal/unknown_epoch' },
    {
      name: 'compact, cut in its position',
      value: compact.slice(0, 2 * (COMPACT_OFFSET.position + 2)),
      code: 'seal/malformed',
    },
  ]
}

/** All vectors.
 * @param known - capabilities of an earlier run, by name of the vector.
 * @param parse - `Capability.parse`. */
export function sealVectors(
  known: Readonly<Record<string, string | null>>,
  parse: (text: string) => Capability,
) {
  const values = RECIPES.map((recipe, i) => valueVector(recipe, i, known[recipe.name] ?? undefined, parse))
  return { root: hexEncode(ROOT), kid: 1, values, refused: refusals(values[0]!) }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { readFileSync, existsSync } = await import('node:fs')
  const { Capability: Parser } = await import('../../src/capability/index.js')
  const earlier = existsSync(FILE)
    ? (JSON.parse(readFileSync(FILE, 'utf8')) as ReturnType<typeof sealVectors>).values
    : []
  const known = Object.fromEntries(earlier.map(({ name, capability }) => [name, capability]))
  writeFileSync(FILE, `${JSON.stringify(sealVectors(known, Parser.parse), null, 2)}\n`)
}
