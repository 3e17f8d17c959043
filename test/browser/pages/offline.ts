// What needs no network: primitives, a handshake of each kind, sealing, and calls over a wire in memory, all in one page.
import { everyPrimitive, HandshakeState } from 'noisecap/noise'
import { Column, generateKeyPair, SealReader, SealWriter, text } from 'noisecap/seal'
import { FakeClock, TestNetwork } from 'noisecap/testing'
import { primitives, reportOf } from '../../../src/crypto/index.js'
import { iface, method, stream } from '../../../src/rpc/index.js'
import { codeFrom, codeOf, tell } from './tell.js'

const Counter = iface('Counter', { add: method<number, number>(), upTo: stream<number, number>() })

tell(async () => ({
  providers: reportOf(primitives()).flatMap(({ primitive, provider }) =>
    provider === undefined ? [] : [`${primitive} ${provider}`],
  ),
  handshakes: ['Noise_NN_25519_ChaChaPoly_BLAKE2b', 'Noise_NN_448_AESGCM_SHA512'].map(handshake),
  ownOnly: ownOnly(),
  sealed: sealing(),
  called: await calling(),
  evalRefused: evalRefused(),
  node: ['process', 'Buffer', 'require', 'global'].filter((name) => name in globalThis),
}))

function handshake(protocol: string): boolean {
  const primitives = everyPrimitive()
  const initiator = new HandshakeState({ protocol, role: 'initiator', primitives })
  const responder = new HandshakeState({ protocol, role: 'responder', primitives })
  responder.readMessage(initiator.writeMessage())
  initiator.readMessage(responder.writeMessage())
  return String(initiator.handshakeHash) === String(responder.handshakeHash)
}

/** What a page has that did not ask for more. */
function ownOnly(): unknown {
  try {
    return new HandshakeState({ protocol: 'Noise_NN_448_ChaChaPoly_BLAKE2b', role: 'initiator' }).protocol
  } catch (error) {
    return codeOf(error)
  }
}

function sealing(): unknown {
  const key = generateKeyPair()
  const email = new Column({ table: 'users', column: 'email', codec: text })
  const sealed = new SealWriter({ to: key.publicKey }).seal('ada@example.org', email.at(1))
  const reader = new SealReader({ keys: key, accept: [{ pattern: 'N' }] })
  const moved = (): unknown => {
    try {
      return reader.open(sealed, email.at(2)).value
    } catch (error) {
      return codeOf(error)
    }
  }
  return { opened: reader.open(sealed, email.at(1)).value, moved: moved() }
}

async function calling(): Promise<unknown> {
  await using network = new TestNetwork({ clock: new FakeClock() })
  const service = network.createService()
  let sum = 0
  const offer = service.offer('counter', Counter, () => ({
    add: (by: number) => {
      sum += by
      return sum
    },
    upTo: async function* (end: number) {
      for (let i = 1; i <= end; i++) yield i
    },
  }))
  await using counter = await network.connect(offer.mint({}))
  const sums = await Promise.all([1, 2, 3].map((by) => counter.add(by)))
  const items: number[] = []
  for await (const item of counter.upTo(3)) items.push(item)
  const revoked = offer.mint({})
  await service.revoke(revoked)
  return { sums, items, revoked: await codeFrom(network.connect(revoked)) }
}

function evalRefused(): boolean {
  try {
    // Under the policy of the test pages, as under that of careful sites.
    return new Function('return false')() as boolean
  } catch (error) {
    return error instanceof EvalError || error instanceof TypeError
  }
}
