// @chainsafe/libp2p-noise: a whole handshake of both sides over its own connection pair in memory, identities signed and
// verified as it always does. It is a development dependency of the root.
import { noise } from '@chainsafe/libp2p-noise'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { defaultLogger } from '@libp2p/logger'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { multiaddrConnectionPair } from '@libp2p/utils'

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

async function party() {
  const privateKey = await generateKeyPair('Ed25519')
  return noise()({
    privateKey,
    peerId: peerIdFromPrivateKey(privateKey),
    logger: defaultLogger(),
    upgrader: { getStreamMuxers: () => new Map() } as never, // asked for nothing else: muxers are not negotiated
  })
}

/** One handshake of both sides; the first of them checks that a message arrives. */
export async function libp2pHandshake(): Promise<() => Promise<void>> {
  const [alice, bob] = await Promise.all([party(), party()])
  const options = { skipStreamMuxerNegotiation: true }
  const handshake = async () => {
    const [outbound, inbound] = multiaddrConnectionPair()
    return Promise.all([alice.secureOutbound(outbound, options), bob.secureInbound(inbound, options)])
  }
  const [client, service] = await handshake()
  const arrived = new Promise<string>((resolve) => {
    service.connection.addEventListener('message', ({ data }) =>
      resolve(Buffer.from(data.subarray()).toString()),
    )
  })
  client.connection.send(Buffer.from('hello'))
  if ((await arrived) !== 'hello') throw new Error('Cannot time libp2p-noise: the message is another')
  return async () => {
    await handshake()
  }
}
