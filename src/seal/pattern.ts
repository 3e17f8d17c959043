// The six one-way Noise patterns of sealing (spec/seal.md §3): who is told about the writer, and whether a capability is
// needed. A closed list: the byte in a header selects one, the reader decides whether it accepts it.
// Leaves out the Noise messages (wrap.ts) and what a reader accepts (acceptance.ts).
import type { OwnProtocolName } from '../noise/own-handshake.js'

/** Every pattern of a seal, in the order of their codes, which begin at 1. */
export const SEAL_PATTERNS = ['N', 'X', 'K', 'Npsk0', 'Xpsk1', 'Kpsk0'] as const
/** Noise pattern of a seal: N tells nothing about the writer, X carries the writer's key, K is for known writers. */
export type SealPatternName = (typeof SEAL_PATTERNS)[number]

/** A pattern that needs no capability. */
export type BarePatternName = 'N' | 'X' | 'K'
/** A pattern under the PSK of a capability. */
export type PskPatternName = 'Npsk0' | 'Xpsk1' | 'Kpsk0'

/** What follows from a pattern. */
export interface SealPattern {
  readonly name: SealPatternName
  readonly code: number
  /** Full Noise protocol name. */
  readonly protocol: OwnProtocolName
  readonly psk: boolean
  /** Whether the pattern proves the writer's key to the reader. */
  readonly writer: 'unknown' | 'carried' | 'known'
  /** Length of the Noise message that carries an epoch key, bytes. */
  readonly messageBytes: number
}

/** Ephemeral public key at the start of every message, bytes. */
export const E_BYTES = 32
const ENCRYPTED_KEY_BYTES = 48

function patternOf(name: SealPatternName, index: number): SealPattern {
  const carried = name.startsWith('X')
  return {
    name,
    code: index + 1,
    protocol: `Noise_${name}_25519_ChaChaPoly_BLAKE2b`,
    psk: name.length > 1,
    writer: name.startsWith('N') ? 'unknown' : carried ? 'carried' : 'known',
    // -> e, [s,] payload: the epoch key is as long as an encrypted static key
    messageBytes: E_BYTES + (carried ? 2 : 1) * ENCRYPTED_KEY_BYTES,
  }
}

const patterns = SEAL_PATTERNS.map(patternOf)

/** The pattern of that code, undefined where there is none. */
export function patternOfCode(code: number): SealPattern | undefined {
  return patterns[code - 1]
}

/** The pattern of that name. */
export function patternOfName(name: SealPatternName): SealPattern {
  return patterns[SEAL_PATTERNS.indexOf(name)]! // the list is closed
}
