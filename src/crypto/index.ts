// Door of the crypto layer: the interface, typed keys and the selected primitives.
export { DhAhead } from './dh-ahead.js'
export { KeyPair } from './key-pair.js'
export { asPublicKey, asSecretKey, type PublicKey, type SecretKey } from './keys.js'
export {
  AEAD_KEY_BYTES,
  AEAD_NONCE_BYTES,
  AEAD_TAG_BYTES,
  type AeadFunction,
  type AeadKey,
  type AeadName,
  type CryptoProvider,
  type DhFunction,
  type DhName,
  type HashFunction,
  type HashName,
  type PrimitiveName,
  type ProviderName,
} from './provider.js'
export { notesOf, type PrimitiveChoice, reportOf } from './report.js'
export {
  everyPrimitive,
  generateKeyPair,
  type Primitives,
  primitives,
  primitivesOf,
} from './select.js'
export { type HeldX25519Key, type LaterX25519, webX25519 } from './web-x25519.js'
