// Attacks on the living service: make it compute, be taken for the caller, reach her object.
// Each tries everything that its Knowledge allows and says how far that went; nothing else reaches it.
import { EMPTY } from '../../../src/bytes.js'
import {
  Capability,
  contactDay,
  contactTag,
  keyHash,
  type PatternName,
} from '../../../src/capability/index.js'
import { generateKeyPair, type KeyPair, type PublicKey, primitives } from '../../../src/crypto/index.js'
import {
  encodeHello,
  encodeHelloPayload,
  helloHeader,
  mac1Key,
  pad,
  parseHello,
  prologue,
} from '../../../src/session/hello.js'
import { DEFAULT_LIMITS } from '../../../src/session/index.js'
import { encodeClientParameters, encodeHolderSalts } from '../../../src/session/parameters.js'
import { PATTERNS } from '../../../src/session/wire.js'
import { ALL, clientOf, now } from '../../session/parties.js'
import { inventedCapability, type Knowledge, locatorsAbove } from './knowledge.js'
import { OpenNoise } from './open-noise.js'
import { codeOf, failure, farthest, type Outcome, SUCCESS, WORDS } from './outcome.js'
import { locatorByRecording, namedByRecording } from './reading.js'
import { type Admitted, OBJECT, type Scene, type ServiceEnd, sameKey } from './scene.js'

/** One way to come to the service: what it then knows of him, or where it ended. */
type Approach = (end: ServiceEnd) => Admitted | string

/** Everything that he can send to the service in the hope of an answer. */
function approaches(k: Knowledge, pattern: PatternName): readonly Approach[] {
  const keys = pattern === 'NK' ? [undefined] : [k.callerKey ?? k.ownKey]
  const ways: Approach[] = []
  // With the root, what he can read of a recorded locator is a capability too.
  const named = namedByRecording(k, pattern)
  for (const capability of named === undefined ? k.capabilities : [...k.capabilities, named]) {
    for (const key of keys) ways.push((end) => enter(end, capability, key, pattern))
    // With the service's key he can compute what the caller's key is needed for, at least in message 1.
    if (pattern !== 'NK' && k.staticKey !== undefined && k.callerKey === undefined) {
      for (const suspect of k.suspects) ways.push((end) => forge(end, k, capability, suspect, pattern))
    }
  }
  for (const invented of inventedBy(k, pattern)) {
    for (const key of keys) ways.push((end) => enter(end, invented, key, pattern))
  }
  if (k.wire !== undefined) {
    const [hello, ...later] = k.wire.handshake
    const { fromCaller } = k.wire
    ways.push((end) => replay(end, hello!, later[1], fromCaller))
    for (const message of later) ways.push((end) => (end.hello(message) ? 'an answer' : 'silence'))
  }
  if (k.elsewhere !== undefined && k.publicKey !== undefined) {
    const { elsewhere, publicKey } = k
    ways.push((end) => (end.hello(elsewhere.hello) ? 'an answer' : 'silence'))
    ways.push((end) => passOn(end, elsewhere, publicKey, k))
  }
  ways.push((end) => (end.hello(primitives().randomBytes(371)) ? 'an answer' : 'silence'))
  return ways
}

/** Capabilities whose locator he knows or makes up, and whose secret he can only guess. */
function inventedBy(k: Knowledge, pattern: PatternName): readonly Capability[] {
  // Without the public key he guesses that as well: a hello of the right form.
  const publicKey = k.publicKey ?? k.ownKey.publicKey
  const recorded = locatorByRecording(k, pattern)
  const known = [...k.capabilities.flatMap(locatorsAbove), ...(recorded === undefined ? [] : [recorded])]
  const pair = Capability.fromPair(publicKey, primitives().randomBytes(32))
  return [pair, ...known.map((locator) => inventedCapability(publicKey, locator))]
}

/** Come as an honest client with what one has. */
function enter(
  end: ServiceEnd,
  capability: Capability,
  keyPair: KeyPair | undefined,
  pattern: PatternName,
): Admitted | string {
  const client = clientOf(capability, keyPair, pattern)
  let message = end.hello(client.hello)
  try {
    for (;;) {
      if (message === undefined) return 'silence'
      const step = client.receive(message)
      if (!('reply' in step)) return end.firstRecord(step.session.seal(WORDS, 'message'))
      message = end.message3(step.reply)
    }
  } catch (error) {
    return codeOf(error)
  }
}

/** Come with the caller's public key in one's mouth, and her secret replaced by the service's. */
function forge(
  end: ServiceEnd,
  k: Knowledge,
  capability: Capability,
  victim: PublicKey,
  pattern: PatternName,
): Admitted | string {
  using keys = capability.keys()
  const responder = capability.publicKey
  const tag = contactTag(keys.contactKey(), victim, contactDay(now()))
  const header = helloHeader(pattern, pattern === 'KK' ? tag : EMPTY)
  const e = generateKeyPair()
  const noise = new OpenNoise({
    protocol: PATTERNS[pattern].protocol,
    prologue: prologue(header, keyHash(responder)),
    responder,
    initiator: victim,
    psk: keys.psk(PATTERNS[pattern].protocol),
    ring: k.ring,
  })
  const { locator } = capability
  const parameters = encodeClientParameters({ limits: DEFAULT_LIMITS, holderSalts: [] })
  const proof = keys.prove('hello', keyHash(responder), header, e.publicKey, locator, parameters, EMPTY)
  const payload = encodeHelloPayload({ locator, proof, parameters, early: EMPTY })
  const message2 = end.hello(encodeHello(header, noise.write(payload, e, victim), mac1Key(responder)))
  if (message2 === undefined) return 'silence'
  const read = noise.read(message2)
  if (pattern === 'XK') {
    const status = end.message3(noise.write(pad(encodeHolderSalts([])), e, victim))
    if (status === undefined) return 'silence'
  } else if (read.payload === undefined) return 'message 2 does not open'
  return end.firstRecord(noise.split().initiator.encryptWithAd(EMPTY, WORDS))
}

/** Send again what was heard. */
function replay(
  end: ServiceEnd,
  hello: Uint8Array,
  message3: Uint8Array | undefined,
  record: Uint8Array,
): Admitted | string {
  if (end.hello(hello) === undefined) return 'silence'
  if (message3 !== undefined && end.message3(message3) === undefined) return 'silence'
  return end.firstRecord(record)
}

/** Let the caller's fresh hello through, and send the service its own answer back. */
function mirror(end: ServiceEnd, hello: Uint8Array, pattern: PatternName): Admitted | string {
  const message2 = end.hello(hello)
  if (message2 === undefined) return 'silence'
  if (pattern === 'XK') return end.message3(message2) === undefined ? 'silence' : 'an answer'
  return end.firstRecord(message2)
}

/** Open a hello to one's own service and pass what it says on to the other. */
function passOn(
  end: ServiceEnd,
  { hello, key }: NonNullable<Knowledge['elsewhere']>,
  publicKey: PublicKey,
  k: Knowledge,
): Admitted | string {
  const parts = parseHello(hello)!
  const open = (initiator: PublicKey | undefined) =>
    new OpenNoise({
      protocol: PATTERNS[parts.pattern].protocol,
      prologue: prologue(parts.header, keyHash(key.publicKey)),
      responder: key.publicKey,
      initiator,
      ring: k.ring.add(key),
    }).read(parts.message1)
  const opened = [undefined, ...k.suspects].map(open).find(({ payload }) => payload !== undefined)
  if (opened?.payload === undefined) return 'silence'
  const caller = opened.s ?? (parts.pattern === 'KK' ? k.suspects.at(-1) : undefined)
  const again = new OpenNoise({
    protocol: PATTERNS[parts.pattern].protocol,
    prologue: prologue(parts.header, keyHash(publicKey)),
    responder: publicKey,
    initiator: caller,
    ring: k.ring,
  })
  const message1 = again.write(opened.payload, generateKeyPair(), caller)
  return end.hello(encodeHello(parts.header, message1, mac1Key(publicKey))) ? 'an answer' : 'silence'
}

/** The best of all approaches under `wanted`; otherwise where they ended, each once. */
function bestOf(
  k: Knowledge,
  scene: Scene,
  patterns: readonly PatternName[],
  wanted: (seen: Admitted) => boolean,
): Outcome {
  const ends = new Set<string>()
  for (const pattern of patterns) {
    const ways = [...approaches(k, pattern)]
    if (k.through) ways.push((end) => mirror(end, scene.dialOfCaller().hello, pattern))
    for (const approach of ways) {
      const seen = approach(scene.connection(k.restarted))
      if (typeof seen === 'string') ends.add(seen)
      else if (wanted(seen)) return SUCCESS
      else ends.add(seen.object === OBJECT ? 'not as the caller' : 'another object')
    }
  }
  return failure(farthest(ends))
}

/** Be taken for the caller: her key (if she has one), her object, everything that she may do. */
export function actAsCaller(k: Knowledge, scene: Scene): Outcome {
  return bestOf(
    k,
    scene,
    [scene.pattern],
    ({ client, object, methods }) =>
      sameKey(client, scene.callerKey?.publicKey) && object === OBJECT && methods.includes('add'),
  )
}

/** Call the caller's object in one's own name, whatever the pattern. */
export function reachObject(k: Knowledge, scene: Scene): Outcome {
  return bestOf(k, scene, ALL, ({ object }) => object === OBJECT)
}

/** The most Diffie-Hellmans that the service computes for him before it gives up or lets him in. */
export function costInDhs(k: Knowledge, scene: Scene): number {
  let most = 0
  for (const approach of approaches(k, scene.pattern)) {
    const end = scene.connection(k.restarted)
    approach(end)
    most = Math.max(most, end.dhs)
  }
  return most
}
