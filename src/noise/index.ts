// Door of the noise layer: Noise rev 34 and nothing else; it knows no capability.
export { everyPrimitive, type Primitives } from '../crypto/index.js'
export { CipherState } from './cipher-state.js'
export type { GivenKeys, KeyPairBytes } from './handshake-keys.js'
export { type FallbackOptions, type HandshakeOptions, HandshakeState } from './handshake-state.js'
export type { Role } from './pattern-notation.js'
export { PATTERN_NAMES } from './patterns.js'
export { type ProtocolName, parseProtocolName } from './protocol-name.js'
