// Which providers a table of vectors runs through: all that have the primitive on this machine. That none is left out
// by accident is select.test.ts's business. Leaves out the vectors.
import {
  type AeadFunction,
  type AeadName,
  type DhFunction,
  type DhName,
  type HashFunction,
  type HashName,
  type PrimitiveName,
  type Primitives,
  type ProviderName,
  primitivesOf,
  reportOf,
} from '../../src/crypto/index.js'

export const PROVIDERS: readonly ProviderName[] = ['sodium', 'node', 'noble']
export const DH_NAMES: readonly DhName[] = ['25519', '448']
export const AEAD_NAMES: readonly AeadName[] = ['ChaChaPoly', 'AESGCM']
export const HASH_NAMES: readonly HashName[] = ['SHA256', 'SHA512', 'BLAKE2s', 'BLAKE2b']

/** The primitives of every provider here that has `primitive`. */
function havingOnes(primitive: PrimitiveName): readonly Primitives[] {
  return PROVIDERS.map(primitivesOf).filter((of) =>
    reportOf(of).some((choice) => choice.primitive === primitive && choice.provider !== undefined),
  )
}

export function everyDh(name: DhName): readonly DhFunction[] {
  return havingOnes(name).map((of) => of.dh(name))
}

export function everyAead(name: AeadName): readonly AeadFunction[] {
  return havingOnes(name).map((of) => of.aead(name))
}

export function everyHash(name: HashName): readonly HashFunction[] {
  return havingOnes(name).map((of) => of.hash(name))
}

/** Whether `bytes` is a plain Uint8Array that owns all of its memory. */
export function isPlainAndOwn(bytes: Uint8Array): boolean {
  return Object.getPrototypeOf(bytes) === Uint8Array.prototype && bytes.buffer.byteLength === bytes.length
}
