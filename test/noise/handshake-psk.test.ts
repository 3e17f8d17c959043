// PSKs: their use follows the protocol name, nothing falls back to a handshake without one, and they may come late.
import { describe, expect, test } from 'vitest'
import { primitives } from '../../src/crypto/index.js'
import { HandshakeState, parseProtocolName } from '../../src/noise/index.js'
import { SymmetricState } from '../../src/noise/symmetric-state.js'
import { failureOf, optionsOf, partiesOf, pskOf, runHandshake } from './parties.js'

const SUITE = '25519_ChaChaPoly_BLAKE2b'
const BAD_PSK = 'noise/bad_psk'

/** Both sides of `pattern` with these PSKs in place of the right ones. */
function partiesWith(pattern: string, psks: readonly (Uint8Array | undefined)[]) {
  const { initiator, responder } = optionsOf(`Noise_${pattern}_${SUITE}`)
  return {
    initiator: new HandshakeState({ ...initiator, psks }),
    responder: new HandshakeState({ ...responder, psks }),
  }
}

describe('a PSK that does not follow the protocol name', () => {
  test.each(['NN', 'NK', 'XX', 'N'])('surplus: %s takes none, at the start or later', (pattern) => {
    expect(failureOf(() => partiesWith(pattern, [pskOf(0)]))).toBe(BAD_PSK)
    expect(failureOf(() => partiesWith(pattern, [undefined]))).toBe(BAD_PSK)
    const { initiator, responder } = partiesWith(pattern, [])
    for (const number of [0, 1, 2]) {
      expect(failureOf(() => initiator.setPsk(number, pskOf(number)))).toBe(BAD_PSK)
      expect(failureOf(() => responder.setPsk(number, pskOf(number)))).toBe(BAD_PSK)
    }
  })

  test('surplus: one more than the name has modifiers', () => {
    expect(failureOf(() => partiesWith('NKpsk0+psk2', [pskOf(0), pskOf(2), pskOf(3)]))).toBe(BAD_PSK)
  })

  test('another index than the name says is refused, with the right one in the message', () => {
    const { initiator } = partiesWith('NKpsk2', [])
    expect(() => initiator.setPsk(0, pskOf(0))).toThrow(
      'Cannot use PSK: expected one of the modifiers in the protocol name (psk2)',
    )
  })

  test('a second PSK for one modifier is refused', () => {
    const { initiator } = partiesWith('NKpsk2', [pskOf(2)])
    expect(failureOf(() => initiator.setPsk(2, pskOf(2)))).toBe(BAD_PSK)
  })

  test('a PSK that was used cannot be set again', () => {
    const { initiator, responder } = partiesWith('NKpsk0+psk2', [pskOf(0), pskOf(2)])
    runHandshake(initiator, responder, 1)
    expect(failureOf(() => initiator.setPsk(0, pskOf(0)))).toBe(BAD_PSK)
    expect(failureOf(() => responder.setPsk(0, pskOf(0)))).toBe(BAD_PSK)
  })

  test.each([0, 16, 31, 33, 64])('%i bytes throw at the start and later', (length) => {
    const wrong = new Uint8Array(length)
    expect(failureOf(() => partiesWith('NNpsk0', [wrong]))).toBe(BAD_PSK)
    expect(failureOf(() => partiesWith('NNpsk0', []).initiator.setPsk(0, wrong))).toBe(BAD_PSK)
  })

  test('another type throws', () => {
    const text = 'x'.repeat(32) as unknown as Uint8Array // a caller without types
    expect(failureOf(() => partiesWith('NNpsk0', [text]))).toBe(BAD_PSK)
  })
})

describe('a missing PSK', () => {
  test('throws before any output on writing, and the handshake can go on once it is there', () => {
    const { initiator, responder } = partiesWith('NNpsk0', [])
    expect(failureOf(() => initiator.writeMessage())).toBe(BAD_PSK)
    initiator.setPsk(0, pskOf(0))
    responder.setPsk(0, pskOf(0))
    runHandshake(initiator, responder)
    expect(initiator.handshakeHash).toEqual(responder.handshakeHash)
  })

  test('throws on reading too, without touching the handshake', () => {
    const { initiator, responder } = optionsOf(`Noise_XXpsk3_${SUITE}`)
    const [ours, theirs] = [new HandshakeState(initiator), new HandshakeState({ ...responder, psks: [] })]
    runHandshake(ours, theirs, 2)
    const message = ours.writeMessage()
    expect(failureOf(() => theirs.readMessage(message))).toBe(BAD_PSK)
    expect(theirs.remoteStatic).toBeUndefined()
    theirs.setPsk(3, pskOf(3))
    theirs.readMessage(message)
    expect(theirs.remoteStatic).toEqual(initiator.s?.publicKey)
  })

  test('throws for each of several', () => {
    const { initiator } = partiesWith('NKpsk0+psk1', [undefined, pskOf(1)])
    expect(() => initiator.writeMessage()).toThrow('Cannot use PSK: psk0 is missing, this message needs it')
    const second = partiesWith('NKpsk0+psk1', [pskOf(0)]).initiator
    expect(() => second.writeMessage()).toThrow('Cannot use PSK: psk1 is missing, this message needs it')
  })
})

describe('a PSK that comes late', () => {
  test.each([
    ['NKpsk2', 1, 2],
    ['IKpsk2', 1, 2],
    ['KKpsk2', 1, 2],
    ['XKpsk3', 1, 3],
    ['XKpsk3', 2, 3],
  ])('%s: message %i is read before the PSK is known, psk%i is set afterwards', (pattern, read, number) => {
    const { initiator, responder } = optionsOf(`Noise_${pattern}_${SUITE}`)
    const ours = new HandshakeState(initiator)
    const theirs = new HandshakeState({ ...responder, psks: [] })
    runHandshake(ours, theirs, read)
    theirs.setPsk(number, pskOf(number))
    let turn = read
    while (!ours.finished) {
      const [writer, reader] = turn % 2 === 0 ? [ours, theirs] : [theirs, ours]
      reader.readMessage(writer.writeMessage())
      turn += 1
    }
    expect(theirs.handshakeHash).toEqual(ours.handshakeHash)
  })

  test('too late it is refused', () => {
    const { initiator, responder } = partiesOf(`Noise_NKpsk2_${SUITE}`)
    runHandshake(initiator, responder)
    expect(failureOf(() => initiator.setPsk(2, pskOf(2)))).toBe('noise/finished')
    const failed = partiesWith('NKpsk2', []).responder
    expect(failureOf(() => failed.readMessage(new Uint8Array(100)))).toBe('noise/decrypt')
    expect(failureOf(() => failed.setPsk(2, pskOf(2)))).toBe('noise/failed')
  })
})

describe('what a PSK protects', () => {
  test.each([
    ['NNpsk0', 1],
    ['NKpsk0', 1],
    ['NKpsk2', 2],
    ['XKpsk3', 3],
    ['Xpsk1', 1],
  ])('%s with different PSKs fails at message %i', (pattern, failing) => {
    const { initiator, responder } = optionsOf(`Noise_${pattern}_${SUITE}`)
    const ours = new HandshakeState(initiator)
    const theirs = new HandshakeState({ ...responder, psks: [new Uint8Array(32).fill(1)] })
    runHandshake(ours, theirs, failing - 1)
    const [writer, reader] = failing % 2 === 1 ? [ours, theirs] : [theirs, ours]
    const message = writer.writeMessage()
    expect(failureOf(() => reader.readMessage(message))).toBe('noise/decrypt')
  })

  test('no silent downgrade: a name without psk and one with it never agree', () => {
    const { initiator } = optionsOf(`Noise_NN_${SUITE}`)
    const { responder } = optionsOf(`Noise_NNpsk0_${SUITE}`)
    const theirs = new HandshakeState(responder)
    const message = new HandshakeState(initiator).writeMessage()
    expect(failureOf(() => theirs.readMessage(message))).toBe('noise/message_length')
  })
})

describe('§9.2', () => {
  /** h of a state that has seen `protocol` and an empty prologue. */
  function startOf(protocol: string): SymmetricState {
    const { bytes, cipher, hash } = parseProtocolName(protocol)
    const symmetric = new SymmetricState(bytes, primitives().aead(cipher), primitives().hash(hash))
    symmetric.mixHash(new Uint8Array(0))
    return symmetric
  }

  test('psk0 mixes the psk, then e into h and into the key: message 1 is reproduced by hand', () => {
    const protocol = `Noise_NNpsk0_${SUITE}`
    const { initiator } = optionsOf(protocol)
    const message = new HandshakeState(initiator).writeMessage(Uint8Array.of(1, 2, 3))
    const symmetric = startOf(protocol)
    symmetric.mixKeyAndHash(pskOf(0))
    const e = message.subarray(0, 32)
    symmetric.mixHash(e)
    symmetric.mixKey(e)
    const expected = symmetric.encryptAndHash(Uint8Array.of(1, 2, 3))
    expect(message.subarray(32)).toEqual(expected)
  })

  test('psk0 after a pre-message e mixes that e into the key as well: message 1 is reproduced by hand', () => {
    const protocol = `Noise_NNfallback+psk0_${SUITE}`
    const { initiator, responder } = optionsOf(protocol)
    const message = new HandshakeState(initiator).writeMessage(Uint8Array.of(4))
    const dh = primitives().dh('25519')
    const e = message.subarray(0, 32) as typeof initiator.re & Uint8Array // the message begins with a public key
    const symmetric = startOf(protocol)
    symmetric.mixHash(initiator.re!)
    symmetric.mixKey(initiator.re!)
    symmetric.mixKeyAndHash(pskOf(0))
    symmetric.mixHash(e)
    symmetric.mixKey(e)
    symmetric.mixKey(dh.dh(responder.e!.secretKey, e))
    const expected = symmetric.encryptAndHash(Uint8Array.of(4))
    expect(message.subarray(32)).toEqual(expected)
  })

  test('without a psk modifier e is not mixed into the key: the first payload of NN is clear', () => {
    const { initiator } = partiesOf(`Noise_NN_${SUITE}`)
    const message = initiator.writeMessage(Uint8Array.of(9))
    expect(message).toHaveLength(33)
    expect(message[32]).toBe(9)
  })
})
