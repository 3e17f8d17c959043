// The one error class of noisecap and the closed list of its codes, `layer/reason`.
// A caller's plain mistake (wrong type, wrong length of an argument) is a TypeError or RangeError instead.
// A capability that somebody gave where a path belongs stays out of the message, and out of the cause.
// Messages read `Cannot <action>: expected <x>, got <y>` and never hold a secret or a peer's bytes.
import { redactCapabilities } from './redact.js'

/** Every code that a NoisecapError can carry. */
export type ErrorCode =
  // crypto
  | 'crypto/unavailable'
  | 'crypto/bad_public_key'
  // noise
  | 'noise/bad_protocol_name'
  | 'noise/bad_key'
  | 'noise/bad_psk'
  | 'noise/out_of_turn'
  | 'noise/finished'
  | 'noise/not_finished'
  | 'noise/failed'
  | 'noise/one_way'
  | 'noise/decrypt'
  | 'noise/message_length'
  | 'noise/nonce_exhausted'
  // capability
  | 'capability/malformed'
  | 'capability/key_mismatch'
  | 'capability/final'
  | 'capability/too_large'
  | 'capability/unknown_kid'
  | 'capability/denied'
  | 'capability/key_file'
  | 'capability/passphrase'
  | 'capability/revocation_file'
  // browser
  | 'browser/store'
  // session
  | 'session/closed'
  | 'session/truncated'
  | 'session/handshake'
  | 'session/no_answer'
  | 'session/denied'
  | 'session/expired'
  | 'session/not_yet_valid'
  | 'session/revoked'
  | 'session/limit'
  | 'session/protocol'
  | 'session/overloaded'
  | 'session/contact_file'
  // resolve
  | 'resolve/malformed'
  | 'resolve/not_found'
  | 'resolve/registry'
  | 'resolve/dns'
  // seal
  | 'seal/malformed'
  | 'seal/version'
  | 'seal/too_large'
  | 'seal/not_accepted'
  | 'seal/not_for_reader'
  | 'seal/unknown_epoch'
  | 'seal/altered'
  | 'seal/expired'
  | 'seal/not_yet_valid'
  | 'seal/revoked'
  | 'seal/denied'
  | 'seal/bad_value'
  | 'seal/reseal'
  | 'seal/truncated'
  | 'seal/interrupted'
  // mailbox
  | 'mailbox/malformed'
  | 'mailbox/address'
  | 'mailbox/too_large'
  | 'mailbox/gone'
  | 'mailbox/store'
  // transport
  | 'transport/bad_location'
  | 'transport/unreachable'
  // rpc: the Connect/gRPC set plus our own
  | RpcErrorCode

/** Codes that a call can fail with; PROTOCOL's numbers for them stand in spec/rpc.md §6. */
export type RpcErrorCode =
  | 'rpc/canceled'
  | 'rpc/unknown'
  | 'rpc/invalid_argument'
  | 'rpc/deadline_exceeded'
  | 'rpc/not_found'
  | 'rpc/already_exists'
  | 'rpc/permission_denied'
  | 'rpc/resource_exhausted'
  | 'rpc/failed_precondition'
  | 'rpc/aborted'
  | 'rpc/out_of_range'
  | 'rpc/unimplemented'
  | 'rpc/internal'
  | 'rpc/unavailable'
  | 'rpc/data_loss'
  | 'rpc/unauthenticated'
  | 'rpc/disconnected'
  | 'rpc/declared'
  | 'rpc/bad_value'

/** What may accompany a NoisecapError. */
export interface NoisecapErrorOptions {
  /** The underlying failure; left out where it would tell an attacker something. */
  readonly cause?: unknown
  /** What the reader can do about it, one sentence without a final period. */
  readonly hint?: string
}

/** An error with a stable `code`; branch on the code, show the message and the hint. */
export class NoisecapError<Code extends ErrorCode = ErrorCode> extends Error {
  readonly code: Code
  readonly hint: string | undefined

  constructor(code: Code, message: string, options: NoisecapErrorOptions = {}) {
    super(redactCapabilities(message), harmless(options))
    this.code = code
    this.hint = options.hint === undefined ? undefined : redactCapabilities(options.hint)
  }

  override get name(): string {
    return 'NoisecapError'
  }
}

/** The cause, unless it quotes a capability: errors of the system quote the path they were given. */
function harmless(options: NoisecapErrorOptions): { cause: unknown } | undefined {
  if (!('cause' in options)) return undefined
  const { cause } = options
  const quotes = cause instanceof Error && redactCapabilities(cause.message) !== cause.message
  return quotes ? undefined : { cause }
}
