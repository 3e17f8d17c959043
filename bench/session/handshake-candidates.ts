// Handshakes to be timed, both sides in one thread: ours, the bare public-key work of a pattern, and npm's noise-handshake.
// Each proves agreement of both sides before it is timed.
import { createRequire } from 'node:module'
import NoiseHandshake from 'noise-handshake'
import { EMPTY } from '../../src/bytes.js'
import { asPublicKey, asSecretKey, KeyPair, type Primitives, primitivesOf } from '../../src/crypto/index.js'
import { HandshakeState, parseProtocolName } from '../../src/noise/index.js'

export const PATTERNS = ['NK', 'NKpsk2', 'XK', 'IK'] as const
export type Pattern = (typeof PATTERNS)[number] | 'XX'

/** Every key and pre-shared key that need not be random. */
export const PSK = new Uint8Array(32).fill(7)

export interface Candidate {
  readonly name: string
  readonly run: () => unknown
}

const nameOf = (pattern: Pattern): string => `Noise_${pattern}_25519_ChaChaPoly_BLAKE2b`

/** One whole handshake of both sides, from the keys to four cipher states. */
function handshakeOf(pattern: Pattern, from: Primitives): () => readonly [HandshakeState, HandshakeState] {
  const { plan } = parseProtocolName(nameOf(pattern))
  const [alice, bob] = [KeyPair.generate(from.dh('25519')), KeyPair.generate(from.dh('25519'))]
  const [protocol, primitives, psks] = [nameOf(pattern), from, plan.psks.map(() => PSK)]
  const [s, rs] = [alice, bob.publicKey]
  // Written out: a spread would cost 1 µs a side, which is the benchmark's and not the engine's.
  const initiate = !plan.needs.initiator.s
    ? () => new HandshakeState({ protocol, primitives, psks, role: 'initiator', rs })
    : plan.needs.initiator.rs
      ? () => new HandshakeState({ protocol, primitives, psks, role: 'initiator', s, rs })
      : () => new HandshakeState({ protocol, primitives, psks, role: 'initiator', s })
  return () => {
    const initiator = initiate()
    const responder = new HandshakeState({ protocol, primitives, psks, role: 'responder', s: bob })
    responder.readMessage(initiator.writeMessage())
    initiator.readMessage(responder.writeMessage())
    if (!initiator.finished) responder.readMessage(initiator.writeMessage())
    return [initiator, responder]
  }
}

export function ourCandidate(pattern: Pattern, from: Primitives): Candidate {
  const handshake = handshakeOf(pattern, from)
  const [initiator, responder] = handshake()
  const { send } = initiator.split()
  const { receive } = responder.split()
  check(equal(initiator.handshakeHash, responder.handshakeHash), 'handshake hashes')
  check(receive.decryptWithAd(EMPTY, send.encryptWithAd(EMPTY, PSK)).length === 32, 'transport')
  const run = (): void => {
    for (const party of handshake()) party.split()
  }
  return { name: 'noisecap', run }
}

/** The public-key work of `pattern` and nothing else: an ephemeral key and every DH, on both sides. */
export function bareCandidate(pattern: Pattern, from: Primitives): Candidate {
  const dh = from.dh('25519')
  const { plan } = parseProtocolName(nameOf(pattern))
  const dhs =
    2 * plan.messages.flatMap(({ tokens }) => tokens.filter((token) => /^[es]{2}$/.test(token))).length
  const name = `2 keygens + ${dhs} DH`
  if (dh.provider === 'sodium') return { name, run: bareSodium(dhs) }
  const s = dh.generateSecretKey()
  const run = (): void => {
    const [e, re] = [dh.generateSecretKey(), dh.generateSecretKey()]
    const publicKeys = [dh.publicKeyOf(e), dh.publicKeyOf(re)]
    for (let count = 0; count < dhs; count++) dh.dh(count % 2 === 0 ? e : s, publicKeys[count % 2]!)
  }
  return { name, run }
}

/** The part of sodium-native that is timed bare; it ships no types. */
interface Sodium {
  crypto_box_keypair(publicKey: Uint8Array, secretKey: Uint8Array): void
  crypto_scalarmult(shared: Uint8Array, secretKey: Uint8Array, publicKey: Uint8Array): void
}

function bareSodium(dhs: number): () => void {
  const sodium = createRequire(import.meta.url)('sodium-native') as Sodium
  const [e, ePublic, re, rePublic] = [Buffer.alloc(32), Buffer.alloc(32), Buffer.alloc(32), Buffer.alloc(32)]
  const [shared, sharedToo] = [Buffer.alloc(32), Buffer.alloc(32)]
  const run = (): void => {
    sodium.crypto_box_keypair(ePublic, e)
    sodium.crypto_box_keypair(rePublic, re)
    for (let count = 0; count < dhs; count += 2) {
      sodium.crypto_scalarmult(shared, e, rePublic)
      sodium.crypto_scalarmult(sharedToo, re, ePublic)
    }
  }
  run()
  check(equal(shared, sharedToo), 'bare DH')
  return run
}

export function peerCandidate(pattern: string): Candidate {
  const [alice, bob] = [new NoiseHandshake('NN', true).s, new NoiseHandshake('NN', true).s]
  const handshake = () => {
    const initiator = new NoiseHandshake(pattern, true, alice)
    const responder = new NoiseHandshake(pattern, false, bob)
    initiator.initialise(Buffer.alloc(0), bob.publicKey)
    responder.initialise(Buffer.alloc(0))
    responder.recv(initiator.send())
    initiator.recv(responder.send())
    if (!initiator.complete) responder.recv(initiator.send())
    return [initiator, responder] as const
  }
  const [initiator, responder] = handshake()
  check(equal(initiator.hash!, responder.hash!) && equal(initiator.tx!, responder.rx!), 'noise-handshake')
  checkInterop(pattern, alice, bob)
  return { name: 'noise-handshake', run: handshake }
}

/** What is compared must be the same protocol: our initiator against its responder. */
function checkInterop(pattern: string, alice: NoiseHandshake['s'], bob: NoiseHandshake['s']): void {
  const dh = primitivesOf('noble').dh('25519')
  const s = KeyPair.fromSecretKey(dh, asSecretKey(Uint8Array.from(alice.secretKey)))
  const rs = asPublicKey(Uint8Array.from(bob.publicKey))
  const ours = new HandshakeState({
    protocol: `Noise_${pattern}_25519_ChaChaPoly_BLAKE2b`,
    role: 'initiator',
    s,
    rs,
  })
  const peer = new NoiseHandshake(pattern, false, bob)
  peer.initialise(Buffer.alloc(0))
  peer.recv(Buffer.from(ours.writeMessage()))
  ours.readMessage(peer.send())
  if (!ours.finished) peer.recv(Buffer.from(ours.writeMessage()))
  check(equal(ours.handshakeHash, peer.hash!), 'interop')
}

/** Whether both hold the same bytes. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.from(a).equals(b)
}

/** Throws unless `holds`. */
export function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(`No agreement: ${what}`)
}
