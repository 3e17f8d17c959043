// The errors of opening (spec/seal.md §6). What an attacker could learn nothing from has a kind of its own; whatever a
// secret decides about is `seal/altered`, with one text and no cause. Leaves out mistakes of the caller (TypeError, RangeError).
import { type ErrorCode, NoisecapError, type NoisecapErrorOptions } from '../errors.js'

/** The codes of this layer. */
export type SealErrorCode = Extract<ErrorCode, `seal/${string}`>

/** An error while opening; `expected` never holds anything that was read. */
export function openError(
  code: SealErrorCode,
  expected: string,
  options: NoisecapErrorOptions = {},
): NoisecapError<SealErrorCode> {
  return new NoisecapError(code, `Cannot open seal: ${expected}`, options)
}

/** The one answer to every failed authentication. */
export function altered(): NoisecapError<SealErrorCode> {
  return openError('seal/altered', 'it was moved or altered, or is sealed under other secrets', {
    hint: 'Check table, column, row key and schema version, then the reader key, the accepted writers and root secrets',
  })
}

/** The same for a chunk of a stream; which one it is, whoever altered it knows. */
export function alteredChunk(index: number): NoisecapError<SealErrorCode> {
  return openError(
    'seal/altered',
    `chunk ${index} was moved or altered, or the stream is sealed under other secrets`,
    { hint: 'Check the context, and in a log the segment before; then fetch the stream again' },
  )
}

/** The bytes have not the shape of a seal. */
export function malformed(expected: string): NoisecapError<SealErrorCode> {
  return openError('seal/malformed', `expected ${expected}`)
}
