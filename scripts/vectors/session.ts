// Writes spec/vectors/session.json: all four patterns from fixed keys, roots and ephemerals, with every value on the way to the
// hello, message 2, the first records and a presentation. Run: npx tsx scripts/vectors/session.ts. The handshakes of src/session take no
// fixed ephemeral, so this builds the bytes from the primitives; the test lets a ServerHandshake accept them.
import { writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { concat, EMPTY, hexEncode } from '../../src/bytes.js'
import { firstKey } from '../../src/capability/chain.js'
import { encodeGrant } from '../../src/capability/grant.js'
import { contactTag, keyHash, PATTERN_NAMES, type PatternName } from '../../src/capability/index.js'
import { encodeLocator } from '../../src/capability/locator.js'
import { UseKeys } from '../../src/capability/use-keys.js'
import { asSecretKey, KeyPair, primitives } from '../../src/crypto/index.js'
import { HandshakeState } from '../../src/noise/index.js'
import { ByteSink } from '../../src/rpc/byte-sink.js'
import { type Presentation, writePresentation } from '../../src/rpc/presentation.js'
import { OP, writeByte, writeVarint } from '../../src/rpc/wire.js'
import { encodeHello, encodeHelloPayload, helloHeader, pad, prologue } from '../../src/session/hello.js'
import { DEFAULT_LIMITS, mac1Key, presentedParts } from '../../src/session/index.js'
import {
  encodeClientParameters,
  encodeHolderSalts,
  encodeServiceAnswer,
} from '../../src/session/parameters.js'
import { Session } from '../../src/session/session.js'
import { PATTERNS, PRESENTER_CODES } from '../../src/session/wire.js'

const FILE = new URL('../../spec/vectors/session.json', import.meta.url)
const counting = (first: number, length: number) => Uint8Array.from({ length }, (_, i) => (first + i) & 0xff)
const pairOf = (first: number) =>
  KeyPair.fromSecretKey(primitives().dh('25519'), asSecretKey(counting(first, 32)))

const ROOT = counting(0x00, 32)
/** Of the contact tag, days since the Unix epoch. */
const DAY = 20_000
/** Call id of the PRESENT in each session. */
const PRESENT_CALL = 300
const service = pairOf(0x80)
const client = pairOf(0xa0)
const serviceHash = keyHash(service.publicKey)
const grant = encodeGrant({ id: counting(0x40, 16), use: 'call', object: 'notes/ada', claims: {} })
const locator = encodeLocator(1, grant, [])

/** One session, up to the close record of the service. */
function sessionVector(pattern: PatternName) {
  const { protocol } = PATTERNS[pattern]
  const keys = UseKeys.fromChainKey(firstKey(ROOT, serviceHash, grant))
  const tag = pattern === 'KK' ? contactTag(keys.contactKey(), client.publicKey, DAY) : EMPTY
  const header = helloHeader(pattern, tag)
  const [clientE, serviceE] = [pairOf(0xc0), pairOf(0xe0)]
  const shared = { protocol, prologue: prologue(header, serviceHash), psks: [keys.psk(protocol)] }
  const initiator = new HandshakeState({
    ...shared,
    role: 'initiator',
    rs: service.publicKey,
    unsafeEphemeral: clientE,
    ...(pattern === 'NK' ? {} : { s: client }),
  })
  const responder = new HandshakeState({
    ...shared,
    role: 'responder',
    s: service,
    unsafeEphemeral: serviceE,
    ...(pattern === 'KK' ? { rs: client.publicKey } : {}),
  })
  const parameters = encodeClientParameters({ limits: DEFAULT_LIMITS, holderSalts: [] })
  const proof = keys.prove('hello', serviceHash, header, clientE.publicKey, locator, parameters, EMPTY)
  const payload = encodeHelloPayload({ locator, proof, parameters, early: EMPTY })
  const message1 = initiator.writeMessage(payload)
  responder.readMessage(message1)
  const answer = pad(encodeServiceAnswer({ status: 'ok', limits: DEFAULT_LIMITS }))
  const message2 = responder.writeMessage(pattern === 'XK' ? EMPTY : answer)
  initiator.readMessage(message2)
  const message3Payload = pattern === 'XK' ? pad(encodeHolderSalts([counting(0x10, 32)])) : EMPTY
  const message3 = pattern === 'XK' ? initiator.writeMessage(message3Payload) : EMPTY
  if (pattern === 'XK') responder.readMessage(message3)
  const sessionOf = (state: HandshakeState, role: 'client' | 'service') =>
    new Session({
      ...state.split(),
      handshakeHash: state.handshakeHash,
      pattern,
      role,
      remoteStatic: undefined,
    })
  const handshakeHash = initiator.handshakeHash
  const [atClient, atService] = [sessionOf(initiator, 'client'), sessionOf(responder, 'service')]
  const hex = {
    serviceSecretKey: service.secretKey,
    clientSecretKey: pattern === 'NK' ? EMPTY : client.secretKey,
    clientEphemeralSecretKey: clientE.secretKey,
    serviceEphemeralSecretKey: serviceE.secretKey,
    root: ROOT,
    publicKey: service.publicKey,
    locator,
    psk: keys.psk(protocol),
    prologue: shared.prologue,
    parameters,
    proof,
    payload,
    mac1Key: mac1Key(service.publicKey),
    hello: encodeHello(header, message1, mac1Key(service.publicKey)),
    contactTag: tag,
    answer,
    message2,
    message3Payload,
    message3,
    handshakeHash,
    statusRecord: pattern === 'XK' ? atService.seal(answer, 'length') : EMPTY,
    keepalive: atClient.seal(EMPTY, 'length'),
    clientRecord: atClient.seal(concat(Uint8Array.of(0, 9, 14), counting(1, 8)), 'length'),
    closeRecord: atService.close('done', 'length'),
  }
  const presentProof = keys.prove('present', ...presentedParts({ handshakeHash }, 'client', locator))
  const presentation = {
    role: PRESENTER_CODES.client,
    locator: hexEncode(locator),
    handshakeHash: hexEncode(handshakeHash),
    proof: hexEncode(presentProof),
    call: PRESENT_CALL,
    message: hexEncode(presentMessage({ locator, proof: presentProof, holderSalts: [] })),
  }
  return {
    pattern,
    protocol,
    ...(Object.fromEntries(Object.entries(hex).map(([name, bytes]) => [name, hexEncode(bytes)])) as Record<
      keyof typeof hex,
      string
    >),
    presentation,
  }
}

/** The message that shows the capability once more inside the session. */
function presentMessage(shown: Presentation): Uint8Array {
  const sink = new ByteSink()
  writeByte(sink, OP.present)
  writeVarint(sink, PRESENT_CALL)
  writePresentation(sink, shown)
  return sink.bytes.slice(0, sink.length)
}

/** All vectors. */
export function sessionVectors() {
  return { contactDay: DAY, sessions: PATTERN_NAMES.map(sessionVector) }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  writeFileSync(FILE, `${JSON.stringify(sessionVectors(), null, 1)}\n`)
}
