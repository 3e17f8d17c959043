// Attacks on the living caller: answer her in the service's place, with whatever secrets are at hand.
// Leaves out coming to the service (approaching.ts).
import { EMPTY, equalConstantTime } from '../../../src/bytes.js'
import { keyHash, type PatternName } from '../../../src/capability/index.js'
import { generateKeyPair, type PublicKey } from '../../../src/crypto/index.js'
import { decodeHelloPayload, pad, parseHello, prologue } from '../../../src/session/hello.js'
import { DEFAULT_LIMITS } from '../../../src/session/index.js'
import { encodeServiceAnswer } from '../../../src/session/parameters.js'
import { PATTERNS } from '../../../src/session/wire.js'
import type { Knowledge } from './knowledge.js'
import { OpenNoise } from './open-noise.js'
import { codeOf, failure, farthest, type Outcome, SUCCESS, WORDS } from './outcome.js'
import { objectIn, psksFor } from './reading.js'
import type { Scene } from './scene.js'

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
