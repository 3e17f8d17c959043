// Noise XX as libp2p uses it, by our engine: both static keys are signed by an Ed25519 identity, which the other side
// verifies. So that libp2p-noise is compared with the same work, Ed25519 being Node's.
import { generateKeyPairSync, sign, verify } from 'node:crypto'
import { concat, utf8 } from '../../src/bytes.js'
import { KeyPair, primitives } from '../../src/crypto/index.js'
import { HandshakeState } from '../../src/noise/index.js'
import { check, equal } from './handshake-candidates.js'

const PROTOCOL = 'Noise_XX_25519_ChaChaPoly_SHA256'
const PREFIX = utf8('noise-libp2p-static-key:')
const KEY_BYTES = 32

class Party {
  readonly #s = KeyPair.generate(primitives().dh('25519'))
  readonly #identity = generateKeyPairSync('ed25519')
  readonly #identityKey = Buffer.from(this.#identity.publicKey.export({ format: 'jwk' }).x ?? '', 'base64url')

  begin(role: 'initiator' | 'responder'): HandshakeState {
    return new HandshakeState({ protocol: PROTOCOL, role, s: this.#s })
  }

  /** Identity key and signature of the static key, made for each handshake as libp2p does. */
  payload(): Uint8Array {
    return concat(this.#identityKey, sign(null, concat(PREFIX, this.#s.publicKey), this.#identity.privateKey))
  }
}

/** Whether `payload` holds an identity that signed the static key which the handshake proved. */
function verifies(payload: Uint8Array, state: HandshakeState): boolean {
  const x = Buffer.from(payload.subarray(0, KEY_BYTES)).toString('base64url')
  const key = { key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' } as const
  return (
    state.remoteStatic !== undefined &&
    verify(null, concat(PREFIX, state.remoteStatic), key, payload.subarray(KEY_BYTES))
  )
}

/** One handshake of both sides, from the keys to four cipher states. */
export function identifiedXx(): () => void {
  const [alice, bob] = [new Party(), new Party()]
  return () => {
    const [initiator, responder] = [alice.begin('initiator'), bob.begin('responder')]
    responder.readMessage(initiator.writeMessage())
    const ofBob = initiator.readMessage(responder.writeMessage(bob.payload()))
    const ofAlice = responder.readMessage(initiator.writeMessage(alice.payload()))
    check(verifies(ofBob, initiator) && verifies(ofAlice, responder), 'identities')
    check(equal(initiator.handshakeHash, responder.handshakeHash), 'handshake hashes')
    initiator.split()
    responder.split()
  }
}
