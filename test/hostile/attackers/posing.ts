// Attacks on the living: make the service compute, be taken for the caller, reach her object, be taken for the service.
// Each tries everything that its Knowledge allows and says how far that went; nothing else reaches it.
import { EMPTY, equalConstantTime, utf8 } from '../../../src/bytes.js'
import { Capability, contactTag, keyHash, type PatternName } from '../../../src/capability/index.js'
import { generateKeyPair, type KeyPair, type PublicKey, primitives } from '../../../src/crypto/index.js'
import { NoisecapError } from '../../../src/errors.js'
import { contactDay } from '../../../src/session/contacts.js'
import {
  decodeHelloPayload,
  encodeHello,
  encodeHelloPayload,
  helloHeader,
  mac1Key,
  pad,
  parseHello,
  prologue,
} from '../../../src/session/hello.js'
import { DEFAULT_LIMITS } from '../../../src/session/index.js'
import {
  encodeClientParameters,
  encodeHolderSalts,
  encodeServiceAnswer,
} from '../../../src/session/parameters.js'
import { PATTERNS } from '../../../src/session/wire.js'
import { ALL, clientOf, now } from '../../session/parties.js'
import type { Knowledge } from './knowledge.js'
import { inventedCapability, locatorsAbove } from './knowledge.js'
import { OpenNoise } from './open-noise.js'
import {
  failure,
  locatorByRecording,
  namedByRecording,
  type Outcome,
  objectIn,
  psksFor,
  SUCCESS,
} from './reading.js'
import { type Admitted, OBJECT, type Scene, type ServiceEnd, sameKey } from './scene.js'

const WORDS = utf8('words of the attacker')

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
  const { publicKey } = k
  if (publicKey === undefined) return []
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

/** Where the farthest of several attempts ended: everybody can meet silence on the side. */
function farthest(ends: ReadonlySet<string>): string {
  const others = [...ends].filter((end) => end !== 'silence').sort()
  return others.length === 0 ? 'silence' : others.join(', ')
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

/** What answering the caller came to. */
interface Posed {
  readonly outcome: Outcome
  /** The caller's key, where she told it. */
  readonly caller: PublicKey | undefined
  /** Her object, where her hello could be read. */
  readonly object: string | undefined
}

/** Answer the caller in the service's place. */
export function poseAsService(k: Knowledge, scene: Scene): Posed {
  const told: { caller: PublicKey | undefined; object: string | undefined } = {
    caller: undefined,
    object: undefined,
  }
  const ends = new Set<string>()
  for (const answer of answers(k, scene)) {
    const { ended, caller, object } = answer()
    told.caller ??= caller
    told.object ??= object
    if (ended === undefined) return { outcome: SUCCESS, ...told }
    ends.add(ended)
  }
  return { outcome: failure(farthest(ends)), ...told }
}

type Answer = () => {
  readonly ended: string | undefined
  readonly caller?: PublicKey | undefined
  readonly object?: string | undefined
}

function answers(k: Knowledge, scene: Scene): readonly Answer[] {
  const { pattern } = scene
  const say =
    (choose: (hello: Uint8Array) => Uint8Array): Answer =>
    () => {
      const client = scene.dialOfCaller()
      try {
        client.receive(Uint8Array.from(choose(client.hello)))
        return { ended: 'a third message' }
      } catch (error) {
        return { ended: codeOf(error) }
      }
    }
  const ways: Answer[] = [
    say((hello) => hello),
    say((hello) => parseHello(hello)!.message1),
    // As long as an honest message 2, in case length were all.
    say((hello) => hello.subarray(0, pattern === 'XK' ? 48 : 304)),
  ]
  if (k.wire !== undefined) ways.push(...k.wire.handshake.map((message) => say(() => message)))
  for (const suspect of pattern === 'KK' ? k.suspects : [undefined]) {
    ways.push(() => respond(k, scene, suspect))
  }
  return ways
}

/** Go through the handshake as the responder with the secrets at hand, a guess in the place of each that is missing. */
function respond(k: Knowledge, scene: Scene, initiator: PublicKey | undefined): ReturnType<Answer> {
  const { pattern } = scene
  const client = scene.dialOfCaller()
  const { header, message1 } = parseHello(client.hello)!
  const responder = k.publicKey ?? k.elsewhere?.key.publicKey ?? k.ownKey.publicKey
  const start = (psk?: Uint8Array) =>
    new OpenNoise({
      protocol: PATTERNS[pattern].protocol,
      prologue: prologue(header, keyHash(responder)),
      responder,
      initiator,
      psk,
      ring: k.ring,
    })
  const { payload } = start().read(message1)
  const locator = payload && decodeHelloPayload(payload)?.locator
  const noise = start(pskOf(k, pattern, payload, locator))
  const { s } = noise.read(message1)
  const e = generateKeyPair()
  const yes = pad(encodeServiceAnswer({ status: 'ok', limits: DEFAULT_LIMITS }))
  const object = payload && objectIn(payload)
  let caller = s ?? (payload === undefined ? undefined : initiator)
  try {
    let step = client.receive(noise.write(pattern === 'XK' ? EMPTY : yes, e))
    if ('reply' in step) {
      const third = noise.read(step.reply)
      caller = third.s
      const status = noise.split().responder.encryptWithAd(EMPTY, yes)
      step = client.receive(status)
    }
    if ('reply' in step) return { ended: 'a fourth message', caller, object }
    const heard = noise.split().initiator.decryptWithAd(EMPTY, step.session.seal(WORDS, 'message'))
    return { ended: equalConstantTime(heard, WORDS) ? undefined : 'other words', caller, object }
  } catch (error) {
    return { ended: codeOf(error), caller, object }
  }
}

/** The PSK of the capability that the hello names; any of his own where he cannot read it. */
function pskOf(
  k: Knowledge,
  pattern: PatternName,
  payload: Uint8Array | undefined,
  locator: Uint8Array | undefined,
): Uint8Array | undefined {
  const named = locator && k.capabilities.find((each) => equalConstantTime(each.locator, locator))
  if (named !== undefined) return named.keys().psk(PATTERNS[pattern].protocol)
  return psksFor(k, pattern, payload).at(-1)
}

function codeOf(error: unknown): string {
  if (error instanceof NoisecapError) return error.code
  throw error
}
