// The constants of the session's wire format: versions, patterns, statuses and close codes (spec/session.md §2, §3, §8).
// Leaves out encoding (hello.ts, parameters.ts) and limits (src/limits.ts).

import { label } from '../bytes.js'
import type { PatternName } from '../capability/index.js'

/** Version byte of hello and prologue. */
export const VERSION = 1
/** Suite byte: 25519_ChaChaPoly_BLAKE2b. */
export const SUITE = 1

/** Bytes of an X25519 public key, of a key hash and of a proof. */
export const KEY_BYTES = 32
/** Bytes of mac1 and of a contact tag. */
export const MAC1_BYTES = 16
/** version ‖ pattern ‖ suite; with KK the contact tag follows. */
export const HELLO_HEADER_BYTES = 3
/** Tag of one AEAD message. */
export const TAG_BYTES = 16

/** Pattern byte, full Noise protocol name and psk modifier of each session pattern (spec/session.md §2). */
export const PATTERNS = {
  NK: { code: 1, protocol: 'Noise_NKpsk2_25519_ChaChaPoly_BLAKE2b', psk: 2 },
  XK: { code: 2, protocol: 'Noise_XKpsk3_25519_ChaChaPoly_BLAKE2b', psk: 3 },
  IK: { code: 3, protocol: 'Noise_IKpsk2_25519_ChaChaPoly_BLAKE2b', psk: 2 },
  KK: { code: 4, protocol: 'Noise_KKpsk2_25519_ChaChaPoly_BLAKE2b', psk: 2 },
} as const satisfies Record<PatternName, { code: number; protocol: string; psk: number }>

/** Domain-separation labels of the session layer. */
export const LABELS = {
  prologue: label('noisecap/v1'),
  mac1: label('noisecap/v1 mac1'),
} as const

/** What message 2 tells a genuine holder (spec/session.md §4). */
export const STATUS_CODES = {
  ok: 0,
  expired: 1,
  not_yet_valid: 2,
  revoked: 3,
  pattern: 4,
  use: 5,
  overloaded: 6,
  unknown_caveat: 7,
} as const
/** Name of a status. */
export type Status = keyof typeof STATUS_CODES

/** Why a session ends, as the close record says it (spec/session.md §8). */
export const CLOSE_CODES = {
  done: 0,
  protocol: 1,
  limit: 2,
  going_away: 3,
  expired: 4,
  revoked: 5,
  holder: 6,
  claims: 7,
  object: 8,
  idle: 9,
  lifetime: 10,
  internal: 11,
} as const
/** Name of a close code. */
export type CloseReason = keyof typeof CLOSE_CODES

/** Who shows a further capability, in its proof (spec/session.md §5). */
export const PRESENTER_CODES = { client: 1, service: 2 } as const

/** First byte of the plaintext of a close record; the number of CLOSE in the table of ops (spec/rpc.md §3). */
export const CLOSE_RECORD_KIND = 16

/** The name whose code is `code`, or undefined. */
export function nameOfCode<Name extends string>(
  codes: Readonly<Record<Name, number>>,
  code: unknown,
): Name | undefined {
  for (const name of Object.keys(codes) as Name[]) if (codes[name] === code) return name
  return undefined
}
