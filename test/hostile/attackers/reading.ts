// Attacks on what is secret: the payloads of a recorded session, who called, and which object was meant.
// Each uses a Knowledge and nothing else. Leaves out posing as somebody (approaching.ts, answering.ts).
import { EMPTY, equalConstantTime, hexEncode } from '../../../src/bytes.js'
import {
  type Capability,
  contactDay,
  contactTag,
  keyHash,
  type PatternName,
} from '../../../src/capability/index.js'
import { decodeLocator } from '../../../src/capability/locator.js'
import { holderCommitment } from '../../../src/capability/restrictions.js'
import { generateKeyPair, type PublicKey } from '../../../src/crypto/index.js'
import { decodeHelloPayload, parseHello, prologue } from '../../../src/session/hello.js'
import { decodeClientParameters } from '../../../src/session/parameters.js'
import { PATTERNS } from '../../../src/session/wire.js'
import { now } from '../../session/parties.js'
import type { Knowledge } from './knowledge.js'
import { OpenNoise } from './open-noise.js'
import { failure, type Outcome, SUCCESS } from './outcome.js'
import { type Scene, SPOKEN, sameKey, type Wire } from './scene.js'

const NOTHING_HEARD = failure('nothing was heard')
const SEALED = failure('does not open')

/** What an eavesdropper made of a session. */
interface Overheard {
  readonly caller: PublicKey | undefined
  readonly payload1: Uint8Array | undefined
  readonly records: { readonly byCaller: Uint8Array; readonly byService: Uint8Array } | undefined
}

/** Read the recorded session as far as the knowledge goes: with every client key that it could be and every PSK. */
function overhear(k: Knowledge, pattern: PatternName, wire: Wire): Overheard {
  // Without the public key he must guess it: it is not on the wire.
  const responder = k.publicKey ?? generateKeyPair().publicKey
  const parts = parseHello(wire.handshake[0]!)!
  let best: Overheard = { caller: undefined, payload1: undefined, records: undefined }
  for (const initiator of pattern === 'KK' ? k.suspects : [undefined]) {
    const start = (psk?: Uint8Array) =>
      new OpenNoise({
        protocol: PATTERNS[pattern].protocol,
        prologue: prologue(parts.header, keyHash(responder)),
        responder,
        initiator,
        psk,
        ring: k.ring,
      })
    const { s, payload } = start().read(parts.message1)
    for (const psk of [...psksFor(k, pattern, payload), undefined]) {
      const noise = start(psk)
      const opened = [parts.message1, ...wire.handshake.slice(1, pattern === 'XK' ? 3 : 2)].map((message) =>
        noise.read(message),
      )
      const caller = opened[2]?.s ?? s ?? (payload === undefined ? undefined : initiator)
      best = {
        caller: best.caller ?? caller,
        payload1: best.payload1 ?? payload,
        records: best.records ?? recordsOf(noise, pattern, wire),
      }
    }
  }
  return best
}

/** The PSKs that he can think of: of capabilities that he has, and of the one that message 1 names if he has the root. */
export function psksFor(
  k: Knowledge,
  pattern: PatternName,
  payload1: Uint8Array | undefined,
): readonly Uint8Array[] {
  const { protocol } = PATTERNS[pattern]
  const locator = payload1 && decodeHelloPayload(payload1)?.locator
  const named = locator && k.recompute?.(locator)
  return [...k.capabilities, ...(named === undefined ? [] : [named])].map((each) => each.keys().psk(protocol))
}

function recordsOf(noise: OpenNoise, pattern: PatternName, wire: Wire): Overheard['records'] {
  const { initiator, responder } = noise.split()
  try {
    if (pattern === 'XK') responder.decryptWithAd(EMPTY, wire.handshake[3]!)
    return {
      byCaller: initiator.decryptWithAd(EMPTY, wire.fromCaller),
      byService: responder.decryptWithAd(EMPTY, wire.fromService),
    }
  } catch {
    return undefined
  }
}

/** The locator in a recorded hello, where he can read it. */
export function locatorByRecording(k: Knowledge, pattern: PatternName): Uint8Array | undefined {
  if (k.wire === undefined || parseHello(k.wire.handshake[0]!)!.pattern !== pattern) return undefined
  const { payload1 } = overhear(k, pattern, k.wire)
  return payload1 && decodeHelloPayload(payload1)?.locator
}

/** The capability that a recorded hello names, where he has the root to compute it with. */
export function namedByRecording(k: Knowledge, pattern: PatternName): Capability | undefined {
  const locator = k.recompute && locatorByRecording(k, pattern)
  return locator && k.recompute?.(locator)
}

/** The object path in a payload of message 1. */
export function objectIn(payload1: Uint8Array): string | undefined {
  const locator = decodeHelloPayload(payload1)?.locator
  return locator && decodeLocator(locator).grant?.object
}

/** Read the payload of message 1 of the recorded session. */
export function readMessage1(k: Knowledge, scene: Scene): Outcome {
  if (k.wire === undefined) return NOTHING_HEARD
  const { payload1 } = overhear(k, scene.pattern, k.wire)
  const locator = payload1 && decodeHelloPayload(payload1)?.locator
  return locator && equalConstantTime(locator, scene.capability.locator) ? SUCCESS : SEALED
}

/** Read what both sides said in the recorded session after the handshake, which takes every message of that. */
export function readTheRest(k: Knowledge, scene: Scene): Outcome {
  if (k.wire === undefined) return NOTHING_HEARD
  const { records } = overhear(k, scene.pattern, k.wire)
  const read =
    records !== undefined &&
    equalConstantTime(records.byCaller, SPOKEN.byCaller) &&
    equalConstantTime(records.byService, SPOKEN.byService)
  return read ? SUCCESS : SEALED
}

/** Tell from the recorded session which of the known clients called. */
export function callerFromRecording(k: Knowledge, scene: Scene): Outcome {
  if (k.wire === undefined) return NOTHING_HEARD
  const { caller, payload1 } = overhear(k, scene.pattern, k.wire)
  const found = caller ?? tagged(k, k.wire)?.client ?? (payload1 && holderIn(payload1, k))
  if (found === undefined) return failure('no key of a caller shows')
  return sameKey(found, scene.callerKey?.publicKey) ? SUCCESS : failure('another key')
}

/** Tell from the recorded session which object it was about. */
export function objectFromRecording(k: Knowledge, scene: Scene): Outcome {
  if (k.wire === undefined) return NOTHING_HEARD
  const { payload1 } = overhear(k, scene.pattern, k.wire)
  const object = payload1 ? objectIn(payload1) : tagged(k, k.wire)?.object
  if (object === undefined) return SEALED
  return object === scene.capability.object ? SUCCESS : failure('another object')
}

/** The client key to which a capability in message 1 is bound: its commitment is there, the salt with IK and KK as well. */
function holderIn(payload1: Uint8Array, k: Knowledge): PublicKey | undefined {
  const { locator, parameters } = decodeHelloPayload(payload1)!
  const salts = [
    ...(decodeClientParameters(parameters)?.holderSalts ?? []),
    ...k.capabilities.flatMap((capability) => capability.holderSalts()),
  ]
  for (const { view } of decodeLocator(locator).caveats) {
    if (view.type !== 'holder') continue
    for (const client of k.suspects) {
      if (salts.some((salt) => hexEncode(holderCommitment(salt, client)) === view.commitment)) return client
    }
  }
  return undefined
}

/** KK: whoever has the capability can make the tag of every client that he knows, and compare. */
function tagged(
  k: Knowledge,
  wire: Wire,
): { readonly client: PublicKey; readonly object: string | undefined } | undefined {
  const tag = parseHello(wire.handshake[0]!)!.contactTag
  const today = contactDay(now())
  for (const capability of k.capabilities) {
    for (const client of k.suspects) {
      for (const day of [today - 1, today, today + 1]) {
        const made = contactTag(capability.keys().contactKey(), client, day)
        if (equalConstantTime(made, tag)) return { client, object: capability.object }
      }
    }
  }
  return undefined
}
