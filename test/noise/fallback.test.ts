// Fallback: Noise Pipes (IK to XXfallback), other patterns, and the points at which falling back is possible.
import { describe, expect, test } from 'vitest'
import { EMPTY, hexDecode, hexEncode, utf8 } from '../../src/bytes.js'
import { asPublicKey, asSecretKey, KeyPair, primitives } from '../../src/crypto/index.js'
import { HandshakeState } from '../../src/noise/index.js'
import { failureOf, optionsOf, partiesOf, pskOf, runHandshake } from './parties.js'

const SUITE = '25519_ChaChaPoly_BLAKE2b'
const FALLBACK = `Noise_XXfallback_${SUITE}`
const dh = primitives().dh('25519')

/** Alice tries IK with a key that Bob no longer has; Bob has failed to read her message. */
function failedAttempt() {
  const [alice, bob, formerly] = [KeyPair.generate(dh), KeyPair.generate(dh), KeyPair.generate(dh)]
  const protocol = `Noise_IK_${SUITE}`
  const ours = new HandshakeState({ protocol, role: 'initiator', s: alice, rs: formerly.publicKey })
  const theirs = new HandshakeState({ protocol, role: 'responder', s: bob })
  const message = ours.writeMessage(utf8('0-RTT'))
  expect(failureOf(() => theirs.readMessage(message))).toBe('noise/decrypt')
  return { alice, bob, ours, theirs, message }
}

describe('HandshakeState.fallback', () => {
  test('Noise Pipes: a failed IK goes on as XXfallback, with roles swapped', () => {
    const { alice, bob, ours, theirs, message } = failedAttempt()
    const bobNext = theirs.fallback({ protocol: FALLBACK, s: bob })
    const aliceNext = ours.fallback({ protocol: FALLBACK, s: alice })
    expect([bobNext.role, aliceNext.role]).toEqual(['initiator', 'responder'])
    expect(bobNext.remoteEphemeral).toEqual(message.slice(0, 32))
    const messages = runHandshake(bobNext, aliceNext)
    expect(messages).toHaveLength(2)
    expect(bobNext.handshakeHash).toEqual(aliceNext.handshakeHash)
    expect(aliceNext.remoteStatic).toEqual(bob.publicKey)
    expect(bobNext.remoteStatic).toEqual(alice.publicKey)
    const [fromBob, fromAlice] = [bobNext.split(), aliceNext.split()]
    expect(fromAlice.receive.decryptWithAd(EMPTY, fromBob.send.encryptWithAd(EMPTY, utf8('b')))).toEqual(
      utf8('b'),
    )
    expect(fromBob.receive.decryptWithAd(EMPTY, fromAlice.send.encryptWithAd(EMPTY, utf8('a')))).toEqual(
      utf8('a'),
    )
  })

  test('with a PSK and a prologue of its own', () => {
    const { alice, bob, ours, theirs } = failedAttempt()
    const common = { protocol: `Noise_XXfallback+psk0_${SUITE}`, prologue: utf8('pipes'), psks: [pskOf(0)] }
    const bobNext = theirs.fallback({ ...common, s: bob })
    const aliceNext = ours.fallback({ ...common, s: alice })
    runHandshake(bobNext, aliceNext)
    expect(bobNext.handshakeHash).toEqual(aliceNext.handshakeHash)
  })

  test('the first handshake is over on both sides', () => {
    const { alice, bob, ours, theirs } = failedAttempt()
    theirs.fallback({ protocol: FALLBACK, s: bob })
    ours.fallback({ protocol: FALLBACK, s: alice })
    expect(failureOf(() => ours.readMessage(new Uint8Array(100)))).toBe('noise/failed')
    expect(failureOf(() => theirs.writeMessage())).toBe('noise/failed')
    expect(failureOf(() => ours.fallback({ protocol: FALLBACK, s: alice }))).toBe('noise/out_of_turn')
    expect(failureOf(() => theirs.fallback({ protocol: FALLBACK, s: bob }))).toBe('noise/out_of_turn')
  })

  test('a responder who could read message 1 may switch as well', () => {
    const { initiator, responder } = optionsOf(`Noise_IK_${SUITE}`)
    const [ours, theirs] = [new HandshakeState(initiator), new HandshakeState(responder)]
    runHandshake(ours, theirs, 1)
    const bobNext = theirs.fallback({ protocol: FALLBACK, s: responder.s! })
    const aliceNext = ours.fallback({ protocol: FALLBACK, s: initiator.s! })
    runHandshake(bobNext, aliceNext)
    expect(bobNext.handshakeHash).toEqual(aliceNext.handshakeHash)
  })

  test('options that do not fit throw and leave the first handshake as it was', () => {
    const { alice, ours } = failedAttempt()
    expect(failureOf(() => ours.fallback({ protocol: `Noise_XX_${SUITE}`, s: alice }))).toBe('noise/bad_key')
    expect(failureOf(() => ours.fallback({ protocol: FALLBACK }))).toBe('noise/bad_key')
    expect(
      failureOf(() => ours.fallback({ protocol: 'Noise_XXfallback_448_ChaChaPoly_BLAKE2b', s: alice })),
    ).toBe('noise/bad_key')
    expect(ours.fallback({ protocol: FALLBACK, s: alice }).role).toBe('responder')
  })

  test('at any other point it is out of turn', () => {
    const s = KeyPair.generate(dh)
    const fallBack = (party: HandshakeState) => failureOf(() => party.fallback({ protocol: FALLBACK, s }))
    const { initiator, responder } = partiesOf(`Noise_XX_${SUITE}`)
    expect([fallBack(initiator), fallBack(responder)]).toEqual(['noise/out_of_turn', 'noise/out_of_turn'])
    runHandshake(initiator, responder, 2)
    expect([fallBack(initiator), fallBack(responder)]).toEqual(['noise/out_of_turn', 'noise/out_of_turn'])
    const short = partiesOf(`Noise_IK_${SUITE}`).responder
    expect(failureOf(() => short.readMessage(new Uint8Array(20)))).toBe('noise/message_length')
    expect(fallBack(short)).toBe('noise/out_of_turn')
  })
})

/** One handshake of noise-c (tests/vector/noise-c-fallback.txt, MIT licence), which is independent of this project. */
const NOISE_C = {
  prologue: '50726f6c6f677565313233',
  alice: 'e61ef9919cde45dd5f82166404bd08e38bceb5dfdfded0a34c8df7ed542214d1',
  aliceEphemeral: '893e28b9dc6ca8d611ab664754b8ceb7bac5117349a4439a6b0569da977c464a',
  bobFormerly: 'f215fe4ad54b354588d3fa52166179b723b9a211ec67167b9bf1729260972a23',
  bob: '4a3acbfdb163dec651dfa3194dece676d437029c62a408b4c5ea9114246e4893',
  bobEphemeral: 'bbdb4cdbd309f1a1f2e1456967fe288cadd6f712d65dc7b7793d5e63da6b375b',
  messages: [
    [
      '4c756477696720766f6e204d69736573',
      'ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c794444c103b601479a745cc5cd1ecd456f07a5a585a145b4f0615d73bc68b751c82579de1ae62e1fcd8306ed051c75490898075cce39b302acf9860aa7f091a62712e45e9e51fba842fb2a610aba665fbba5',
    ],
    [
      '4d757272617920526f746862617264',
      '95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f1448088437714fb2cf42a1fc018c24b3bd16731f9a1c1e476d4bd0d0ebcc53cd970d46776ce4e0dff06f00d13dcbac05019986e45929d9e70ce9f27b60ddc4b7ecbc06093bfe336d88f9fc2f0c923439b76bd3b',
    ],
    [
      '462e20412e20486179656b',
      'fb87f74cbf441d50f7ebe2e1cb265138de3f2070cc34a12461382ecbef625feed719f4e89385e0875a81e64228b6763b4eaf0ea4d6f0f9822534909bdcd0f5d1966f62be436195577993c7',
    ],
    ['4361726c204d656e676572', 'a1ad6dc722186ef50b242f90f68a7c713e922f257c2739d5dfc956'],
    [
      '4a65616e2d426170746973746520536179',
      '733ad645ff63a8fc84129292f40ea7436b7277637a57b434a2d72eccf5fcaf36dc',
    ],
    [
      '457567656e2042f6686d20766f6e2042617765726b',
      '5cb9704868319542e03376b53a2ca844910524e7826c4f4a8f5442a6466db486b8ec9d72b4',
    ],
  ],
  handshakeHash:
    '9ca839672840ab3f239a4d1d7136ecde9b3cb8244c0fdc7d6c56f4e394144a54d28326d042ef30d8f253c977efce03d8f728686540672a9eac53dbf9b4c28b57',
} as const

test('Noise Pipes agree with noise-c to the byte: failed IK, XXfallback, transport both ways', () => {
  const pairOf = (secret: string) => KeyPair.fromSecretKey(dh, asSecretKey(hexDecode(secret)))
  const [prologue, alice, bob] = [hexDecode(NOISE_C.prologue), pairOf(NOISE_C.alice), pairOf(NOISE_C.bob)]
  const protocol = `Noise_IK_${SUITE}`
  const aliceEphemeral = pairOf(NOISE_C.aliceEphemeral)
  const rs = asPublicKey(hexDecode(NOISE_C.bobFormerly))
  const ours = new HandshakeState({
    protocol,
    role: 'initiator',
    prologue,
    s: alice,
    rs,
    unsafeEphemeral: aliceEphemeral,
  })
  const theirs = new HandshakeState({ protocol, role: 'responder', prologue, s: bob })
  const [[firstPayload, first], ...others] = NOISE_C.messages
  expect(hexEncode(ours.writeMessage(hexDecode(firstPayload)))).toBe(first)
  expect(failureOf(() => theirs.readMessage(hexDecode(first)))).toBe('noise/decrypt')
  const bobNext = theirs.fallback({
    protocol: FALLBACK,
    prologue,
    s: bob,
    unsafeEphemeral: pairOf(NOISE_C.bobEphemeral),
  })
  const aliceNext = ours.fallback({ protocol: FALLBACK, prologue, s: alice })
  let [writer, reader] = [bobNext, aliceNext]
  for (const [payload, message] of others.slice(0, 2)) {
    expect(hexEncode(writer.writeMessage(hexDecode(payload)))).toBe(message)
    expect(hexEncode(reader.readMessage(hexDecode(message)))).toBe(payload)
    ;[writer, reader] = [reader, writer]
  }
  expect(hexEncode(bobNext.handshakeHash)).toBe(NOISE_C.handshakeHash)
  const [fromBob, fromAlice] = [bobNext.split(), aliceNext.split()]
  for (const [index, [payload, message]] of others.slice(2).entries()) {
    const [send, receive] =
      index % 2 === 0 ? [fromBob.send, fromAlice.receive] : [fromAlice.send, fromBob.receive]
    expect(hexEncode(send.encryptWithAd(EMPTY, hexDecode(payload)))).toBe(message)
    expect(hexEncode(receive.decryptWithAd(EMPTY, hexDecode(message)))).toBe(payload)
  }
})

describe('fallback patterns by hand', () => {
  test.each([
    'NNfallback',
    'NXfallback',
    'XNfallback',
    'XXfallback',
    'INfallback',
    'IXfallback',
    'NK1fallback',
    'X1X1fallback',
    'IK1fallback',
    'XXfallback+psk0',
    'XXfallback+psk1',
    'XXfallback+psk0+psk2',
    'INfallback+psk1',
  ])('%s runs, both hashes are equal, transport flows both ways', (pattern) => {
    const { initiator, responder } = partiesOf(`Noise_${pattern}_${SUITE}`)
    runHandshake(initiator, responder)
    expect(initiator.handshakeHash).toEqual(responder.handshakeHash)
    const [ours, theirs] = [initiator.split(), responder.split()]
    expect(theirs.receive.decryptWithAd(EMPTY, ours.send.encryptWithAd(EMPTY, utf8('x')))).toEqual(utf8('x'))
    expect(ours.receive.decryptWithAd(EMPTY, theirs.send.encryptWithAd(EMPTY, utf8('y')))).toEqual(utf8('y'))
  })
})
