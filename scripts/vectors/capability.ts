// Generates spec/vectors/capability.json: `npx tsx scripts/vectors/capability.ts`. Every input is fixed, so the file only
// changes when the format does. The tests read it with a program of their own and compare it with this one's output.
// Leaves out random inputs: those are the property tests' business.
import { scryptSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { TORN_MARK } from '../../src/append-log/grammar.js'
import { base64urlEncode, concat, hexEncode, label, utf8 } from '../../src/bytes.js'
import { encodeCapabilityText } from '../../src/capability/capability-uri.js'
import { encodeCaveat, type KnownCaveat } from '../../src/capability/caveats.js'
import {
  type ChainKey,
  firstKey,
  linkId,
  nextKey,
  registeredKey,
  useKey,
} from '../../src/capability/chain.js'
import { encodeGrant, type Grant } from '../../src/capability/grant.js'
import { encodeKeyFile } from '../../src/capability/key-file-format.js'
import { encodeKeyPair, encodeServiceKey } from '../../src/capability/key-file-secrets.js'
import { keyHash, keyHashText } from '../../src/capability/keys.js'
import { decodeLocator, encodeLocator } from '../../src/capability/locator.js'
import { writeObjectCaveat } from '../../src/capability/object-caveat.js'
import { holderCommitment } from '../../src/capability/restrictions.js'
import { encodeRecord, LOG_HEADER } from '../../src/capability/revocation-log.js'
import { RootSecrets } from '../../src/capability/roots.js'
import { ServiceKey } from '../../src/capability/service-key.js'
import { sha256 } from '../../src/capability/sha256.js'
import { encodeToken } from '../../src/capability/token.js'
import { contactTag, UseKeys } from '../../src/capability/use-keys.js'
import { asPublicKey, asSecretKey, KeyPair, primitives } from '../../src/crypto/index.js'
import { type Dcbor, encodeDcbor } from '../../src/dcbor.js'

/** `length` bytes that count up from `first`. */
function counting(first: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (first + i) & 0xff)
}

const service = KeyPair.fromSecretKey(primitives().dh('25519'), asSecretKey(counting(0x80, 32)))
const client = KeyPair.fromSecretKey(primitives().dh('25519'), asSecretKey(counting(0xa0, 32)))
const ROOT = counting(0x00, 32)
const GRANT_ID = counting(0x40, 16)
const HOLDER_SALT = counting(0xc0, 32)
const PROTOCOLS = ['Noise_NKpsk2_25519_ChaChaPoly_BLAKE2b', 'Noise_IKpsk2_25519_ChaChaPoly_BLAKE2b']

/** Behind a caveat there may stand an object of the service's own, whose tag depends on all before. */
type Planned = KnownCaveat | { readonly type: 'object'; readonly object: string; readonly kid: number }

interface Recipe {
  readonly name: string
  readonly kid: number
  readonly grant?: Omit<Grant, 'id'>
  readonly caveats?: readonly Planned[]
  readonly holderSalts?: readonly Uint8Array[]
  readonly final?: boolean
  readonly label?: string
  readonly locations?: readonly string[]
}

const RECIPES: readonly Recipe[] = [
  {
    name: 'minted, no caveats',
    kid: 1,
    grant: { use: 'call', object: 'notes/ada', claims: {} },
  },
  {
    name: 'every caveat, claims, hints',
    kid: 65_536,
    grant: { use: 'call', object: 'notes/ada', claims: { tier: 'gold', seats: 12, trial: false, z: -1 } },
    caveats: [
      { type: 'expires', at: 1_900_000_000 },
      { type: 'notBefore', at: 1_700_000_000 },
      { type: 'methods', methods: ['tail', 'add', 'größe'] },
      { type: 'patterns', patterns: ['XK', 'IK'] },
      { type: 'holder', commitment: hexEncode(holderCommitment(HOLDER_SALT, client.publicKey)) },
      { type: 'claims', claims: { region: 'eu' } },
      { type: 'via', label: 'gateway' },
    ],
    holderSalts: [HOLDER_SALT],
    label: 'Ada’s notes',
    locations: ['tcp://127.0.0.1:7000', 'unix:///run/notes.sock'],
  },
  {
    name: 'final',
    kid: 1,
    grant: { use: 'seal', object: 'records/2026', claims: {} },
    caveats: [{ type: 'expires', at: 1_900_000_000 }],
    final: true,
  },
  {
    name: 'another object, then narrowed',
    kid: 1,
    grant: { use: 'call', object: 'desk', claims: { tier: 'gold' } },
    caveats: [
      { type: 'methods', methods: ['open'] },
      { type: 'object', object: 'notes/ada', kid: 1 },
      { type: 'methods', methods: ['tail'] },
    ],
  },
  { name: 'registered by hand', kid: 0 },
  {
    name: 'registered by hand, narrowed, final',
    kid: 0,
    caveats: [{ type: 'methods', methods: ['tail'] }],
    final: true,
    locations: ['tcp://[::1]:7000'],
  },
]

function capabilityVector(recipe: Recipe) {
  const { kid, grant, caveats = [], holderSalts = [], final = false, label: name, locations = [] } = recipe
  const { publicKey } = service
  const grantBytes =
    grant === undefined ? linkId(registeredKey(ROOT)) : encodeGrant({ id: GRANT_ID, ...grant })
  const chain: ChainKey[] = [
    grant === undefined ? registeredKey(ROOT) : firstKey(ROOT, keyHash(publicKey), grantBytes),
  ]
  const complete: KnownCaveat[] = []
  const encodedCaveats: Uint8Array[] = []
  for (const [i, planned] of caveats.entries()) {
    const previous = chain.at(-1)!
    const numbered = { kid: 1, root: ROOT }
    const caveat =
      planned.type === 'object'
        ? writeObjectCaveat(numbered, keyHash(publicKey), linkId(previous), planned.object)
        : planned
    complete.push(caveat)
    encodedCaveats.push(encodeCaveat(counting(0x10 * (i + 1), 8), caveat))
    chain.push(nextKey(previous, encodedCaveats.at(-1)!))
  }
  const last = chain.at(-1)!
  const locator = decodeLocator(encodeLocator(kid, grantBytes, encodedCaveats))
  const secret = final ? { final, key: useKey(last) } : { final, key: last }
  const token = encodeToken({ publicKey, secret, locator, holderSalts })
  const hints = { label: name, locations }
  return {
    name: recipe.name,
    publicKey: hexEncode(publicKey),
    root: hexEncode(ROOT),
    kid,
    grant: grant === undefined ? null : { id: hexEncode(GRANT_ID), ...grant },
    caveats: complete.map((caveat, i) => ({ salt: hexEncode(counting(0x10 * (i + 1), 8)), ...caveat })),
    holderSalts: holderSalts.map(hexEncode),
    final,
    label: name ?? null,
    locations,
    keyHash: keyHashText(publicKey),
    grantBytes: hexEncode(grantBytes),
    caveatBytes: encodedCaveats.map(hexEncode),
    t: chain.map(hexEncode),
    u: hexEncode(useKey(last)),
    ids: chain.map((key) => hexEncode(linkId(key))),
    ...useVector(UseKeys.fromChainKey(last)),
    locator: hexEncode(locator.encoded),
    token: hexEncode(token),
    uri: encodeCapabilityText({ keyHash: keyHashText(publicKey), token, ...hints }),
  }
}

function useVector(keys: UseKeys) {
  const parts = [utf8('first part'), counting(0, 5)]
  return {
    psk: Object.fromEntries(PROTOCOLS.map((protocol) => [protocol, hexEncode(keys.psk(protocol))])),
    proofs: (['hello', 'present'] as const).map((purpose) => ({
      purpose,
      parts: parts.map(hexEncode),
      proof: hexEncode(keys.prove(purpose, ...parts)),
    })),
    contactTag: {
      clientPublicKey: hexEncode(client.publicKey),
      day: 20_000,
      tag: hexEncode(contactTag(keys.contactKey(), client.publicKey, 20_000)),
    },
  }
}

/** A text around any token bytes, with a checksum that matches unless told otherwise. */
function textAround(
  body: Uint8Array,
  checksum: Uint8Array = sha256(label('noisecap/v1 token'), body).slice(0, 4),
): string {
  return `noisecap://${keyHashText(service.publicKey)}#${base64urlEncode(concat(body, checksum))}`
}

function body(locator: Uint8Array, head = [1, 1, 0], tail: Uint8Array = new Uint8Array(0)): Uint8Array {
  const length = Uint8Array.of(locator.length >> 8, locator.length & 0xff)
  return concat(Uint8Array.from(head), service.publicKey, counting(7, 32), length, locator, tail)
}

/** One failure each; the name says which. */
function malformedVectors() {
  const grant = encodeGrant({ id: GRANT_ID, use: 'call', object: 'notes/ada', claims: {} })
  const good = encodeLocator(1, grant, [])
  const goodText = textAround(body(good))
  const [head = '', fragment = ''] = goodText.split('#')
  const caveat = (code: number, value: Dcbor) => encodeDcbor([counting(0, 8), code, value])
  const around = (...caveats: Uint8Array[]) => textAround(body(encodeLocator(1, grant, caveats)))
  const withGrant = (...parts: Dcbor[]) => textAround(body(encodeLocator(1, encodeDcbor(parts), [])))
  const other = asPublicKey(counting(1, 32))
  const rows: [name: string, text: string, code?: string][] = [
    ['empty', ''],
    ['another scheme', goodText.replace('noisecap:', 'https:')],
    ['upper-case scheme', goodText.replace('noisecap:', 'NOISECAP:')],
    ['upper-case key hash', goodText.replace(head, head.toUpperCase().replace('NOISECAP', 'noisecap'))],
    [
      'key hash of another key',
      goodText.replace(keyHashText(service.publicKey), keyHashText(other)),
      'capability/key_mismatch',
    ],
    ['no fragment', head],
    ['padding', `${goodText}=`],
    ['plain base64', `${head}#${fragment.replaceAll('-', '+').replaceAll('_', '/')}+`],
    ['second fragment', `${goodText}#${fragment}`],
    ['empty label', `${head}/#${fragment}`],
    ['superfluous percent-encoding', `${head}/%61da#${fragment}`],
    ['lower-case percent-encoding', `${head}/%c3%b6#${fragment}`],
    ['label that is not UTF-8', `${head}/%FF#${fragment}`],
    ['label with a control character', `${head}/a%0Ab#${fragment}`],
    ['label of dots', `${head}/..#${fragment}`],
    ['label of 65 characters', `${head}/${'a'.repeat(65)}#${fragment}`],
    ['unknown parameter', `${head}?to=tcp://a:1#${fragment}`],
    ['empty query', `${head}?#${fragment}`],
    ['location without scheme', `${head}?at=localhost#${fragment}`],
    ['same location twice', `${head}?at=tcp://a:1&at=tcp://a:1#${fragment}`],
    [
      'nine locations',
      `${head}?${Array.from({ length: 9 }, (_, i) => `at=tcp://a:${i}`).join('&')}#${fragment}`,
    ],
    ['white space inside', `${head} #${fragment}`],
    ['too long', `${head}?at=tcp://${'a'.repeat(9_000)}#${fragment}`],
    ['checksum', textAround(body(good), counting(0, 4))],
    ['version 2', textAround(body(good, [2, 1, 0]))],
    ['suite 2', textAround(body(good, [1, 2, 0]))],
    ['unknown flag', textAround(body(good, [1, 1, 2]))],
    [
      'locator longer than the token',
      textAround(concat(body(good).slice(0, 67), Uint8Array.of(0x0a, 0x00), good)),
    ],
    ['bytes after the locator', textAround(body(good, [1, 1, 0], counting(0, 1)))],
    ['holder salt without holder', textAround(body(good, [1, 1, 0], counting(0, 32)))],
    ['holder without salt', around(caveat(4, counting(0, 32)))],
    ['locator is not CBOR', textAround(body(counting(0xff, 3)))],
    ['locator with trailing bytes', textAround(body(concat(good, Uint8Array.of(0))))],
    ['locator of four parts', textAround(body(encodeDcbor([1, grant, [], 0])))],
    ['root number beyond 32 bits', textAround(body(encodeLocator(2 ** 32, grant, [])))],
    ['root number in a long form', textAround(body(concat(Uint8Array.of(0x83, 0x18, 1), good.slice(2))))],
    ['17 caveats', around(...Array.from({ length: 17 }, () => caveat(1, 1)))],
    ['kid 0 with a grant', textAround(body(encodeLocator(0, grant, [])))],
    ['kid 1 with a registration id', textAround(body(encodeLocator(1, GRANT_ID, [])))],
    ['grant id of 15 bytes', withGrant(counting(0, 15), 'call', 'a', new Map())],
    ['unknown use', withGrant(GRANT_ID, 'admin', 'a', new Map())],
    ['empty object', withGrant(GRANT_ID, 'call', '', new Map())],
    ['object with an empty segment', withGrant(GRANT_ID, 'call', 'a//b', new Map())],
    ['object with dot segments', withGrant(GRANT_ID, 'call', 'a/../b', new Map())],
    ['object with a percent sign', withGrant(GRANT_ID, 'call', 'a%2Fb', new Map())],
    ['object of 513 characters', withGrant(GRANT_ID, 'call', 'a'.repeat(513), new Map())],
    ['claims that are no map', withGrant(GRANT_ID, 'call', 'a', [])],
    ['nested claim', withGrant(GRANT_ID, 'call', 'a', new Map([['a', new Map()]]))],
    ['claim named __proto__', withGrant(GRANT_ID, 'call', 'a', new Map([['__proto__', 1]]))],
    ['claims of 1,025 bytes', withGrant(GRANT_ID, 'call', 'a', new Map([['a', 'x'.repeat(1_019)]]))],
    ['caveat salt of 7 bytes', around(encodeDcbor([counting(0, 7), 1, 1]))],
    ['caveat type 0', around(caveat(0, 1))],
    ['negative time', around(caveat(1, -1))],
    ['time beyond 2^53', around(caveat(1, 2n ** 53n))],
    ['no methods', around(caveat(3, []))],
    ['methods out of order', around(caveat(3, ['b', 'a']))],
    ['method twice', around(caveat(3, ['a', 'a']))],
    ['method that is a number', around(caveat(3, [1]))],
    ['unknown pattern', around(caveat(5, ['NN']))],
    ['via with a line end', around(caveat(6, 'a\nb'))],
    ['object of two parts', around(caveat(8, [1, 'notes/ada']))],
    ['object under root 0', around(caveat(8, [0, 'notes/ada', counting(0, 16)]))],
    ['object with an empty path', around(caveat(8, [1, '', counting(0, 16)]))],
    ['object with a tag of 15 bytes', around(caveat(8, [1, 'notes/ada', counting(0, 15)]))],
    ['via of 129 bytes', around(caveat(6, 'a'.repeat(129)))],
  ]
  return rows.map(([name, text, code = 'capability/malformed']) => ({ name, text, code }))
}

async function keyFileVectors() {
  const passphrase = 'correct horse ﬁsh' // the ligature is folded by NFKC
  const salt = counting(0x20, 32)
  const roots = RootSecrets.from([
    [1, counting(0, 32)],
    [300, counting(0x60, 32)],
  ])
  const derive = async ({ logN, p }: { logN: number; p: number }, saltBytes: Uint8Array) =>
    Uint8Array.from(
      scryptSync(passphrase.normalize('NFKC'), saltBytes, 32, { N: 2 ** logN, r: 8, p, maxmem: 2 ** 28 }),
    )
  const serviceSecrets = encodeServiceKey(new ServiceKey(service, roots))
  const serviceInput = {
    secretKey: hexEncode(service.secretKey),
    roots: roots.kids.map((kid) => [kid, hexEncode(roots.get(kid)!)] as const),
  }
  const clientInput = { secretKey: hexEncode(client.secretKey), roots: null }
  return [
    {
      name: 'service, plain',
      kind: 'service',
      passphrase: null,
      ...serviceInput,
      bytes: hexEncode(await encodeKeyFile('service', serviceSecrets, undefined)),
    },
    {
      name: 'service, passphrase',
      kind: 'service',
      passphrase,
      ...serviceInput,
      bytes: hexEncode(await encodeKeyFile('service', serviceSecrets, derive, salt)),
    },
    {
      name: 'client, plain',
      kind: 'client',
      passphrase: null,
      ...clientInput,
      bytes: hexEncode(await encodeKeyFile('client', encodeKeyPair(client), undefined)),
    },
  ]
}

function revocationLogVectors() {
  const ids = [counting(0, 16), counting(0x50, 16)].map(hexEncode) as [string, string]
  const [first, second] = ids.map((id, i) => encodeRecord(id, 1_800_000_000 + i)) as [string, string]
  const torn = first.slice(0, 40)
  const row = (name: string, rest: string, found: readonly string[] | null, count = 0) => ({
    name,
    text: LOG_HEADER + rest,
    ids: found,
    torn: count,
  })
  return [
    row('empty', '', []),
    row('two records', first + second, ids),
    row('torn at the end', first + second.slice(0, 40), [ids[0]], 1),
    row('whole but for its line end', first + second.slice(0, -1), ids),
    row('torn, marked, then a record', `${torn}${TORN_MARK}\n${second}`, [ids[1]], 1),
    row('torn, then a record of a process that did not know', torn + second, [ids[1]], 1),
    row('torn in the mark', `${torn}${TORN_MARK.slice(0, 3)}${TORN_MARK}\n${second}`, [ids[1]], 1),
    row('torn without mark', `${torn}\n${second}`, null),
    row('altered id', first.replace('0', '1') + second, null),
    row('altered checksum', `${first.slice(0, -2)}${first.endsWith('0\n') ? '1' : '0'}\n${second}`, null),
    row('line end lost', `${first.slice(0, -1)} ${second}`, null),
    row('something else', 'hello\n', null),
  ]
}

/** Everything in spec/vectors/capability.json. */
export async function capabilityVectors() {
  return {
    about: 'spec/capability.md; bytes as hexadecimal; generated by scripts/vectors/capability.ts',
    keyHashes: [service.publicKey, client.publicKey].map((publicKey) => ({
      publicKey: hexEncode(publicKey),
      hash: hexEncode(keyHash(publicKey)),
      text: keyHashText(publicKey),
    })),
    capabilities: RECIPES.map(capabilityVector),
    malformed: malformedVectors(),
    keyFiles: await keyFileVectors(),
    revocationLogs: revocationLogVectors(),
  }
}

const here = fileURLToPath(import.meta.url)
if (process.argv[1] === here) {
  const target = fileURLToPath(new URL('../../spec/vectors/capability.json', import.meta.url))
  writeFileSync(target, `${JSON.stringify(await capabilityVectors(), null, 2)}\n`)
}
