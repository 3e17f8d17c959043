// Handshakes of the ten protocols that noisecap itself runs (spec/session.md §2, spec/seal.md §3), spelled out with their
// psk tokens in place. A page or a program that only connects or seals then carries neither the other patterns nor what
// reads and judges names; a test holds each of these equal to its name. Leaves out every other protocol (handshake-state.ts).
import { utf8 } from '../bytes.js'
import { disposing } from '../disposing.js'
import { Handshake, type HandshakeOptions } from './handshake.js'
import { type Protocol, planOf } from './handshake-plan.js'
import { readPattern } from './pattern-notation.js'

const ONE_WAY = {
  N: ['<- s', '...', '-> e, es'],
  X: ['<- s', '...', '-> e, es, s, ss'],
  K: ['-> s', '<- s', '...', '-> e, es, ss'],
  Npsk0: ['<- s', '...', '-> psk0, e, es'],
  Xpsk1: ['<- s', '...', '-> e, es, s, ss, psk1'],
  Kpsk0: ['-> s', '<- s', '...', '-> psk0, e, es, ss'],
} as const

const INTERACTIVE = {
  NKpsk2: ['<- s', '...', '-> e, es', '<- e, ee, psk2'],
  XKpsk3: ['<- s', '...', '-> e, es', '<- e, ee', '-> s, se, psk3'],
  IKpsk2: ['<- s', '...', '-> e, es, s, ss', '<- e, ee, se, psk2'],
  KKpsk2: ['-> s', '<- s', '...', '-> e, es, ss', '<- e, ee, se, psk2'],
} as const

/** A pattern that noisecap uses. */
export type OwnPattern = keyof typeof ONE_WAY | keyof typeof INTERACTIVE
/** A protocol that noisecap uses, by its full name. */
export type OwnProtocolName = `Noise_${OwnPattern}_25519_ChaChaPoly_BLAKE2b`

const DH_BYTES = 32
const protocols = new Map<OwnProtocolName, Protocol>()

/** One handshake of a protocol of noisecap; `using` wipes what is left of it. */
export class OwnHandshake extends Handshake {
  /** Prepare a handshake: hashes, and no DH in either role.
   * @throws `noise/bad_key`, `noise/bad_psk`. */
  constructor(options: HandshakeOptions & { readonly protocol: OwnProtocolName }) {
    super(ownProtocol(options.protocol), options)
  }
}

/** What `run` makes of a handshake, which is wiped afterwards. */
export function withHandshake<T>(
  options: ConstructorParameters<typeof OwnHandshake>[0],
  run: (noise: OwnHandshake) => T,
): T {
  return disposing(new OwnHandshake(options), run)
}

/** The protocol of that name, worked out once. */
export function ownProtocol(name: OwnProtocolName): Protocol {
  let found = protocols.get(name)
  if (found === undefined) {
    const own = name.split('_')[1] as OwnPattern // by the type of the name
    const oneWay = own in ONE_WAY
    const lines = { ...ONE_WAY, ...INTERACTIVE }[own]
    const plan = planOf(readPattern(lines, oneWay), DH_BYTES)
    found = { name, bytes: utf8(name), dh: '25519', cipher: 'ChaChaPoly', hash: 'BLAKE2b', plan }
    protocols.set(name, found)
  }
  return found
}
