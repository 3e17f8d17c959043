// Writes spec/vectors/resolve.json: location records with every value on the way to them, and records that are refused.
// Run: npx tsx scripts/vectors/resolve.ts. A test holds the file against this generator and against a reader of its own.
import { writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { concat, hexDecode, hexEncode, label } from '../../src/bytes.js'
import { keyHash, keyHashText } from '../../src/capability/index.js'
import { asPublicKey, type PublicKey, primitives } from '../../src/crypto/index.js'
import { type Dcbor, encodeDcbor } from '../../src/dcbor.js'
import { type LocationRecord, openRecord, sealRecord } from '../../src/resolve/index.js'

const FILE = new URL('../../spec/vectors/resolve.json', import.meta.url)
const SEQUENCE = 1_700_000_000_123
const EXPIRES = 1_700_000_900

const keyA = asPublicKey(hexDecode('8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a'))
const keyB = asPublicKey(hexDecode('de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f'))
const salt = (first: number): Uint8Array => Uint8Array.from({ length: 32 }, (_, i) => first + i)

const one = { uri: 'tcp://127.0.0.1:7000', priority: 0, weight: 0 }

const records: [string, PublicKey, LocationRecord][] = [
  ['one location', keyA, { sequence: SEQUENCE, expires: EXPIRES, locations: [one] }],
  [
    'several schemes, priorities and weights',
    keyB,
    {
      sequence: SEQUENCE,
      expires: EXPIRES,
      locations: [
        { uri: 'tcp://[2001:db8::1]:7000', priority: 0, weight: 65_535 },
        { uri: 'wss://notes.example:443/noisecap', priority: 10, weight: 20 },
        { uri: 'unix:/run/notes.sock', priority: 65_535, weight: 0 },
        { uri: 'later:whatever-it-means', priority: 24, weight: 256 },
      ],
    },
  ],
  [
    'eight long locations, the longest life',
    keyA,
    {
      sequence: SEQUENCE,
      expires: 1_700_000_000 + 604_800,
      locations: Array.from({ length: 8 }, (_, i) => ({ ...one, uri: `x${i}:${'a'.repeat(252)}` })),
    },
  ],
]

/** The hexadecimal values on the way to a sealed record. */
function recordVector([name, publicKey, record]: (typeof records)[number], index: number) {
  const { sequence, expires, locations } = record
  const plaintext = plaintextOf([sequence, expires, locations.map((l) => [l.uri, l.priority, l.weight])])
  return {
    name,
    publicKey: hexEncode(publicKey),
    keyHash: keyHashText(publicKey),
    salt: hexEncode(salt(index)),
    recordKey: hexEncode(recordKey(publicKey, salt(index))),
    ad: hexEncode(concat(Uint8Array.of(1), keyHash(publicKey))),
    plaintext: hexEncode(plaintext),
    record,
    bytes: hexEncode(sealRecord(publicKey, record, salt(index))),
  }
}

function recordKey(publicKey: PublicKey, recordSalt: Uint8Array): Uint8Array {
  const hash = primitives().hash('SHA256')
  return hash.hmac(hash.hash(label('noisecap/v1 location'), publicKey), recordSalt)
}

function plaintextOf(item: Dcbor, padding = 0): Uint8Array {
  const encoded = encodeDcbor(item)
  const plaintext = new Uint8Array(Math.ceil(encoded.length / 256) * 256).fill(padding)
  plaintext.set(encoded)
  return plaintext
}

/** Seal whatever plaintext, valid or not. */
function seal(plaintext: Uint8Array, over: { version?: number; adKey?: PublicKey } = {}): Uint8Array {
  const version = Uint8Array.of(over.version ?? 1)
  const sealed = new Uint8Array(plaintext.length + 16)
  const ad = concat(version, keyHash(over.adKey ?? keyA))
  primitives()
    .aead('ChaChaPoly')
    .withKey(recordKey(keyA, salt(100)))
    .seal(new Uint8Array(12), ad, plaintext, sealed)
  return concat(version, salt(100), sealed)
}

function refused(): [string, Uint8Array][] {
  const entry: Dcbor = [one.uri, 0, 0]
  const item = (...fields: Dcbor[]) => seal(plaintextOf(fields))
  const valid = item(SEQUENCE, EXPIRES, [entry])
  openRecord(keyA, valid)
  const flipped = valid.slice()
  flipped[60]! ^= 1
  return [
    ['no bytes', new Uint8Array(0)],
    ['header only', valid.slice(0, 33)],
    ['last byte missing', valid.slice(0, -1)],
    ['one byte more', concat(valid, Uint8Array.of(0))],
    ['one bit flipped', flipped],
    ['another version', seal(plaintextOf([SEQUENCE, EXPIRES, [entry]]), { version: 2 })],
    ['bound to another service', seal(plaintextOf([SEQUENCE, EXPIRES, [entry]]), { adKey: keyB })],
    [
      'sealed for another service',
      sealRecord(keyB, { sequence: SEQUENCE, expires: EXPIRES, locations: [one] }, salt(3)),
    ],
    ['padding that is not zero', seal(plaintextOf([SEQUENCE, EXPIRES, [entry]], 1))],
    [
      'a block of padding too many',
      seal(concat(plaintextOf([SEQUENCE, EXPIRES, [entry]]), new Uint8Array(256))),
    ],
    ['no padding', seal(encodeDcbor([SEQUENCE, EXPIRES, [entry]]))],
    ['not CBOR', seal(new Uint8Array(256).fill(0xff))],
    ['a map', seal(plaintextOf(new Map([['sequence', SEQUENCE]])))],
    ['two fields', item(SEQUENCE, EXPIRES)],
    ['four fields', item(SEQUENCE, EXPIRES, [entry], 0)],
    ['sequence of 64 bits', item(0xffff_ffff_ffff_ffffn, EXPIRES, [entry])],
    ['negative sequence', item(-1, EXPIRES, [entry])],
    ['expiry as text', item(SEQUENCE, 'soon', [entry])],
    ['expiry at the sequence', item(SEQUENCE, 1_700_000_000, [entry])],
    ['a life of 7 days and 1 s', item(SEQUENCE, 1_700_000_000 + 604_801, [entry])],
    ['no locations', item(SEQUENCE, EXPIRES, [])],
    [
      'nine locations',
      item(
        SEQUENCE,
        EXPIRES,
        Array.from({ length: 9 }, (_, i) => [`x${i}:y`, 0, 0]),
      ),
    ],
    ['the same location twice', item(SEQUENCE, EXPIRES, [entry, entry])],
    ['a location of two fields', item(SEQUENCE, EXPIRES, [[one.uri, 0]])],
    ['a location of four fields', item(SEQUENCE, EXPIRES, [[one.uri, 0, 0, 0]])],
    ['a location as text', item(SEQUENCE, EXPIRES, [one.uri])],
    ['a location without scheme', item(SEQUENCE, EXPIRES, [['127.0.0.1:7000', 0, 0]])],
    ['a location with a space', item(SEQUENCE, EXPIRES, [['tcp://a b:1', 0, 0]])],
    ['a location of 256 characters', item(SEQUENCE, EXPIRES, [[`x:${'a'.repeat(254)}`, 0, 0]])],
    ['priority of 65,536', item(SEQUENCE, EXPIRES, [[one.uri, 65_536, 0]])],
    ['negative weight', item(SEQUENCE, EXPIRES, [[one.uri, 0, -1]])],
    [
      'more than 4,096 bytes',
      seal(concat(plaintextOf([SEQUENCE, EXPIRES, [entry]]), new Uint8Array(16 * 256))),
    ],
  ]
}

/** All vectors. */
export function resolveVectors() {
  return {
    records: records.map(recordVector),
    refused: refused().map(([name, bytes]) => ({
      name,
      publicKey: hexEncode(keyA),
      bytes: hexEncode(bytes),
    })),
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  writeFileSync(FILE, `${JSON.stringify(resolveVectors(), null, 1)}\n`)
}
