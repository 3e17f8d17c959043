// Fallback: Noise Pipes (IK to XXfallback), other patterns, and the points at which falling back is possible.
import { describe, expect, test } from 'vitest'
import { EMPTY, utf8 } from '../../src/bytes.js'
import { KeyPair, primitives } from '../../src/crypto/index.js'
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
