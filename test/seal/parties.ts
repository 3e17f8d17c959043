// Readers, writers and places that the tests of this layer share.
import { mint, type Restrictions, ServiceKey } from '../../src/capability/index.js'
import { generateKeyPair } from '../../src/crypto/index.js'
import { NoisecapError } from '../../src/errors.js'
import {
  type Acceptance,
  type CapabilityRules,
  Column,
  type SealPatternName,
  text,
  type WriterIdentity,
} from '../../src/seal/index.js'

export const service = ServiceKey.generate()
export const reader = service.keyPair
export const writerKey = generateKeyPair()
export const strangerKey = generateKeyPair()
export const OBJECT = 'users/email'

export const email = new Column({ table: 'users', column: 'email', codec: text, schemaVersion: 1 })

export const sealCapability = (restrictions: Restrictions = {}) =>
  mint(service, { use: 'seal', object: OBJECT }, restrictions)

export const rules: CapabilityRules = { authority: service.authority(), objects: [OBJECT] }

export const ACCEPT = {
  N: { pattern: 'N' },
  X: { pattern: 'X', writers: [writerKey.publicKey] },
  K: { pattern: 'K', writers: [strangerKey.publicKey, writerKey.publicKey] },
  Npsk0: { pattern: 'Npsk0', capabilities: rules },
  Xpsk1: { pattern: 'Xpsk1', writers: [writerKey.publicKey], capabilities: rules },
  Kpsk0: { pattern: 'Kpsk0', writers: [writerKey.publicKey], capabilities: rules },
} as const satisfies Record<SealPatternName, Acceptance>
export const ACCEPT_ALL: readonly Acceptance[] = Object.values(ACCEPT)

/** The writer of a pattern, bare or under a capability. */
export function identityOf(pattern: SealPatternName): WriterIdentity {
  if (pattern.startsWith('N')) return { pattern: 'N' }
  return { pattern: pattern.startsWith('X') ? 'X' : 'K', key: writerKey }
}

/** The code of the error that `action` throws, the name of another error, or `none`. */
export function codeOf(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    if (error instanceof NoisecapError) return error.code
    if (error instanceof Error) return error.name
    throw error
  }
  return 'none'
}

/** `bytes` with the bit of that number flipped. */
export function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = bytes.slice()
  copy[bit >> 3]! ^= 1 << (bit & 7)
  return copy
}
