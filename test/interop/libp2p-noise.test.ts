// @chainsafe/libp2p-noise 17 as the other side of Noise_XX_25519_ChaChaPoly_SHA256, in both roles, through its public
// entry: it frames with a 16-bit length, signs its static key with an Ed25519 identity and then carries transport messages.
// Our side speaks that framing and payload by hand, so that nothing of it comes from libp2p.
import { generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto'
import { noise } from '@chainsafe/libp2p-noise'
import { generateKeyPair as generateIdentity } from '@libp2p/crypto/keys'
import { defaultLogger } from '@libp2p/logger'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { multiaddrConnectionPair } from '@libp2p/utils'
import { describe, expect, test } from 'vitest'
import { concat, EMPTY, utf8 } from '../../src/bytes.js'
import { generateKeyPair } from '../../src/crypto/index.js'
import { type CipherState, HandshakeState, type Role } from '../../src/noise/index.js'

const PROTOCOL = 'Noise_XX_25519_ChaChaPoly_SHA256'
const SIGNATURE_PREFIX = utf8('noise-libp2p-static-key:')
/** Key type 1 is Ed25519; both messages below are protobuf with fields of one wire type (libp2p specs, noise and peer-ids). */
const ED25519 = Uint8Array.of(0x08, 0x01, 0x12, 32)
const TEXTS = ['hello', 'x'.repeat(40_000), 'y'.repeat(100_000)]

// libp2p needs this function of Node 22; we support Node 20.
if (!('withResolvers' in Promise)) {
  Object.defineProperty(Promise, 'withResolvers', {
    value: () => {
      let resolve: (value: unknown) => void = () => {}
      let reject: (reason: unknown) => void = () => {}
      const promise = new Promise((onResolve, onReject) => {
        resolve = onResolve
        reject = onReject
      })
      return { promise, resolve, reject }
    },
  })
}

type Connection = ReturnType<typeof multiaddrConnectionPair>[0]

/** Frames of a 16-bit big-endian length over one end of a libp2p connection. */
class FramedConnection {
  readonly #connection: Connection
  #received: Uint8Array = EMPTY
  #wake: () => void = () => {}

  constructor(connection: Connection) {
    this.#connection = connection
    connection.addEventListener('message', ({ data }) => {
      this.#received = concat(this.#received, data.subarray())
      this.#wake()
    })
  }

  send(message: Uint8Array): void {
    this.#connection.send(concat(Uint8Array.of(message.length >> 8, message.length & 0xff), message))
  }

  async receive(): Promise<Uint8Array> {
    const length = () => (this.#received[0]! << 8) | this.#received[1]!
    while (this.#received.length < 2 || this.#received.length < 2 + length()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    const end = 2 + length()
    const message = this.#received.slice(2, end)
    this.#received = this.#received.slice(end)
    return message
  }
}

/** `NoiseHandshakePayload { identity_key = 1, identity_sig = 2 }` of our static key. */
function payloadOf(
  identity: { publicKey: KeyObject; privateKey: KeyObject },
  staticKey: Uint8Array,
): Uint8Array {
  const raw = Buffer.from(identity.publicKey.export({ format: 'jwk' }).x!, 'base64url')
  const key = concat(ED25519, raw)
  const signature = sign(null, concat(SIGNATURE_PREFIX, staticKey), identity.privateKey)
  return concat(Uint8Array.of(0x0a, key.length), key, Uint8Array.of(0x12, signature.length), signature)
}

/** Whether `payload` holds a valid signature of `staticKey` by the Ed25519 key `expected`. */
function provesIdentity(payload: Uint8Array, staticKey: Uint8Array, expected: Uint8Array): boolean {
  const key = payload.subarray(2, 2 + payload[1]!)
  const signature = payload.subarray(2 + key.length + 2, 2 + key.length + 2 + 64)
  const raw = key.subarray(ED25519.length)
  const object = { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(raw).toString('base64url') }
  const sameKey = Buffer.from(raw).equals(expected)
  return (
    sameKey && verify(null, concat(SIGNATURE_PREFIX, staticKey), { key: object, format: 'jwk' }, signature)
  )
}

/** Our side of the handshake over `frames`: payloads stand in messages 2 and 3. */
async function handshakeAs(role: Role, frames: FramedConnection, expectedIdentity: Uint8Array) {
  const s = generateKeyPair()
  const state = new HandshakeState({ protocol: PROTOCOL, role, s })
  const payload = payloadOf(generateKeyPairSync('ed25519'), s.publicKey)
  let received: Uint8Array
  if (role === 'initiator') {
    frames.send(state.writeMessage())
    received = state.readMessage(await frames.receive())
    frames.send(state.writeMessage(payload))
  } else {
    state.readMessage(await frames.receive())
    frames.send(state.writeMessage(payload))
    received = state.readMessage(await frames.receive())
  }
  expect(provesIdentity(received, state.remoteStatic!, expectedIdentity)).toBe(true)
  return state.split()
}

async function receiveText(
  frames: FramedConnection,
  receive: CipherState,
  length: number,
): Promise<Uint8Array> {
  let text: Uint8Array = EMPTY
  while (text.length < length) text = concat(text, receive.decryptWithAd(EMPTY, await frames.receive()))
  return text
}

/** What the libp2p side has received in all, as text, once it is `length` long. */
function collect(connection: Pick<Connection, 'addEventListener'>): (length: number) => Promise<string> {
  let text = ''
  let wake: () => void = () => {}
  connection.addEventListener('message', ({ data }) => {
    text += Buffer.from(data.subarray()).toString()
    wake()
  })
  return async (length) => {
    while (text.length < length) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
    const part = text.slice(0, length)
    text = text.slice(length)
    return part
  }
}

describe.each(['initiator', 'responder'] as const)('libp2p-noise, we are the %s', (role) => {
  test('handshake, identities and transport agree', async () => {
    const privateKey = await generateIdentity('Ed25519')
    const peer = noise()({
      privateKey,
      peerId: peerIdFromPrivateKey(privateKey),
      logger: defaultLogger(),
      upgrader: { getStreamMuxers: () => new Map() } as never, // asked for nothing else: muxers are not negotiated
    })
    const [outbound, inbound] = multiaddrConnectionPair()
    const [ourEnd, theirEnd] = role === 'initiator' ? [outbound, inbound] : [inbound, outbound]
    const frames = new FramedConnection(ourEnd)
    const options = { skipStreamMuxerNegotiation: true }
    const [{ send, receive }, { connection }] = await Promise.all([
      handshakeAs(role, frames, privateKey.publicKey.raw),
      role === 'initiator' ? peer.secureInbound(theirEnd, options) : peer.secureOutbound(theirEnd, options),
    ])
    const arrived = collect(connection)
    for (const text of TEXTS) {
      connection.send(utf8(text))
      expect(await receiveText(frames, receive, text.length)).toEqual(utf8(text))
      for (let start = 0; start < text.length; start += 60_000) {
        frames.send(send.encryptWithAd(EMPTY, utf8(text.slice(start, start + 60_000))))
      }
      expect(await arrived(text.length)).toBe(text)
    }
  })
})
