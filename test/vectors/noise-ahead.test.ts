// All vectors of Curve25519 with every DH computed ahead by Web Cryptography: the engine may compute none of them itself.
import { describe, expect, test } from 'vitest'
import { hexDecode, hexEncode } from '../../src/bytes.js'
import { asPublicKey, DhAhead, type PublicKey, primitives, webX25519 } from '../../src/crypto/index.js'
import { type HandshakeOptions, HandshakeState, parseProtocolName } from '../../src/noise/index.js'
import { type NoiseVector, optionsOf, vectors } from './noise-runner.js'

const later = await webX25519()
const selected = vectors.filter(({ protocol_name }) => protocol_name.includes('_25519_'))

/** The handshake of these options, its DHs with all of `peers` computed. */
async function stateAhead(
  options: HandshakeOptions,
  peers: readonly (PublicKey | undefined)[],
): Promise<HandshakeState> {
  if (later === undefined) throw new Error('this host has no X25519 in Web Cryptography')
  const refuse = (): never => {
    throw new Error('computed by the engine')
  }
  const usual = { ...primitives().dh('25519'), generateSecretKey: refuse, publicKeyOf: refuse, dh: refuse }
  const ahead = new DhAhead(later, usual)
  for (const own of [options.s, options.unsafeEphemeral]) {
    for (const peer of peers) if (own && peer) await ahead.compute(own.secretKey, asPublicKey(peer.slice()))
  }
  const { aead, hash } = primitives()
  const others = { aead: aead.bind(primitives()), hash: hash.bind(primitives()) }
  return new HandshakeState({ ...options, primitives: { dh: () => ahead.function, ...others } })
}

async function run(vector: NoiseVector): Promise<void> {
  const ours = optionsOf(vector, 'initiator', primitives(), 'early')
  const theirs = optionsOf(vector, 'responder', primitives(), 'early')
  const publicKeys = ({ s, unsafeEphemeral }: HandshakeOptions) => [s?.publicKey, unsafeEphemeral?.publicKey]
  const initiator = await stateAhead(ours, [...publicKeys(theirs), ours.rs])
  const responder = await stateAhead(theirs, [...publicKeys(ours), theirs.rs])
  for (const [index, { sender }] of parseProtocolName(vector.protocol_name).plan.messages.entries()) {
    const [writer, reader] = sender === 'initiator' ? [initiator, responder] : [responder, initiator]
    const { payload, ciphertext } = vector.messages[index]!
    expect(hexEncode(writer.writeMessage(hexDecode(payload)))).toBe(ciphertext)
    expect(hexEncode(reader.readMessage(hexDecode(ciphertext)))).toBe(payload)
  }
  expect(hexEncode(initiator.handshakeHash)).toBe(vector.handshake_hash)
  expect(hexEncode(responder.handshakeHash)).toBe(vector.handshake_hash)
}

describe('DHs ahead by Web Cryptography', () => {
  test('the set holds 443 vectors for it', () => expect(selected).toHaveLength(443))
  for (const vector of selected) test(vector.protocol_name, () => run(vector))
})
