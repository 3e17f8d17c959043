// HandshakeState: turns, limits, poisoning, keys, and what it shows when.
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { EMPTY, hexEncode, utf8 } from '../../src/bytes.js'
import { asPublicKey, KeyPair, type Primitives, primitives } from '../../src/crypto/index.js'
import { type HandshakeOptions, HandshakeState, parseProtocolName } from '../../src/noise/index.js'
import { errorOf, failureOf, optionsOf, partiesOf, runHandshake, transportOf } from './parties.js'

const SUITE = '25519_ChaChaPoly_BLAKE2b'
const MAX = 65_535
const dh = primitives().dh('25519')

/** This process's primitives, counting every DH in `count`. */
function countingPrimitives(): { readonly from: Primitives; readonly dhs: () => number } {
  let count = 0
  const own = primitives()
  const from: Primitives = {
    ...own,
    dh: (name) => {
      const inner = own.dh(name)
      return {
        ...inner,
        dh: (secretKey, publicKey) => {
          count += 1
          return inner.dh(secretKey, publicKey)
        },
      }
    },
    aead: (name) => own.aead(name),
    hash: (name) => own.hash(name),
    randomBytes: (length) => own.randomBytes(length),
  }
  return { from, dhs: () => count }
}

function flipped(message: Uint8Array, index: number): Uint8Array {
  const copy = message.slice()
  copy[index]! ^= 1
  return copy
}

describe('a whole handshake', () => {
  test.each(['NN', 'NKpsk2', 'XKpsk3', 'IKpsk2', 'KKpsk2', 'XX', 'X1X1'])(
    '%s: both handshake hashes are equal, transport flows both ways',
    (pattern) => {
      const { initiator, responder } = partiesOf(`Noise_${pattern}_${SUITE}`)
      runHandshake(initiator, responder)
      expect(initiator.handshakeHash).toEqual(responder.handshakeHash)
      expect(initiator.handshakeHash).toHaveLength(64)
      const [ours, theirs] = [initiator.split(), responder.split()]
      for (const text of ['first', 'second']) {
        expect(theirs.receive.decryptWithAd(EMPTY, ours.send.encryptWithAd(EMPTY, utf8(text)))).toEqual(
          utf8(text),
        )
        expect(ours.receive.decryptWithAd(EMPTY, theirs.send.encryptWithAd(EMPTY, utf8(text)))).toEqual(
          utf8(text),
        )
      }
    },
  )

  test('channel binding: the hash stays readable after split and differs between handshakes', () => {
    const hashes = [1, 2].map(() => {
      const { initiator, responder } = partiesOf(`Noise_NN_${SUITE}`)
      runHandshake(initiator, responder)
      initiator.split()
      return hexEncode(initiator.handshakeHash)
    })
    expect(hashes[0]).not.toBe(hashes[1])
  })

  test('the two directions have different keys', () => {
    const { ours, theirs } = transportOf(`Noise_NN_${SUITE}`)
    const message = ours.send.encryptWithAd(EMPTY, utf8('reflect me'))
    expect(failureOf(() => ours.receive.decryptWithAd(EMPTY, message))).toBe('noise/decrypt')
    expect(theirs.receive.decryptWithAd(EMPTY, message)).toEqual(utf8('reflect me'))
  })

  test('a different prologue makes the first encrypted message fail', () => {
    const { initiator, responder } = optionsOf(`Noise_NN_${SUITE}`)
    const ours = new HandshakeState({ ...initiator, prologue: utf8('a') })
    const theirs = new HandshakeState({ ...responder, prologue: utf8('b') })
    runHandshake(ours, theirs, 1)
    const message = theirs.writeMessage()
    expect(failureOf(() => ours.readMessage(message))).toBe('noise/decrypt')
  })

  test('a fresh ephemeral for every handshake, a fixed one only through unsafeEphemeral', () => {
    const { initiator } = optionsOf(`Noise_NN_${SUITE}`)
    const ephemerals = Array.from({ length: 16 }, () =>
      hexEncode(new HandshakeState(initiator).writeMessage()),
    )
    expect(new Set(ephemerals).size).toBe(16)
    const unsafeEphemeral = KeyPair.generate(dh)
    const fixed = () => new HandshakeState({ ...initiator, unsafeEphemeral }).writeMessage()
    expect(fixed()).toEqual(fixed())
    expect(fixed()).toEqual(unsafeEphemeral.publicKey)
  })

  test('DH happens when its token is processed: constructing either role does none', () => {
    for (const [pattern, expected] of [
      ['NN', 1],
      ['NK', 2],
      ['XK', 3],
      ['IK', 4],
      ['KKpsk2', 4],
    ] as const) {
      const { from, dhs } = countingPrimitives()
      const { initiator, responder } = optionsOf(`Noise_${pattern}_${SUITE}`, from)
      const [ours, theirs] = [new HandshakeState(initiator), new HandshakeState(responder)]
      expect(dhs(), pattern).toBe(0)
      runHandshake(ours, theirs)
      expect(dhs(), pattern).toBe(2 * expected)
    }
  })

  test('message 1 begins with e in clear, so a responder can look at it before any DH', () => {
    for (const pattern of ['NKpsk2', 'XKpsk3', 'IKpsk2', 'KKpsk2']) {
      const { from, dhs } = countingPrimitives()
      const { initiator, responder } = optionsOf(`Noise_${pattern}_${SUITE}`, from)
      const message = new HandshakeState(initiator).writeMessage()
      const before = dhs()
      const theirs = new HandshakeState(responder)
      const seen = message.slice(0, 32)
      expect(dhs(), pattern).toBe(before)
      theirs.readMessage(message)
      expect(theirs.remoteEphemeral, pattern).toEqual(seen)
    }
  })
})

describe('messages out of turn throw', () => {
  test('and leave the handshake as it was', () => {
    const { initiator, responder } = partiesOf(`Noise_XX_${SUITE}`)
    expect(failureOf(() => initiator.readMessage(new Uint8Array(100)))).toBe('noise/out_of_turn')
    expect(failureOf(() => responder.writeMessage())).toBe('noise/out_of_turn')
    const first = initiator.writeMessage()
    expect(failureOf(() => initiator.writeMessage())).toBe('noise/out_of_turn')
    responder.readMessage(first)
    expect(failureOf(() => responder.readMessage(first))).toBe('noise/out_of_turn')
    initiator.readMessage(responder.writeMessage())
    responder.readMessage(initiator.writeMessage())
    expect(initiator.handshakeHash).toEqual(responder.handshakeHash)
  })

  test('after the last message everything but split is over', () => {
    const { initiator, responder } = partiesOf(`Noise_NN_${SUITE}`)
    runHandshake(initiator, responder)
    for (const party of [initiator, responder]) {
      expect(party.finished).toBe(true)
      expect(failureOf(() => party.writeMessage())).toBe('noise/finished')
      expect(failureOf(() => party.readMessage(new Uint8Array(48)))).toBe('noise/finished')
      party.split()
      expect(party.finished).toBe(true)
      expect(failureOf(() => party.split())).toBe('noise/finished')
      expect(failureOf(() => party.writeMessage())).toBe('noise/finished')
    }
  })

  test('split and handshakeHash wait for the last message', () => {
    const { initiator, responder } = partiesOf(`Noise_XX_${SUITE}`)
    for (let count = 0; count < 3; count++) {
      for (const party of [initiator, responder]) {
        expect(party.finished).toBe(false)
        expect(failureOf(() => party.split())).toBe('noise/not_finished')
        expect(failureOf(() => party.handshakeHash)).toBe('noise/not_finished')
      }
      const [writer, reader] = count % 2 === 0 ? [initiator, responder] : [responder, initiator]
      reader.readMessage(writer.writeMessage())
    }
    expect(failureOf(() => initiator.split())).toBeUndefined()
  })
})

describe('a failed handshake message poisons the handshake for good', () => {
  /** A responder of IK whose first message arrived with one bit flipped at `index`. */
  function poisoned(index: number): { readonly responder: HandshakeState; readonly genuine: Uint8Array } {
    const { initiator, responder } = partiesOf(`Noise_IK_${SUITE}`)
    const genuine = initiator.writeMessage(utf8('hello'))
    expect(failureOf(() => responder.readMessage(flipped(genuine, index)))).toBe('noise/decrypt')
    return { responder, genuine }
  }

  test.each([
    ['e', 0],
    ['the encrypted s', 40],
    ['the tag of s', 70],
    ['the payload', 81],
    ['the last tag', 100],
  ])('after a flipped bit in %s', (_what, index) => {
    const { responder, genuine } = poisoned(index)
    expect(failureOf(() => responder.readMessage(genuine))).toBe('noise/failed')
    expect(failureOf(() => responder.writeMessage())).toBe('noise/failed')
    expect(failureOf(() => responder.split())).toBe('noise/failed')
    expect(failureOf(() => responder.handshakeHash)).toBe('noise/failed')
    expect(responder.finished).toBe(false)
    expect(responder.remoteStatic).toBeUndefined()
    expect(responder.remoteEphemeral).toBeUndefined()
  })

  test('after a message of the wrong length', () => {
    for (const length of [0, 31, 95, MAX + 1]) {
      const { responder } = partiesOf(`Noise_IK_${SUITE}`)
      expect(failureOf(() => responder.readMessage(new Uint8Array(length)))).toBe('noise/message_length')
      expect(failureOf(() => responder.readMessage(new Uint8Array(96)))).toBe('noise/failed')
    }
  })

  test('a low-order e is the same opaque error as a wrong tag', () => {
    const { responder } = partiesOf(`Noise_NK_${SUITE}`)
    const lowOrder = errorOf(() => responder.readMessage(new Uint8Array(48)))
    expect(lowOrder).toMatchObject({
      code: 'noise/decrypt',
      message: 'Cannot decrypt message: it is not authentic',
    })
    expect(lowOrder).not.toHaveProperty('cause')
    expect(failureOf(() => responder.readMessage(new Uint8Array(48)))).toBe('noise/failed')
  })

  test('a low-order key of the peer fails on writing, before anything is returned', () => {
    const { responder } = partiesOf(`Noise_NN_${SUITE}`)
    responder.readMessage(new Uint8Array(32))
    expect(failureOf(() => responder.writeMessage(utf8('secret')))).toBe('noise/bad_key')
    expect(failureOf(() => responder.writeMessage())).toBe('noise/failed')
    const { initiator } = optionsOf(`Noise_NK_${SUITE}`)
    const pinned = new HandshakeState({ ...initiator, rs: asPublicKey(new Uint8Array(32)) })
    expect(failureOf(() => pinned.writeMessage())).toBe('noise/bad_key')
  })

  test('disposal ends it the same way', () => {
    const { initiator } = partiesOf(`Noise_NN_${SUITE}`)
    initiator[Symbol.dispose]()
    expect(failureOf(() => initiator.writeMessage())).toBe('noise/failed')
  })

  test('a KeyPair that its owner disposed too early fails the handshake instead of using a wiped key', () => {
    const { initiator } = optionsOf(`Noise_XX_${SUITE}`)
    const s = KeyPair.generate(dh)
    const ours = new HandshakeState({ ...initiator, s })
    const theirs = partiesOf(`Noise_XX_${SUITE}`).responder
    runHandshake(ours, theirs, 2)
    s[Symbol.dispose]()
    expect(failureOf(() => ours.writeMessage())).toBe('TypeError')
    expect(failureOf(() => ours.writeMessage())).toBe('noise/failed')
  })

  test('disposal after split leaves the transport alone', () => {
    const { initiator, responder } = partiesOf(`Noise_NN_${SUITE}`)
    runHandshake(initiator, responder)
    const { send } = initiator.split()
    const { receive } = responder.split()
    initiator[Symbol.dispose]()
    expect(initiator.finished).toBe(true)
    expect(receive.decryptWithAd(EMPTY, send.encryptWithAd(EMPTY, utf8('alive')))).toEqual(utf8('alive'))
  })
})

describe('remoteStatic is hidden until its message authenticated', () => {
  test('XX: undefined before, hidden after a forgery, there afterwards', () => {
    const { initiator, responder } = optionsOf(`Noise_XX_${SUITE}`)
    const [ours, theirs] = [new HandshakeState(initiator), new HandshakeState(responder)]
    runHandshake(ours, theirs, 1)
    expect(ours.remoteStatic).toBeUndefined()
    ours.readMessage(theirs.writeMessage())
    expect(ours.remoteStatic).toEqual(responder.s?.publicKey)
    expect(theirs.remoteStatic).toBeUndefined()
    const third = ours.writeMessage()
    expect(failureOf(() => theirs.readMessage(flipped(third, third.length - 1)))).toBe('noise/decrypt')
    expect(theirs.remoteStatic).toBeUndefined()
  })

  test('XX: a forged payload after a genuine s shows nothing', () => {
    const { initiator, responder } = partiesOf(`Noise_XX_${SUITE}`)
    runHandshake(initiator, responder, 1)
    const second = responder.writeMessage(utf8('payload'))
    expect(failureOf(() => initiator.readMessage(flipped(second, second.length - 1)))).toBe('noise/decrypt')
    expect(initiator.remoteStatic).toBeUndefined()
  })

  test('IN: an s sent in clear is shown when the handshake has finished', () => {
    const { initiator, responder } = optionsOf(`Noise_IN_${SUITE}`)
    const [ours, theirs] = [new HandshakeState(initiator), new HandshakeState(responder)]
    runHandshake(ours, theirs, 1)
    expect(theirs.remoteStatic).toBeUndefined()
    ours.readMessage(theirs.writeMessage())
    expect(theirs.remoteStatic).toEqual(initiator.s?.publicKey)
  })

  test('I1N: an s sent in clear is shown with the next message that authenticates', () => {
    const { initiator, responder } = optionsOf(`Noise_I1N_${SUITE}`)
    const [ours, theirs] = [new HandshakeState(initiator), new HandshakeState(responder)]
    runHandshake(ours, theirs, 2)
    expect(theirs.remoteStatic).toBeUndefined()
    theirs.readMessage(ours.writeMessage())
    expect(theirs.remoteStatic).toEqual(initiator.s?.publicKey)
  })

  test('a key known before is there from the start, and is a copy', () => {
    const { initiator } = optionsOf(`Noise_NK_${SUITE}`)
    const ours = new HandshakeState(initiator)
    expect(ours.remoteStatic).toEqual(initiator.rs)
    ours.remoteStatic?.fill(0)
    expect(ours.remoteStatic).toEqual(initiator.rs)
  })
})

describe('65,535 bytes hold for the whole handshake message', () => {
  test.each([
    ['NN', 0, 32],
    ['XX', 1, 32 + 48 + 16],
    ['XX', 2, 48 + 16],
    ['IKpsk2', 0, 32 + 48 + 16],
    ['NNpsk0', 0, 32 + 16],
  ])('%s, message %i: the largest payload fills it, one byte more is refused', (pattern, index, overhead) => {
    const { initiator, responder } = partiesOf(`Noise_${pattern}_${SUITE}`)
    runHandshake(initiator, responder, index)
    const [writer, reader] = index % 2 === 0 ? [initiator, responder] : [responder, initiator]
    const tooLong = new Uint8Array(MAX - overhead + 1)
    expect(failureOf(() => writer.writeMessage(tooLong))).toBe('noise/message_length')
    const message = writer.writeMessage(tooLong.subarray(1))
    expect(message).toHaveLength(MAX)
    expect(reader.readMessage(message)).toHaveLength(MAX - overhead)
  })

  test('448 has longer keys and the same limit', () => {
    const { initiator } = partiesOf('Noise_NN_448_ChaChaPoly_BLAKE2b')
    expect(failureOf(() => initiator.writeMessage(new Uint8Array(MAX - 55)))).toBe('noise/message_length')
    expect(initiator.writeMessage(new Uint8Array(MAX - 56))).toHaveLength(MAX)
  })
})

describe('keys', () => {
  const protocol = `Noise_XX_${SUITE}`
  const pair = KeyPair.generate(dh)
  const without = (options: HandshakeOptions, key: 's' | 'rs' | 'e' | 're'): HandshakeOptions => {
    const { [key]: _left, ...rest } = options
    return rest
  }

  test.each([
    ['XX', 'initiator', 's'],
    ['XX', 'responder', 's'],
    ['NK', 'initiator', 'rs'],
    ['KN', 'responder', 'rs'],
    ['XXfallback', 'responder', 'e'],
    ['XXfallback', 'initiator', 're'],
  ] as const)('%s, %s: a missing %s is refused', (pattern, role, key) => {
    const options = without(optionsOf(`Noise_${pattern}_${SUITE}`)[role], key)
    expect(failureOf(() => new HandshakeState(options))).toBe('noise/bad_key')
  })

  test.each([
    ['a static key that the pattern never uses', `Noise_NN_${SUITE}`, { s: pair }],
    [
      'a pinned peer in a pattern that sends the key and would ignore the pin',
      protocol,
      { rs: pair.publicKey },
    ],
    ['a known ephemeral outside of fallback', protocol, { re: pair.publicKey }],
    ['an own known ephemeral outside of fallback', protocol, { e: pair }],
  ])('a surplus key is refused: %s', (_what, name, extra) => {
    const { initiator } = optionsOf(name)
    expect(failureOf(() => new HandshakeState({ ...initiator, ...extra }))).toBe('noise/bad_key')
  })

  test('a fixed ephemeral for a role that sends none is refused', () => {
    const { responder } = optionsOf(`Noise_N_${SUITE}`)
    expect(failureOf(() => new HandshakeState({ ...responder, unsafeEphemeral: pair }))).toBe('noise/bad_key')
  })

  test('a key of the wrong length is refused', () => {
    const other = KeyPair.generate(primitives().dh('448'))
    const { initiator } = optionsOf(protocol)
    expect(failureOf(() => new HandshakeState({ ...initiator, s: other }))).toBe('noise/bad_key')
    const nk = optionsOf(`Noise_NK_${SUITE}`).initiator
    expect(failureOf(() => new HandshakeState({ ...nk, rs: other.publicKey }))).toBe('noise/bad_key')
  })

  test('an unknown role is a TypeError', () => {
    const role = 'server' as unknown as 'responder' // a caller without types
    expect(failureOf(() => new HandshakeState({ protocol, role, s: pair }))).toBe('TypeError')
  })

  test('a message or payload of another type is a TypeError and harms nothing', () => {
    const { initiator, responder } = partiesOf(`Noise_NN_${SUITE}`)
    const text = 'text' as unknown as Uint8Array // a caller without types
    expect(failureOf(() => initiator.writeMessage(text))).toBe('TypeError')
    expect(failureOf(() => responder.readMessage(text))).toBe('TypeError')
    runHandshake(initiator, responder)
    expect(initiator.finished).toBe(true)
  })
})

describe('no caller buffer is kept or altered', () => {
  test('every option may be overwritten after construction', () => {
    const protocol = `Noise_KKpsk0+psk2_${SUITE}`
    const { initiator, responder } = optionsOf(protocol)
    const bytesOf = (options: HandshakeOptions) => ({
      s: {
        publicKey: asPublicKey(options.s!.publicKey.slice()),
        secretKey: options.s!.secretKey.slice() as never,
      },
      rs: asPublicKey(options.rs!.slice()),
      psks: options.psks!.map((psk) => psk!.slice()),
      prologue: utf8('prologue'),
    })
    const given = [bytesOf(initiator), bytesOf(responder)] as const
    const before = JSON.stringify(given)
    const ours = new HandshakeState({ protocol, role: 'initiator', ...given[0] })
    const theirs = new HandshakeState({ protocol, role: 'responder', ...given[1] })
    expect(JSON.stringify(given)).toBe(before)
    for (const { s, rs, psks, prologue } of given) {
      for (const bytes of [s.publicKey, s.secretKey as Uint8Array, rs, ...psks, prologue]) bytes.fill(0xff)
    }
    runHandshake(ours, theirs)
    expect(ours.handshakeHash).toEqual(theirs.handshakeHash)
    for (const { s } of given) expect(s.secretKey as Uint8Array).toEqual(new Uint8Array(32).fill(0xff))
  })

  test('a KeyPair is referred to, and usable for the next handshake', () => {
    const s = KeyPair.generate(dh)
    for (let count = 0; count < 2; count++) {
      const { responder } = optionsOf(`Noise_NK_${SUITE}`)
      const theirs = new HandshakeState({ ...responder, s })
      const ours = new HandshakeState({ protocol: `Noise_NK_${SUITE}`, role: 'initiator', rs: s.publicKey })
      runHandshake(ours, theirs)
      theirs.split()
      theirs[Symbol.dispose]()
    }
    expect(dh.publicKeyOf(s.secretKey)).toEqual(s.publicKey)
  })

  test('messages and payloads are neither altered nor aliased', () => {
    const { initiator, responder } = partiesOf(`Noise_XX_${SUITE}`)
    let [writer, reader] = [initiator, responder]
    while (!reader.finished) {
      const payload = utf8('payload')
      const message = writer.writeMessage(payload)
      const kept = message.slice()
      payload.fill(0)
      const received = reader.readMessage(message)
      expect(message).toEqual(kept)
      message.fill(0)
      expect(received).toEqual(utf8('payload'))
      received.fill(0)
      ;[writer, reader] = [reader, writer]
    }
    expect(initiator.handshakeHash).toEqual(responder.handshakeHash)
    initiator.handshakeHash.fill(0)
    expect(initiator.handshakeHash).toEqual(responder.handshakeHash)
  })

  test('views into a larger buffer work as messages, payloads and keys', () => {
    const { initiator, responder } = optionsOf(`Noise_NK_${SUITE}`)
    const shared = new Uint8Array(64)
    shared.set(initiator.rs!, 7)
    const ours = new HandshakeState({ ...initiator, rs: asPublicKey(shared.subarray(7, 39)) })
    const theirs = new HandshakeState(responder)
    const message = ours.writeMessage(shared.subarray(0, 3))
    const framed = new Uint8Array(message.length + 10)
    framed.set(message, 5)
    expect(theirs.readMessage(framed.subarray(5, 5 + message.length))).toEqual(shared.subarray(0, 3))
  })
})

describe('protocol name and h', () => {
  test('a name of at most HASHLEN bytes is zero-padded, a longer one hashed', () => {
    const short = 'Noise_NN_25519_AESGCM_SHA256'
    expect(short.length).toBeLessThanOrEqual(32)
    const long = 'Noise_NNpsk0+psk2_25519_ChaChaPoly_SHA256'
    const sha256 = primitives().hash('SHA256')
    for (const protocol of [short, long]) {
      const { initiator, responder } = partiesOf(protocol)
      const messages = runHandshake(initiator, responder)
      expect(messages).toHaveLength(parseProtocolName(protocol).plan.messages.length)
      expect(initiator.handshakeHash).toEqual(responder.handshakeHash)
    }
    // NN without payload encryption in message 1: h follows from the name, the empty prologue, e and the payload alone.
    const e = KeyPair.generate(dh)
    const ours = new HandshakeState({ protocol: short, role: 'initiator', unsafeEphemeral: e })
    const theirs = new HandshakeState({ protocol: short, role: 'responder' })
    theirs.readMessage(ours.writeMessage())
    const padded = new Uint8Array(32)
    padded.set(utf8(short))
    let h = sha256.hash(padded, EMPTY)
    for (const data of [e.publicKey, EMPTY]) h = sha256.hash(h, data)
    const second = theirs.writeMessage()
    for (const data of [second.subarray(0, 32), second.subarray(32)]) h = sha256.hash(h, data)
    expect(theirs.handshakeHash).toEqual(h)
  })

  test('a HandshakeState shows its role and nothing else', () => {
    const { initiator } = partiesOf(`Noise_IK_${SUITE}`)
    expect([String(initiator), inspect(initiator), JSON.stringify(initiator)]).toEqual([
      'HandshakeState initiator [redacted]',
      'HandshakeState initiator [redacted]',
      '"HandshakeState initiator [redacted]"',
    ])
  })
})
